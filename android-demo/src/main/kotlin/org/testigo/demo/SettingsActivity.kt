package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.TextView
import org.testigo.StatusView

/** Whom the phone trusts, who it is, its PIN, and its end. Of a phone that does not open, its end alone. */
class SettingsActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.settings)
        val asked = mapOf(
            R.id.pin_set to PinActivity.Ask.SET,
            R.id.pin_change to PinActivity.Ask.CHANGE,
            R.id.pin_remove to PinActivity.Ask.REMOVE,
            R.id.duress_set to PinActivity.Ask.DURESS,
            R.id.duress_remove to PinActivity.Ask.NO_DURESS,
        )
        asked.forEach { (button, ask) ->
            view<View>(button).setOnClickListener { startActivity(PinActivity.intent(this, ask)) }
        }
        view<View>(R.id.lock).setOnClickListener { session.lock() }
        view<View>(R.id.wipe).setOnClickListener { startActivity(Intent(this, WipeActivity::class.java)) }
        follow { session ->
            val status = (session as? SessionState.Open)?.status
            shown(R.id.opened, status != null)
            if (status != null) show(status)
        }
    }

    private fun show(status: StatusView) {
        showTrust(status)
        view<TextView>(R.id.pin_state).setText(if (status.hasPin) R.string.pin_there else R.string.pin_none)
        shown(R.id.pin_set, !status.hasPin)
        shown(R.id.with_pin, status.hasPin)
        shown(R.id.lock, status.hasPin && !status.locked)
    }

    private fun shown(id: Int, shown: Boolean) {
        view<View>(id).visibility = if (shown) View.VISIBLE else View.GONE
    }
}
