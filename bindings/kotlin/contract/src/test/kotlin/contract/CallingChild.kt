package contract

import kotlinx.coroutines.runBlocking
import org.testigo.LogLevel
import org.testigo.Logger
import org.testigo.Phone
import org.testigo.PhoneObserver
import org.testigo.ReportInput
import org.testigo.Scanner
import org.testigo.StatusView
import org.testigo.SyncStop
import org.testigo.TestigoException
import org.testigo.catalogue
import org.testigo.scanFrame
import org.testigo.setLogger
import java.io.File
import java.nio.ByteBuffer

/** A process that makes 10,000 calls of every kind, again and again, and says what memory it holds before and after. */
object CallingChild {
    private const val ROUNDS = 3
    private const val CALLS = 10_000
    private const val WARM_UP = 5_000
    private val sheet = listOf(SHEET.toByteArray())
    private val frame = ByteBuffer.allocateDirect(64 * 64)

    @JvmStatic
    fun main(arguments: Array<String>) {
        val (home, key) = Pair(arguments[0], System.`in`.readBytes())
        setLogger(object : Logger {
            override fun log(level: LogLevel, target: String, message: String) = Unit
        }, LogLevel.INFO)
        repeat(WARM_UP) { call(it, home, key) }
        println(residentKib())
        repeat(ROUNDS) {
            repeat(CALLS) { call(it, home, key) }
            println(residentKib())
        }
    }

    private lateinit var phone: Phone

    /** Saving costs a durable write, so that few of the calls save; opening and syncing come with threads. */
    private fun call(number: Int, home: String, key: ByteArray) {
        when {
            number % 1000 == 0 -> {
                if (::phone.isInitialized) phone.close()
                phone = Phone.open(home, key)
            }
            number % 100 == 1 -> observed { phone.report(ReportInput(21u, note = "Still dark")) }
            number % 100 == 2 -> phone.history()
            number % 100 == 3 -> runBlocking { phone.sync() }
            number % 100 == 4 -> SyncStop().use { stop ->
                stop.stop()
                runBlocking { phone.sync(stop) }
            }
            number % 7 == 0 -> catalogue()
            number % 7 == 1 -> phone.readTally(sheet)
            number % 7 == 2 -> fails<TestigoException.Input> { phone.report(ReportInput(9999u)) }
            number % 7 == 3 -> Scanner().use { it.scanFrame(frame, 64, 64) }
            else -> phone.status()
        }
    }

    private fun observed(work: () -> Unit) {
        val throwing = object : PhoneObserver {
            override fun onStatus(status: StatusView) = throw IllegalStateException("on purpose")
        }
        phone.observe(throwing).use { work() }
    }

    /** What the process holds in memory. Collects first, so that what waits for its cleaner is let go. */
    private fun residentKib(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(50)
        }
        val status = File("/proc/self/status")
        if (status.exists()) {
            val line = status.readLines().first { it.startsWith("VmRSS:") }
            return line.filter(Char::isDigit).toLong()
        }
        // Systems without /proc.
        val pid = ProcessHandle.current().pid().toString()
        return ProcessBuilder("ps", "-o", "rss=", "-p", pid).start().lines().readLine().trim().toLong()
    }
}
