package org.testigo.demo

import android.app.Activity
import android.view.View
import android.widget.TextView
import org.testigo.StatusView

/** Fills `layout/trust.xml`: the words of the root that this phone trusts, and what confirms the phone. */
fun Activity.showTrust(status: StatusView) {
    val words = status.rootWords
    view<View>(R.id.trust).visibility = if (words == null) View.GONE else View.VISIBLE
    if (words == null) return
    view<TextView>(R.id.words).text = pick(words.es, words.en)
    val characters = status.confirmation
    view<TextView>(R.id.characters).text = characters ?: getString(R.string.trust_locked)
    view<View>(R.id.characters_for).visibility = if (characters == null) View.GONE else View.VISIBLE
}
