package org.testigo.demo

import android.app.Activity
import android.app.AlertDialog
import android.app.TimePickerDialog
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Insets
import android.net.Uri
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import org.junit.Assert.fail
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowActivity
import org.robolectric.shadows.ShadowDialog

/** A person's hand on a phone: opens screens as the system would, taps what is shown, chooses files. */
class Device {
    private class Entry(val controller: ActivityController<out Activity>, val request: Intent?)

    private val stack = ArrayDeque<Entry>()
    private val toOpen = ArrayDeque<ShadowActivity.IntentForResult>()

    /** What another app was asked for, until [answer]. */
    private var asked: Intent? = null

    /** The app. */
    val app: TestApp get() = RuntimeEnvironment.getApplication() as TestApp

    /** The screen on top. */
    val top: Activity get() = stack.last().controller.get()

    /** Opens a screen; it fills 720 x 1280 pixels, with a phone's bars. */
    fun open(screen: Class<out Activity>, intent: Intent? = null) = open(screen, intent, null)

    private fun open(screen: Class<out Activity>, intent: Intent?, request: Intent?) {
        val controller = Robolectric.buildActivity(screen, intent).setup()
        stack.addLast(Entry(controller, request))
        val density = controller.get().resources.displayMetrics.density
        val bars = Insets.of(0, (STATUS_BAR_DP * density).toInt(), 0, (NAVIGATION_BAR_DP * density).toInt())
        val insets = WindowInsets.Builder().setInsets(WindowInsets.Type.systemBars(), bars).build()
        controller.get().window.decorView.dispatchApplyWindowInsets(insets)
        settle()
    }

    /** As if the system had ended the app's process and started it again. */
    fun restartApp() = app.onCreate()

    /** Closes every screen. */
    fun closeAll() {
        while (stack.isNotEmpty()) close()
        settle()
    }

    /** Goes back by one screen, where it lets the person go. */
    @Suppress("DEPRECATION")
    fun back() {
        top.onBackPressed()
        settle()
    }

    /** Has all that is under way on the main thread come to its end, and opens and closes screens. */
    fun settle() {
        do {
            shadowOf(Looper.getMainLooper()).idle()
        } while (step())
    }

    /** Waits for what happens on other threads. */
    fun await(what: String, holds: () -> Boolean) {
        val end = System.nanoTime() + WAIT_NS
        settle()
        while (!holds()) {
            if (System.nanoTime() > end) fail("waited in vain for: $what\n${shown().joinToString("\n")}")
            Thread.sleep(5)
            settle()
        }
    }

    /** Waits for a screen. */
    fun awaitScreen(screen: Class<out Activity>) = await(screen.simpleName) { top.javaClass == screen }

    /** Waits for a text on the screen. */
    fun awaitText(text: String) = await(text) { shown().any { text in it } }

    /** All texts that are shown. */
    fun shown(): List<String> = views(top.window.decorView).filterIsInstance<TextView>()
        .map { it.text.toString() }.filter { it.isNotEmpty() }.toList()

    /** Taps the control of this name. */
    fun tap(id: Int) {
        val view = checkNotNull(top.findViewById<View>(id)) { "no such control" }
        await("a control that can be tapped") { view.isShown && view.isEnabled }
        check(view.performClick()) { "nothing happens" }
        settle()
    }

    /** Taps the row of a list that shows this text. */
    fun tapRow(text: String) {
        val list = views(top.window.decorView).filterIsInstance<ListView>().single()
        val at = (0 until list.adapter.count).first { position ->
            list.adapter.isEnabled(position) && views(list.adapter.getView(position, null, list))
                .filterIsInstance<TextView>().any { text in it.text }
        }
        list.setSelection(at)
        settle()
        list.performItemClick(list.adapter.getView(at, null, list), at, list.adapter.getItemId(at))
        settle()
    }

    /** Types into a field. */
    fun type(id: Int, text: String) {
        checkNotNull(top.findViewById<TextView>(id)).text = text
        settle()
    }

