package contract

import org.junit.Assert.assertEquals
import org.junit.Test

/** The suite keeps the whole contract, and nothing that is not in it. */
class CoverageTest {
    @Test
    fun coversTheContract() {
        val suites = listOf(
            CaptureTest::class, SyncTest::class, BorderTest::class, AttachmentTest::class, LockedTest::class,
            ByHandTest::class, TypedTest::class,
        )
        val kept = suites.flatMap { it.java.methods.toList() }
            .filter { it.isAnnotationPresent(Test::class.java) }
            .mapNotNull { it.getAnnotation(Scenario::class.java)?.id }
        assertEquals(contractIds().sorted(), kept.sorted())
    }
}
