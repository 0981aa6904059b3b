package org.testigo.demo

import android.content.Context
import org.testigo.StatusView

/** Whether there is something to send: a record, a file of one, or the enrolment itself. */
val StatusView.waits: Boolean get() = queued > 0u || attachmentsQueued > 0u || !enrolmentDelivered

/** The queue's true state in one line: what waits comes before what arrived. */
fun Context.queueLine(status: StatusView): String {
    val waiting = status.queued.toLong()
    val files = status.attachmentsQueued.toLong()
    val parked = status.parked.toLong()
    val delivered = status.delivered.toLong()
    return when {
        waiting > 0 && status.syncing -> counted(R.plurals.queue_sending, waiting)
        waiting > 0 -> counted(R.plurals.queue_waiting, waiting)
        files > 0 -> counted(R.plurals.queue_files, files)
        parked > 0 -> counted(R.plurals.queue_parked, parked)
        delivered > 0 -> counted(R.plurals.queue_delivered, delivered)
        else -> getString(R.string.queue_empty)
    }
}

/** What else is true of it, in one or two short sentences. */
fun Context.queueMore(status: StatusView): String {
    val waiting = status.queued > 0u
    val sentences = buildList {
        if (waiting) add(getString(R.string.queue_kept))
        if (waiting && status.parked > 0u) add(counted(R.plurals.queue_parked, status.parked.toLong()))
        val contact = status.lastContact
        when {
            waiting -> Unit
            !status.enrolmentDelivered -> add(getString(R.string.queue_enrolment))
            contact != null -> add(getString(R.string.contact, time(contact)))
        }
    }
    return sentences.joinToString(" ")
}
