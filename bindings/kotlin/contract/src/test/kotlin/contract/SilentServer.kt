package contract

import java.io.Closeable
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** Takes requests on a port and answers each with these bytes, or with nothing at all, for ever. */
class SilentServer(port: Int, private val answer: String = "") : Closeable {
    private val server = ServerSocket(port, 16, InetAddress.getLoopbackAddress())
    private val links = CopyOnWriteArrayList<Socket>()
    private val requests = Semaphore(0)
    private val ends = Semaphore(0)

    init {
        thread(isDaemon = true) {
            // It ends when the socket is closed.
            runCatching { while (true) take(server.accept()) }
        }
    }

    private fun take(link: Socket) {
        links += link
        thread(isDaemon = true) {
            runCatching {
                val bytes = ByteArray(64 * 1024)
                check(link.getInputStream().read(bytes) > 0)
                requests.release()
                if (answer.isNotEmpty()) {
                    link.getOutputStream().write(answer.toByteArray())
                    link.shutdownOutput()
                }
                // Reads on, so that the other side is never cut off in the middle of its request.
                while (link.getInputStream().read(bytes) >= 0) Unit
            }
            ends.release()
        }
    }

    /** Waits until the next request has come. */
    fun awaitRequest() = check(requests.tryAcquire(Program.LIMIT_S, TimeUnit.SECONDS)) { "no request came" }

    /** Waits until a phone breaks its link off: sooner than it would give up by itself, after 30 seconds. */
    fun awaitEnd() = check(ends.tryAcquire(25, TimeUnit.SECONDS)) { "the link stayed" }

    override fun close() {
        server.close()
        links.forEach(Socket::close)
    }
}
