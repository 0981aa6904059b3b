package org.testigo.demo

import android.os.Bundle
import org.testigo.TypedSheet
import org.testigo.TypingFormView
import org.testigo.typedDifferences

/**
 * A sheet on its way from the paper: every field is typed twice, and what differs twice again, until it is the same.
 * Fields have the core's names; see [org.testigo.TypedDifference]. What [kept] saved goes on.
 */
class Typing(private val form: TypingFormView, kept: Bundle?) {
    /** What is to be done next. */
    enum class Turn { FIRST, SECOND, DONE }

    /** All fields, in the paper's order. */
    val fields: List<String> = buildList {
        add(TABLE)
        form.slots.indices.forEach { add(slot(it)) }
        if (form.blank) add(BLANK)
        if (form.nullVotes) add(NULL)
        if (form.total) add(TOTAL)
        add(MACHINE_CODE)
        add(PRINTED_HASH)
    }

    private val first = kept?.getBundle(KEPT_FIRST) ?: Bundle()
    private val second = kept?.getBundle(KEPT_SECOND) ?: Bundle()

    /** What is asked for now. */
    var asked: List<String> = kept?.getStringArrayList(KEPT_ASKED) ?: fields
        private set

    /** Whether that is asked for the first time or the second. */
    var turn: Turn = kept?.getString(KEPT_TURN)?.let { Turn.valueOf(it) } ?: Turn.FIRST
        private set

    /** Whether this is about what differed. */
    val again: Boolean get() = asked.size < fields.size

    /** Whether something was typed before the present turn. */
    val begun: Boolean get() = !first.isEmpty

    /** The first field asked for that needs something else than what was typed into it. */
    fun wrong(answers: Map<String, String>): String? = asked.firstOrNull { field ->
        val text = answers[field].orEmpty()
        when {
            field == TABLE -> text.isEmpty()
            field.startsWith(SLOT) -> text.toUIntOrNull() == null
            field == BLANK || field == NULL || field == TOTAL -> text.isNotEmpty() && text.toUIntOrNull() == null
            else -> false
        }
    }

    /** Takes what was typed into the fields asked for, and goes on. */
    fun take(answers: Map<String, String>) {
        val here = if (turn == Turn.FIRST) first else second
        asked.forEach { here.putString(it, answers[it]) }
        if (turn == Turn.FIRST) {
            turn = Turn.SECOND
            return
        }
        val differ = typedDifferences(sheet(first), sheet(second)).map { it.field }
        if (differ.isEmpty()) turn = Turn.DONE else ask(differ)
    }

    /** Asks for these twice again. */
    fun ask(fields: List<String>) {
        asked = fields
        turn = Turn.FIRST
    }

    /** Both times as the core takes them, once it is [Turn.DONE]. */
    fun sheets(): Pair<TypedSheet, TypedSheet> = sheet(first) to sheet(second)

    /** What another [Typing] goes on from. */
    fun keep(): Bundle = Bundle().apply {
        putBundle(KEPT_FIRST, first)
        putBundle(KEPT_SECOND, second)
        putStringArrayList(KEPT_ASKED, ArrayList(asked))
        putString(KEPT_TURN, turn.name)
    }

    private fun sheet(texts: Bundle) = TypedSheet(
        table = texts.getString(TABLE).orEmpty(),
        // Each was a number when it was taken.
        votes = form.slots.indices.map { texts.getString(slot(it)).orEmpty().toUIntOrNull() ?: 0u },
        blank = texts.getString(BLANK)?.toUIntOrNull(),
        nullVotes = texts.getString(NULL)?.toUIntOrNull(),
        total = texts.getString(TOTAL)?.toUIntOrNull(),
        printedHash = texts.getString(PRINTED_HASH)?.ifEmpty { null },
        machineCode = texts.getString(MACHINE_CODE)?.ifEmpty { null },
    )

    companion object {
        const val TABLE = "table"
        const val BLANK = "blank"
        const val NULL = "null"
        const val TOTAL = "total"
        const val MACHINE_CODE = "machine_code"
        const val PRINTED_HASH = "printed_hash"
        private const val SLOT = "votes."
        private const val KEPT_FIRST = "first"
        private const val KEPT_SECOND = "second"
        private const val KEPT_ASKED = "asked"
        private const val KEPT_TURN = "turn"

        /** The field of the slot at [index], counted from 0. */
        fun slot(index: Int): String = "$SLOT${index + 1}"
    }
}
