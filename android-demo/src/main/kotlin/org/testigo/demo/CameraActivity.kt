package org.testigo.demo

import android.Manifest
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.os.Bundle
import android.view.TextureView
import java.util.concurrent.atomic.AtomicBoolean
import org.testigo.TestigoException

/** Reads QR codes from what the camera sees, and hands the first ones back. */
class CameraActivity : Screen() {
    private var source: FrameSource? = null
    private val found = AtomicBoolean()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        show(R.layout.camera)
        preview().surfaceTextureListener = object : TextureView.SurfaceTextureListener {
            override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) = start()

            override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) =
                adjust(width, height)

            override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
                stop()
                return true
            }

            override fun onSurfaceTextureUpdated(surface: SurfaceTexture) =
                adjust(preview().width, preview().height)
        }
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            requestPermissions(arrayOf(Manifest.permission.CAMERA), PERMISSION)
        }
    }

    override fun onRequestPermissionsResult(request: Int, names: Array<String>, results: IntArray) {
        when (results.firstOrNull()) {
            PackageManager.PERMISSION_GRANTED -> start()
            PackageManager.PERMISSION_DENIED -> notice(getString(R.string.camera_refused))
        }
    }

    override fun onStart() {
        super.onStart()
        start()
    }

    override fun onStop() {
        stop()
        super.onStop()
    }

    /** Starts once there is both a permission and a place to show the picture. */
    private fun start() {
        val surface = preview().surfaceTexture ?: return
        val granted = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED
        if (!granted || source != null) return
        val source = app.frameSource()
        this.source = source
        source.start(surface, preview().width, preview().height, ::look) {
            runOnUiThread { notice(getString(R.string.camera_failed)) }
        }
    }

    private fun stop() {
        source?.stop()
        source = null
    }

    private fun look(frame: Frame) {
        val codes = try {
            app.scanner.scan(
                frame.luma,
                frame.width.toUInt(),
                frame.height.toUInt(),
                frame.stride.toUInt(),
                frame.rotation,
            )
        } catch (_: TestigoException) {
            // One frame that is no picture; the next one comes in a moment.
            return
        }
        if (codes.isEmpty() || !found.compareAndSet(false, true)) return
        val texts = ArrayList(codes.map { it.bytes })
        runOnUiThread {
            setResult(RESULT_OK, Intent().putExtra(TEXTS, texts))
            finish()
        }
    }

    private fun adjust(width: Int, height: Int) {
        val (x, y) = source?.stretch(width, height) ?: return
        preview().setTransform(Matrix().apply { setScale(x, y, width / 2f, height / 2f) })
    }

    private fun preview(): TextureView = view(R.id.preview)

    companion object {
        private const val PERMISSION = 1
        private const val TEXTS = "texts"

        /** What was read, from the result of this screen. */
        @Suppress("DEPRECATION", "UNCHECKED_CAST") // Its typed successor came with API 33.
        fun texts(data: Intent?): List<ByteArray> =
            data?.getSerializableExtra(TEXTS) as? List<ByteArray> ?: emptyList()
    }
}
