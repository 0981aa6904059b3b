package org.testigo.demo

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.HorizontalScrollView
import android.widget.ImageView
import android.widget.ListView
import android.widget.ScrollView
import android.widget.TextView
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow
import kotlin.math.roundToInt

/** What is measured on a screen as it is shown; each finding names its view. */
class ScreenCheck(private val screen: Activity, private val picture: Bitmap) {
    private val root = screen.window.decorView
    private val all = Device.views(root).toList()
    private val density = screen.resources.displayMetrics.density

    /** How many controls and texts were measured, so that a check of nothing is seen. */
    var measured = 0
        private set

    /** Every control says what it is. */
    fun labels(): List<String> = controls().mapNotNull { control ->
        measured += 1
        val label = all.filterIsInstance<TextView>().any { it.labelFor == control.id && control.id != View.NO_ID }
        val spoken = control.contentDescription ?: texts(control).firstOrNull()
        val named = if (control is EditText) label || !control.hint.isNullOrEmpty() else !spoken.isNullOrEmpty()
        if (named) null else "no label: ${name(control)}"
    }

    /** Every control is at least 48 dp wide and high. */
    fun sizes(): List<String> = controls().mapNotNull { control ->
        measured += 1
        val (width, height) = control.width / density to control.height / density
        if (width >= TOUCH_DP && height >= TOUCH_DP) null else "$width x $height dp: ${name(control)}"
    }

    /** Every text has a contrast of 4.5 to what lies behind it, and every icon of 3. */
    fun contrasts(): List<String> = all.mapNotNull { view ->
        val area = visible(view) ?: return@mapNotNull null
        if (view is TextView && texts(view).isNotEmpty()) {
            measured += 1
            val color = if (view.text.isNullOrEmpty()) view.currentHintTextColor else view.currentTextColor
            val behind = mostFrequent(area)
            val contrast = contrast(over(color, behind), behind)
            if (contrast >= TEXT_CONTRAST) null else "%.2f : 1: %s".format(contrast, name(view))
        } else if (view is ImageView && view.drawable != null) {
            measured += 1
            val behind = mostFrequent(area)
            val contrast = pixels(area).maxOf { contrast(it, behind) }
            if (contrast >= ICON_CONTRAST) null else "%.2f : 1: icon %s".format(contrast, name(view))
        } else {
            null
        }
    }

    /** No text is cut, no word is torn, nothing sticks out of what holds it, and what scrolls has room. */
    fun cuts(): List<String> = all.flatMap { view -> cutText(view) + sticksOut(view) + cramped(view) }

    private fun cutText(view: View): List<String> {
        val layout = (view as? TextView)?.layout ?: return emptyList()
        if (view.text.isNullOrEmpty()) return cutHint(view)
        measured += 1
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        val width = view.width - view.compoundPaddingLeft - view.compoundPaddingRight
        return buildList {
            if (layout.height > room) add("text cut at the bottom: ${name(view)}")
            for (line in 0 until layout.lineCount) {
                if (layout.getEllipsisCount(line) > 0) add("text shortened: ${name(view)}")
                if (layout.getLineMax(line) > width + 1) add("text cut at the side: ${name(view)}")
                val end = layout.getLineEnd(line)
                val torn = line < layout.lineCount - 1 && view.text[end - 1].isLetterOrDigit() && view.text[end].isLetterOrDigit()
                if (torn) add("word torn: ${name(view)}")
            }
        }
    }

    private fun cutHint(view: TextView): List<String> {
        if (view.hint.isNullOrEmpty() || view.maxLines != 1) return emptyList()
        measured += 1
        val width = view.width - view.compoundPaddingLeft - view.compoundPaddingRight
        val fits = view.paint.measureText(view.hint.toString()) <= width
        return if (fits) emptyList() else listOf("hint cut at the side: ${name(view)}")
    }

    private fun sticksOut(view: View): List<String> {
        val parent = view.parent as? ViewGroup ?: return emptyList()
        val wide = parent is HorizontalScrollView || view.left >= 0 && view.right <= parent.width
        val high = parent is ScrollView || parent is ListView || view.top >= 0 && view.bottom <= parent.height
        return if (wide && high) emptyList() else listOf("sticks out: ${name(view)}")
    }

    private fun cramped(view: View): List<String> {
        if (view !is ScrollView && view !is ListView) return emptyList()
        return if (view.height >= root.height / 3) emptyList() else listOf("no room to scroll: ${name(view)}")
    }

    private fun controls(): List<View> = all.filter { view ->
        view.isClickable || view is EditText || (view.parent as? ListView)?.let { isEnabledRow(it, view) } == true
    }.filter { it !is ListView }

    private fun isEnabledRow(list: ListView, row: View): Boolean {
        val at = list.getPositionForView(row)
        return at >= 0 && list.adapter.isEnabled(at)
    }

    private fun texts(view: View): List<CharSequence> = Device.views(view).filterIsInstance<TextView>()
        .map { if (it.text.isNullOrEmpty()) it.hint else it.text }.filterNot { it.isNullOrEmpty() }.toList()

    /** Where a view is seen as a whole. */
    private fun visible(view: View): Rect? = Rect().takeIf {
        view.getGlobalVisibleRect(it) && it.width() == view.width && it.height() == view.height && !it.isEmpty
    }

    private fun pixels(area: Rect): IntArray {
        val pixels = IntArray(area.width() * area.height())
        picture.getPixels(pixels, 0, area.width(), area.left, area.top, area.width(), area.height())
        return pixels
    }

    private fun mostFrequent(area: Rect): Int =
        pixels(area).groupBy { it }.maxByOrNull { it.value.size }?.key ?: Color.MAGENTA

    private fun name(view: View): String {
        val id = if (view.id == View.NO_ID || view.id ushr 24 == 0) "" else screen.resources.getResourceEntryName(view.id)
        return "${view.javaClass.simpleName} $id “${texts(view).firstOrNull() ?: view.contentDescription ?: ""}”"
    }

    companion object {
        private const val TOUCH_DP = 48f
        private const val TEXT_CONTRAST = 4.5
        private const val ICON_CONTRAST = 3.0

        /** A colour as it is seen on another one. */
        fun over(color: Int, behind: Int): Int {
            val alpha = Color.alpha(color) / 255.0
            fun mix(one: Int, other: Int) = (one * alpha + other * (1 - alpha)).roundToInt()
            return Color.rgb(
                mix(Color.red(color), Color.red(behind)),
                mix(Color.green(color), Color.green(behind)),
                mix(Color.blue(color), Color.blue(behind)),
            )
        }

        /** WCAG 2.2's contrast ratio: 1 for two equal colours, 21 for black on white. */
        fun contrast(one: Int, other: Int): Double {
            val (a, b) = luminance(one) to luminance(other)
            return (max(a, b) + 0.05) / (min(a, b) + 0.05)
        }

        private fun luminance(color: Int): Double {
            fun linear(channel: Int): Double {
                val share = channel / 255.0
                return if (share <= 0.04045) share / 12.92 else ((share + 0.055) / 1.055).pow(2.4)
            }
            return 0.2126 * linear(Color.red(color)) + 0.7152 * linear(Color.green(color)) +
                0.0722 * linear(Color.blue(color))
        }
    }
}
