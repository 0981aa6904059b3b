package contract

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.DeliveryView
import org.testigo.Language
import org.testigo.Phone
import org.testigo.ReportInput
import org.testigo.Scanner
import org.testigo.StatusView
import org.testigo.TestigoException
import org.testigo.explanation
import org.testigo.histories
import org.testigo.inBackground
import org.testigo.scanFrame
import org.testigo.sentence
import org.testigo.statuses
import java.nio.ByteBuffer

/** What is written for Kotlin alone. */
class AdaptersTest : Stage() {
    @Test
    fun aFlowBeginsWithTheStateAndEndsWithTheLast() = limited {
        val phone = enrolledPhone()
        phone.report(ReportInput(21u))
        assertEquals(phone.status(), phone.statuses().first())

        val seen = async(Dispatchers.Default) {
            phone.statuses().map { it.queued }.transformWhile { emit(it); it < 50uL }.toList()
        }
        repeat(49) { phone.inBackground { report(ReportInput(21u)) } }
        val queued = seen.await()
        assertEquals(50uL, queued.last())
        assertEquals("none twice, none out of order", queued.toSet().sorted(), queued)
    }

    @Test
    fun aFlowShowsTheReceipt() = limited {
        val phone = enrolledPhone()
        headquarters.serve()
        val delivered = async(Dispatchers.Default) {
            phone.histories().first { list -> list.any { it.delivery is DeliveryView.Delivered } }
        }
        yield()
        phone.report(ReportInput(21u))
        phone.sync()
        assertEquals(1, delivered.await().size)
    }

    @Test
    fun aCancelledCollectorIsLetGo() = limited {
        val phone = enrolledPhone()
        val collector = async(Dispatchers.Default) { phone.statuses().collect {} }
        collector.cancel()
        assertTrue(runCatching { collector.await() }.exceptionOrNull() is CancellationException)
        phone.report(ReportInput(21u))
        assertEquals(1uL, phone.statuses().first().queued)
    }

    @Test
    fun aFlowOfAClosedPhoneFails() = limited {
        val phone: Phone = enrolledPhone()
        close(phone)
        val flow = runCatching { phone.statuses().first<StatusView>() }
        assertTrue("$flow", flow.exceptionOrNull() is IllegalStateException)
    }

    @Test
    fun aFrameIsReadFromItsPosition() {
        val picture = Picture.decode(headquarters.invite(TABLE))
        Scanner().use { scanner ->
            val code = scanner.scanPicture(picture).single()
            for (before in listOf(0, 1, picture.width * 7)) {
                val frame = ByteBuffer.allocateDirect(before + picture.grey.size)
                frame.position(before)
                frame.put(picture.grey)
                frame.position(before)
                val seen = scanner.scanFrame(frame, picture.width, picture.height).single()
                assertEquals(code.text, seen.text)
                assertEquals(code.corners, seen.corners)
                assertEquals(before, frame.position())
            }
            val short = ByteBuffer.wrap(picture.grey, 1, picture.grey.size - 1)
            val error = fails<TestigoException.Input> { scanner.scanFrame(short, picture.width, picture.height) }
            assertEquals("frame", error.explanation.field)
        }
    }

    @Test
    fun anErrorSpeaksBothLanguages() {
        val error: TestigoException = fails<TestigoException.Enrolment> { newPhone(home(), newKey()).report(ReportInput(21u)) }
        assertEquals(error.explanation.es, error.explanation.sentence(Language.ES))
        assertEquals(error.explanation.en, error.explanation.sentence(Language.EN))
    }

    private fun limited(test: suspend kotlinx.coroutines.CoroutineScope.() -> Unit) =
        runBlocking { withTimeout(Program.LIMIT_S * 1000, test) }
}
