package org.testigo.demo

import android.app.AlertDialog
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.TextView
import org.testigo.Settings
import org.testigo.StatusView

/** Whom the phone trusts, who it is, its PIN, what stays on it, and its end. Of a phone that does not open, its end alone. */
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
        shown(R.id.keeping, !status.locked)
        shown(R.id.keeping_locked, status.locked)
        shown(R.id.wiping, status.hasPin)
        if (!status.locked) attempt { show(session.settings()) }
    }

    private fun show(settings: Settings) {
        val burn = view<CheckBox>(R.id.burn)
        burn.isChecked = settings.burn
        // Not turned by the person: it is shown as it is, without the way there.
        burn.jumpDrawablesToCurrentState()
        burn.setOnClickListener {
            val chosen = burn.isChecked
            change { copy(burn = chosen) }
        }
        val wipeAfter = view<Button>(R.id.wipe_after)
        wipeAfter.text = wipeAfter(settings.wipeAfter)
        wipeAfter.setOnClickListener {
            AlertDialog.Builder(this)
                .setTitle(R.string.wipe_after)
                .setSingleChoiceItems(
                    WIPE_AFTER.map { wipeAfter(it) }.toTypedArray(),
                    WIPE_AFTER.indexOf(settings.wipeAfter),
                ) { dialog, which ->
                    change { copy(wipeAfter = WIPE_AFTER[which]) }
                    dialog.dismiss()
                }
                .show()
        }
    }

    /** Changes it, and shows what is set then. */
    private fun change(change: Settings.() -> Settings) = attempt {
        try {
            session.change(change)
        } finally {
            show(session.settings())
        }
    }

    private fun wipeAfter(wrong: UInt?): String =
        if (wrong == null) getString(R.string.wipe_after_never) else counted(R.plurals.wipe_after_wrong, wrong.toLong())

    private fun shown(id: Int, shown: Boolean) {
        view<View>(id).visibility = if (shown) View.VISIBLE else View.GONE
    }

    private companion object {
        /** Wrong PINs in a row after which the phone is wiped; none: never. */
        val WIPE_AFTER = listOf(null, 5u, 10u, 20u)
    }
}
