package org.testigo.demo

import android.app.AlertDialog
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.view.View
import android.widget.CheckBox
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import kotlinx.coroutines.runBlocking
import org.json.JSONObject
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
import org.testigo.Budget
import org.testigo.HostKey
import org.testigo.Phone
import org.testigo.Settings

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

        val row = counted()
        assertEquals("The picture it was read from", 1, row.getJSONObject("attachments").getInt("held"))
    }

    @Test
    fun a_sheet_whose_picture_cannot_be_kept_is_saved_without_it_and_that_is_told() {
        device.open(HomeActivity::class.java)
        enrol()
        device.tap(R.id.sheet)
        device.tap(R.id.picture)
        // Size and pixels are read, and then the other app gives it no more.
        device.answer(Pictures.photograph(Pictures.SHEET), times = 2)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("El registro se guardó, pero la foto no pudo ir con él.")
        device.awaitText("Votos nulos")
        headquarters.serve()
        device.tap(R.id.done)
        runJob()
        assertEquals(0, counted().getJSONObject("attachments").getInt("held"))
    }

    @Test
    fun a_sheet_without_a_code_is_typed_twice_and_counted_with_its_photograph() {
        device.open(HomeActivity::class.java)
        enrol()
        device.tap(R.id.sheet)
        device.tap(R.id.type)
        device.await("the form") { device.fields().isNotEmpty() }
        device.fields().values.forEach { field ->
            assertEquals(View.IMPORTANT_FOR_AUTOFILL_NO, field.importantForAutofill)
            assertFalse("Android keeps nothing of it", field.isSaveEnabled)
        }
        device.tap(R.id.next)
        assertEquals("Falta la mesa. Está arriba en el acta.", device.text(R.id.notice))
        typePaper(device, mapOf(2 to ""))
        device.tap(R.id.next)
        val third = device.fields().keys.elementAt(3)
        assertEquals("Falta un número en «$third». Si el papel dice cero, escriba 0.", device.text(R.id.notice))
        assertTrue("Typing goes on there", device.fields().getValue(third).isFocused)
        assertEquals("Nothing else is lost", VOTES[3], device.fields().values.elementAt(4).text.toString())
        typePaper(device)
        device.tap(R.id.next)

        // The second time shows nothing of the first; a slip is asked for again, and neither number is told.
        assertEquals("Otra vez, mirando el papel", device.text(R.id.what))
        assertTrue(device.fields().values.all { it.text.isEmpty() && it.hint.isNullOrEmpty() })
        typePaper(device, mapOf(2 to "99", 34 to "77"))
        device.tap(R.id.next)
        assertEquals("Las dos veces difieren en 2 datos. Escríbalos dos veces más.", device.text(R.id.about))
        val asked = device.fields()
        assertEquals("Those alone", 2, asked.size)
        assertTrue(third in asked.keys)
        assertTrue(asked.values.all { it.text.isEmpty() && it.hint.isNullOrEmpty() })
        assertFalse(device.shown().any { "99" in it || "77" in it || VOTES[2] in it || VOTES[34] in it })
        // Still not the same: that one once more.
        typeInto(third, VOTES[2]) { VOTES[34] }
        typeInto(third, VOTES[2]) { "77" }
        assertEquals(1, device.fields().size)
        assertFalse(third in device.fields().keys)
        repeat(2) { typeInto(third, VOTES[2]) { VOTES[34] } }

        assertEquals("Ahora una foto del papel", device.text(R.id.what))
        device.tap(R.id.picture)
        device.answer(Pictures.nothing(), times = 0)
        device.tap(R.id.save)
        device.awaitText("Este archivo no se pudo leer. Elija otro.")
        device.awaitScreen(TypedActivity::class.java)
        device.tap(R.id.picture)
        device.answer(Pictures.photograph("too far away"))
        assertEquals("Foto elegida. Se guarda y se envía con los números.", device.text(R.id.about))
        device.recreate()
        device.await("what was typed and chosen") { device.isShown(R.id.save) }
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Acta escrita del papel")
        assertTrue("The figures: ${device.shown()}", "188" in device.shown())
        assertFalse("Nothing is doubtful", device.shown().any { "revise esto" in it })
        device.tap(R.id.done)
        headquarters.serve()
        runJob()
        val row = counted()
        assertEquals("reported", row.getString("state"))
        assertEquals("typed-twice/unconfirmed-device", row.getJSONObject("standing").getString("code"))
        assertEquals(1, row.getJSONObject("attachments").getInt("held"))
    }

    @Test
    fun what_was_typed_survives_the_screen_being_made_anew_and_is_not_thrown_away_unasked() {
        device.open(HomeActivity::class.java)
        enrol()
        device.tap(R.id.sheet)
        device.tap(R.id.type)
        device.await("the form") { device.fields().isNotEmpty() }
        device.back()
        device.awaitScreen(SheetActivity::class.java)
        device.tap(R.id.type)
        device.await("the form") { device.fields().isNotEmpty() }
        typePaper(device)
        device.tap(R.id.next)
        val half = device.fields().values.elementAt(1)
        half.setText("14")
        device.recreate()
        device.await("the form") { device.fields().isNotEmpty() }
        assertEquals("Otra vez, mirando el papel", device.text(R.id.what))
        val texts = device.fields().values.map { it.text.toString() }
        assertEquals("What is being typed, and nothing of the first time", listOf("14"), texts.filter { it.isNotEmpty() })
        device.back()
        device.answerDialog(AlertDialog.BUTTON_POSITIVE)
        device.awaitScreen(TypedActivity::class.java)
        typePaper(device)
        device.tap(R.id.next)

        // Without a photograph it is saved with a note.
        device.tap(R.id.save_without)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("ninguna foto muestra el acta")
        device.tap(R.id.done)
        device.tap(R.id.history)
        device.awaitText("Acta escrita del papel")
        device.back()
        device.tap(R.id.sheet)
        device.tap(R.id.type)
        device.await("the form") { device.fields().isNotEmpty() }
        device.fields().values.first().setText("2")
        device.back()
        device.answerDialog(AlertDialog.BUTTON_NEGATIVE)
        device.awaitScreen(SheetActivity::class.java)
    }

    @Test
    fun a_table_that_is_none_is_asked_for_again_and_the_numbers_stay() {
        device.open(HomeActivity::class.java)
        enrol()
        device.open(TypedActivity::class.java)
        device.await("the form") { device.fields().isNotEmpty() }
        repeat(2) {
            typePaper(device)
            device.fields().values.first().setText("la mesa")
            device.tap(R.id.next)
        }
        device.tap(R.id.save_without)
        device.await("its sentence") { device.isShown(R.id.notice) }
        assertTrue(device.text(R.id.notice), device.text(R.id.notice).startsWith("Revise «Mesa»"))
        assertEquals(setOf("Mesa"), device.fields().keys)
        repeat(2) {
            device.fields().values.first().setText("201301006.01")
            device.tap(R.id.next)
        }
        device.tap(R.id.save_without)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Acta escrita del papel")
    }

    @Test
    fun without_an_election_the_unreadable_code_is_reported() {
        device.open(HomeActivity::class.java)
        enrol(device, headquarters, pack = false)
        device.tap(R.id.sheet)
        device.tap(R.id.type)
        device.awaitText("Este teléfono no tiene la boleta de la elección")
        assertFalse(device.isShown(R.id.next))
        device.tap(R.id.report)
        device.awaitScreen(ReportActivity::class.java)
        assertEquals("Sin código QR o ilegible", device.text(R.id.what))
        device.tap(R.id.photograph)
        device.answer(Pictures.nothing())
        assertEquals("Foto elegida", device.text(R.id.photograph))
        device.recreate()
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Sin código QR o ilegible")
        assertFalse("Its picture is with it", device.isShown(R.id.notice))
        device.tap(R.id.done)
        headquarters.serve()
        runJob()
        val incident = JSONObject(headquarters.table()).getJSONObject("incidents").getJSONArray("incidents").getJSONObject(0)
        assertEquals(52, incident.getInt("code"))
        assertEquals(1, incident.getJSONObject("attachments").getInt("held"))
    }

    @Test
    fun what_stays_here_and_when_it_is_wiped_is_chosen_while_unlocked() {
        device.open(HomeActivity::class.java)
        enrol()
        setPin(device, "428619")
        device.tap(R.id.settings)
        device.await("what is set") { device.text(R.id.wipe_after) == "No borrar el teléfono" }
        assertTrue("It burns unless told otherwise", device.top.view<CheckBox>(R.id.burn).isChecked)
        device.tap(R.id.burn)
        device.tap(R.id.wipe_after)
        device.choose(1)
        device.await("what was chosen") { device.text(R.id.wipe_after) == "Borrarlo tras 5 PIN equivocados seguidos" }
        val chosen = Settings(burn = false, wipeAfter = 5u)
        device.await("both are kept") { runBlocking { device.app.session.settings() } == chosen }
        device.tap(R.id.lock)
        device.awaitText("Se cambia al desbloquear.")
        assertFalse(device.isShown(R.id.keeping))
        device.back()

        // What headquarters has can still be read.
        report()
        headquarters.serve()
        runJob()
        unlock("428619")
        device.awaitText("La central lo tiene:")
        device.awaitText("Apertura tardía")
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
    fun a_phone_whose_key_is_gone_says_so_deletes_nothing_and_can_be_wiped() {
        device.open(HomeActivity::class.java)
        enrol()
        device.closeAll()
        val before = files()
        device.app.keys.destroy(HostKey.STORE)
        device.restartApp()
        device.open(HomeActivity::class.java)
        device.awaitText("El almacén de llaves de este teléfono ya no tiene la suya.")
        assertFalse(device.isShown(R.id.report))
        assertTrue(before.isNotEmpty())
        assertEquals(before, files())

        device.tap(R.id.settings)
        assertFalse("Nothing is known of it", device.isShown(R.id.trust))
        device.tap(R.id.wipe)
        device.awaitText("no se sabe qué falta por enviar")
        device.tap(R.id.wipe)
        enrol()
    }

    @Test
    fun a_phone_of_the_version_that_kept_the_key_itself_goes_on() {
        device.closeAll()
        val folder = File(device.app.noBackupFilesDir, "testigo")
        // What the app has made by now is a new phone, under its key store.
        device.await("a phone") { device.app.session.state.value is SessionState.Open }
        File(folder, "phone").deleteRecursively()
        val key = ByteArray(32) { (it * 7).toByte() }
        Phone.create(File(folder, "phone").path, key).use { it.setBudget(Budget(bytesADay = 4711u, photosOnMetered = false)) }
        val earlier = File(folder, "database-key")
        earlier.writeBytes(device.app.keys.wrap(HostKey.STORE, key))

        repeat(2) {
            device.restartApp()
            device.await("the phone") { device.app.session.state.value is SessionState.Open }
            device.await("it keeps its own key") { !earlier.exists() && File(folder, "phone/store-key").exists() }
        }
        val same = Phone.openUnder(File(folder, "phone").path, device.app.keys)
        assertEquals("It is that very phone", 4711uL, same.use { it.budget().bytesADay })
        device.open(HomeActivity::class.java)
        enrol()
    }

    @Test
    fun the_words_are_compared_before_anything_is_sent_and_the_characters_confirm_the_phone() {
        val scheduler = checkNotNull(device.app.getSystemService(JobScheduler::class.java))
        headquarters.serve()
        device.open(HomeActivity::class.java)
        enrol(device, headquarters) { assertEquals("Nothing is asked for before", 0, scheduler.allPendingJobs.size) }
        runJob()
        device.tap(R.id.settings)
        device.awaitText(headquarters.words)
        val characters = device.text(R.id.characters)
        assertEquals(12, characters.replace(" ", "").length)
        val devices = headquarters.confirm(characters)
        assertTrue(devices, "\"confirmed\"" in devices)
    }

    @Test
    fun a_locked_phone_reports_and_sends_and_shows_nothing_until_the_pin() {
        device.open(HomeActivity::class.java)
        enrol()
        report()
        device.tap(R.id.settings)
        device.tap(R.id.pin_set)
        device.type(R.id.new_pin, "428619")
        device.type(R.id.again, "428618")
        device.tap(R.id.go)
        device.awaitText("Los dos no son iguales.")
        device.type(R.id.new_pin, "4286")
        device.type(R.id.again, "4286")
        device.tap(R.id.go)
        device.awaitText("Revise «PIN nuevo»: de 6 a 64")
        device.back()
        device.back()
        setPin(device, "428619")
        // Whoever leaves the app has locked it.
        device.closeAll()
        device.open(HomeActivity::class.java)
        device.awaitText("Bloqueado: pide su PIN")
        assertFalse("Not where the witness is", device.shown().any { "201301006" in it })

        device.tap(R.id.report)
        device.await("the catalogue") { device.shown().size > 5 }
        device.tapRow("Corte de luz")
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.awaitText("Guardado en este teléfono.")
        device.awaitText("Para leerlo, desbloquee en Mis reportes.")
        assertFalse(device.shown().any { "Corte de luz" in it })
        device.tap(R.id.done)
        device.awaitText("2 reportes por enviar.")
        device.tap(R.id.settings)
        device.awaitText(headquarters.words)
        assertEquals("Se muestra al desbloquear", device.text(R.id.characters))
        device.back()

        device.tap(R.id.history)
        device.awaitScreen(PinActivity::class.java)
        device.type(R.id.pin, "000000")
        device.tap(R.id.go)
        device.awaitText("PIN")
        device.await("the wrong PIN") { device.isShown(R.id.notice) }
        repeat(3) {
            device.type(R.id.pin, "000000")
            device.tap(R.id.go)
            device.await("its end") { device.text(R.id.pin).isEmpty() }
        }
        // After the fourth there is a wait, also for the right one.
        device.type(R.id.pin, "428619")
        device.tap(R.id.go)
        device.awaitText("Hubo varios PIN equivocados. Espere 30 s")
    }

    @Test
    fun the_pin_opens_the_list_changes_and_goes() {
        device.open(HomeActivity::class.java)
        enrol()
        report()
        setPin(device, "428619")
        device.closeAll()
        device.open(HomeActivity::class.java)
        unlock("428619")
        device.awaitText("Apertura tardía")
        device.back()
        ask(R.id.pin_change) {
            device.type(R.id.pin, "428619")
            device.type(R.id.new_pin, "una frase")
            device.type(R.id.again, "una frase")
        }
        device.tap(R.id.settings)
        device.tap(R.id.lock)
        device.await("locked") { !device.isShown(R.id.lock) }
        device.back()
        unlock("una frase")
        device.awaitText("Apertura tardía")
        device.back()
        ask(R.id.pin_remove) { device.type(R.id.pin, "una frase") }
        device.closeAll()
        device.open(HomeActivity::class.java)
        device.await("home") { device.isShown(R.id.report) }
        device.tap(R.id.history)
        device.awaitScreen(HistoryActivity::class.java)
        device.awaitText("Apertura tardía")
    }

    @Test
    fun a_second_pin_shows_no_content_and_calls_for_help_unseen() {
        device.open(HomeActivity::class.java)
        enrol()
        report()
        setPin(device, "428619")
        ask(R.id.duress_set) {
            device.type(R.id.pin, "428619")
            device.type(R.id.new_pin, "135790")
            device.type(R.id.again, "135790")
        }
        device.closeAll()
        device.open(HomeActivity::class.java)
        unlock("135790")
        device.awaitText("Su contenido ya no está en este teléfono")
        assertFalse(device.shown().any { "Apertura tardía" in it })
        device.back()
        device.awaitText("1 reporte por enviar.")
        headquarters.serve()
        runJob()
        val table = headquarters.table()
        assertTrue(table, Regex("\"code\":\\s*37\\b").containsMatchIn(table))
        device.awaitText("La central tiene su reporte.")
        device.closeAll()
        device.open(HomeActivity::class.java)
        ask(R.id.duress_remove) { device.type(R.id.pin, "428619") }
        device.closeAll()
        device.open(HomeActivity::class.java)
        device.tap(R.id.history)
        device.awaitScreen(PinActivity::class.java)
        device.type(R.id.pin, "135790")
        device.tap(R.id.go)
        device.await("it opens nothing any more") { device.isShown(R.id.notice) }
    }

    @Test
    fun a_wiped_phone_says_before_what_is_lost_and_begins_anew() {
        device.open(HomeActivity::class.java)
        enrol()
        report()
        device.tap(R.id.settings)
        device.tap(R.id.wipe)
        device.awaitText("Se pierde 1 reporte que la central no tiene.")
        device.tap(R.id.keep)
        device.awaitScreen(SettingsActivity::class.java)
        device.tap(R.id.wipe)
        device.tap(R.id.wipe)
        enrol()
        assertEquals("Aún no hay nada guardado.", device.text(R.id.state))
    }

    /** Types into the one or two fields that are asked for again, and goes on. */
    private fun typeInto(name: String, text: String, other: () -> String) {
        device.fields().forEach { (field, input) -> input.setText(if (field == name) text else other()) }
        device.tap(R.id.next)
    }

    /** What headquarters has of the table, once it has opened all that arrived. */
    private fun counted(): JSONObject {
        val rows = JSONObject(headquarters.table()).getJSONObject("results").getJSONArray("rows")
        return (0 until rows.length()).map { rows.getJSONObject(it) }.single { it.getString("table") == "201301006.01" }
    }

    /** A report is saved, and the person is at home again. */
    private fun report() {
        device.tap(R.id.report)
        device.await("the catalogue") { device.shown().size > 5 }
        device.tapRow("Apertura tardía")
        device.tap(R.id.save)
        device.awaitScreen(RecordActivity::class.java)
        device.tap(R.id.done)
        device.awaitScreen(HomeActivity::class.java)
    }

    /** From home to the list, by this PIN. */
    private fun unlock(pin: String) {
        device.await("locked") { device.text(R.id.history_for) == "Bloqueado: pide su PIN" }
        device.tap(R.id.history)
        device.awaitScreen(PinActivity::class.java)
        device.type(R.id.pin, pin)
        device.tap(R.id.go)
        device.awaitScreen(HistoryActivity::class.java)
    }

    /** From home through the settings and back. */
    private fun ask(what: Int, fill: () -> Unit) {
        device.tap(R.id.settings)
        device.tap(what)
        device.awaitScreen(PinActivity::class.java)
        fill()
        device.tap(R.id.go)
        device.awaitScreen(SettingsActivity::class.java)
        device.back()
    }

    private fun files(): Set<String> {
        val phone = File(device.app.noBackupFilesDir, "testigo/phone")
        return phone.walkTopDown().filter { it.isFile }.map { it.name }.toSet()
    }

    private fun enrol() = enrol(device, headquarters)

    private fun runJob() {
        val job = startJob(device)
        device.await("the job's end") { shadowOf(job).isJobFinished }
        assertFalse("Nothing is left to do", shadowOf(job).isRescheduleNeeded)
    }
}
