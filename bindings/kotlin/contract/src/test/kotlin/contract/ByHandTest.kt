package contract

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.AttachmentKind
import org.testigo.DeliveryView
import org.testigo.HandoverInput
import org.testigo.NextStep
import org.testigo.Phone
import org.testigo.RecordView
import org.testigo.ReportInput
import org.testigo.TestigoException
import org.testigo.explanation
import org.testigo.missingCodes
import java.io.File

class ByHandTest : Stage() {
    @Test
    @Scenario("by-hand")
    fun goesByHand() = runBlocking {
        val (witness, carrier, other) = listOf("witness", "carrier", "other").map { enrolledPhone(home(it)) }
        val photo = File(home("photo.jpg")).apply { writeText("a photograph of a form that nobody knows") }
        val sealed = witness.sealFile(photo.path, AttachmentKind.WHOLE)
        witness.report(ReportInput(21u, note = "by hand", attachments = listOf(sealed)))
        sealed.close()
        val bundle = File(home("bundle.bin"))
        val made = checkNotNull(witness.bundle(bundle.path))
        assertEquals(listOf(1uL, 1uL, 0uL, 0uL), made.run { listOf(records, files, recordsLeftOut, filesLeftOut) })
        assertEquals(bundle.length().toULong(), made.bytes)
        val over = fails<TestigoException.Input> { witness.bundle(bundle.path) }.explanation
        assertEquals(Pair("file-unreadable", NextStep.CORRECT_INPUT), Pair(over.code, over.next))
        assertEquals(1uL, witness.status().queued)

        // One carrier has the file, the other reads codes from the witness's screen.
        carrier.carry(bundle.path)
        assertTrue((record(carrier) as RecordView.Handover).bundle)
        val shown = checkNotNull(witness.bundleCodes())
        assertEquals(Pair(1uL, 1uL), shown.bundle.run { Pair(records, filesLeftOut) })
        val codes = shown.codes.map { it.toByteArray() }
        assertEquals(listOf(1u), missingCodes(codes.drop(1)))
        fails<TestigoException> { other.carryCodes(codes.drop(1)) }
        assertTrue(missingCodes(codes.reversed()).isEmpty())
        other.carryCodes(codes.reversed())
        fails<TestigoException> { other.carry(photo.path) }

        headquarters.serve()
        for (phone in listOf(carrier, other)) {
            phone.sync()
            assertTrue(isDelivered(phone))
        }
        headquarters.incidents().single()

        val receipts = home("receipts.bin")
        headquarters.import(bundle, receipts)
        assertFalse(carrier.importReceipts(receipts).forThisPhone)
        val taken = witness.importReceipts(receipts)
        assertEquals(listOf(1uL, 1uL, 0uL), taken.run { listOf(received, files, parked) })
        assertTrue(isDelivered(witness))
        assertNull(witness.bundle(home("again.bin")))
        assertFalse(File(home("again.bin")).exists())

        val telephone = fails<TestigoException.Input> { witness.handOver(HandoverInput("04141234567", "boat-2")) }
        assertEquals("from", telephone.explanation.field)
        witness.handOver(HandoverInput("witness-7", "boat-2", place = "the jetty"))
        val record = record(witness) as RecordView.Handover
        assertEquals(Triple(false, "witness-7", "boat-2"), Triple(record.bundle, record.from, record.to))
    }

    /** The latest one, while it can be read. */
    private fun record(phone: Phone) = checkNotNull(phone.history().first().content).record

    private fun isDelivered(phone: Phone) = phone.history().all { it.delivery is DeliveryView.Delivered }
}
