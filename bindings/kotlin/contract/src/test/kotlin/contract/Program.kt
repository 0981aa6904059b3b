package contract

import org.json.JSONObject
import java.io.BufferedReader
import java.io.File
import java.util.concurrent.TimeUnit

/** The program `testigo`, as a separate process. */
object Program {
    /** How long anything may take before it counts as hanging, in seconds. */
    const val LIMIT_S = 120L

    private val file: File by lazy {
        val path = System.getProperty("testigo.program") ?: "../../../target/debug/testigo"
        File(path).canonicalFile.also {
            check(it.canExecute()) { "no program at $it: cargo build -p testigo" }
        }
    }

    /** Starts it; what it says on standard error passes through. */
    fun start(vararg arguments: String): Process =
        ProcessBuilder(listOf(file.path, "--json") + arguments)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()

    /** Runs it to its end, which must be good, and returns what it printed. */
    fun run(vararg arguments: String): JSONObject {
        val process = start(*arguments)
        process.outputStream.close()
        val printed = process.inputStream.bufferedReader().readText()
        check(process.waitFor(LIMIT_S, TimeUnit.SECONDS)) { "hangs: ${arguments.joinToString(" ")}" }
        check(process.exitValue() == 0) { "ended with ${process.exitValue()}: $printed" }
        return JSONObject(printed)
    }
}

/** Kills it where it stands, with SIGKILL, and waits until it is gone. */
fun Process.killNow() {
    destroyForcibly()
    check(waitFor(Program.LIMIT_S, TimeUnit.SECONDS)) { "survived SIGKILL" }
}

/** Waits for its good end. */
fun Process.endsWell() {
    check(waitFor(Program.LIMIT_S, TimeUnit.SECONDS)) { "hangs" }
    check(exitValue() == 0) { "ended with ${exitValue()}" }
}

/** A Java process of this same class path and library that runs the `main` of [mainClass]. */
fun childJvm(mainClass: String, options: List<String>, vararg arguments: String): Process {
    val java = File(System.getProperty("java.home"), "bin/java").path
    val library = "-Djna.library.path=" + System.getProperty("jna.library.path")
    val classPath = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
    return ProcessBuilder(listOf(java, library) + options + listOf("-cp", classPath, mainClass) + arguments)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
}

/** The lines that it prints. */
fun Process.lines(): BufferedReader = inputStream.bufferedReader()
