package contract

import kotlinx.coroutines.runBlocking
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.AttachmentKind
import org.testigo.Budget
import org.testigo.DeliveryView
import org.testigo.NextStep
import org.testigo.ReportInput
import org.testigo.SyncOutcome
import org.testigo.TallyInput
import org.testigo.TestigoException
import org.testigo.explanation
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.io.File
import java.io.FileInputStream
import javax.imageio.ImageIO

/** Photographs and other files. */
class AttachmentTest : Stage() {
    @Test
    @Scenario("photograph")
    fun deliversPhotographs() = runBlocking {
        val (plain, plainSmall) = Pair(jpeg(640), jpeg(64))
        // A file of no known form: it must arrive as it is.
        val recording = "a recording of a form that nobody knows".toByteArray()
        val photo = written("photo.jpg", withPlace(plain))
        val thumbnail = written("small.jpg", withPlace(plainSmall))
        val noForm = written("recording.bin", recording)
        val fresh = newPhone(home("fresh"), newKey())
        val early = fails<TestigoException.Enrolment> { fresh.sealFile(photo.path, AttachmentKind.WHOLE) }
        assertEquals("not-enrolled", early.explanation.code)

        val phone = enrolledPhone()
        val unreadable = listOf(
            { phone.sealFile(home("no such file"), AttachmentKind.WHOLE) },
            { phone.sealFile(home(), AttachmentKind.WHOLE) },
            { phone.sealDescriptor(-1, AttachmentKind.WHOLE) },
        )
        for (refused in unreadable) {
            val explanation = fails<TestigoException.Input> { refused() }.explanation
            assertEquals("file-unreadable", explanation.code)
            assertEquals(NextStep.CORRECT_INPUT, explanation.next)
        }
        val whole = phone.sealFile(photo.path, AttachmentKind.WHOLE)
        val little = FileInputStream(thumbnail).use { opened ->
            val sealed = phone.sealDescriptor(descriptorOf(thumbnail), AttachmentKind.THUMBNAIL)
            assertTrue("the app's own descriptor stays", opened.fd.valid() && opened.channel.size() > 0)
            sealed
        }
        val other = phone.sealFile(noForm.path, AttachmentKind.WHOLE)
        assertTrue(whole.warnings().isEmpty() && little.warnings().isEmpty())
        val warned = other.warnings()
        assertEquals(1, warned.size)
        listOf(photo, thumbnail, noForm).forEach { assertTrue(it.delete()) }

        val saved = phone.report(ReportInput(21u, note = "seen", attachments = listOf(whole, little)))
        assertTrue(saved.warnings.isEmpty())
        val tally = phone.tally(TallyInput(listOf(SHEET.toByteArray()), attachments = listOf(other)))
        assertEquals(warned, tally.saved.warnings)
        listOf(whole, little, other).forEach { it.close() }
        assertEquals(3uL, phone.status().attachmentsQueued)

        assertTrue(phone.budget().photosOnMetered)
        val budget = Budget(bytesADay = null, photosOnMetered = false)
        phone.setBudget(budget)
        assertEquals(budget, phone.budget())

        headquarters.serve()
        val dear = phone.sync(metered = true)
        assertEquals(SyncOutcome.Done, dear.outcome)
        assertEquals(Pair(0uL, 1uL), Pair(dear.remaining, dear.attachmentsDelivered))
        assertEquals(Pair(2uL, 2uL), Pair(dear.attachmentsRemaining, dear.heldForCost))
        val left = phone.history().map { (it.delivery as DeliveryView.Received).attachmentsLeft }
        assertEquals(listOf(1uL, 1uL), left)
        assertEquals(0uL, phone.status().delivered)
        val held = files(headquarters.incidents().single()).map { it.getBoolean("held") }
        assertEquals(listOf(true, false), held)

        val cheap = phone.sync()
        assertEquals(Pair(2uL, 0uL), Pair(cheap.attachmentsDelivered, cheap.attachmentsRemaining))
        assertTrue(phone.history().all { it.delivery is DeliveryView.Delivered })
        assertEquals(Pair(2uL, 0uL), phone.status().run { Pair(delivered, attachmentsQueued) })
        val (first, second) = files(headquarters.incidents().single())
        assertArrayEquals(plainSmall, headquarters.opened(first.getLong("id")))
        assertArrayEquals(plain, headquarters.opened(second.getLong("id")))
        val row = headquarters.results().getJSONArray("rows").map { it as JSONObject }
            .single { it.getString("table") == TABLE }
        assertArrayEquals(recording, headquarters.opened(files(row).single().getLong("id")))
    }

    private fun written(name: String, bytes: ByteArray): File =
        File(folder.root, name).also { it.writeBytes(bytes) }

    private fun jpeg(side: Int): ByteArray {
        val image = BufferedImage(side, side, BufferedImage.TYPE_INT_RGB)
        for (y in 0 until side) for (x in 0 until side) image.setRGB(x, y, (x shl 16) + (y shl 8) + (x xor y))
        return ByteArrayOutputStream().also { check(ImageIO.write(image, "jpeg", it)) }.toByteArray()
    }

    /** With a place behind its first two bytes, as a camera writes it. */
    private fun withPlace(jpeg: ByteArray): ByteArray {
        val place = byteArrayOf(0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 0) + " 10.4806 N 66.9036 W".toByteArray()
        val exif = "Exif".toByteArray() + byteArrayOf(0, 0) + place
        val out = ByteArrayOutputStream()
        DataOutputStream(out).run {
            write(jpeg, 0, 2)
            writeShort(0xffe1)
            writeShort(exif.size + 2)
            write(exif)
            write(jpeg, 2, jpeg.size - 2)
        }
        return out.toByteArray()
    }

    /** The number of the descriptor by which this process holds the file open; Android's classes tell it. */
    private fun descriptorOf(file: File): Int =
        checkNotNull(File("/proc/self/fd").listFiles()).first { it.canonicalPath == file.canonicalPath }.name.toInt()

    /** The files of what headquarters hold, the thumbnail first. */
    private fun files(of: JSONObject): List<JSONObject> =
        of.getJSONObject("attachments").getJSONArray("files").map { it as JSONObject }
            .sortedBy { !it.getBoolean("thumbnail") }
}