    /** The fields that are shown, by what they are called, in their order. */
    fun fields(): Map<String, EditText> = views(top.window.decorView).filterIsInstance<TextView>()
        .filter { it.labelFor != View.NO_ID }
        .mapNotNull { name -> top.findViewById<View>(name.labelFor).let { it as? EditText }?.let { name.text.toString() to it } }
        .toMap()

    /** Taps a button of what is asked in front of the screen. */
    fun answerDialog(button: Int) {
        (ShadowDialog.getLatestDialog() as AlertDialog).getButton(button).performClick()
        settle()
    }

    /** The text of a view. */
    fun text(id: Int): String = checkNotNull(top.findViewById<TextView>(id)).text.toString()

    /** Whether a view is shown. */
    fun isShown(id: Int): Boolean = top.findViewById<View>(id)?.isShown == true

    /** Whether a view is where typing goes. */
    fun isFocused(id: Int): Boolean = top.findViewById<View>(id)?.isFocused == true

    /** Chooses from the list that is asked with. */
    fun choose(position: Int) {
        val list = (ShadowDialog.getLatestDialog() as AlertDialog).listView
        list.performItemClick(list.adapter.getView(position, null, list), position, list.adapter.getItemId(position))
        settle()
    }

    /** Sets the clock that is asked with. */
    fun chooseTime(hour: Int, minute: Int) {
        val dialog = ShadowDialog.getLatestDialog() as TimePickerDialog
        dialog.updateTime(hour, minute)
        dialog.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        settle()
    }

    /** As when the phone is turned. */
    fun recreate() {
        stack.last().controller.recreate()
        settle()
    }

    /** Chooses a file with these bytes in the system's picker, which the app has opened. */
    fun answer(bytes: ByteArray) = answer(OtherApp.offer(bytes))

    /** The same with a file that the other app gives out no more than so many times. */
    fun answer(bytes: ByteArray, times: Int) = answer(OtherApp.offer(bytes, times))

    private fun answer(uri: Uri) {
        val question = checkNotNull(asked) { "the app asked for no file" }
        asked = null
        shadowOf(top).receiveResult(question, Activity.RESULT_OK, Intent().setData(uri))
        settle()
    }

    /** What the screen looks like. */
    fun picture(): Bitmap {
        val decor = top.window.decorView
        val picture = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
        picture.eraseColor(Color.MAGENTA)
        decor.draw(Canvas(picture))
        return picture
    }

    private fun step(): Boolean {
        if (stack.isEmpty()) return false
        if (top.isFinishing && stack.size > 1) {
            val closed = close()
            val result = shadowOf(closed.controller.get())
            closed.request?.let { shadowOf(top).receiveResult(it, result.resultCode, result.resultIntent) }
            return true
        }
        // Robolectric hands out the latest first.
        val started = generateSequence { shadowOf(top).nextStartedActivityForResult }.toList()
        started.reversed().forEach { toOpen.addLast(it) }
        val next = toOpen.removeFirstOrNull() ?: return false
        val intent = next.intent
        val component = intent.component
        if (component == null) {
            asked = intent
            return true
        }
        val screen = Class.forName(component.className).asSubclass(Activity::class.java)
        if (intent.flags and Intent.FLAG_ACTIVITY_CLEAR_TOP != 0 && stack.any { it.controller.get().javaClass == screen }) {
            while (top.javaClass != screen) close()
            return true
        }
        val leaving = stack.last().takeIf { top.isFinishing }
        open(screen, intent, if (next.requestCode >= 0) intent else null)
        if (leaving != null && stack.remove(leaving)) leaving.controller.pause().stop().destroy()
        return true
    }

    private fun close(): Entry {
        val entry = stack.removeLast()
        entry.controller.pause().stop().destroy()
        return entry
    }

    companion object {
        private const val WAIT_NS = 60_000_000_000
        private const val STATUS_BAR_DP = 24
        private const val NAVIGATION_BAR_DP = 48

        /** A view and all that is shown inside it. */
        fun views(view: View): Sequence<View> = sequence {
            if (view.visibility != View.VISIBLE) return@sequence
            yield(view)
            if (view is ViewGroup) for (i in 0 until view.childCount) yieldAll(views(view.getChildAt(i)))
        }
    }
}
