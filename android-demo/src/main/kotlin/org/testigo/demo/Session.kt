package org.testigo.demo

import java.io.File
import java.security.GeneralSecurityException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import org.testigo.HistoryView
import org.testigo.Phone
import org.testigo.ReportInput
import org.testigo.SavedTallyView
import org.testigo.SavedView
import org.testigo.StatusView
import org.testigo.SyncOutcome
import org.testigo.SyncReportView
import org.testigo.SyncStop
import org.testigo.TallyInput
import org.testigo.TestigoException
import org.testigo.explanation
import org.testigo.histories
import org.testigo.inBackground
import org.testigo.phoneExists
import org.testigo.statuses

/** What the app knows about its phone. */
sealed class SessionState {
    /** It is being opened. */
    object Opening : SessionState()

    /** It cannot be opened; nothing was deleted. */
    class Unusable(val trouble: Trouble) : SessionState()

    /** It is open. */
    class Open(val status: StatusView) : SessionState()
}

/** Why a phone cannot be opened. */
sealed class Trouble {
    /** The key of its records is gone. */
    object KeyLost : Trouble()

    /** The core's own words. */
    class Core(val error: TestigoException) : Trouble()

    /** Anything else, such as a core that does not belong to this app. */
    object Fault : Trouble()
}

/**
 * The one phone of this process, opened once. All work happens off the caller's thread; [state] follows every
 * change. [wake] is called when something new waits to be sent.
 */
class Session(
    private val directory: File,
    private val keys: DatabaseKeyFile,
    private val scope: CoroutineScope,
    private val wake: () -> Unit,
) {
    private val states = MutableStateFlow<SessionState>(SessionState.Opening)
    private val outcomes = MutableStateFlow<SyncOutcome?>(null)
    private val opened: Deferred<Phone?> = scope.async(Dispatchers.IO) { open() }

    /** What is known about the phone. */
    val state: StateFlow<SessionState> = states.asStateFlow()

    /** How the latest sync of this process ended. */
    val lastSync: StateFlow<SyncOutcome?> = outcomes.asStateFlow()

    /** Enrols; see [Phone.enrol]. */
    suspend fun enrol(code: String, keyset: ByteArray, pack: ByteArray?) {
        phone().inBackground { enrol(code, keyset, pack) }
        wake()
    }

    /** Saves a report; see [Phone.report]. */
    suspend fun report(input: ReportInput): SavedView = phone().inBackground { report(input) }.also { wake() }

    /** Saves a sheet's texts and reads them; see [Phone.tally]. */
    suspend fun tally(texts: List<ByteArray>): SavedTallyView =
        phone().inBackground { tally(TallyInput(texts)) }.also { wake() }

    /** Everything saved, newest first: now, and after each change. */
    val histories: Flow<List<HistoryView>> = flow { emitAll(phone().histories()) }

    /** Delivers what waits, until [stop] ends it. */
    suspend fun sync(stop: SyncStop? = null): SyncReportView {
        val report = phone().sync(stop)
        outcomes.value = report.outcome
        return report
    }

    /** Delivers what waits without anybody waiting for the end; [lastSync] tells it. */
    fun sendNow() {
        scope.launch {
            try {
                sync()
            } catch (error: TestigoException) {
                val explanation = error.explanation
                outcomes.value =
                    SyncOutcome.Failed(explanation.code, explanation.es, explanation.en, null)
            }
        }
    }

    private suspend fun phone(): Phone = opened.await() ?: throw PhoneUnusable()

    private fun open(): Phone? {
        val trouble = try {
            val phone = if (phoneExists(directory.path)) {
                keys.read()?.let { key -> wiping(key) { Phone.open(directory.path, it) } }
            } else {
                wiping(keys.make()) { Phone.create(directory.path, it) }
            }
            if (phone != null) return phone.also { follow(it) }
            Trouble.KeyLost
        } catch (error: TestigoException) {
            Trouble.Core(error)
        } catch (_: GeneralSecurityException) {
            Trouble.KeyLost
        } catch (_: Exception) {
            Trouble.Fault
        } catch (_: LinkageError) {
            Trouble.Fault
        }
        states.value = SessionState.Unusable(trouble)
        return null
    }

    private fun follow(phone: Phone) {
        scope.launch {
            var first = true
            try {
                phone.statuses().collect { status ->
                    states.value = SessionState.Open(status)
                    // The system forgets its jobs when a person ends the app by force.
                    if (first && status.enrolled && status.waits) wake()
                    first = false
                }
            } catch (error: TestigoException) {
                states.value = SessionState.Unusable(Trouble.Core(error))
            }
        }
    }

    private fun <T> wiping(key: ByteArray, use: (ByteArray) -> T): T = try {
        use(key)
    } finally {
        key.fill(0)
    }
}

/** There is no open phone; [Session.state] says why. */
class PhoneUnusable : Exception()
