package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.widget.Button

/** The phone has enrolled: a person compares the root's words before anything is sent. */
class ConnectedActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.connected)
        follow { if (it is SessionState.Open) showTrust(it.status) }
        view<Button>(R.id.same).setOnClickListener {
            session.wordsAreRight()
            startActivity(Intent(this, HomeActivity::class.java))
            finish()
        }
        view<Button>(R.id.others).setOnClickListener {
            startActivity(Intent(this, HomeActivity::class.java))
            startActivity(Intent(this, WipeActivity::class.java))
            finish()
        }
    }
}
