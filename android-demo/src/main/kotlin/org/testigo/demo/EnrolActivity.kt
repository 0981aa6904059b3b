package org.testigo.demo

import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.provider.OpenableColumns
import android.widget.Button
import android.widget.EditText
import java.io.FileNotFoundException
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Connects the phone with headquarters: a code from the coordinator, and headquarters' files, which a deployment
 * may put into the app's assets instead.
 */
class EnrolActivity : Screen() {
    // The code is a secret: it is kept in memory alone, never in a saved state.
    private var code: String? = null
    private var keyset: Uri? = null
    private var pack: Uri? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.enrol)
        button(R.id.camera).setOnClickListener {
            startActivityForResult(Intent(this, CameraActivity::class.java), CAMERA)
        }
        button(R.id.picture).setOnClickListener { choose("image/*", PICTURE) }
        button(R.id.keyset).setOnClickListener { choose("*/*", KEYSET) }
        button(R.id.pack).setOnClickListener { choose("*/*", PACK) }
        button(R.id.go).setOnClickListener { enrol() }
        follow { session ->
            if (session is SessionState.Open && session.status.enrolled && !isFinishing) {
                startActivity(Intent(this, ConnectedActivity::class.java))
                finish()
            }
        }
        attempt {
            if (bundled(KEYSET_ASSET) != null) button(R.id.keyset).setText(R.string.enrol_bundled)
            if (bundled(PACK_ASSET) != null) button(R.id.pack).setText(R.string.enrol_bundled)
        }
    }

    @Deprecated("The framework has no other way without androidx")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        val uri = chosen(result, data)
        when (request) {
            CAMERA -> if (result == RESULT_OK) read(CameraActivity.texts(data))
            PICTURE -> if (uri != null) attempt {
                notice(getString(R.string.sheet_reading))
                val codes = pictureCodes(contentResolver, uri, app.scanner)
                if (codes == null) notice(getString(R.string.picture_unreadable)) else read(codes)
            }
            KEYSET -> if (uri != null) {
                keyset = uri
                name(R.id.keyset, uri)
            }
            PACK -> if (uri != null) {
                pack = uri
                name(R.id.pack, uri)
            }
        }
    }

    private fun read(texts: List<ByteArray>) {
        val text = texts.firstOrNull()
        if (text == null) {
            notice(getString(R.string.picture_no_code))
            return
        }
        code = String(text, Charsets.UTF_8)
        notice(getString(R.string.enrol_code_read))
    }

    private fun enrol() {
        val typed = view<EditText>(R.id.typed).text.toString().trim()
        val code = typed.ifEmpty { code }
        if (code == null) {
            notice(getString(R.string.enrol_no_code))
            return
        }
        attempt {
            val keys = file(keyset, KEYSET_ASSET)
            if (keys == null) {
                notice(getString(if (keyset == null) R.string.enrol_no_keyset else R.string.file_unreadable))
                return@attempt
            }
            val election = file(pack, PACK_ASSET)
            if (election == null && pack != null) {
                notice(getString(R.string.file_unreadable))
                return@attempt
            }
            busy(true)
            try {
                session.enrol(code, keys, election)
            } finally {
                busy(false)
            }
        }
    }

    private fun busy(busy: Boolean) {
        button(R.id.go).isEnabled = !busy
    }

    /** The bytes of the chosen file, or else of the app's own. */
    private suspend fun file(chosen: Uri?, asset: String): ByteArray? =
        if (chosen == null) bundled(asset) else withContext(Dispatchers.IO) {
            try {
                contentResolver.openInputStream(chosen)?.use { it.readAtMost(MAX_FILE_BYTES) }
            } catch (_: IOException) {
                null
            } catch (_: SecurityException) {
                null
            }
        }

    private suspend fun bundled(asset: String): ByteArray? = withContext(Dispatchers.IO) {
        try {
            assets.open(asset).use { it.readAtMost(MAX_FILE_BYTES) }
        } catch (_: FileNotFoundException) {
            null
        }
    }

    private fun name(button: Int, uri: Uri) = attempt {
        val name = withContext(Dispatchers.IO) {
            val column = arrayOf(OpenableColumns.DISPLAY_NAME)
            try {
                contentResolver.query(uri, column, null, null, null)?.use { rows ->
                    if (rows.moveToFirst()) rows.getString(0) else null
                }
            } catch (_: SecurityException) {
                null
            }
        }
        button(button).text = getString(R.string.enrol_chosen, name ?: uri.lastPathSegment.orEmpty())
        notice(null)
    }

    private fun button(id: Int): Button = view(id)

    private companion object {
        const val CAMERA = 1
        const val PICTURE = 2
        const val KEYSET = 3
        const val PACK = 4
        const val KEYSET_ASSET = "deployment/keyset.cose"
        const val PACK_ASSET = "deployment/pack.cose"

        /** More than any keyset or election pack weighs. */
        const val MAX_FILE_BYTES = 32 * 1024 * 1024
    }
}
