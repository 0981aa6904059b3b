package org.testigo.demo

import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.testigo.CatalogueEntryView
import org.testigo.HistoryView
import org.testigo.HostKey
import org.testigo.HostKeys
import org.testigo.HostKeysException
import org.testigo.Phone
import org.testigo.ReportInput
import org.testigo.SavedTallyView
import org.testigo.SealedFile
import org.testigo.Settings
import org.testigo.StatusView
import org.testigo.SyncOutcome
import org.testigo.SyncReportView
import org.testigo.SyncStop
import org.testigo.TallyInput
import org.testigo.TestigoException
import org.testigo.TypedInput
import org.testigo.TypedSheet
import org.testigo.TypingFormView
import org.testigo.explanation
import org.testigo.histories
import org.testigo.inBackground
import org.testigo.keepKeyUnder
import org.testigo.phoneExists
import org.testigo.statuses
import org.testigo.wipeFolderUnder

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
    /** The core's own words. */
    class Core(val error: TestigoException) : Trouble()

    /** Anything else, such as a core that does not belong to this app. */
    object Fault : Trouble()
}

/**
 * The one phone of this process, whose keys [keys] wrap. All work happens off the caller's thread; [state] follows
 * every change. [wake] is called when something new waits to be sent.
 *
 * An earlier version of this app kept the database key itself, in the file [earlierKey], wrapped by the same key of the
 * same key store: such a phone goes on.
 */
class Session(
    private val directory: File,
    private val keys: HostKeys,
    private val earlierKey: File,
    private val scope: CoroutineScope,
    private val wake: () -> Unit,
) {
    private val states = MutableStateFlow<SessionState>(SessionState.Opening)
    private val outcomes = MutableStateFlow<SyncOutcome?>(null)
    private var following: Job? = null

    @Volatile
    private var opened: Deferred<Phone?> = begin()

    /** What is known about the phone. */
    val state: StateFlow<SessionState> = states.asStateFlow()

    /** How the latest sync of this process ended. */
    val lastSync: StateFlow<SyncOutcome?> = outcomes.asStateFlow()

    /** Enrols; see [Phone.enrol]. Nothing is asked for yet: a person compares the root's words first. */
    suspend fun enrol(code: String, keyset: ByteArray, pack: ByteArray?) {
        phone().inBackground { enrol(code, keyset, pack) }
    }

    /** A person found the root's words right: the enrolment may be sent. */
    fun wordsAreRight() = wake()

    /** Gives, sets, changes or takes away a PIN. */
    suspend fun withPin(change: Phone.() -> Unit) {
        phone().inBackground(change)
        // After every PIN: a duress PIN's call for help waits unseen.
        wake()
    }

    /** Hides what can be read until the PIN is given; without a PIN nothing happens. */
    fun lock() {
        // Whatever the state says: a PIN that is being checked right now must not open it afterwards.
        scope.launch { opened.await()?.inBackground { lock() } }
    }

    /** Destroys the phone, also one that does not open, and begins a new one. */
    suspend fun wipe() {
        val phone = opened.await()
        following?.cancel()
        try {
            withContext(NonCancellable + Dispatchers.IO) {
                // Left open: whoever still works with it is told by its errors.
                if (phone == null) wipeFolderUnder(directory.path, keys) else phone.wipe()
            }
        } finally {
            states.value = SessionState.Opening
            outcomes.value = null
            opened = begin()
        }
    }

    /** What can be reported in the phone's election. */
    suspend fun catalogue(): List<CatalogueEntryView> = phone().inBackground { catalogue() }

    /** Saves a report; see [Phone.report], and for the [photograph] [tally]. */
    suspend fun report(input: ReportInput, photograph: Photograph? = null): SavedRecord = phone().inBackground {
        val sealed = sealed(photograph)
        val saved = report(input.copy(attachments = listOfNotNull(sealed)))
        SavedRecord(saved.sequence, photographLost = photograph != null && sealed == null)
    }.also { wake() }

    /**
     * Saves a sheet's texts and reads them; see [Phone.tally]. The [photograph] goes with them; where it cannot be
     * sealed they are saved all the same.
     */
    suspend fun tally(texts: List<ByteArray>, photograph: Photograph? = null): SavedRecord = phone().inBackground {
        val sealed = sealed(photograph)
        val saved = tally(TallyInput(texts, attachments = listOfNotNull(sealed)))
        SavedRecord(saved.saved.sequence, photographLost = photograph != null && sealed == null)
    }.also { wake() }

    /** What to ask for where a sheet has no code that can be read; see [Phone.typingForm]. */
    suspend fun typingForm(): TypingFormView? = phone().inBackground { typingForm() }

    /**
     * Saves numbers that were typed twice; see [Phone.typed]. Where the [photograph] cannot be sealed nothing is saved:
     * [IOException], or the core's error.
     */
    suspend fun typed(first: TypedSheet, second: TypedSheet, photograph: Photograph?): SavedTallyView =
        phone().inBackground {
            typed(TypedInput(first, second, listOfNotNull(photograph?.seal(this))))
        }.also { wake() }

    /** What the witness chose for this phone; see [Phone.settings]. */
    suspend fun settings(): Settings = phone().inBackground { settings() }

    /** Changes it, one change after the other; see [Phone.setSettings]. */
    suspend fun change(change: Settings.() -> Settings) = phone().inBackground {
        synchronized(this@Session) { setSettings(settings().change()) }
    }

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

    private fun Phone.sealed(photograph: Photograph?): SealedFile? = try {
        photograph?.seal(this)
    } catch (_: TestigoException) {
        null
    } catch (_: IOException) {
        null
    }

    private suspend fun phone(): Phone = opened.await() ?: throw PhoneUnusable()

    private fun begin(): Deferred<Phone?> = scope.async(Dispatchers.IO) {
        val trouble = try {
            return@async open().also { follow(it) }
        } catch (error: TestigoException) {
            Trouble.Core(error)
        } catch (_: Exception) {
            Trouble.Fault
        } catch (_: LinkageError) {
            Trouble.Fault
        }
        states.value = SessionState.Unusable(trouble)
        null
    }

    private fun open(): Phone {
        val path = directory.path
        val phone = if (phoneExists(path)) {
            adoptEarlierKey()
            try {
                Phone.openUnder(path, keys)
            } catch (error: TestigoException.Enrolment) {
                // A wipe was interrupted; opening has finished it.
                if (error.explanation.code != "wiped") throw error
                Phone.createUnder(path, keys)
            }
        } else {
            Phone.createUnder(path, keys)
        }
        AtomicFile(earlierKey).delete()
        return phone
    }

    /** The file stays until the phone was opened without it: interrupted anywhere, the next start goes on. */
    private fun adoptEarlierKey() {
        val wrapped = try {
            AtomicFile(earlierKey).readFully()
        } catch (_: FileNotFoundException) {
            return
        }
        val key = try {
            keys.unwrap(HostKey.STORE, wrapped)
        } catch (_: HostKeysException.Gone) {
            // Where the phone has no other key, opening says so.
            return
        }
        try {
            keepKeyUnder(directory.path, key, keys)
        } finally {
            key.fill(0)
        }
    }

    private fun follow(phone: Phone) {
        following = scope.launch {
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
}

/** A record was saved under the number [sequence]; [photographLost] where its picture could not go with it. */
class SavedRecord(val sequence: ULong, val photographLost: Boolean)

/** There is no open phone; [Session.state] says why. */
class PhoneUnusable : Exception()
