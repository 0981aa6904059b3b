package org.testigo.demo

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.EditText
import android.widget.TextView
import org.testigo.Phone
import org.testigo.TestigoException

/** Asks for a PIN, for a new one, or for both. */
class PinActivity : Screen() {
    /** What it asks for; [pin] is the one that there is, [new] one that comes. */
    enum class Ask(val title: Int, val about: Int, val go: Int, val pin: Boolean, val new: Boolean) {
        UNLOCK(R.string.unlock_title, R.string.unlock_about, R.string.unlock_go, true, false),
        SET(R.string.pin_set, R.string.pin_set_about, R.string.pin_go, false, true),
        CHANGE(R.string.pin_change, R.string.pin_change_about, R.string.pin_go, true, true),
        REMOVE(R.string.pin_remove, R.string.pin_remove_about, R.string.pin_remove_go, true, false),
        DURESS(R.string.duress_set, R.string.duress_about, R.string.pin_go, true, true),
        NO_DURESS(R.string.duress_remove, R.string.duress_remove_about, R.string.pin_remove_go, true, false),
    }

    private val ask: Ask by lazy { Ask.valueOf(checkNotNull(intent.getStringExtra(ASK))) }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        title = getString(ask.title)
        show(R.layout.pin)
        view<TextView>(R.id.about).setText(ask.about)
        shown(ask.pin, R.id.pin_name, R.id.pin)
        shown(ask.new, R.id.new_name, R.id.new_pin, R.id.again_name, R.id.again)
        shown(ask == Ask.DURESS, R.id.alarm)
        view<TextView>(R.id.new_name).setText(if (ask == Ask.DURESS) R.string.pin_second else R.string.pin_new)
        button().setText(ask.go)
        button().setOnClickListener { go() }
        if (ask == Ask.UNLOCK) follow { session ->
            if (session is SessionState.Open && !session.status.locked && !isFinishing) {
                startActivity(Intent(this, HistoryActivity::class.java))
                finish()
            }
        }
    }

    private fun go() {
        val (pin, new) = text(R.id.pin) to text(R.id.new_pin)
        if (ask.new && new != text(R.id.again)) {
            notice(getString(R.string.pin_differ))
            return
        }
        val alarm = view<CheckBox>(R.id.alarm).isChecked
        attempt {
            button().isEnabled = false
            try {
                session.withPin { change(pin, new, alarm) }
                // Unlocking goes on once the state says so.
                if (ask != Ask.UNLOCK) finish()
            } catch (error: TestigoException.Locked) {
                view<EditText>(R.id.pin).text = null
                notice(sentence(error))
            } catch (error: TestigoException.Input) {
                notice(error, fields())
            } finally {
                button().isEnabled = true
            }
        }
    }

    private fun Phone.change(pin: String, new: String, alarm: Boolean) = when (ask) {
        Ask.UNLOCK -> unlock(pin)
        Ask.SET -> setPin(new)
        Ask.CHANGE -> changePin(pin, new)
        Ask.REMOVE -> removePin(pin)
        Ask.DURESS -> setDuressPin(pin, new, alarm)
        Ask.NO_DURESS -> removeDuressPin(pin)
    }

    /** The core's names of the fields, and theirs on this screen; of the first PIN it says "pin". */
    private fun fields(): Map<String, Pair<Int, Int>> = mapOf(
        "pin" to (if (ask.pin) R.id.pin to R.string.pin_name else R.id.new_pin to R.string.pin_new),
        "new" to (R.id.new_pin to R.string.pin_new),
        "duress" to (R.id.new_pin to R.string.pin_second),
    )

    private fun text(id: Int): String = view<EditText>(id).text.toString()

    private fun button(): Button = view(R.id.go)

    private fun shown(shown: Boolean, vararg ids: Int) =
        ids.forEach { view<View>(it).visibility = if (shown) View.VISIBLE else View.GONE }

    companion object {
        private const val ASK = "ask"

        /** Asks for this. */
        fun intent(context: Context, ask: Ask): Intent =
            Intent(context, PinActivity::class.java).putExtra(ASK, ask.name)
    }
}
