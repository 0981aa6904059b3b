package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.widget.Button
import android.widget.TextView
import org.testigo.StatusView

/** Destroys all that is on this phone, and says before what would be lost. */
class WipeActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.wipe)
        follow { session ->
            view<TextView>(R.id.lost).text = when (session) {
                is SessionState.Opening -> getString(R.string.working)
                is SessionState.Unusable -> getString(R.string.wipe_unknown)
                is SessionState.Open -> lost(session.status)
            }
        }
        view<Button>(R.id.keep).setOnClickListener { finish() }
        view<Button>(R.id.wipe).setOnClickListener { wipe() }
    }

    private fun wipe() = attempt {
        busy(true)
        try {
            session.wipe()
            startActivity(Intent(this, HomeActivity::class.java).addFlags(TO_THE_TOP))
        } finally {
            busy(false)
        }
    }

    private fun lost(status: StatusView): String {
        val records = (status.queued + status.parked).toLong()
        val files = status.attachmentsQueued.toLong()
        val sentences = buildList {
            if (records > 0) add(counted(R.plurals.wipe_records, records))
            if (files > 0) add(counted(R.plurals.wipe_files, files))
        }
        return sentences.ifEmpty { listOf(getString(R.string.wipe_nothing)) }.joinToString(" ")
    }

    private fun busy(busy: Boolean) {
        listOf(R.id.wipe, R.id.keep).forEach { view<Button>(it).isEnabled = !busy }
    }
}
