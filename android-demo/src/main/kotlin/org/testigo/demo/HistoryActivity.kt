package org.testigo.demo

import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.ListView
import android.widget.TextView
import org.testigo.DeliveryView
import org.testigo.HistoryView

/** Everything saved here, newest first, with headquarters' receipt. */
class HistoryActivity : Screen() {
    private val rows = Rows()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.history)
        val list = view<ListView>(R.id.list)
        list.adapter = rows
        list.setOnItemClickListener { _, _, position, _ ->
            startActivity(RecordActivity.intent(this, rows.getItem(position).sequence, justSaved = false))
        }
        follow { session ->
            if (session is SessionState.Open && session.status.locked && !isFinishing) {
                startActivity(PinActivity.intent(this, PinActivity.Ask.UNLOCK))
                finish()
            }
        }
        attempt {
            session.histories.collect { items ->
                rows.show(items)
                view<View>(R.id.none).visibility = if (items.isEmpty()) View.VISIBLE else View.GONE
            }
        }
    }

    private inner class Rows : BaseAdapter() {
        private var items: List<HistoryView> = emptyList()

        fun show(items: List<HistoryView>) {
            this.items = items
            notifyDataSetChanged()
        }

        override fun getCount() = items.size

        override fun getItem(position: Int): HistoryView = items[position]

        override fun getItemId(position: Int) = items[position].sequence.toLong()

        override fun getView(position: Int, old: View?, list: ViewGroup): View {
            val item = items[position]
            val row = old ?: LayoutInflater.from(list.context).inflate(R.layout.history_row, list, false)
            val content = item.content
            row.view<TextView>(R.id.what).text =
                content?.let { recordName(it.record) } ?: getString(R.string.record_not_kept)
            val number = getString(R.string.record_only_number, number(item.sequence.toLong()))
            row.view<TextView>(R.id.when_).text = content?.let { kept ->
                kept.table?.let {
                    getString(R.string.history_row, time(kept.savedAt), getString(R.string.record_table, it))
                } ?: time(kept.savedAt)
            } ?: number
            val delivery = row.view<TextView>(R.id.delivery)
            val (text, icon) = when (val state = item.delivery) {
                is DeliveryView.Queued -> getString(R.string.history_waits) to R.drawable.icon_waits
                is DeliveryView.Received -> received(state) to R.drawable.icon_waits
                is DeliveryView.Delivered ->
                    getString(R.string.history_delivered, time(state.receivedAt)) to R.drawable.icon_delivered
                is DeliveryView.Parked -> getString(R.string.history_parked) to R.drawable.icon_parked
            }
            delivery.text = text
            delivery.setCompoundDrawablesRelativeWithIntrinsicBounds(icon, 0, 0, 0)
            return row
        }
    }
}
