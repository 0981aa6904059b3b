package org.testigo.demo

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.testigo.HostKey
import org.testigo.HostKeysException

/** What is wrapped does not show its secret, and what was changed, lost or destroyed opens nothing. */
@RunWith(RobolectricTestRunner::class)
class PlatformKeysTest {
    private val keys = MemoryKeys()
    private val secret = ByteArray(32) { it.toByte() }

    @Test
    fun what_was_wrapped_is_unwrapped_and_is_not_seen() {
        val wrapped = keys.wrap(HostKey.STORE, secret)
        assertArrayEquals(secret, keys.unwrap(HostKey.STORE, wrapped))
        assertFalse(wrapped.asList().windowed(8).any { it in secret.asList().windowed(8) })
    }

    @Test
    fun what_was_changed_or_is_of_another_key_is_gone() {
        val wrapped = keys.wrap(HostKey.STORE, secret)
        for (at in wrapped.indices) gone(wrapped.copyOf().also { it[at] = (it[at] + 1).toByte() })
        for (length in wrapped.indices) gone(wrapped.copyOf(length))
        gone(keys.wrap(HostKey.HISTORY, secret))
        keys.destroy(HostKey.HISTORY)
        assertArrayEquals("Each for itself", secret, keys.unwrap(HostKey.STORE, wrapped))
        keys.destroy(HostKey.STORE)
        keys.destroy(HostKey.STORE)
        gone(wrapped)
        keys.wrap(HostKey.STORE, secret)
        gone(wrapped)
    }

    private fun gone(wrapped: ByteArray) {
        assertThrows(HostKeysException.Gone::class.java) { keys.unwrap(HostKey.STORE, wrapped) }
    }
}
