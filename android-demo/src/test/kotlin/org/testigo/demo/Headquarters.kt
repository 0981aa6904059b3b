package org.testigo.demo

import java.io.Closeable
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.TimeUnit

/** The real program's headquarters in [folder]; nobody listens on its port until [serve]. */
class Headquarters(private val folder: File) : Closeable {
    /** Where phones send to. */
    val port: Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    private var server: Process? = null

    /** The six words of its root in Spanish, as its operator was told them. */
    val words: String = checkNotNull(
        Regex("\"words\":\\s*\"([^\"]+)\"").find(run("--json", "--lang", "es", "init", "--endpoint", "http://127.0.0.1:$port")),
    ).groupValues[1]

    /** The signed keyset. */
    val keyset: ByteArray get() = File(folder, "public/keyset.cose").readBytes()

    /** The signed election pack. */
    val pack: ByteArray get() = File(folder, "public/pack.cose").readBytes()

    /** The picture of a new enrolment code. */
    fun invite(table: String): ByteArray {
        val picture = File(folder, "witness.png")
        // A code is never written over another.
        picture.delete()
        run("enrol", "--table", table, "--out", picture.path)
        return picture.readBytes()
    }

    /** Starts to serve; returns once it listens. */
    fun serve() {
        val process = start("--json", "serve", "--listen", "127.0.0.1:$port")
        server = process
        val line = process.inputStream.bufferedReader().readLine()
        check("listening" in line.orEmpty()) { "headquarters does not serve: $line" }
    }

    /** Confirms the device whose characters a witness read out; returns what is known of all devices then. */
    fun confirm(characters: String): String {
        run("devices", "confirm", characters)
        return run("--json", "devices")
    }

    /** The results and incidents that it has, as its own program prints them. */
    fun table(): String = run("--json", "table")

    override fun close() {
        server?.destroyForcibly()?.waitFor()
        server = null
    }

    private fun start(vararg arguments: String): Process {
        val program = checkNotNull(System.getProperty("testigo.program"))
        return ProcessBuilder(listOf(program, "--lang", "en", "hq", "--data", folder.path) + arguments)
            .redirectErrorStream(false)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
    }

    private fun run(vararg arguments: String): String {
        val process = start(*arguments)
        val said = process.inputStream.bufferedReader().use { it.readText() }
        check(process.waitFor(WAIT_S, TimeUnit.SECONDS) && process.exitValue() == 0) { said }
        return said
    }

    private companion object {
        const val WAIT_S = 60L
    }
}
