package org.testigo.demo

import android.app.job.JobParameters
import android.app.job.JobScheduler
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers

/** The whole way of a witness, on the real core and against a real headquarters. */
@RunWith(RobolectricTestRunner::class)
class FlowTest {
    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var headquarters: Headquarters
    private val device = Device()

    @Before
    fun start() {
        headquarters = Headquarters(folder.newFolder("hq"))
    }

    @After
    fun end() {
        device.closeAll()
        headquarters.close()
    }

    @Test
    fun enrols_reports_records_a_sheet_offline_and_shows_headquarters_receipts() {
        device.open(HomeActivity::class.java)
        device.awaitScreen(EnrolActivity::class.java)
        device.tap(R.id.go)
        assertEquals("Aún falta su código: escanéelo, elija una foto o escríbalo.", device.text(R.id.notice))

        enrol()
        assertEquals("Mesa 201301006.01", device.text(R.id.table))
        assertEquals("Aún no hay nada guardado.", device.text(R.id.state))

        // Three taps to a saved report.
        device.tap(R.id.report)
        device.await("the catalogue") { device.shown().size > 5 }
        device.tapRow("Apertura tardía")
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Por enviar: la central aún no lo tiene.")
        assertTrue("Guardado en este teléfono." in device.shown())
        device.tap(R.id.done)
        device.awaitScreen(HomeActivity::class.java)
        device.awaitText("1 reporte por enviar.")

        // A picture without a code is told, and one with a code is saved at once.
        device.tap(R.id.sheet)
        device.tap(R.id.picture)
        device.answer(Pictures.nothing())
        device.awaitText("No se pudo leer ningún código QR en esta foto. No se guardó nada.")
        device.tap(R.id.picture)
        device.answer("no picture".toByteArray())
        device.awaitText("Este archivo no se pudo abrir como foto. Elija otro.")
        device.tap(R.id.picture)
        device.answer(Pictures.photograph(Pictures.SHEET))
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Votos nulos")
        assertTrue("The figures of the published sheet are shown: ${device.shown()}", "188" in device.shown())
        device.tap(R.id.done)
        device.awaitText("2 reportes por enviar.")

        // Nobody answers: nothing is lost, and the screen says so.
        device.tap(R.id.send)
        device.awaitText("No hay conexión con la central. Todo está guardado y se enviará cuando haya red.")
        // The notice may come before the sync has ended.
        device.awaitText("2 reportes por enviar.")

        headquarters.serve()
        runJob()
        device.awaitText("La central tiene los 2 reportes.")
        assertFalse("There is nothing to send any more", device.isShown(R.id.send))
        assertFalse("The trouble is over", device.isShown(R.id.notice))

        device.tap(R.id.history)
        device.awaitText("La central lo tiene:")
        // What it said has burned with the receipt.
        device.tapRow("Su contenido ya no está en este teléfono")
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("La central firmó el recibo:")
        device.back()

        val table = headquarters.table()
        assertTrue(table, "201301006.01" in table)
    }

    @Test
    fun details_of_a_report_reach_headquarters_and_a_typed_error_names_its_field() {
        headquarters.serve()
        device.open(HomeActivity::class.java)
        device.awaitScreen(EnrolActivity::class.java)
        enrol()
        device.tap(R.id.report)
        device.await("the catalogue") { device.shown().size > 5 }
        device.type(R.id.search, "LUZ corte")
        device.tapRow("Corte de luz")
        device.type(R.id.note, "dos cuadras a oscuras")
        device.type(R.id.people, "40")
        device.type(R.id.table, "una mesa")
        device.tap(R.id.save)
        device.await("the error") { device.isShown(R.id.notice) }
        assertTrue("The field that is meant", device.isFocused(R.id.table))
        assertTrue(device.text(R.id.notice), device.text(R.id.notice).startsWith("Revise «Mesa»"))
        device.type(R.id.table, "")
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("dos cuadras a oscuras")
        assertTrue("40" in device.shown())
        device.tap(R.id.done)
        runJob()
        device.awaitText("La central tiene su reporte.")
        val table = headquarters.table()
        assertTrue(table, "dos cuadras a oscuras" in table || "21" in table)
    }

