package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.text.Editable
import android.text.TextWatcher
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import java.text.Normalizer
import org.testigo.CatalogueEntryView
import org.testigo.Phase

/** What can be reported, by the phases of the day, with a search. A tap on one goes on to its report. */
class CatalogueActivity : Screen() {
    private var entries: List<CatalogueEntryView> = emptyList()
    private val rows = Rows()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.catalogue)
        val list = view<ListView>(R.id.list)
        list.adapter = rows
        list.setOnItemClickListener { _, _, position, _ ->
            (rows.getItem(position) as? Row.Entry)?.let { report(it.entry) }
        }
        view<EditText>(R.id.search).addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) = search(text.toString())
        })
        attempt {
            entries = session.catalogue()
            phases()
            search(view<EditText>(R.id.search).text.toString())
        }
    }

    private fun report(entry: CatalogueEntryView) {
        val name = pick(entry.es, entry.en).asTitle()
        startActivity(ReportActivity.intent(this, entry.code.toInt(), name))
    }

    /** One button a phase; it leads to the phase's first row. */
    private fun phases() {
        val strip = view<ViewGroup>(R.id.phases)
        strip.removeAllViews()
        entries.distinctBy { it.phase }.forEach { first ->
            val chip = layoutInflater.inflate(R.layout.chip, strip, false) as Button
            chip.text = phaseName(first)
            chip.setOnClickListener {
                view<EditText>(R.id.search).setText("")
                view<ListView>(R.id.list).setSelection(rows.startOf(first.phase))
            }
            strip.addView(chip)
        }
    }

    private fun search(text: String) {
        val words = plain(text).split(' ').filter { it.isNotEmpty() }
        val found = entries.filter { entry ->
            val name = plain("${entry.es} ${entry.en} ${phaseName(entry)}")
            words.all { it in name }
        }
        rows.show(
            found.groupBy { it.phase }.flatMap { (phase, entries) ->
                listOf(Row.Heading(phase, phaseName(entries.first()))) + entries.map { Row.Entry(it) }
            },
        )
        val nothing = view<TextView>(R.id.nothing)
        nothing.text = getString(R.string.catalogue_nothing, text.trim())
        val none = found.isEmpty() && entries.isNotEmpty()
        nothing.visibility = if (none) View.VISIBLE else View.GONE
        view<ListView>(R.id.list).visibility = if (none) View.GONE else View.VISIBLE
    }

    private fun phaseName(entry: CatalogueEntryView) = pick(entry.phaseEs, entry.phaseEn).asTitle()

    private sealed class Row {
        class Heading(val phase: Phase, val name: String) : Row()

        class Entry(val entry: CatalogueEntryView) : Row()
    }

    private inner class Rows : BaseAdapter() {
        private var rows: List<Row> = emptyList()

        fun show(rows: List<Row>) {
            this.rows = rows
            notifyDataSetChanged()
        }

        fun startOf(phase: Phase) = rows.indexOfFirst { it is Row.Heading && it.phase == phase }.coerceAtLeast(0)

        override fun getCount() = rows.size

        override fun getItem(position: Int): Any = rows[position]

        override fun getItemId(position: Int) = position.toLong()

        override fun getViewTypeCount() = 2

        override fun getItemViewType(position: Int) = if (rows[position] is Row.Heading) 0 else 1

        override fun areAllItemsEnabled() = false

        override fun isEnabled(position: Int) = rows[position] is Row.Entry

        override fun getView(position: Int, old: View?, list: ViewGroup): View {
            val row = rows[position]
            val layout = if (row is Row.Heading) R.layout.catalogue_phase else R.layout.catalogue_entry
            val view = (old ?: LayoutInflater.from(list.context).inflate(layout, list, false)) as TextView
            view.text = when (row) {
                is Row.Heading -> row.name
                is Row.Entry -> pick(row.entry.es, row.entry.en).asTitle()
            }
            return view
        }
    }

    private companion object {
        val ACCENTS = Regex("\\p{Mn}+")

        /** Without accents and capitals, so that "policia" finds "Policía". */
        fun plain(text: String): String =
            ACCENTS.replace(Normalizer.normalize(text, Normalizer.Form.NFD), "").lowercase()
    }
}
