package org.testigo.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Color
import android.net.Uri
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.testigo.Rotation
import org.testigo.Scanner

/** Pixels of a picture that are looked at; larger ones are halved until they fit. */
private const val MAX_PIXELS = 16_000_000L

/**
 * The bytes of the QR codes in the picture that [uri] names: an empty list where none was read, null where it is no
 * picture that this phone can open.
 */
suspend fun pictureCodes(resolver: ContentResolver, uri: Uri, scanner: Scanner): List<ByteArray>? =
    withContext(Dispatchers.IO) {
        val picture = try {
            decode(resolver, uri)
        } catch (_: IOException) {
            null
        } catch (_: SecurityException) {
            null
        }
        picture?.let { bitmap ->
            val grey = grey(bitmap)
            val (width, height) = bitmap.width.toUInt() to bitmap.height.toUInt()
            bitmap.recycle()
            scanner.scan(grey, width, height, width, Rotation.NONE).map { it.bytes }
        }
    }

/** Reads a stream to its end; [IOException] where it is longer than [max] bytes. */
fun InputStream.readAtMost(max: Int): ByteArray {
    val out = ByteArrayOutputStream()
    val buffer = ByteArray(64 * 1024)
    while (true) {
        val read = read(buffer)
        if (read < 0) return out.toByteArray()
        if (out.size() + read > max) throw IOException("longer than $max bytes")
        out.write(buffer, 0, read)
    }
}

private fun decode(resolver: ContentResolver, uri: Uri): Bitmap? {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.openInputStream(uri)?.use { BitmapFactory.decodeStream(it, null, options) }
    if (options.outWidth <= 0 || options.outHeight <= 0) return null
    options.inJustDecodeBounds = false
    options.inSampleSize = 1
    while (options.outWidth.toLong() * options.outHeight > MAX_PIXELS * options.inSampleSize * options.inSampleSize) {
        options.inSampleSize *= 2
    }
    return resolver.openInputStream(uri)?.use { BitmapFactory.decodeStream(it, null, options) }
}

/** Luma by ITU-R BT.601, as cameras give it. */
private fun grey(bitmap: Bitmap): ByteBuffer {
    val (width, height) = bitmap.width to bitmap.height
    val grey = ByteBuffer.allocateDirect(width * height)
    val row = IntArray(width)
    for (y in 0 until height) {
        bitmap.getPixels(row, 0, width, 0, y, width, 1)
        for (pixel in row) {
            val luma = (299 * Color.red(pixel) + 587 * Color.green(pixel) + 114 * Color.blue(pixel)) / 1000
            grey.put(luma.toByte())
        }
    }
    grey.flip()
    return grey
}
