package org.testigo.demo

import android.content.ContentResolver
import android.net.Uri
import java.io.IOException
import org.testigo.AttachmentKind
import org.testigo.Phone
import org.testigo.SealedFile

/** A picture that a person chose in another app, on its way into a record. */
class Photograph(private val resolver: ContentResolver, private val uri: Uri) {
    /**
     * Seals it from the other app's open file, so that no copy of it lies in the clear here; see
     * [Phone.sealDescriptor]. [IOException] where that app does not give it.
     */
    fun seal(phone: Phone): SealedFile {
        val file = try {
            resolver.openFileDescriptor(uri, "r")
        } catch (error: RuntimeException) {
            // Whatever the other app threw: it is handed on here.
            throw IOException(error)
        }
        return file?.use { phone.sealDescriptor(it.fd, AttachmentKind.WHOLE) } ?: throw IOException("no file")
    }
}
