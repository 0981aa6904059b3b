package contract

import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO

/** An image as a camera's luminance plane: [width] x [height] bytes, rows without gaps. */
class Picture(val grey: ByteArray, val width: Int, val height: Int) {
    companion object {
        /** Decodes a PNG or JPEG; luminance as JPEG defines it (BT.601). */
        fun decode(file: File): Picture {
            val image: BufferedImage = checkNotNull(ImageIO.read(file)) { "not an image: $file" }
            val row = IntArray(image.width)
            val grey = ByteArray(image.width * image.height)
            for (y in 0 until image.height) {
                image.getRGB(0, y, image.width, 1, row, 0, image.width)
                for (x in row.indices) {
                    val rgb = row[x]
                    val luminance = 299 * (rgb shr 16 and 255) + 587 * (rgb shr 8 and 255) + 114 * (rgb and 255)
                    grey[y * image.width + x] = (luminance / 1000).toByte()
                }
            }
            return Picture(grey, image.width, image.height)
        }
    }
}
