package contract

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.DeliveryView
import org.testigo.DetailKind
import org.testigo.DetailInput
import org.testigo.Explanation
import org.testigo.NextStep
import org.testigo.RecordView
import org.testigo.ReportInput
import org.testigo.TallyInput
import org.testigo.TallyReading
import org.testigo.TestigoException
import org.testigo.phoneExists
import kotlin.random.Random

/** What needs no network. */
class CaptureTest : Stage() {
    @Test
    @Scenario("enrol")
    fun enrols() {
        val phone = newPhone(home(), newKey())
        assertFalse(phone.status().enrolled)
        assertSaid(fails<TestigoException.Enrolment> { phone.report(ReportInput(21u)) }.explanation, NextStep.ENROL)

        val code = witnessCode()
        val keyset = headquarters.keyset
        val damaged = keyset.copyOf().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() }
        assertSaid(fails<TestigoException.Enrolment> { phone.enrol(code, damaged, null) }.explanation)
        Headquarters(folder.newFolder("others")).use { others ->
            val error = fails<TestigoException.Enrolment> { phone.enrol(code, others.keyset, others.pack) }
            assertSaid(error.explanation)
        }
        assertSaid(fails<TestigoException.Input> { phone.enrol("not a code", keyset, null) }.explanation)
        assertFalse("a refused enrolment changes nothing", phone.status().enrolled)

        assertNull(phone.status().rootWords)
        assertNull(phone.status().confirmation)
        val enrolled = phone.enrol(code, keyset, headquarters.pack)
        assertEquals(TABLE, enrolled.table)
        assertEquals(headquarters.words, enrolled.rootWords.en)
        assertEquals(6, enrolled.rootWords.es.split(' ').size)
        assertNotEquals(enrolled.rootWords.es, enrolled.rootWords.en)
        val status = phone.status()
        assertEquals(enrolled.rootWords, status.rootWords)
        assertEquals(enrolled.confirmation, status.confirmation)
        assertTrue(status.enrolled)
        assertEquals(enrolled.election, status.election)
        assertEquals(TABLE, status.table)
        assertFalse("headquarters cannot know yet", status.enrolmentDelivered)

        val again = fails<TestigoException.Enrolment> { phone.enrol(witnessCode(), keyset, headquarters.pack) }
        assertSaid(again.explanation)

