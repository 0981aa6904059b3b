package bench

import contract.Headquarters
import contract.Picture
import contract.TABLE
import contract.newKey
import contract.scanPicture
import org.json.JSONObject
import org.testigo.Phone
import org.testigo.ReportInput
import org.testigo.Rotation
import org.testigo.Scanner
import org.testigo.SyncStop
import org.testigo.TestigoException
import org.testigo.libraryVersion
import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files

/**
 * What the border costs Kotlin: the calls of `bindings/benches/border.rs`. Its argument is cargo's target
 * folder, where that benchmark, if it has run, left what the same calls take in Rust.
 */
object Benchmark {
    private const val WIDTH = 1280u
    private const val HEIGHT = 720u

    @JvmStatic
    fun main(arguments: Array<String>) {
        val folder = Files.createTempDirectory("testigo-bench").toFile()
        try {
            measure(folder, File(arguments[0], "criterion/border"))
        } finally {
            folder.deleteRecursively()
        }
    }

    private fun measure(folder: File, rustResults: File) {
        println("%-14s %12s %12s %10s".format("", "Kotlin", "x call", "x Rust"))
        var call = Double.NaN
        fun line(name: String, rounds: Int, calls: Int, work: () -> Unit) {
            val nanoseconds = median(rounds, calls, work)
            if (call.isNaN()) call = nanoseconds
            val estimates = File(rustResults, "$name/new/estimates.json")
            val rust = if (!estimates.exists()) "-" else {
                val median = JSONObject(estimates.readText()).getJSONObject("median").getDouble("point_estimate")
                "%.2f".format(nanoseconds / median)
            }
            println("%-14s %9.2f µs %12.2f %10s".format(name, nanoseconds / 1000, nanoseconds / call, rust))
        }

        val scanner = Scanner()
        val frame = ByteBuffer.allocateDirect((WIDTH * HEIGHT).toInt())
        while (frame.hasRemaining()) frame.put(-1)
        frame.flip()
        val pixel = frame.duplicate().limit(1) as ByteBuffer
        fun refused(pixels: ByteBuffer) {
            val result = runCatching { scanner.scan(pixels, WIDTH, HEIGHT, 1u, Rotation.NONE) }
            check(result.exceptionOrNull() is TestigoException.Input)
        }
        val stop = SyncStop()
        val phone = enrolledPhone(folder)
        line("call", 30, 2_000) { libraryVersion() }
        line("empty", 30, 2_000) { stop.stop() }
        line("frame-refused", 30, 500) { refused(frame) }
        line("pixel-refused", 30, 500) { refused(pixel) }
        line("frame-scanned", 10, 1) { scanner.scan(frame, WIDTH, HEIGHT, WIDTH, Rotation.NONE) }
        line("capture", 20, 10) { phone.report(ReportInput(21u, note = "two blocks dark")) }
        phone.close()
        stop.close()
        scanner.close()
    }

    /** The middle of so many rounds of so many calls, after as many to warm up: nanoseconds a call. */
    private fun median(rounds: Int, calls: Int, work: () -> Unit): Double {
        val times = List(2 * rounds) {
            val begin = System.nanoTime()
            repeat(calls) { work() }
            (System.nanoTime() - begin).toDouble() / calls
        }
        return times.drop(rounds).sorted()[rounds / 2]
    }

    private fun enrolledPhone(folder: File): Phone {
        val headquarters = Headquarters(File(folder, "headquarters"))
        val picture = Picture.decode(headquarters.invite(TABLE))
        val code = Scanner().use { checkNotNull(it.scanPicture(picture).single().text) }
        return Phone.create(File(folder, "phone").path, newKey()).also {
            it.enrol(code, headquarters.keyset, headquarters.pack)
        }
    }
}
