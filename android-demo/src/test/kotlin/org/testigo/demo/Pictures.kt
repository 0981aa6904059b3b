package org.testigo.demo

import com.google.zxing.BarcodeFormat
import com.google.zxing.EncodeHintType
import com.google.zxing.qrcode.QRCodeWriter
import java.awt.Color
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.util.Random
import javax.imageio.ImageIO

/** Pictures of sheets, drawn by a library that shares nothing with the scanner. */
object Pictures {
    /** The text of a real sheet of 28 July 2024, whose figures were published. */
    const val SHEET = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7," +
        "155,1,1!0!0"

    /** The same sheet with more votes than the table has voters. */
    val DOUBTFUL_SHEET: String = SHEET.replace("!140,", "!99140,")

    /** A sheet lying askew on a table, as PNG. */
    fun photograph(text: String): ByteArray {
        val picture = BufferedImage(1200, 1600, BufferedImage.TYPE_INT_RGB)
        val pen = picture.createGraphics()
        pen.color = Color(0x5A, 0x4A, 0x3C)
        pen.fillRect(0, 0, picture.width, picture.height)
        pen.rotate(Math.toRadians(7.0), 600.0, 800.0)
        pen.color = Color(0xE8, 0xE6, 0xDE)
        pen.fillRect(200, 100, 800, 1400)
        pen.drawImage(code(text, 520), 340, 800, null)
        pen.dispose()
        val noise = Random(7)
        for (y in 0 until picture.height) for (x in 0 until picture.width) {
            val shift = noise.nextInt(17) - 8
            val pixel = Color(picture.getRGB(x, y))
            val moved = listOf(pixel.red, pixel.green, pixel.blue).map { (it + shift).coerceIn(0, 255) }
            picture.setRGB(x, y, Color(moved[0], moved[1], moved[2]).rgb)
        }
        return png(picture)
    }

    /** A picture without any code. */
    fun nothing(): ByteArray {
        val picture = BufferedImage(800, 600, BufferedImage.TYPE_INT_RGB)
        picture.createGraphics().apply { color = Color.LIGHT_GRAY; fillRect(0, 0, 800, 600); dispose() }
        return png(picture)
    }

    /** A camera's grey picture of [width] by [height] with the code in it. */
    fun frame(text: String, width: Int, height: Int): ByteArray {
        val picture = BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY)
        val side = height * 3 / 4
        picture.createGraphics().apply {
            color = Color.LIGHT_GRAY
            fillRect(0, 0, width, height)
            drawImage(code(text, side), (width - side) / 2, (height - side) / 2, null)
            dispose()
        }
        return ByteArray(width * height) { (picture.raster.getSample(it % width, it / width, 0)).toByte() }
    }

    private fun code(text: String, side: Int): BufferedImage {
        val hints = mapOf(EncodeHintType.MARGIN to 4)
        val matrix = QRCodeWriter().encode(text, BarcodeFormat.QR_CODE, side, side, hints)
        val picture = BufferedImage(side, side, BufferedImage.TYPE_INT_RGB)
        for (y in 0 until side) for (x in 0 until side) {
            picture.setRGB(x, y, if (matrix[x, y]) 0x202020 else 0xF0EFEA)
        }
        return picture
    }

    private fun png(picture: BufferedImage): ByteArray =
        ByteArrayOutputStream().also { ImageIO.write(picture, "png", it) }.toByteArray()
}
