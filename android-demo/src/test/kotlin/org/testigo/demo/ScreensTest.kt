package org.testigo.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.Rect
import android.view.View
import android.widget.Button
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.testigo.HostKey
import org.testigo.ReportInput
import org.testigo.TypedSheet

/**
 * Every screen in both languages, light and dark: pictures of all, and what is measured on each, also with text at
 * 200 %.
 */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var headquarters: Headquarters
    private val device = Device()
    private val findings = mutableListOf<String>()
    private var measured = 0

    @Before
    fun start() {
        headquarters = Headquarters(folder.newFolder("hq"))
        PICTURES.mkdirs()
    }

    @After
    fun end() {
        device.closeAll()
        headquarters.close()
    }

    @Test
    fun every_screen_is_labelled_large_enough_legible_and_uncut() {
        device.open(HomeActivity::class.java)
        device.awaitScreen(EnrolActivity::class.java)
        device.closeAll()
        everyWay("enrol", EnrolActivity::class.java) { device.settle() }
        everyWay("enrol-notice", EnrolActivity::class.java) { device.tap(R.id.go) }
        everyWay("typed-no-election", TypedActivity::class.java) { device.await("what to do") { device.isShown(R.id.report) } }

        device.open(HomeActivity::class.java)
        enrol(device, headquarters)
        device.closeAll()
        everyWay("connected", ConnectedActivity::class.java) { awaitWords() }
        everyWay("settings", SettingsActivity::class.java) {
            awaitWords()
            device.await("what stays") { device.isShown(R.id.burn) }
        }
        everyWay("pin-set", { pin(PinActivity.Ask.SET) }, PinActivity::class.java) { device.settle() }
        everyWay("home-new", HomeActivity::class.java) { awaitHome() }
        everyWay("history-new", HistoryActivity::class.java) { device.await("none") { device.isShown(R.id.none) } }

        val report = saveReport()
        val sheet = saveSheet(Pictures.SHEET)
        val doubtful = saveSheet(Pictures.DOUBTFUL_SHEET)
        val unknown = saveSheet("https://example.org/menu")
        typed()
        everyWay("home-waiting", HomeActivity::class.java) { awaitHome() }
        everyWay("catalogue", CatalogueActivity::class.java) { awaitCatalogue() }
        everyWay("catalogue-search", CatalogueActivity::class.java) {
            awaitCatalogue()
            device.type(R.id.search, "testigo")
        }
        everyWay("catalogue-nothing", CatalogueActivity::class.java) {
            awaitCatalogue()
            device.type(R.id.search, "xyz")
        }
        everyWay("report", { reportIntent() }, ReportActivity::class.java) { device.settle() }
        everyWay("report-error", { reportIntent() }, ReportActivity::class.java) {
            device.type(R.id.table, "1 2")
            device.tap(R.id.save)
            device.await("the error") { device.isShown(R.id.notice) }
        }
        everyWay("report-picture", { reportIntent() }, ReportActivity::class.java) {
            device.tap(R.id.photograph)
            device.answer(Pictures.nothing())
            scrollTo(R.id.photograph)
        }
        everyWay("sheet", SheetActivity::class.java) { device.settle() }
        everyWay("sheet-no-code", SheetActivity::class.java) {
            device.tap(R.id.picture)
            device.answer(Pictures.nothing())
            device.awaitText(device.top.getString(R.string.picture_no_code))
        }
        everyWay("camera", CameraActivity::class.java) { device.settle() }
        listOf("report" to report, "sheet" to sheet, "doubtful" to doubtful, "unknown" to unknown).forEach { (name, id) ->
            everyWay("saved-$name", { record(id, justSaved = true) }, RecordActivity::class.java) { awaitRecord() }
        }
        everyWay("home-no-network", HomeActivity::class.java) {
            awaitHome()
            device.tap(R.id.send)
            device.await("the failure") { device.isShown(R.id.notice) && device.top.findViewById<Button>(R.id.send)?.isEnabled == true }
        }
        everyWay("history-waiting", HistoryActivity::class.java) { awaitHistory() }
        everyWay("wipe", WipeActivity::class.java) { awaitLost() }

        headquarters.serve()
        runBlocking { withContext(Dispatchers.IO) { device.app.session.sync() } }
        everyWay("home-delivered", HomeActivity::class.java) { awaitHome() }
        everyWay("history", HistoryActivity::class.java) { awaitHistory() }
        everyWay("record", { record(report, justSaved = false) }, RecordActivity::class.java) { awaitRecord() }
        everyWay("wipe-delivered", WipeActivity::class.java) { awaitLost() }
        locked()
        device.app.keys.destroy(HostKey.STORE)
        device.restartApp()
        everyWay("home-keyless", HomeActivity::class.java) { device.await("settings") { device.isShown(R.id.settings) } }
        everyWay("settings-keyless", SettingsActivity::class.java) { device.await("no more") { !device.isShown(R.id.opened) } }
        everyWay("wipe-keyless", WipeActivity::class.java) { awaitLost() }

        assertTrue("Only $measured things were measured", measured > 2_000)
        assertEquals(findings.distinct().joinToString("\n"), 0, findings.size)
    }

    /** A sheet without a code, from its first number to what was saved; and a sheet whose picture was lost. */
    private fun typed() {
        everyWay("typed-first", TypedActivity::class.java) { awaitForm() }
        everyWay("typed-missing", TypedActivity::class.java) {
            awaitForm()
            typePaper(device, mapOf(2 to ""))
            device.tap(R.id.next)
        }
        everyWay("typed-second", TypedActivity::class.java) {
            awaitForm()
            typePaper(device)
            device.tap(R.id.next)
        }
        everyWay("typed-differ", TypedActivity::class.java) {
            awaitForm()
            typePaper(device)
            device.tap(R.id.next)
            typePaper(device, mapOf(2 to "99", 34 to "77"))
            device.tap(R.id.next)
        }
        everyWay("typed-photograph", TypedActivity::class.java) { typeTwice(device) }
        everyWay("typed-chosen", TypedActivity::class.java) {
            typeTwice(device)
            device.tap(R.id.picture)
            device.answer(Pictures.nothing())
        }
        everyWay("typed-unreadable", TypedActivity::class.java) {
            typeTwice(device)
            device.tap(R.id.picture)
            device.answer(Pictures.nothing(), times = 0)
            device.tap(R.id.save)
            device.await("its sentence") { device.isShown(R.id.notice) && device.top.view<Button>(R.id.picture).isEnabled }
        }
        val sheet = TypedSheet(table = "201301006.01", votes = VOTES.map { it.toUInt() }, nullVotes = 0u)
        val id = runBlocking { withContext(Dispatchers.IO) { device.app.session.typed(sheet, sheet, null).saved.sequence } }
        everyWay("saved-typed", { record(id, justSaved = true) }, RecordActivity::class.java) { awaitRecord() }
        val lost = { RecordActivity.intent(device.app, 2u, justSaved = true, photographLost = true) }
        everyWay("saved-no-picture", lost, RecordActivity::class.java) { awaitRecord() }
    }

    /** What a PIN changes; each screen that is closed locks the phone. */
    private fun locked() {
        runBlocking { withContext(Dispatchers.IO) { device.app.session.withPin { setPin(PIN) } } }
        everyWay("settings-pin", SettingsActivity::class.java) {
            runBlocking { withContext(Dispatchers.IO) { device.app.session.withPin { unlock(PIN) } } }
            device.await("unlocked") { device.isShown(R.id.lock) && device.text(R.id.wipe_after).isNotEmpty() }
        }
        everyWay("settings-keeping", SettingsActivity::class.java) {
            runBlocking { withContext(Dispatchers.IO) { device.app.session.withPin { unlock(PIN) } } }
            device.await("unlocked") { device.text(R.id.wipe_after).isNotEmpty() }
            scrollTo(R.id.keeping)
        }
        everyWay("settings-locked", SettingsActivity::class.java) {
            device.await("locked") { device.isShown(R.id.pin_change) && !device.isShown(R.id.lock) }
        }
        everyWay("home-locked", HomeActivity::class.java) { awaitHome() }
        everyWay("saved-locked", { record(1u, justSaved = true) }, RecordActivity::class.java) {
            device.await("hidden") { device.text(R.id.delivery) == device.top.getString(R.string.record_locked) }
        }
        PinActivity.Ask.values().filter { it != PinActivity.Ask.SET }.forEach { ask ->
            val name = ask.name.lowercase().replace('_', '-')
            everyWay("pin-$name", { pin(ask) }, PinActivity::class.java) { device.settle() }
        }
        everyWay("pin-wrong", { pin(PinActivity.Ask.UNLOCK) }, PinActivity::class.java) {
            device.type(R.id.pin, "000000")
            device.tap(R.id.go)
            device.await("its sentence") { device.isShown(R.id.notice) && device.top.findViewById<Button>(R.id.go)?.isEnabled == true }
        }
    }

    @Test
    fun what_is_wrong_is_found() {
        device.open(HomeActivity::class.java)
        device.awaitScreen(EnrolActivity::class.java)
        val go = checkNotNull(device.top.findViewById<Button>(R.id.camera))
        go.setTextColor(Color.GRAY)
        go.minHeight = 0
        go.layoutParams.height = 40
        go.requestLayout()
        device.settle()
        var check = ScreenCheck(device.top, device.picture())
        assertEquals(1, check.contrasts().size)
        assertEquals(1, check.sizes().size)
        assertEquals(1, check.cuts().size)
        go.text = ""
        device.settle()
        check = ScreenCheck(device.top, device.picture())
        assertEquals(1, check.labels().size)
        assertEquals(21.0, ScreenCheck.contrast(Color.BLACK, Color.WHITE), 0.01)
    }

    private fun everyWay(name: String, screen: Class<out Activity>, reach: () -> Unit) =
        everyWay(name, { null }, screen, reach)

    /** Opens a screen anew in each language, light and dark; with large text; and where all of it is to be seen. */
    private fun everyWay(name: String, intent: () -> Intent?, screen: Class<out Activity>, reach: () -> Unit) {
        for (language in listOf("es-rVE", "en-rUS")) for (theme in listOf("light", "dark")) {
            val night = if (theme == "dark") "night" else "notnight"
            val way = "$name-${language.take(2)}-$theme"
            for ((kind, height, scale) in listOf(
                Triple("", PHONE, 1f),
                Triple("-200", PHONE, 2f),
                Triple("-tall", TALL, 1f),
            )) {
                RuntimeEnvironment.setQualifiers("+$language-h$height-$night")
                RuntimeEnvironment.setFontScale(scale)
                look(way + kind, screen, intent(), reach)
            }
        }
        RuntimeEnvironment.setFontScale(1f)
        RuntimeEnvironment.setQualifiers("+es-rVE-h$PHONE-notnight")
    }

    private fun look(way: String, screen: Class<out Activity>, intent: Intent?, reach: () -> Unit) {
        device.open(screen, intent)
        reach()
        val picture = device.picture()
        val check = ScreenCheck(device.top, picture)
        val found = check.labels() + check.sizes() + check.contrasts() + check.cuts()
        findings += found.map { "$way: $it" }
        measured += check.measured
        if (!way.endsWith("tall")) {
            assertEquals(720 to 1280, picture.width to picture.height)
            File(PICTURES, "$way.png").outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
        device.closeAll()
    }

    private fun reportIntent() = ReportActivity.intent(device.app, LATE_OPENING, device.app.pick("Apertura tardía", "Late opening"))

    private fun record(id: ULong, justSaved: Boolean) = RecordActivity.intent(device.app, id, justSaved)

    private fun pin(ask: PinActivity.Ask) = PinActivity.intent(device.app, ask)

    private fun awaitWords() = device.await("the words") { device.text(R.id.words).isNotEmpty() }

    private fun scrollTo(id: Int) {
        val part = device.top.view<View>(id)
        part.requestRectangleOnScreen(Rect(0, 0, part.width, part.height), true)
        device.settle()
    }

    private fun awaitForm() = device.await("the form") { device.fields().isNotEmpty() }

    private fun awaitLost() =
        device.await("what would be lost") { device.text(R.id.lost) !in listOf("", device.top.getString(R.string.working)) }

    private fun awaitHome() = device.await("the state") { device.isShown(R.id.report) }

    private fun awaitCatalogue() = device.await("the catalogue") { device.shown().size > 5 }

    private fun awaitRecord() = device.await("the record") { device.text(R.id.what).isNotEmpty() }

    private fun awaitHistory() = device.await("the list") { device.shown().size > 5 }

    private fun saveReport(): ULong = runBlocking {
        val input = ReportInput(
            code = LATE_OPENING.toUShort(),
            note = "Faltaba el técnico de la máquina; la fila daba la vuelta a la cuadra.",
            delayMinutes = 95u,
            started = "2024-07-28T06:00:00-04:00",
            people = 60u,
        )
        withContext(Dispatchers.IO) { device.app.session.report(input).sequence }
    }

    private fun saveSheet(text: String): ULong = runBlocking {
        withContext(Dispatchers.IO) { device.app.session.tally(listOf(text.toByteArray())).sequence }
    }

    private companion object {
        const val LATE_OPENING = 10
        const val PHONE = "640dp"
        const val PIN = "428619"

        /** So tall that nothing must be scrolled to. */
        const val TALL = "3200dp"
        val PICTURES = File(checkNotNull(System.getProperty("testigo.target")), "screenshots")
    }
}
