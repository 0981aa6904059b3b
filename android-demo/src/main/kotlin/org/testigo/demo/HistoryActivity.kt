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
            startActivity(RecordActivity.intent(this, rows.getItem(position).recordId, justSaved = false))
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
            row.view<TextView>(R.id.what).text = recordName(item.record)
            row.view<TextView>(R.id.when_).text = item.table?.let {
                getString(R.string.history_row, time(item.savedAt), getString(R.string.record_table, it))
            } ?: time(item.savedAt)
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
