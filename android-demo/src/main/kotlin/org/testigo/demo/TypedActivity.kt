package org.testigo.demo

import android.app.AlertDialog
import android.content.Intent
import android.graphics.Rect
import android.net.Uri
import android.os.Bundle
import android.text.InputFilter
import android.text.InputType
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.testigo.TestigoException
import org.testigo.TypingFormView
import org.testigo.catalogue

/** Records a sheet that has no code that can be read: its numbers, typed twice from the paper, and a photograph of it. */
class TypedActivity : Screen() {
    private val inputs = LinkedHashMap<String, EditText>()
    private val names = HashMap<String, String>()
    private var candidates: Map<String, String> = emptyMap()
    private var typing: Typing? = null

    /** What an earlier screen left, until the form is there. */
    private var kept: Bundle? = null
    private var photograph: Uri? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.typed)
        kept = state
        photograph = state?.getString(PHOTOGRAPH)?.let { Uri.parse(it) }
        view<Button>(R.id.next).setOnClickListener { next() }
        view<Button>(R.id.picture).setOnClickListener { choose("image/*", PICTURE) }
        view<Button>(R.id.another).setOnClickListener { choose("image/*", PICTURE) }
        view<Button>(R.id.save).setOnClickListener { save(photograph) }
        view<Button>(R.id.save_without).setOnClickListener { save(null) }
        view<Button>(R.id.report).setOnClickListener { report() }
        attempt {
            val form = session.typingForm()
            if (form == null) noForm() else begin(form)
        }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        val typed = Bundle()
        answers().forEach { (field, text) -> typed.putString(field, text) }
        // Before the form is there, what an earlier screen left is left to the next one.
        state.putBundle(TYPING, typing?.keep() ?: kept?.getBundle(TYPING))
        state.putBundle(TYPED, if (typing == null) kept?.getBundle(TYPED) else typed)
        photograph?.let { state.putString(PHOTOGRAPH, it.toString()) }
    }

    @Deprecated("The framework has no other way without androidx")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        photograph = chosen(result, data) ?: return
        notice(null)
        showTurn()
    }

    override fun leave() {
        val typing = typing
        if (typing == null || !typing.begun && answers().values.all { it.isEmpty() }) return finish()
        AlertDialog.Builder(this)
            .setMessage(R.string.typed_leave)
            .setPositiveButton(R.string.typed_stay, null)
            .setNegativeButton(R.string.typed_discard) { _, _ -> finish() }
            .show()
    }

    private fun begin(form: TypingFormView) {
        form.slots.forEachIndexed { at, slot ->
            names[Typing.slot(at)] = getString(R.string.typed_slot, number(at + 1L), slot.party.ifEmpty { slot.candidate })
        }
        NAMES.forEach { (field, name) -> names[field] = getString(name) }
        typing = Typing(form, kept?.getBundle(TYPING))
        candidates = form.slots.mapIndexed { at, slot -> Typing.slot(at) to slot.candidate }.toMap()
        ask()
        kept?.getBundle(TYPED)?.let { typed -> inputs.forEach { (field, input) -> input.setText(typed.getString(field)) } }
        kept = null
    }

    /** The fields that are asked for now, all empty: nothing of what was typed before is shown. */
    private fun ask() {
        val typing = checkNotNull(typing)
        val fields = view<ViewGroup>(R.id.fields)
        fields.removeAllViews()
        inputs.clear()
        notice(null)
        if (typing.turn != Typing.Turn.DONE) {
            var above: String? = null
            typing.asked.forEach { field ->
                val candidate = candidates[field]
                if (candidate != null && candidate != above) {
                    val heading = layoutInflater.inflate(R.layout.typed_candidate, fields, false) as TextView
                    heading.text = candidate
                    fields.addView(heading)
                }
                above = candidate
                fields.addView(field(field, fields))
            }
            view<ScrollView>(R.id.scroll).scrollTo(0, 0)
            inputs.values.firstOrNull()?.requestFocus()
        }
        showTurn()
    }

    private fun field(field: String, parent: ViewGroup): View {
        val row = layoutInflater.inflate(R.layout.typed_field, parent, false)
        val (name, input) = row.view<TextView>(R.id.name) to row.view<EditText>(R.id.value)
        name.text = names[field]
        input.id = View.generateViewId()
        name.labelFor = input.id
        if (field in TEXTS) input.inputType = TEXT
        val most = when (field) {
            in TEXTS -> MAX_TEXT
            Typing.TOTAL -> MAX_TOTAL_DIGITS
            else -> MAX_VOTES_DIGITS
        }
        input.filters += InputFilter.LengthFilter(most)
        inputs[field] = input
        return row
    }

    private fun showTurn() {
        val typing = typing ?: return
        val done = typing.turn == Typing.Turn.DONE
        val (what, about) = when {
            done -> getString(R.string.typed_picture) to
                getString(if (photograph == null) R.string.typed_picture_for else R.string.typed_picture_chosen)
            typing.turn == Typing.Turn.SECOND -> getString(R.string.typed_second) to getString(R.string.typed_second_for)
            typing.again -> getString(R.string.typed_differ) to counted(R.plurals.typed_differ_for, typing.asked.size.toLong())
            else -> getString(R.string.typed_first) to getString(R.string.typed_first_for)
        }
        view<TextView>(R.id.what).text = what
        view<TextView>(R.id.about).text = about
        shown(R.id.next, !done)
        shown(R.id.picture, done && photograph == null)
        shown(R.id.save, done && photograph != null)
        shown(R.id.another, done && photograph != null)
        shown(R.id.save_without, done && photograph == null)
    }

    private fun next() {
        val typing = typing ?: return
        val answers = answers()
        val wrong = typing.wrong(answers)
        if (wrong != null) {
            val text = if (wrong == Typing.TABLE) R.string.typed_no_table else R.string.typed_no_number
            return point(wrong, getString(text, names[wrong]))
        }
        typing.take(answers)
        ask()
    }

    private fun save(chosen: Uri?) = attempt {
        val typing = checkNotNull(typing)
        busy(true)
        try {
            val (first, second) = typing.sheets()
            val photograph = chosen?.let { Photograph(contentResolver, it) }
            openSaved(session.typed(first, second, photograph).saved.sequence)
        } catch (error: TestigoException.Input) {
            val field = error.explanation.field
            if (field != null && field in typing.fields) wrong(field, sentence(error)) else noPhotograph(sentence(error))
        } catch (_: IOException) {
            noPhotograph(getString(R.string.file_unreadable))
        } finally {
            busy(false)
        }
    }

    /** The core does not take what was typed into this field: it is asked for twice again. */
    private fun wrong(field: String, sentence: String) {
        checkNotNull(typing).ask(listOf(field))
        ask()
        val quoted = Regex("([«\"])$field([»\"])")
        point(field, quoted.replace(sentence) { it.groupValues[1] + names[field] + it.groupValues[2] })
    }

    /** The picture cannot be had; the numbers stay, and another one can be chosen. */
    private fun noPhotograph(sentence: String) {
        photograph = null
        showTurn()
        notice(sentence)
    }

    /** Tells [text] about a field; typing goes on in it. */
    private fun point(field: String, text: String) {
        notice(text)
        val input = inputs[field] ?: return
        input.requestFocus()
        // Behind the layout that the notice brings.
        input.post { input.requestRectangleOnScreen(Rect(0, 0, input.width, input.height)) }
    }

    /** Without an election nobody knows what the paper asks for. */
    private fun noForm() {
        view<TextView>(R.id.what).setText(R.string.typed_no_form)
        view<TextView>(R.id.about).setText(R.string.typed_no_form_for)
        shown(R.id.report, true)
    }

    private fun report() = attempt {
        val entry = withContext(Dispatchers.IO) { catalogue() }.first { it.code == UNREADABLE_CODE }
        startActivity(ReportActivity.intent(this, entry.code.toInt(), pick(entry.es, entry.en).asTitle()))
    }

    private fun answers(): Map<String, String> = inputs.mapValues { it.value.text.toString().trim() }

    private fun busy(busy: Boolean) {
        listOf(R.id.picture, R.id.save, R.id.another, R.id.save_without).forEach { view<Button>(it).isEnabled = !busy }
    }

    private fun shown(id: Int, shown: Boolean) {
        view<View>(id).visibility = if (shown) View.VISIBLE else View.GONE
    }

    private companion object {
        const val PICTURE = 1
        const val TYPING = "typing"
        const val TYPED = "typed"
        const val PHOTOGRAPH = "photograph"

        /** The catalogue's "no or unreadable QR". */
        const val UNREADABLE_CODE: UShort = 52u

        /** What the core takes: 99,999 votes, and texts of 256 characters. */
        const val MAX_VOTES_DIGITS = 5
        const val MAX_TOTAL_DIGITS = 7
        const val MAX_TEXT = 256

        const val TEXT =
            InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS or InputType.TYPE_TEXT_FLAG_CAP_CHARACTERS

        val TEXTS = setOf(Typing.TABLE, Typing.MACHINE_CODE, Typing.PRINTED_HASH)

        /** What a person calls the fields that are no slot. */
        val NAMES = mapOf(
            Typing.TABLE to R.string.report_table,
            Typing.BLANK to R.string.typed_blank,
            Typing.NULL to R.string.record_null,
            Typing.TOTAL to R.string.typed_total,
            Typing.MACHINE_CODE to R.string.typed_machine_code,
            Typing.PRINTED_HASH to R.string.typed_printed_hash,
        )
    }
}
