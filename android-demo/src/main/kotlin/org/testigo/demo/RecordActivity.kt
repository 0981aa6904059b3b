package org.testigo.demo

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import org.testigo.DeliveryView
import org.testigo.HistoryView
import org.testigo.RecordView
import org.testigo.TallyReading
import org.testigo.TallyView
import org.testigo.TestigoException
import org.testigo.WarningView

/** One record: what became of it, what is doubtful about it, and what it says. */
class RecordActivity : Screen() {
    private val content: ViewGroup by lazy { view(R.id.content) }
    private var fixedViews = 0

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.record)
        fixedViews = content.childCount
        val justSaved = intent.getBooleanExtra(JUST_SAVED, false)
        listOf(R.id.saved, R.id.foot).forEach {
            view<View>(it).visibility = if (justSaved) View.VISIBLE else View.GONE
        }
        view<Button>(R.id.done).setOnClickListener { finish() }
        if (intent.getBooleanExtra(PHOTOGRAPH_LOST, false)) notice(getString(R.string.record_photograph_lost))
        val sequence = intent.getLongExtra(RECORD, 0)
        follow { session ->
            if (session is SessionState.Open && session.status.locked) {
                // The list behind it asks for the PIN.
                if (justSaved) hide() else finish()
            }
        }
        attempt {
            try {
                session.histories.collect { items ->
                    items.firstOrNull { it.sequence.toLong() == sequence }?.let { show(it) }
                }
            } catch (_: TestigoException.Locked) {
                hide()
            }
        }
    }

    /** A locked phone shows that it saved a record, and nothing of it. */
    private fun hide() {
        view<TextView>(R.id.delivery).setText(R.string.record_locked)
        listOf(R.id.what, R.id.when_).forEach { view<TextView>(it).text = "" }
        content.removeViews(fixedViews, content.childCount - fixedViews)
    }

    private fun show(item: HistoryView) {
        view<TextView>(R.id.delivery).text = delivery(item.delivery)
        content.removeViews(fixedViews, content.childCount - fixedViews)
        val kept = item.content
        if (kept == null) {
            // It burned: headquarters have it, and whoever takes this phone does not.
            view<TextView>(R.id.what).setText(R.string.record_not_kept)
            view<TextView>(R.id.when_).text =
                getString(R.string.record_only_number, number(item.sequence.toLong()))
            return
        }
        view<TextView>(R.id.what).text = recordName(kept.record)
        val number = getString(R.string.record_number, number(item.sequence.toLong()), time(kept.savedAt))
        view<TextView>(R.id.when_).text =
            listOfNotNull(kept.table?.let { getString(R.string.record_table, it) }, number).joinToString("\n")
        val record = kept.record
        val reading = (record as? RecordView.Tally)?.reading
        doubts(kept.warnings, reading)
        if (reading is TallyReading.Read) {
            votes(reading.tally)
            if (reading.tally.typed) add<TextView>(R.layout.quiet).setText(R.string.record_typed_for)
        }
        if (record is RecordView.Report) details(record)
    }

    private fun delivery(delivery: DeliveryView): String = when (delivery) {
        is DeliveryView.Queued -> getString(R.string.record_waits)
        is DeliveryView.Received -> received(delivery)
        is DeliveryView.Delivered -> getString(R.string.record_delivered, time(delivery.receivedAt))
        is DeliveryView.Parked -> getString(R.string.record_parked, pick(delivery.es, delivery.en))
    }

    /** The sheet's doubts name figures, where a warning of the same number says the same in general. */
    private fun doubts(warnings: List<WarningView>, reading: TallyReading?) {
        val doubts = (reading as? TallyReading.Read)?.tally?.doubts.orEmpty()
        val known = doubts.map { it.code }.toSet()
        val sentences = (doubts + warnings.filter { it.code !in known }).map { pick(it.es, it.en) }
        if (sentences.isEmpty()) return
        section(getString(R.string.record_doubts))
        sentences.distinct().forEach { add<TextView>(R.layout.doubt).text = it }
        add<TextView>(R.layout.quiet).setText(R.string.record_doubts_for)
    }

    private fun votes(tally: TallyView) {
        section(getString(R.string.record_votes))
        tally.candidates.forEach { row(R.layout.votes_row, it.name, number(it.votes.toLong())) }
        row(R.layout.votes_row, getString(R.string.record_valid), number(tally.validVotes.toLong()))
        row(R.layout.votes_row, getString(R.string.record_null), number(tally.nullVotes.toLong()))
    }

    private fun details(report: RecordView.Report) {
        val details = listOf(
            R.string.record_note to report.note,
            R.string.record_delay to report.delayMinutes?.let { counted(R.plurals.minutes, it.toLong()) },
            R.string.record_started to report.started?.let { time(it) },
            R.string.record_ended to report.ended?.let { time(it) },
            R.string.record_people to report.people?.let { number(it.toLong()) },
        ).filter { it.second != null }
        if (details.isEmpty()) return
        section(getString(R.string.record_details))
        details.forEach { (name, value) -> row(R.layout.detail, getString(name), value.orEmpty()) }
    }

    private fun section(name: String) {
        add<TextView>(R.layout.section).text = name
    }

    private fun row(layout: Int, name: String, value: String) {
        val row = add<View>(layout)
        row.view<TextView>(R.id.name).text = name
        row.view<TextView>(R.id.value).text = value
    }

    private fun <T : View> add(layout: Int): T {
        val view = layoutInflater.inflate(layout, content, false)
        content.addView(view)
        @Suppress("UNCHECKED_CAST")
        return view as T
    }

    companion object {
        private const val RECORD = "record"
        private const val JUST_SAVED = "just-saved"
        private const val PHOTOGRAPH_LOST = "photograph-lost"

        /**
         * Shows the record of this number; [justSaved] says above it that it was saved now, [photographLost] that the
         * picture did not go with it.
         */
        fun intent(context: Context, sequence: ULong, justSaved: Boolean, photographLost: Boolean = false): Intent =
            Intent(context, RecordActivity::class.java)
                .putExtra(RECORD, sequence.toLong())
                .putExtra(JUST_SAVED, justSaved)
                .putExtra(PHOTOGRAPH_LOST, photographLost)
    }
}

/** Headquarters has the record, and not yet all that belongs to it. */
fun Context.received(delivery: DeliveryView.Received): String =
    counted(R.plurals.files_left, delivery.attachmentsLeft.toLong())

/** What a person calls a record. */
fun Context.recordName(record: RecordView): String = when (record) {
    is RecordView.Report -> pick(record.labelEs, record.labelEn).asTitle()
    is RecordView.Tally -> {
        val tally = (record.reading as? TallyReading.Read)?.tally
        getString(
            when {
                tally == null -> R.string.record_no_sheet
                tally.typed -> R.string.record_typed
                else -> R.string.record_sheet
            },
        )
    }
    is RecordView.Handover ->
        getString(if (record.bundle) R.string.record_bundle else R.string.record_handover)
    is RecordView.Other -> getString(R.string.record_unknown)
}

/** Whether its numbers were typed from the paper. */
private val TallyView.typed: Boolean get() = vouch == "typed-twice"
