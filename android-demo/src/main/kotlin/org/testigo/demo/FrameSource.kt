package org.testigo.demo

import android.graphics.SurfaceTexture
import java.nio.ByteBuffer
import org.testigo.Rotation

/** One picture of a camera: its luma plane, which is lent until the callback returns. */
class Frame(
    /** A direct buffer: one byte a pixel, rows from the top. */
    val luma: ByteBuffer,
    /** Pixels in a row. */
    val width: Int,
    /** Rows. */
    val height: Int,
    /** Bytes from one row's start to the next one's. */
    val stride: Int,
    /** How far it must be turned to stand upright. */
    val rotation: Rotation,
)

/** Where frames come from. */
interface FrameSource {
    /**
     * Starts: shows what is seen on [preview], whose view is [width] by [height] pixels, and calls [onFrame] on a
     * thread of its own, one frame at a time. [onTrouble] is called, on any thread, where there is no camera to be
     * had.
     */
    fun start(
        preview: SurfaceTexture,
        width: Int,
        height: Int,
        onFrame: (Frame) -> Unit,
        onTrouble: () -> Unit,
    )

    /** How far [preview][start]'s picture is to be stretched, width and height, to look right. */
    fun stretch(width: Int, height: Int): Pair<Float, Float>

    /** Ends it; no frame is handed out any more. May be called at any time. */
    fun stop()
}
