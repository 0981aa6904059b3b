package org.testigo.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.testigo.DeliveryView
import org.testigo.StatusView

/** The queue's one line says what is true, and its words fit the number. */
@RunWith(RobolectricTestRunner::class)
class QueueTest {
    private fun status(
        queued: Int = 0,
        delivered: Int = 0,
        parked: Int = 0,
        files: Int = 0,
        syncing: Boolean = false,
    ) = StatusView(
        enrolled = true,
        enrolmentDelivered = true,
        election = null,
        table = null,
        rootWords = null,
        confirmation = null,
        hasPin = false,
        locked = false,
        queued = queued.toULong(),
        queuedBytes = 0u,
        attachmentsQueued = files.toULong(),
        attachmentBytes = 0u,
        delivered = delivered.toULong(),
        parked = parked.toULong(),
        lastContact = null,
        syncing = syncing,
    )

    private fun line(status: StatusView, language: String): String {
        RuntimeEnvironment.setQualifiers("+$language")
        return RuntimeEnvironment.getApplication().queueLine(status)
    }

    private fun check(status: StatusView, spanish: String, english: String) {
        assertEquals(spanish, line(status, "es-rVE"))
        assertEquals(english, line(status, "en-rUS"))
        // A language that the app does not speak is answered in Spanish, as the core does.
        assertEquals(spanish.filterNot { it in ".," }, line(status, "pt-rBR").filterNot { it in ".," })
    }

    @Test
    fun one_line_for_each_state() {
        check(status(), "Aún no hay nada guardado.", "Nothing saved yet.")
        check(status(queued = 1), "1 reporte por enviar.", "1 report to be sent.")
        check(status(queued = 2), "2 reportes por enviar.", "2 reports to be sent.")
        check(status(queued = 12_345), "12.345 reportes por enviar.", "12,345 reports to be sent.")
        check(status(queued = 1, syncing = true), "Enviando 1 reporte.", "Sending 1 report.")
        check(status(delivered = 3, files = 1), "1 archivo por enviar.", "1 file to be sent.")
        check(status(delivered = 1), "La central tiene su reporte.", "Headquarters has your report.")
        check(status(delivered = 3), "La central tiene los 3 reportes.", "Headquarters has all 3 reports.")
        check(status(delivered = 3, queued = 2), "2 reportes por enviar.", "2 reports to be sent.")
        check(
            status(delivered = 3, parked = 1),
            "La central no aceptó 1 reporte; véalo en Mis reportes.",
            "Headquarters did not take 1 report; see My reports.",
        )
    }

    @Test
    fun a_record_that_arrived_before_its_files_says_so() {
        val app = RuntimeEnvironment.getApplication()
        val received = DeliveryView.Received("2024-07-28T20:00:00Z", 2u)
        RuntimeEnvironment.setQualifiers("+es-rVE")
        assertEquals("La central lo tiene; falta enviar 2 archivos.", app.received(received))
        RuntimeEnvironment.setQualifiers("+en-rUS")
        assertEquals("Headquarters has it; 2 files are still to be sent.", app.received(received))
        assertTrue("It is to be sent", status(files = 1).waits)
    }

    @Test
    fun a_refusal_is_told_beside_what_waits() {
        RuntimeEnvironment.setQualifiers("+en-rUS")
        val more = RuntimeEnvironment.getApplication().queueMore(status(queued = 1, parked = 2))
        assertEquals(
            "Everything is saved and encrypted here. It will be sent when there is a network. " +
                "Headquarters did not take 2 reports; see My reports.",
            more,
        )
    }
}
