package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.TextView
import kotlinx.coroutines.launch
import org.testigo.StatusView
import org.testigo.SyncOutcome

/** The first screen: the queue's state in one line, and the three ways on. */
class HomeActivity : Screen() {
    private val ways = listOf(R.id.report, R.id.sheet, R.id.history)

    /** What is shown of a phone that does not open, too: it can be wiped there. */
    private val settings = R.id.settings

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.home)
        open(R.id.report, CatalogueActivity::class.java)
        open(R.id.sheet, SheetActivity::class.java)
        open(R.id.history, HistoryActivity::class.java)
        open(settings, SettingsActivity::class.java)
        view<Button>(R.id.send).setOnClickListener { session.sendNow() }
        follow { session ->
            when (session) {
                is SessionState.Opening -> say(getString(R.string.working))
                is SessionState.Unusable -> {
                    say(sentence(session.trouble))
                    view<View>(settings).visibility = View.VISIBLE
                }
                is SessionState.Open -> if (session.status.enrolled) show(session.status) else enrol()
            }
        }
        scope.launch {
            session.lastSync.collect { outcome ->
                notice((outcome as? SyncOutcome.Failed)?.let { pick(it.es, it.en) })
            }
        }
    }

    private fun open(button: Int, screen: Class<out Screen>) {
        view<View>(button).setOnClickListener { startActivity(Intent(this, screen)) }
    }

    private fun enrol() {
        if (isFinishing) return
        startActivity(Intent(this, EnrolActivity::class.java))
        finish()
    }

    /** Says that there is nothing to do here now. */
    private fun say(sentence: String) {
        view<TextView>(R.id.table).text = getString(R.string.app)
        view<TextView>(R.id.state).text = sentence
        (ways + listOf(settings, R.id.send, R.id.state_more, R.id.election)).forEach {
            view<View>(it).visibility = View.GONE
        }
    }

    private fun show(status: StatusView) {
        (ways + settings).forEach { view<View>(it).visibility = View.VISIBLE }
        view<TextView>(R.id.table).text = status.table?.let { getString(R.string.home_table, it) }
            ?: getString(if (status.locked) R.string.home_locked else R.string.home_no_table)
        view<TextView>(R.id.history_for)
            .setText(if (status.locked) R.string.home_history_locked else R.string.home_history_for)
        text(R.id.election, status.election.orEmpty())
        view<TextView>(R.id.state).text = queueLine(status)
        text(R.id.state_more, queueMore(status))
        val send = view<Button>(R.id.send)
        send.visibility = if (status.waits) View.VISIBLE else View.GONE
        send.isEnabled = !status.syncing
        send.setText(if (status.syncing) R.string.home_sending else R.string.home_send)
    }

    private fun text(view: Int, text: String) {
        val line = view<TextView>(view)
        line.text = text
        line.visibility = if (text.isEmpty()) View.GONE else View.VISIBLE
    }
}
