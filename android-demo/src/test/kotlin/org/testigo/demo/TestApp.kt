package org.testigo.demo

import android.graphics.SurfaceTexture
import java.nio.ByteBuffer
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import org.testigo.HostKey
import org.testigo.HostKeys
import org.testigo.Rotation

/** The app with what Robolectric has not: Android's Keystore and a camera that gives pictures. */
class TestApp : App() {
    val camera = FedCamera()

    val keys = MemoryKeys()

    override fun hostKeys(): HostKeys = keys

    override fun frameSource(): FrameSource = camera
}

/** The same AES-GCM as the app's, under keys in memory in place of Android's Keystore. */
class MemoryKeys : GcmKeys() {
    private val kept = mutableMapOf<HostKey, SecretKey>()

    override fun key(key: HostKey, make: Boolean): SecretKey? {
        if (make) return kept.getOrPut(key) { KeyGenerator.getInstance("AES").apply { init(256) }.generateKey() }
        return kept[key]
    }

    override fun remove(key: HostKey) {
        kept.remove(key)
    }
}

/** Hands out the frames that a test feeds it, on a thread of its own. */
class FedCamera : FrameSource {
    private var onFrame: ((Frame) -> Unit)? = null
    val running: Boolean get() = onFrame != null

    override fun start(preview: SurfaceTexture, onFrame: (Frame) -> Unit, onTrouble: () -> Unit) {
        this.onFrame = onFrame
    }

    override fun stretch(width: Int, height: Int): Pair<Float, Float> = 1f to 1f

    override fun stop() {
        onFrame = null
    }

    /** Feeds one grey picture, its rows padded as cameras do. */
    fun feed(grey: ByteArray, width: Int, height: Int) {
        val stride = width + 64
        val luma = ByteBuffer.allocateDirect(stride * height)
        for (y in 0 until height) {
            luma.position(y * stride)
            luma.put(grey, y * width, width)
        }
        luma.rewind()
        val take = checkNotNull(onFrame) { "the camera does not run" }
        Thread { take(Frame(luma, width, height, stride, Rotation.QUARTER)) }.apply { start() }.join()
    }
}
