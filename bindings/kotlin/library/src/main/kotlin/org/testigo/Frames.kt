package org.testigo

import java.nio.ByteBuffer

/**
 * Reads the QR codes of a grey picture that lies between the [frame]'s position and its limit: one byte a
 * pixel, 0 is black, rows from the top, each [stride] bytes after the one before.
 *
 * A direct buffer, such as the luma plane of a camera's frame, is read where it lies; any other is copied first.
 * The frame must stay as it is until this returns, and neither its position nor its limit is moved. No codes
 * means "not read", never "not there".
 *
 * @throws TestigoException.Input naming `width`, `stride` or `frame` where they do not fit each other.
 */
@Throws(TestigoException::class)
fun Scanner.scanFrame(
    frame: ByteBuffer,
    width: Int,
    height: Int,
    stride: Int = width,
    rotation: Rotation = Rotation.NONE,
): List<CodeView> {
    // What crosses the border is an address, and a buffer's address is that of its first byte: hence the slice.
    val pixels = if (frame.isDirect) frame.slice() else copied(frame)
    return scan(pixels, width.toUInt(), height.toUInt(), stride.toUInt(), rotation)
}

private fun copied(frame: ByteBuffer): ByteBuffer {
    val direct = ByteBuffer.allocateDirect(frame.remaining())
    direct.put(frame.duplicate())
    // On Android before 9 and on Java 8, `Buffer` has this method and `ByteBuffer` does not.
    (direct as java.nio.Buffer).flip()
    return direct
}
