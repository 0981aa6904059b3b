package org.testigo.demo

import android.app.AlertDialog
import android.app.TimePickerDialog
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.text.Editable
import android.text.InputFilter
import android.text.TextWatcher
import android.text.format.DateFormat
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import java.time.LocalTime
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.time.temporal.ChronoUnit
import org.testigo.ReportInput
import org.testigo.TestigoException

/** One report: it can be saved at once, or after some details. */
class ReportActivity : Screen() {
    private var delay = 0
    private val times = mutableMapOf<Int, LocalTime>()
    private var photograph: Uri? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.report)
        view<TextView>(R.id.what).text = intent.getStringExtra(NAME)
        delay = state?.getInt(DELAY) ?: 0
        listOf(R.id.started to STARTED, R.id.ended to ENDED).forEach { (button, key) ->
            state?.getString(key)?.let { times[button] = LocalTime.parse(it) }
            showTime(button)
            button(button).setOnClickListener { chooseTime(button) }
        }
        showDelay()
        button(R.id.delay).setOnClickListener { chooseDelay() }
        note()
        showPhotograph(state?.getString(PHOTOGRAPH)?.let { Uri.parse(it) })
        button(R.id.photograph).setOnClickListener { choose("image/*", PICTURE) }
        follow { session ->
            if (session is SessionState.Open) field(R.id.table).hint = session.status.table
        }
        button(R.id.save).setOnClickListener { save() }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putInt(DELAY, delay)
        times[R.id.started]?.let { state.putString(STARTED, it.toString()) }
        times[R.id.ended]?.let { state.putString(ENDED, it.toString()) }
        photograph?.let { state.putString(PHOTOGRAPH, it.toString()) }
    }

    @Deprecated("The framework has no other way without androidx")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        chosen(result, data)?.let { showPhotograph(it) }
    }

    private fun save() {
        val input = ReportInput(
            code = intent.getIntExtra(CODE, 0).toUShort(),
            table = text(R.id.table),
            note = text(R.id.note),
            delayMinutes = DELAY_MINUTES[delay]?.toUInt(),
            started = times[R.id.started]?.let { today(it) },
            ended = times[R.id.ended]?.let { today(it) },
            people = text(R.id.people)?.toUIntOrNull(),
        )
        attempt {
            button(R.id.save).isEnabled = false
            try {
                val saved = session.report(input, photograph?.let { Photograph(contentResolver, it) })
                openSaved(saved.sequence, saved.photographLost)
            } catch (error: TestigoException.Input) {
                notice(error, FIELDS)
            } finally {
                button(R.id.save).isEnabled = true
            }
        }
    }

    private fun note() {
        val note = field(R.id.note)
        note.filters = arrayOf(InputFilter.LengthFilter(MAX_NOTE))
        val count = view<TextView>(R.id.note_count)
        fun showCount() {
            val left = number(note.text.length.toLong())
            count.text = getString(R.string.report_note_count, left, number(MAX_NOTE.toLong()))
        }
        showCount()
        note.addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) = showCount()
        })
    }

    private fun showPhotograph(chosen: Uri?) {
        photograph = chosen
        button(R.id.photograph)
            .setText(if (chosen == null) R.string.report_photograph_none else R.string.report_photograph_chosen)
    }

    private fun chooseDelay() {
        AlertDialog.Builder(this)
            .setTitle(R.string.report_delay)
            .setSingleChoiceItems(R.array.report_delays, delay) { dialog, which ->
                delay = which
                showDelay()
                dialog.dismiss()
            }
            .show()
    }

    private fun showDelay() {
        button(R.id.delay).text = resources.getStringArray(R.array.report_delays)[delay]
    }

    private fun chooseTime(button: Int) {
        val shown = times[button] ?: LocalTime.now()
        val dialog = TimePickerDialog(
            this,
            { _, hour, minute ->
                times[button] = LocalTime.of(hour, minute)
                showTime(button)
            },
            shown.hour,
            shown.minute,
            DateFormat.is24HourFormat(this),
        )
        dialog.setButton(TimePickerDialog.BUTTON_NEUTRAL, getString(R.string.report_time_none)) { _, _ ->
            times.remove(button)
            showTime(button)
        }
        dialog.show()
    }

    private fun showTime(button: Int) {
        button(button).text = times[button]?.let { time(today(it)) } ?: getString(R.string.report_time_none)
    }

    /** The clock's time as the latest moment that has it, which after midnight may be yesterday's. */
    private fun today(time: LocalTime): String {
        val now = ZonedDateTime.now().truncatedTo(ChronoUnit.MINUTES)
        val today = now.with(time)
        val latest = if (today.isAfter(now.plusHours(1))) today.minusDays(1) else today
        return latest.format(DateTimeFormatter.ISO_OFFSET_DATE_TIME)
    }

    private fun text(id: Int): String? = field(id).text.toString().trim().ifEmpty { null }

    private fun field(id: Int): EditText = view(id)

    private fun button(id: Int): Button = view(id)

    companion object {
        private const val CODE = "code"
        private const val NAME = "name"
        private const val DELAY = "delay"
        private const val STARTED = "started"
        private const val ENDED = "ended"
        private const val PHOTOGRAPH = "photograph"
        private const val PICTURE = 1

        /** What the core takes, in characters. */
        private const val MAX_NOTE = 500

        /** Minutes of each choice of `report_delays`. */
        private val DELAY_MINUTES = listOf(null, 15, 30, 60, 120, 240)

        /** The core's names of the fields that are typed, and theirs on this screen. */
        private val FIELDS = mapOf(
            "note" to (R.id.note to R.string.report_note),
            "people" to (R.id.people to R.string.report_people),
            "table" to (R.id.table to R.string.report_table),
        )

        /** A report of the catalogue's number [code], which a person calls [name]. */
        fun intent(context: Context, code: Int, name: String): Intent =
            Intent(context, ReportActivity::class.java).putExtra(CODE, code).putExtra(NAME, name)
    }
}
