package org.testigo.demo

import java.io.File
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** The wrapped key: what is on disk does not hold it, and what was changed or lost opens nothing. */
@RunWith(RobolectricTestRunner::class)
class DatabaseKeyTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val wrapper = MemoryWrapper()
    private val file by lazy { File(folder.root, "database-key") }
    private val keys by lazy { DatabaseKeyFile(file, wrapper) }

    @Test
    fun what_was_made_is_read_again_and_is_not_on_disk() {
        val key = keys.make()
        assertArrayEquals(key, keys.read())
        assertArrayEquals(key, DatabaseKeyFile(file, wrapper).read())
        val kept = file.readBytes().asList()
        assertFalse(kept.windowed(8).any { it in key.asList().windowed(8) })
    }

    @Test
    fun the_key_is_gone_when_file_or_wrapping_key_is() {
        assertNull(keys.read())
        keys.make()
        val kept = file.readBytes()
        for (at in kept.indices) {
            file.writeBytes(kept.copyOf().also { it[at] = (it[at] + 1).toByte() })
            assertNull("byte $at", keys.read())
        }
        for (length in kept.indices) {
            file.writeBytes(kept.copyOf(length))
            assertNull("$length bytes", keys.read())
        }
        file.writeBytes(kept)
        assertNotNull(keys.read())
        wrapper.lose()
        assertNull(keys.read())
    }
}
