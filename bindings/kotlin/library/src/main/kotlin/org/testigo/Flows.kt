package org.testigo

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext

/**
 * The queue's state: the present one, and then the newest one after each change.
 *
 * Read off the collector's thread, so that a main thread may collect it. A slow collector misses states in
 * between, never the last one. The phone is watched while somebody collects, and no longer.
 *
 * The flow fails with [TestigoException] where the store does.
 */
fun Phone.statuses(): Flow<StatusView> = afterEachChange { status() }

/**
 * What was saved, newest first: the present list, and then the newest one after each change, such as when a
 * receipt arrives. Otherwise as [statuses].
 */
fun Phone.histories(): Flow<List<HistoryView>> = afterEachChange { history() }

/**
 * Works with the phone off the caller's thread: `phone.inBackground { report(input) }`.
 *
 * The work always comes to its end. A coroutine that is cancelled meanwhile does not hear of it: what was saved
 * is then found in [Phone.history].
 */
suspend fun <T> Phone.inBackground(work: Phone.() -> T): T = withContext(Dispatchers.IO) { work() }

/** A change only wakes the reader, which then reads for itself: so an old state never follows a newer one. */
private fun <T> Phone.afterEachChange(read: Phone.() -> T): Flow<T> =
    callbackFlow {
        val changed = object : PhoneObserver {
            override fun onStatus(status: StatusView) {
                trySend(Unit)
            }
        }
        observe(changed).use { observation ->
            send(Unit)
            awaitClose { observation.stop() }
        }
    }.conflate().map { read() }.distinctUntilChanged().flowOn(Dispatchers.IO)
