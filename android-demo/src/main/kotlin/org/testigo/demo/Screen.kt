package org.testigo.demo

import android.annotation.TargetApi
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.graphics.Insets
import android.graphics.Rect
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.WindowInsets
import android.view.WindowManager
import android.widget.EditText
import android.widget.ImageButton
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import org.testigo.TestigoException

/** What all screens share: insets, the bar on top, work that ends with the screen, and notices. */
abstract class Screen : Activity() {
    /** Ends with the screen. */
    protected val scope: CoroutineScope = MainScope()

    /** What lives longer. */
    protected val app: App get() = application as App

    /** The phone. */
    protected val session: Session get() = app.session

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        // The system keeps no picture of what was shown for its list of recent apps.
        window.addFlags(WindowManager.LayoutParams.FLAG_SECURE)
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Shows [layout]: clear of the system's bars and the keyboard, with the screen's name on top. */
    protected fun show(layout: Int) {
        setContentView(layout)
        view<View>(android.R.id.content).setOnApplyWindowInsetsListener { content, insets ->
            val bars = bars(insets)
            content.setPadding(bars[0], bars[1], bars[2], bars[3])
            insets
        }
        findViewById<TextView>(R.id.title)?.text = title
        findViewById<ImageButton>(R.id.back)?.setOnClickListener { leave() }
    }

    /** The person goes back; what would be lost by it is asked about first. */
    protected open fun leave() = finish()

    @Deprecated("Its successor came with API 33")
    override fun onBackPressed() = leave()

    /** Tells [text] on this screen, or nothing. */
    protected fun notice(text: String?) {
        val view = view<TextView>(R.id.notice)
        view.text = text
        view.visibility = if (text == null) View.GONE else View.VISIBLE
        if (text != null) view.post { view.requestRectangleOnScreen(Rect(0, 0, view.width, view.height)) }
    }

    /** Does [work]; what the core says against it is told on this screen. */
    protected fun attempt(work: suspend () -> Unit) {
        scope.launch {
            try {
                work()
            } catch (error: TestigoException) {
                notice(sentence(error))
            } catch (_: PhoneUnusable) {
                startActivity(Intent(this@Screen, HomeActivity::class.java).addFlags(TO_THE_TOP))
            }
        }
    }

    /** Tells the core's sentence, with the field as this screen calls it; typing goes on in that field. */
    protected fun notice(error: TestigoException.Input, fields: Map<String, Pair<Int, Int>>) {
        val sentence = sentence(error)
        val (id, name) = fields[error.explanation.field] ?: return notice(sentence)
        val field = view<EditText>(id)
        field.requestFocus()
        val quoted = Regex("([«\"])${error.explanation.field}([»\"])")
        notice(quoted.replace(sentence) { it.groupValues[1] + getString(name) + it.groupValues[2] })
        // Behind the layout that the notice brings.
        field.post { field.requestRectangleOnScreen(Rect(0, 0, field.width, field.height)) }
    }

    /** Lets the person choose a file of this kind; [onActivityResult] is told with [request]. */
    protected fun choose(type: String, request: Int) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
        try {
            startActivityForResult(intent, request)
        } catch (_: ActivityNotFoundException) {
            notice(getString(R.string.no_chooser))
        }
    }

    /** Calls [use] with every state of the session while this screen lives. */
    protected fun follow(use: (SessionState) -> Unit) {
        scope.launch { session.state.collect { use(it) } }
    }

    /** Back to the first screen, and from there to [record]; without its photograph where that is [photographLost]. */
    protected fun openSaved(record: ULong, photographLost: Boolean = false) {
        startActivity(Intent(this, HomeActivity::class.java).addFlags(TO_THE_TOP))
        startActivity(RecordActivity.intent(this, record, justSaved = true, photographLost = photographLost))
    }

    /** What a chosen file's result carries. */
    protected fun chosen(result: Int, data: Intent?): Uri? = data?.data.takeIf { result == RESULT_OK }

    private fun bars(insets: WindowInsets): IntArray =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) typedBars(insets) else oldBars(insets)

    @TargetApi(Build.VERSION_CODES.R)
    private fun typedBars(insets: WindowInsets): IntArray {
        val types = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or
            WindowInsets.Type.ime()
        val bars: Insets = insets.getInsets(types)
        return intArrayOf(bars.left, bars.top, bars.right, bars.bottom)
    }

    @Suppress("DEPRECATION")
    private fun oldBars(insets: WindowInsets): IntArray = intArrayOf(
        insets.systemWindowInsetLeft,
        insets.systemWindowInsetTop,
        insets.systemWindowInsetRight,
        insets.systemWindowInsetBottom,
    )

    protected companion object {
        /** Closes what lies above the screen that is opened. */
        const val TO_THE_TOP = Intent.FLAG_ACTIVITY_CLEAR_TOP or Intent.FLAG_ACTIVITY_SINGLE_TOP
    }
}

/** The view of this name in the screen's layout. */
fun <T : View> Activity.view(id: Int): T = checkNotNull(findViewById<T>(id)) { "no such view in this layout" }

/** The view of this name inside this one. */
fun <T : View> View.view(id: Int): T = checkNotNull(findViewById<T>(id)) { "no such view in this layout" }
