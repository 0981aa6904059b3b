package contract

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.HostKey
import org.testigo.HostKeys
import org.testigo.HostKeysException
import org.testigo.NextStep
import org.testigo.Phone
import org.testigo.RecordView
import org.testigo.ReportInput
import org.testigo.TestigoException
import org.testigo.explanation
import org.testigo.phoneExists
import org.testigo.wipeFolderUnder

class LockedTest : Stage() {
    /** A key store as small as it can be: it keeps what it wraps, and gives out a ticket. */
    private class Keys : HostKeys {
        val kept = mutableMapOf<HostKey, MutableList<ByteArray>>()
        var silent = false

        private fun answer() {
            if (silent) throw HostKeysException.Unavailable()
        }

        override fun wrap(key: HostKey, secret: ByteArray): ByteArray {
            answer()
            val ofKey = kept.getOrPut(key) { mutableListOf() }
            ofKey += secret
            return byteArrayOf((ofKey.size - 1).toByte())
        }

        override fun unwrap(key: HostKey, wrapped: ByteArray): ByteArray {
            answer()
            return kept[key]?.get(wrapped[0].toInt()) ?: throw HostKeysException.Gone()
        }

        override fun destroy(key: HostKey) {
            answer()
            kept.remove(key)
        }
    }

    @Test
    @Scenario("locked")
    fun showsNothingWhileLocked() = runBlocking {
        val (keys, home, pin) = Triple(Keys(), home("locked"), "428619")
        val made = under(home, keys)
        enrol(made)
        made.setPin(pin)
        assertFalse(made.isLocked())
        close(made)

        val phone = under(home, keys)
        assertTrue(phone.hasPin() && phone.isLocked())
        phone.report(ReportInput(21u, note = "delivered"))
        headquarters.serve()
        assertEquals(1uL, phone.sync().delivered)
        phone.report(ReportInput(21u, note = "waits"))
        val shown = phone.status()
        assertEquals(headquarters.words, shown.rootWords?.en)
        assertNull(shown.table)
        assertNull(shown.confirmation)
        assertTrue(shown.hasPin && shown.locked)
        val settings = phone.settings()
        val kept = fails<TestigoException.Locked> { phone.setSettings(settings) }
        assertEquals("locked", kept.explanation.code)
        val locked = fails<TestigoException.Locked> { phone.history() }
        assertEquals("locked" to NextStep.UNLOCK, locked.explanation.code to locked.explanation.next)
        val wrong = fails<TestigoException.Locked> { phone.unlock("000000") }
        assertEquals("wrong-pin", wrong.explanation.code)
        keys.silent = true
        val silent = fails<TestigoException.Store> { phone.unlock(pin) }.explanation
        assertEquals("host-keys-unavailable" to NextStep.TRY_AGAIN, silent.code to silent.next)
        keys.silent = false
        phone.unlock(pin)
        val open = phone.status()
        assertEquals(12, open.confirmation?.replace(" ", "")?.length)
        assertTrue(open.hasPin && !open.locked)
        val (waits, delivered) = phone.history()
        assertNull(delivered.content)
        val content = checkNotNull(waits.content)
        assertEquals("waits", (content.record as RecordView.Report).note)
        assertEquals(TABLE, content.table)
        phone.lock()
        assertTrue(phone.isLocked())

        assertEquals(1uL, phone.wipe().undeliveredRecords)
        assertTrue(keys.kept.isEmpty())
        assertFalse(phoneExists(home))
        close(phone)
        val gone = fails<TestigoException.Enrolment> { Phone.openUnder(home, keys) }.explanation
        assertEquals("no-phone", gone.code)

        val keyless = home("keyless")
        close(under(keyless, keys))
        keys.kept.remove(HostKey.STORE)
        val lost = fails<TestigoException.Store> { Phone.openUnder(keyless, keys) }.explanation
        assertEquals("host-key-gone" to NextStep.KEEP_AND_REPORT, lost.code to lost.next)
        wipeFolderUnder(keyless, keys)
        assertTrue(keys.kept.isEmpty())
        assertFalse(phoneExists(keyless))
    }
}
