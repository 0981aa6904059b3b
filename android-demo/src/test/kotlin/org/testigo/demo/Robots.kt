package org.testigo.demo

import android.Manifest
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.graphics.SurfaceTexture
import android.view.TextureView
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers

/** A person enrols with the picture of a code and headquarters' two files, and is at home then. */
fun enrol(device: Device, headquarters: Headquarters) {
    device.awaitScreen(EnrolActivity::class.java)
    device.tap(R.id.picture)
    device.answer(headquarters.invite("201301006.01"))
    device.awaitText(device.app.getString(R.string.enrol_code_read))
    device.tap(R.id.keyset)
    device.answer(headquarters.keyset)
    device.tap(R.id.pack)
    device.answer(headquarters.pack)
    device.tap(R.id.go)
    device.awaitScreen(HomeActivity::class.java)
    device.await("the ways on") { device.isShown(R.id.report) }
}

/** The system starts the one job that the app asked for. */
fun startJob(device: Device): SyncJob {
    val scheduler = checkNotNull(device.app.getSystemService(JobScheduler::class.java))
    check(scheduler.allPendingJobs.size == 1) { "asked for often, it is one job" }
    val job = Robolectric.buildService(SyncJob::class.java).create().get()
    // The app looks at none of what these say.
    check(job.onStartJob(ReflectionHelpers.callConstructor(JobParameters::class.java)))
    return job
}

/** The person allows the camera, and the system gives its picture a place. */
fun startCamera(device: Device) {
    shadowOf(device.app).grantPermissions(Manifest.permission.CAMERA)
    val preview = checkNotNull(device.top.findViewById<TextureView>(R.id.preview))
    val listener = checkNotNull(preview.surfaceTextureListener)
    listener.onSurfaceTextureAvailable(SurfaceTexture(false), preview.width, preview.height)
    device.settle()
}
