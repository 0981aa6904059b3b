package org.testigo.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File
import org.robolectric.Robolectric

/** Another app, whose files a person chooses from: it hands them out as open descriptors, as Android's own do. */
class OtherApp : ContentProvider() {
    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val left = left.getValue(uri)
        if (left == 0) throw SecurityException("not any more")
        Companion.left[uri] = left - 1
        return ParcelFileDescriptor.open(File(checkNotNull(uri.path)), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri): String? = null

    override fun query(uri: Uri, names: Array<String>?, where: String?, values: Array<String>?, order: String?): Cursor? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun update(uri: Uri, values: ContentValues?, where: String?, with: Array<String>?) = 0

    override fun delete(uri: Uri, where: String?, with: Array<String>?) = 0

    companion object {
        private const val NAME = "org.testigo.test"

        /** How often each may still be opened. */
        private val left = mutableMapOf<Uri, Int>()

        /** What names a file with these bytes, which can be opened so many times. */
        fun offer(bytes: ByteArray, times: Int = Int.MAX_VALUE): Uri {
            Robolectric.buildContentProvider(OtherApp::class.java).create(NAME)
            val file = File.createTempFile("chosen", null).apply { deleteOnExit() }
            file.writeBytes(bytes)
            return Uri.parse("content://$NAME${file.path}").also { left[it] = times }
        }
    }
}
