package org.testigo.demo

import android.content.Intent
import android.os.Bundle
import android.widget.Button

/** Records a tally sheet from the QR code of a picture, or of what the camera sees; or leads to typing its numbers. */
class SheetActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.sheet)
        view<Button>(R.id.camera).setOnClickListener {
            startActivityForResult(Intent(this, CameraActivity::class.java), CAMERA)
        }
        view<Button>(R.id.picture).setOnClickListener { choose("image/*", PICTURE) }
        view<Button>(R.id.type).setOnClickListener { startActivity(Intent(this, TypedActivity::class.java)) }
    }

    @Deprecated("The framework has no other way without androidx")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        val uri = chosen(result, data)
        when (request) {
            CAMERA -> if (result == RESULT_OK) save(null) { CameraActivity.texts(data) }
            PICTURE -> if (uri != null) {
                save(Photograph(contentResolver, uri)) { pictureCodes(contentResolver, uri, app.scanner) }
            }
        }
    }

    private fun save(photograph: Photograph?, read: suspend () -> List<ByteArray>?) = attempt {
        busy(true)
        try {
            notice(getString(R.string.sheet_reading))
            val texts = read()
            when {
                texts == null -> notice(getString(R.string.picture_unreadable))
                texts.isEmpty() -> notice(getString(R.string.picture_no_code))
                else -> {
                    val saved = session.tally(texts, photograph)
                    openSaved(saved.sequence, saved.photographLost)
                }
            }
        } finally {
            busy(false)
        }
    }

    private fun busy(busy: Boolean) {
        listOf(R.id.camera, R.id.picture, R.id.type).forEach { view<Button>(it).isEnabled = !busy }
    }

    private companion object {
        const val CAMERA = 1
        const val PICTURE = 2
    }
}
