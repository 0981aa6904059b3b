package contract

import kotlinx.coroutines.runBlocking
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.NextStep
import org.testigo.RecordView
import org.testigo.TallyInput
import org.testigo.TallyReading
import org.testigo.TestigoException
import org.testigo.TypedInput
import org.testigo.TypedSheet
import org.testigo.explanation
import org.testigo.typedDifferences

class TypedTest : Stage() {
    /** What stands on the paper of the witness's table. */
    private val paper = TypedSheet(
        table = TABLE,
        votes = SHEET.split("!")[1].split(",").map { it.toUInt() },
        nullVotes = 0u,
        machineCode = "9f86d081-884c-4d65",
    )

    @Test
    @Scenario("typed-sheet")
    fun isTypedTwice() = runBlocking {
        val phone = enrolledPhone()
        val form = checkNotNull(phone.typingForm())
        assertEquals(paper.votes.size, form.slots.size)
        assertTrue(form.slots.all { it.party.isNotEmpty() && it.candidate.isNotEmpty() })
        assertEquals(Triple(false, true, false), form.run { Triple(blank, nullVotes, total) })

        val votes = paper.votes.mapIndexed { slot, votes -> if (slot == 2) votes + 1u else votes }
        val slipped = paper.copy(votes = votes, nullVotes = 9u)
        val differences = typedDifferences(paper, slipped)
        assertEquals(listOf("votes.3", "null"), differences.map { it.`field` })
        assertTrue(differences.all { it.es.isNotEmpty() && it.en.isNotEmpty() })
        val refused = fails<TestigoException.Input> { phone.typed(TypedInput(paper, slipped)) }.explanation
        assertEquals(Pair("second", NextStep.CORRECT_INPUT), Pair(refused.`field`, refused.next))
        assertTrue(phone.history().isEmpty())

        val saved = phone.typed(TypedInput(paper, paper))
        assertEquals(TABLE, saved.saved.table)
        assertEquals("no photograph", listOf<UShort>(18u), saved.saved.warnings.map { it.code })
        val tally = (saved.reading as TallyReading.Read).tally
        assertEquals(Pair("typed-twice", 368uL), Pair(tally.vouch, tally.validVotes))
        val record = checkNotNull(phone.history().single().content).record
        assertEquals(saved.reading, (record as RecordView.Tally).reading)

        headquarters.serve()
        phone.sync()
        val typed = row()
        assertEquals(Pair("reported", 1), Pair(typed.getString("state"), typed.getInt("readings")))
        assertEquals("typed-twice/unconfirmed-device", typed.getJSONObject("standing").getString("code"))
        val printed = typed.getJSONArray("printed").getJSONObject(0)
        assertEquals("9f86d081-884c-4d65", printed.getString("machine_code"))
        phone.tally(TallyInput(listOf(SHEET.toByteArray())))
        phone.sync()
        val both = row()
        assertEquals(Pair("reported", 2), Pair(both.getString("state"), both.getInt("readings")))
        assertEquals("plain-code/unconfirmed-device", both.getJSONObject("standing").getString("code"))
    }

    private fun row(): JSONObject = headquarters.results().getJSONArray("rows")
        .map { it as JSONObject }
        .single { it.getString("table") == TABLE }
}
