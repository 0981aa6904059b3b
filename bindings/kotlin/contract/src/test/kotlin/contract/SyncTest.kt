package contract

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.DeliveryView
import org.testigo.HistoryView
import org.testigo.ReportInput
import org.testigo.SyncOutcome
import org.testigo.SyncStop
import java.time.Instant
import java.time.OffsetDateTime

/** From the outbox to headquarters. */
class SyncTest : Stage() {
    @Test
    @Scenario("sync")
    fun deliversOnce() = runBlocking {
        val phone = enrolledPhone()
        repeat(3) { phone.report(ReportInput(21u, note = "report $it")) }

        val alone = phone.sync()
        assertEquals("no-network", (alone.outcome as SyncOutcome.Failed).code)
        assertEquals(3uL, alone.remaining)
        assertEquals(3uL, phone.status().queued)

        headquarters.serve()
        val first = phone.sync()
        assertEquals(SyncOutcome.Done, first.outcome)
        assertEquals(3uL, first.delivered)
        assertEquals(0uL, first.remaining)
        val notes = headquarters.incidents().map { it.getString("note") }
        assertEquals(listOf("report 0", "report 1", "report 2"), notes.sorted())

        val second = phone.sync()
        assertEquals(SyncOutcome.Done, second.outcome)
        // At most it asks what the desk has to say.
        assertEquals(0uL, second.delivered)
        assertTrue(second.requests <= 1u && second.bytesSent <= 4096uL)
        assertEquals(3, headquarters.incidents().size)
    }

    @Test
    @Scenario("receipts")
    fun believesReceiptsOnly() = runBlocking {
        val (home, key) = Pair(home(), newKey())
        val phone = enrolledPhone(home, key)
        phone.report(ReportInput(21u))
        // As the sign-in page of a café's network does.
        val page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\nConnection: close\r\n\r\nWelcome"
        SilentServer(headquarters.port, page).use {
            assertTrue(phone.sync().outcome is SyncOutcome.Failed)
        }
        assertEquals(DeliveryView.Queued, phone.history().single().delivery)
        assertFalse(phone.status().enrolmentDelivered)

        headquarters.serve()
        assertEquals(1uL, phone.sync().delivered)
        val receivedAt = delivered(phone.history().single())
        val atHeadquarters = instant(headquarters.incidents().single().getString("received_at"))
        assertEquals(atHeadquarters.epochSecond, receivedAt.epochSecond)
        val status = phone.status()
        assertTrue(status.enrolmentDelivered)
        assertEquals(receivedAt, instant(checkNotNull(status.lastContact)))
        close(phone)

        val opened = open(home, key)
        opened.report(ReportInput(10u, delayMinutes = 95u))
        val (newer, older) = opened.history()
        assertEquals(receivedAt, delivered(older))
        assertEquals(DeliveryView.Queued, newer.delivery)
        assertEquals(1uL, opened.status().queued)
        assertEquals(1uL, opened.status().delivered)
    }

    @Test
    @Scenario("cancelled-sync")
    fun isStoppedAndCancelled() = runBlocking {
        val phone = enrolledPhone()
        phone.report(ReportInput(21u, note = "before"))
        SilentServer(headquarters.port).use { server ->
            SyncStop().use { stop ->
                val stopped = async(Dispatchers.Default) { phone.sync(stop) }
                server.awaitRequest()
                assertTrue(phone.status().syncing)
                phone.report(ReportInput(21u, note = "while one waits"))
                stop.stop()
                val report = stopped.await()
                assertEquals(SyncOutcome.Stopped, report.outcome)
                assertEquals(2uL, report.remaining)
            }
            assertFalse(phone.status().syncing)
            server.awaitEnd()

            val cancelled = async(Dispatchers.Default) { phone.sync() }
            server.awaitRequest()
            phone.report(ReportInput(21u, note = "while another waits"))
            assertTrue(phone.status().syncing)
            cancelled.cancel()
            val end = runCatching { cancelled.await() }.exceptionOrNull()
            assertTrue("$end", end is CancellationException)
            cancelled.join()
            server.awaitEnd()
            assertFalse(phone.status().syncing)
            assertEquals(3uL, phone.status().queued)
        }

        headquarters.serve()
        val report = phone.sync()
        assertEquals(SyncOutcome.Done, report.outcome)
        assertEquals(3uL, report.delivered)
        val notes = headquarters.incidents().map { it.getString("note") }
        assertEquals(listOf("before", "while another waits", "while one waits"), notes.sorted())
    }

    private fun instant(rfc3339: String): Instant = OffsetDateTime.parse(rfc3339).toInstant()

    private fun delivered(item: HistoryView): Instant {
        val delivery = item.delivery as? DeliveryView.Delivered
        assertNotNull("${item.delivery}", delivery)
        return instant(delivery!!.receivedAt)
    }
}
