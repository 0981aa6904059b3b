package org.testigo.demo

import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.testigo.HistoryView
import org.testigo.Observation
import org.testigo.Phone
import org.testigo.PhoneObserver
import org.testigo.ReportInput
import org.testigo.SavedTallyView
import org.testigo.SavedView
import org.testigo.StatusView
import org.testigo.SyncOutcome
import org.testigo.SyncReportView
import org.testigo.SyncStop
import org.testigo.TallyInput
import org.testigo.TestigoException
import org.testigo.phoneExists

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

    // Held, because an observation ends when it is let go.
    private var observation: Observation? = null

    /** What is known about the phone. */
    val state: StateFlow<SessionState> = states.asStateFlow()

    /** How the latest sync of this process ended. */
    val lastSync: StateFlow<SyncOutcome?> = outcomes.asStateFlow()

    /** Enrols; see [Phone.enrol]. */
    suspend fun enrol(code: String, keyset: ByteArray, pack: ByteArray?) {
        onPhone { it.enrol(code, keyset, pack) }
        wake()
    }

    /** Saves a report; see [Phone.report]. */
    suspend fun report(input: ReportInput): SavedView = onPhone { it.report(input) }.also { wake() }

    /** Saves a sheet's texts and reads them; see [Phone.tally]. */
    suspend fun tally(texts: List<ByteArray>): SavedTallyView =
        onPhone { it.tally(TallyInput(texts)) }.also { wake() }

    /** Everything saved, newest first. */
    suspend fun history(): List<HistoryView> = onPhone { it.history() }

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

    private suspend fun <T> onPhone(work: (Phone) -> T): T {
        val phone = phone()
        return withContext(Dispatchers.IO) { work(phone) }
    }

    private fun open(): Phone? = try {
        val phone = if (phoneExists(directory.path)) {
            keys.read()?.let { key -> wiping(key) { Phone.open(directory.path, it) } }
        } else {
            wiping(keys.make()) { Phone.create(directory.path, it) }
        }
        if (phone == null) {
            states.value = SessionState.Unusable(Trouble.KeyLost)
        } else {
            observation = phone.observe(object : PhoneObserver {
                override fun onStatus(status: StatusView) {
                    states.value = SessionState.Open(status)
                }
            })
            states.value = SessionState.Open(phone.status())
        }
        phone
    } catch (error: TestigoException) {
        states.value = SessionState.Unusable(Trouble.Core(error))
        null
    } catch (_: GeneralSecurityException) {
        states.value = SessionState.Unusable(Trouble.KeyLost)
        null
    } catch (_: IOException) {
        states.value = SessionState.Unusable(Trouble.KeyLost)
        null
    }

    private fun <T> wiping(key: ByteArray, use: (ByteArray) -> T): T = try {
        use(key)
    } finally {
        key.fill(0)
    }
}

/** There is no open phone; [Session.state] says why. */
class PhoneUnusable : Exception()