    @Test
    fun the_camera_reads_a_code_and_a_doubtful_sheet_is_saved_with_its_doubt() {
        device.open(HomeActivity::class.java)
        device.awaitScreen(EnrolActivity::class.java)
        enrol()
        device.tap(R.id.sheet)
        device.tap(R.id.camera)
        device.awaitScreen(CameraActivity::class.java)
        startCamera(device)
        device.app.camera.feed(ByteArray(1280 * 720), 1280, 720)
        device.settle()
        device.awaitScreen(CameraActivity::class.java)
        device.app.camera.feed(Pictures.frame(Pictures.DOUBTFUL_SHEET, 1280, 720), 1280, 720)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Por favor, revise esto")
        assertFalse("The camera was let go", device.app.camera.running)
    }

    @Test
    fun a_job_that_the_system_stops_ends_at_once_and_loses_nothing() {
        device.open(HomeActivity::class.java)
        enrol()
        device.tap(R.id.report)
        device.await("the catalogue") { device.shown().size > 5 }
        device.tapRow("Apertura tardía")
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.tap(R.id.done)
        // The system takes the call for it, and nobody ever answers.
        ServerSocket(headquarters.port, 1, InetAddress.getLoopbackAddress()).use {
            val job = startJob(device)
            device.await("a sync under way") { device.text(R.id.send) == "Enviando…" }
            val stopped = job.onStopJob(ReflectionHelpers.callConstructor(JobParameters::class.java))
            assertTrue("It is to be started again", stopped)
            device.await("its end") { device.text(R.id.send) == "Enviar ahora" }
            assertFalse("Who was stopped says nothing", shadowOf(job).isJobFinished)
        }
        device.awaitText("1 reporte por enviar.")
        headquarters.serve()
        runJob()
        device.awaitText("La central tiene su reporte.")
    }

    @Test
    fun what_waits_is_asked_for_again_when_the_app_starts() {
        device.open(HomeActivity::class.java)
        enrol()
        device.closeAll()
        val scheduler = checkNotNull(device.app.getSystemService(JobScheduler::class.java))
        scheduler.cancelAll()
        // The same key as before: the app of a new process finds what the old one kept.
        device.restartApp()
        device.open(HomeActivity::class.java)
        device.await("the job") { scheduler.allPendingJobs.size == 1 }
        headquarters.serve()
        runJob()
        device.await("nothing to send") { !device.isShown(R.id.send) }
        scheduler.cancelAll()
        device.closeAll()
        device.restartApp()
        device.open(HomeActivity::class.java)
        device.await("the ways on") { device.isShown(R.id.report) }
        assertEquals("Nothing waits, nothing is asked for", 0, scheduler.allPendingJobs.size)
    }

    @Test
    fun what_was_given_survives_the_screen_being_made_anew() {
        device.open(HomeActivity::class.java)
        enrol()
        device.open(ReportActivity::class.java, ReportActivity.intent(device.app, 10, "Apertura tardía"))
        device.type(R.id.note, "dos horas")
        device.tap(R.id.delay)
        device.choose(4)
        device.tap(R.id.started)
        device.chooseTime(6, 5)
        val before = listOf(R.id.note, R.id.delay, R.id.started, R.id.ended).map { device.text(it) }
        assertEquals("Cerca de 2 horas", before[1])
        device.recreate()
        assertEquals(before, listOf(R.id.note, R.id.delay, R.id.started, R.id.ended).map { device.text(it) })
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("120 minutos")
        device.awaitText("6:05")
    }

    @Test
    fun a_phone_whose_key_is_gone_says_so_and_deletes_nothing() {
        device.open(HomeActivity::class.java)
        enrol()
        device.closeAll()
        val folder = File(device.app.noBackupFilesDir, "testigo")
        val before = File(folder, "phone").walkTopDown().filter { it.isFile }.map { it.name }.toSet()
        File(folder, "database-key").delete()
        device.restartApp()
        device.open(HomeActivity::class.java)
        device.awaitText("No se borró nada.")
        assertFalse(device.isShown(R.id.report))
        assertTrue(before.isNotEmpty())
        assertEquals(before, File(folder, "phone").walkTopDown().filter { it.isFile }.map { it.name }.toSet())
    }

    private fun enrol() = enrol(device, headquarters)

    private fun runJob() {
        val job = startJob(device)
        device.await("the job's end") { shadowOf(job).isJobFinished }
        assertFalse("Nothing is left to do", shadowOf(job).isRescheduleNeeded)
    }
}
