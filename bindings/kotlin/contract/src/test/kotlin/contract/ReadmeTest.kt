package contract

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** What the README shows first is what runs here. */
class ReadmeTest : Stage() {
    @Test
    fun theFirstLinesWork() {
        headquarters.serve()
        runBlocking { firstReport(home(), newKey(), witnessCode(), headquarters.keyset, headquarters.pack) }
        assertEquals("Two blocks are dark", headquarters.incidents().single().getString("note"))

        val shown = File("src/test/kotlin/contract/Example.kt").readText().substringAfter("\n\nsuspend").trim()
        assertTrue("README.md shows other lines", File("../README.md").readText().contains(shown))
    }
}
