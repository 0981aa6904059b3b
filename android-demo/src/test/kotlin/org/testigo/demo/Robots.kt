package org.testigo.demo

import android.Manifest
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.graphics.SurfaceTexture
import android.view.TextureView
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers

/** A person enrols with the picture of a code and headquarters' two files, finds the words right, and is at home then. */
fun enrol(device: Device, headquarters: Headquarters, pack: Boolean = true, comparing: () -> Unit = {}) {
    device.awaitScreen(EnrolActivity::class.java)
    device.tap(R.id.picture)
    device.answer(headquarters.invite("201301006.01"))
    device.awaitText(device.app.getString(R.string.enrol_code_read))
    device.tap(R.id.keyset)
    device.answer(headquarters.keyset)
    if (pack) {
        device.tap(R.id.pack)
        device.answer(headquarters.pack)
    }
    device.tap(R.id.go)
    device.awaitScreen(ConnectedActivity::class.java)
    device.awaitText(headquarters.words)
    comparing()
    device.tap(R.id.same)
    device.awaitScreen(HomeActivity::class.java)
    device.await("the ways on") { device.isShown(R.id.report) }
}

/** A person at home sets a PIN in the settings. */
fun setPin(device: Device, pin: String) {
    device.tap(R.id.settings)
    device.tap(R.id.pin_set)
    device.awaitScreen(PinActivity::class.java)
    device.type(R.id.new_pin, pin)
    device.type(R.id.again, pin)
    device.tap(R.id.go)
    device.awaitScreen(SettingsActivity::class.java)
    device.await("the PIN") { device.isShown(R.id.pin_change) }
    device.back()
}

/** The votes of the paper that [Pictures.SHEET] is of, slot by slot. */
val VOTES: List<String> = Pictures.SHEET.split('!')[1].split(',')

/** A person types what the paper says into the fields that are asked for, in its order; [slips] otherwise, by slot. */
fun typePaper(device: Device, slips: Map<Int, String> = emptyMap()) {
    val fields = device.fields().values.toList()
    check(fields.size == VOTES.size + 4) { "table, slots, null votes, machine code and hash are asked for" }
    fields[0].setText("201301006.01")
    VOTES.forEachIndexed { at, votes -> fields[at + 1].setText(slips[at] ?: votes) }
    fields[VOTES.size + 1].setText("0")
    device.settle()
}

/** A person goes on from numbers that are the same both times to the photograph. */
fun typeTwice(device: Device) {
    device.await("the form") { device.fields().isNotEmpty() }
    repeat(2) {
        typePaper(device)
        device.tap(R.id.next)
    }
    device.await("the photograph") { device.isShown(R.id.save_without) }
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