        val characters = checkNotNull(status.confirmation)
        assertTrue(characters, characters.matches(Regex("([0-9A-Z]{4} ){2}[0-9A-Z]{4}")))
        headquarters.serve()
        runBlocking { phone.sync() }
        assertEquals(listOf("confirmed"), headquarters.confirm(characters))
    }

    @Test
    @Scenario("capture-offline")
    fun capturesOffline() {
        val phone = enrolledPhone()
        val doubtful = ReportInput(
            code = 21u,
            note = "Two blocks are dark",
            started = "2024-07-28T14:30:00-04:00",
            ended = "2024-07-28T13:30:00-04:00",
        )
        val saved = phone.report(doubtful)
        assertEquals(1uL, saved.sequence)
        assertEquals(TABLE, saved.table)
        assertTrue("it ends before it starts", saved.warnings.isNotEmpty())

        val entry = phone.catalogue().single { it.code == 90.toUShort() }
        assertEquals(listOf("hour", "voters"), entry.fields.map { it.name })
        assertEquals(DetailKind.NUMBER, entry.fields[1].kind)
        val place = checkNotNull(phone.table(TABLE))
        assertEquals(Pair(535u, 3), Pair(place.registered, place.areas.size))
        assertFalse(checkNotNull(phone.election()).practice || phone.status().practice)

        val sheet = phone.tally(TallyInput(listOf(SHEET.toByteArray())))
        val tally = (sheet.reading as TallyReading.Read).tally
        assertEquals(368uL, tally.validVotes)
        assertEquals(tally.validVotes, tally.candidates.fold(0uL) { sum, candidate -> sum + candidate.votes })
        val unreadable = phone.tally(TallyInput(listOf("no sheet at all".toByteArray())))
        assertTrue(unreadable.reading is TallyReading.NotATally)

        fun refused(field: String, input: ReportInput) {
            val explanation = fails<TestigoException.Input> { phone.report(input) }.explanation
            assertEquals(field, explanation.field)
            assertSaid(explanation, NextStep.CORRECT_INPUT)
        }
        refused("code", ReportInput(9999u))
        refused("note", ReportInput(21u, note = "x".repeat(501)))
        refused("table", ReportInput(21u, table = "with spaces in it"))
        refused("started", ReportInput(21u, started = "yesterday"))
        refused("details", ReportInput(90u, details = listOf(DetailInput("people", "4"))))
        val noTexts = fails<TestigoException.Input> { phone.tally(TallyInput(emptyList())) }.explanation
        assertEquals("texts", noTexts.field)

        val history = phone.history()
        assertEquals(listOf(3uL, 2uL, 1uL), history.map { it.sequence })
        assertTrue(history.all { it.delivery is DeliveryView.Queued })
        val content = checkNotNull(history.last().content)
        val report = content.record as RecordView.Report
        assertEquals("Two blocks are dark", report.note)
        assertNull(report.people)
        assertEquals(saved.warnings, content.warnings)
        assertEquals(3uL, phone.status().queued)
    }

    @Test
    @Scenario("killed-and-reopened")
    fun survivesSigkill() {
        val (home, key) = Pair(home(), newKey())
        close(enrolledPhone(home, key))
        val said = mutableListOf<ULong>()
        repeat(3) {
            val child = childJvm(CapturingChild::class.java.name, emptyList(), home)
            child.outputStream.use { it.write(key) }
            val lines = child.lines()
            // The first line says that it works, the others that a record is saved.
            repeat(1 + 1 + Random.nextInt(12)) { lines.readLine()?.toULongOrNull()?.let(said::add) }
            child.killNow()
            // What it had said before it died may still lie in the pipe; the last line may be torn.
            val rest = lines.readText()
            rest.substringBeforeLast('\n', "").lines().mapNotNullTo(said) { it.toULongOrNull() }
        }
        assertTrue(said.size >= 3)

        val phone = open(home, key)
        val kept = phone.history().map { it.sequence }
        assertEquals("each once", kept.toSet().size, kept.size)
        assertEquals("said to be saved, and gone", emptySet<ULong>(), said.toSet() - kept.toSet())
        assertTrue("at most one a process was saved and not yet said", kept.size <= said.size + 3)
        assertEquals("it goes on where it stood", kept.max() + 1uL, phone.report(ReportInput(21u)).sequence)
    }

    @Test
    @Scenario("wrong-key")
    fun refusesAnotherKey() {
        val (home, key) = Pair(home(), newKey())
        val phone = enrolledPhone(home, key)
        phone.report(ReportInput(21u))
        close(phone)

        assertFalse(phoneExists(home("elsewhere")))
        assertSaid(fails<TestigoException.Enrolment> { open(home("elsewhere"), key) }.explanation)
        assertFalse("looking for a phone makes none", phoneExists(home("elsewhere")))
        assertSaid(fails<TestigoException.Store> { open(home, newKey()) }.explanation)
        val short = fails<TestigoException.Input> { open(home, ByteArray(31)) }.explanation
        assertEquals("database_key", short.field)
        assertSaid(short)
        assertSaid(fails<TestigoException.Enrolment> { newPhone(home, newKey()) }.explanation)

        assertTrue(phoneExists(home))
        assertEquals(1, open(home, key).history().size)
    }

    private fun assertSaid(explanation: Explanation, next: NextStep = explanation.next) {
        assertTrue(explanation.code.matches(Regex("[a-z-]+")))
        assertTrue(explanation.es.length > 10)
        assertTrue(explanation.en.length > 10)
        assertNotEquals(explanation.es, explanation.en)
        assertEquals(next, explanation.next)
    }
}
