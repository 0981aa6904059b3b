package contract

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.testigo.DeliveryView
import org.testigo.LogLevel
import org.testigo.Logger
import org.testigo.PhoneObserver
import org.testigo.ReportInput
import org.testigo.Rotation
import org.testigo.Scanner
import org.testigo.StatusView
import org.testigo.SyncOutcome
import org.testigo.TallyInput
import org.testigo.TallyReading
import org.testigo.TestigoException
import org.testigo.libraryVersion
import org.testigo.scanFrame
import org.testigo.setLogger
import java.io.File
import java.nio.ByteBuffer
import java.util.concurrent.Callable
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.math.abs

/** What crosses the border between Kotlin and the library: callbacks, threads, memory, pixels. */
class BorderTest : Stage() {
    @Test
    @Scenario("callback-throws")
    fun outlivesThrowingCallbacks() {
        val log = CopyOnWriteArrayList<String>()
        val logger = object : Logger {
            override fun log(level: LogLevel, target: String, message: String) {
                log += "$level $message"
            }
        }
        setLogger(logger, LogLevel.INFO)
        assertTrue(log.single().contains(libraryVersion()))

        val phone = enrolledPhone()
        val heard = CopyOnWriteArrayList<StatusView>()
        val throwing = listOf(IllegalStateException("Doña Ana"), AssertionError("Doña Ana")).map { thrown ->
            phone.observe(observer { throw thrown })
        }
        val listening = phone.observe(observer { heard += it })
        phone.report(ReportInput(21u, note = "Doña Ana saw it"))
        phone.report(ReportInput(21u, note = "Doña Ana saw it again"))
        assertEquals(2, phone.history().size)
        assertEquals(listOf(1uL, 2uL), heard.map { it.queued })
        // An Error, unlike an Exception, goes to JNA's own handler: the library never learns of it.
        assertEquals("$log", 2, log.count { it.startsWith("WARN") && it.contains("observer") })

        listening.stop()
        listening.stop()
        phone.report(ReportInput(21u))
        assertEquals("stopped, it hears nothing", 2, heard.size)
        (throwing + listening).forEach { it.close() }

        val refused = object : Logger {
            override fun log(level: LogLevel, target: String, message: String) = throw IllegalStateException("no room")
        }
        fails<TestigoException.Host> { setLogger(refused, LogLevel.TRACE) }
        val before = log.size
        phone.report(ReportInput(21u))
        assertTrue("the one before stays", log.size > before)

        var calls = 0
        val failingLater = object : Logger {
            override fun log(level: LogLevel, target: String, message: String) {
                calls += 1
                if (calls > 1) throw IllegalStateException("no room")
            }
        }
        setLogger(failingLater, LogLevel.INFO)
        phone.report(ReportInput(21u))
        assertTrue("it was called and threw", calls > 1)
        assertEquals(5uL, phone.status().queued)
        assertTrue("no person is in the log: $log", log.none { it.contains("Ana") || it.contains(TABLE) })
    }

    @Test
    @Scenario("eight-threads")
    fun serveEightThreads() {
        val (threads, rounds) = Pair(8, 20)
        val phone = enrolledPhone()
        headquarters.serve()
        val latest = CopyOnWriteArrayList<StatusView>()
        val observation = phone.observe(observer { latest += it })
        val pool = Executors.newFixedThreadPool(threads)
        val work = (1..threads).map { thread ->
            Callable {
                (1..rounds).map { round ->
                    val saved = phone.report(ReportInput(21u, note = "$thread/$round"))
                    assertTrue(phone.history().any { it.sequence == saved.sequence })
                    phone.status()
                    if (round % 5 == 0) runBlocking { assertEquals(SyncOutcome.Done, phone.sync().outcome) }
                    saved.sequence
                }
            }
        }
        val numbers = pool.invokeAll(work, Program.LIMIT_S, TimeUnit.SECONDS).flatMap { it.get() }
        pool.shutdown()
        assertEquals((1uL..(threads * rounds).toULong()).toList(), numbers.sorted())

        runBlocking { assertEquals(0uL, phone.sync().remaining) }
        assertTrue(phone.history().all { it.delivery is DeliveryView.Delivered })
        assertEquals(phone.status(), latest.last())
        observation.close()
        val expected = (1..threads).flatMap { thread -> (1..rounds).map { "$thread/$it" } }
        assertEquals(expected.sorted(), headquarters.incidents().map { it.getString("note") }.sorted())
    }

    @Test
    @Scenario("ten-thousand-calls")
    fun keepsItsMemory() {
        val home = home()
        val key = newKey()
        close(enrolledPhone(home, key))
        // A heap of a fixed size, all of it touched, and the plain compiler: what still grows is the library's, or
        // the border's.
        val options = listOf("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        val child = childJvm(CallingChild::class.java.name, options, home)
        child.outputStream.use { it.write(key) }
        val resident = child.lines().readText().trim().lines().map { it.toLong() }
        child.endsWell()
        println("KiB resident before 10,000 calls, and after each 10,000: $resident")
        // What leaks, leaks in every round; what an allocator keeps for later, it takes once.
        val grown = resident.zipWithNext { before, after -> after - before }.min()
        assertTrue("grew by $grown KiB and more in every round", grown < LEAK_KIB)
    }

    @Test
    @Scenario("scanned-sheet")
    fun scansAndDeliversASheet() {
        val image = File(folder.root, "sheet.png")
        Program.run("sheet", "--text", SHEET, "--out", image.path, "--seed", "3")
        val upright = Picture.decode(image)
        val phone = enrolledPhone()
        val scanner = Scanner()
        val code = scanner.scanPicture(upright).single()
        assertEquals(SHEET, code.text)

        var held = upright
        for (rotation in listOf(Rotation.THREE_QUARTER, Rotation.HALF, Rotation.QUARTER)) {
            held = held.turnedClockwise()
            // Rows with a gap after each, in memory outside of Java's heap, as a camera hands them over.
            val stride = held.width + 13
            val frame = ByteBuffer.allocateDirect(stride * held.height)
            for (y in 0 until held.height) {
                frame.position(y * stride)
                frame.put(held.grey, y * held.width, held.width)
            }
            frame.position(0)
            val seen = scanner.scanFrame(frame, held.width, held.height, stride, rotation).single()
            assertEquals(SHEET, seen.text)
            code.corners.zip(seen.corners).forEach { (a, b) ->
                assertTrue("$rotation: $a, $b", abs(a.x - b.x) <= 4 && abs(a.y - b.y) <= 4)
            }
        }
        scanner.close()

        val saved = phone.tally(TallyInput(listOf(code.bytes)))
        val tally = (saved.reading as TallyReading.Read).tally
        headquarters.serve()
        assertEquals(1uL, runBlocking { phone.sync() }.delivered)
        val row = headquarters.results().getJSONArray("rows").map { it as org.json.JSONObject }
            .single { it.getString("table") == TABLE }
        assertEquals("reported", row.getString("state"))
        val counted = row.getJSONArray("votes").map { it as org.json.JSONObject }
            .associate { it.getString("code") to it.getLong("votes").toULong() }
        assertEquals(tally.candidates.associate { it.code to it.votes }, counted)
        assertEquals(368uL, counted.values.sum())
    }

    private companion object {
        /** As much as 10,000 calls would leave behind that lose 200 bytes each. */
        const val LEAK_KIB = 2000
    }

    private fun observer(told: (StatusView) -> Unit) = object : PhoneObserver {
        override fun onStatus(status: StatusView) = told(status)
    }
}
