package contract

import org.json.JSONObject
import java.io.Closeable
import java.io.File
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.ServerSocket
import java.net.URI

/** Real headquarters in [data], whose phones send to a port of this machine. */
class Headquarters(private val data: File) : Closeable {
    /** Where it serves once [serve] is called; nobody listens there before. */
    val port: Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    private var server: Process? = null
    private var invitations = 0

    /** The English words of its root, as its operator was told them. */
    val words: String = Program
        .run("--lang", "en", "hq", "--data", data.path, "init", "--endpoint", "http://127.0.0.1:$port")
        .getString("words")

    /** The signed keyset that a phone enrols with. */
    val keyset: ByteArray get() = File(data, "public/keyset.cose").readBytes()

    /** The signed election pack. */
    val pack: ByteArray get() = File(data, "public/pack.cose").readBytes()

    /** A new witness's enrolment code: the image of a QR code. */
    fun invite(table: String): File {
        invitations += 1
        val image = File(data, "witness-$invitations.png")
        Program.run("hq", "--data", data.path, "enrol", "--table", table, "--out", image.path)
        return image
    }

    /** Starts to serve, and returns once it listens. */
    fun serve() {
        check(server == null)
        val process = Program.start("hq", "--data", data.path, "serve", "--listen", "127.0.0.1:$port")
        server = process
        val line = checkNotNull(process.lines().readLine()) { "headquarters ended early" }
        check(JSONObject(line).has("listening")) { line }
    }

    /** `GET /v1/incidents`, the newest arrival first. */
    fun incidents(): List<JSONObject> = settled("incidents").getJSONArray("incidents").map { it as JSONObject }

    /** `GET /v1/results`. */
    fun results(): JSONObject = settled("results")

    /** What a witness read out to the coordinator confirms a device: the states of all that it knows, after that. */
    fun confirm(characters: String): List<String> {
        Program.run("hq", "--data", data.path, "devices", "confirm", characters)
        val devices = Program.run("hq", "--data", data.path, "devices").getJSONArray("devices")
        return devices.map { (it as JSONObject).getString("state") }
    }

    /** What headquarters' staff open of a file that arrived. */
    fun opened(id: Long): ByteArray {
        val out = File(data, "opened-$id")
        Program.run("hq", "--data", data.path, "blob", id.toString(), "--out", out.path)
        return out.readBytes()
    }

    /** Takes in what a courier brought; receipts for the way back go to a new file. */
    fun import(bundle: File, receipts: String) {
        Program.run("hq", "--data", data.path, "import", bundle.path, "--receipts", receipts)
    }

    /** Reads once the desk has opened all that arrived. */
    private fun settled(what: String): JSONObject {
        val end = System.nanoTime() + Program.LIMIT_S * 1_000_000_000
        while (get("health").getLong("unopened") > 0) {
            check(System.nanoTime() < end) { "the desk does not finish" }
            Thread.sleep(20)
        }
        return get(what)
    }

    private fun get(what: String): JSONObject {
        val link = URI("http://127.0.0.1:$port/v1/$what").toURL().openConnection() as HttpURLConnection
        check(link.responseCode == 200) { "$what: ${link.responseCode}" }
        return JSONObject(link.inputStream.bufferedReader().use { it.readText() })
    }

    override fun close() {
        server?.killNow()
        server = null
    }
}
