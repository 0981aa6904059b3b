package org.testigo.demo

import android.app.Application
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import org.testigo.Scanner

/** Holds what lives as long as the process. Tests put other key wrappers and frame sources in place. */
open class App : Application() {
    /** The phone. */
    lateinit var session: Session
        private set

    /** Reads QR codes; keeps nothing between pictures. */
    val scanner: Scanner by lazy { Scanner() }

    override fun onCreate() {
        super.onCreate()
        // Neither backups nor a transfer to another phone take this folder along.
        val folder = File(noBackupFilesDir, "testigo")
        folder.mkdirs()
        session = Session(
            directory = File(folder, "phone"),
            keys = DatabaseKeyFile(File(folder, "database-key"), keyWrapper()),
            scope = CoroutineScope(SupervisorJob() + Dispatchers.Main),
            wake = { SyncJob.request(this) },
        )
    }

    /** What wraps the database key. */
    protected open fun keyWrapper(): KeyWrapper = KeystoreWrapper()

    /** Where the camera screen's frames come from. */
    open fun frameSource(): FrameSource = Camera2FrameSource(this)
}
