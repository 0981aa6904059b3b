package org.testigo.demo

import android.app.Activity
import android.app.Application
import android.os.Bundle
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import org.testigo.HostKeys
import org.testigo.Scanner

/** Holds what lives as long as the process. Tests put another key store and other frame sources in place. */
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
            keys = hostKeys(),
            earlierKey = File(folder, "database-key"),
            scope = CoroutineScope(SupervisorJob() + Dispatchers.Main),
            wake = { SyncJob.request(this) },
        )
        registerActivityLifecycleCallbacks(LockWhenLeft(session))
    }

    /** What wraps the phone's keys. */
    protected open fun hostKeys(): HostKeys = KeystoreKeys()

    /** Where the camera screen's frames come from. */
    open fun frameSource(): FrameSource = Camera2FrameSource(this)
}

/** Locks the phone as soon as no screen of the app is shown any more. */
private class LockWhenLeft(private val session: Session) : Application.ActivityLifecycleCallbacks {
    private var started = 0

    override fun onActivityStarted(activity: Activity) {
        started += 1
    }

    override fun onActivityStopped(activity: Activity) {
        started -= 1
        if (started == 0 && !activity.isChangingConfigurations) session.lock()
    }

    override fun onActivityCreated(activity: Activity, state: Bundle?) = Unit
    override fun onActivityResumed(activity: Activity) = Unit
    override fun onActivityPaused(activity: Activity) = Unit
    override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) = Unit
    override fun onActivityDestroyed(activity: Activity) = Unit
}
