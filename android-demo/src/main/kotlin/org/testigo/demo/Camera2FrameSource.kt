package org.testigo.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import android.view.Surface
import kotlin.math.abs
import kotlin.math.max
import org.testigo.Rotation

/** The phone's back camera, or whichever it has. The caller holds the camera permission. */
class Camera2FrameSource(context: Context) : FrameSource {
    private val cameras: CameraManager? = context.getSystemService(CameraManager::class.java)
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)

    // Touched on the handler's thread alone.
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null
    private var surface: Surface? = null
    private var stopped = false

    @Volatile
    private var size = Size(1, 1)

    override fun start(
        preview: SurfaceTexture,
        width: Int,
        height: Int,
        onFrame: (Frame) -> Unit,
        onTrouble: () -> Unit,
    ) {
        handler.post {
            try {
                open(preview, onFrame, onTrouble)
            } catch (_: CameraAccessException) {
                onTrouble()
            } catch (_: SecurityException) {
                onTrouble()
            } catch (_: IllegalArgumentException) {
                // The camera was unplugged meanwhile.
                onTrouble()
            }
        }
    }

    /** The picture stands upright when the phone does: the camera's rows run along the phone's long side. */
    override fun stretch(width: Int, height: Int): Pair<Float, Float> {
        val (pictureWidth, pictureHeight) = size.height.toFloat() to size.width.toFloat()
        val fill = max(width / pictureWidth, height / pictureHeight)
        return pictureWidth * fill / width to pictureHeight * fill / height
    }

    override fun stop() {
        handler.post {
            stopped = true
            device?.close()
            reader?.close()
            surface?.release()
            thread.quitSafely()
        }
    }

    // The screen asks for the permission before it starts this.
    @SuppressLint("MissingPermission")
    private fun open(preview: SurfaceTexture, onFrame: (Frame) -> Unit, onTrouble: () -> Unit) {
        val camera = choose()
        if (stopped || camera == null) return onTrouble()
        val (id, traits) = camera
        val chosen = sizes(traits).minByOrNull { abs(it.width * it.height - PIXELS) } ?: return onTrouble()
        size = chosen
        preview.setDefaultBufferSize(chosen.width, chosen.height)
        val rotation = rotation(traits.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0)
        val images = ImageReader.newInstance(chosen.width, chosen.height, ImageFormat.YUV_420_888, 2)
        images.setOnImageAvailableListener({ source ->
            source.acquireLatestImage()?.use { image ->
                val luma = image.planes[0]
                if (!stopped) {
                    onFrame(Frame(luma.buffer, image.width, image.height, luma.rowStride, rotation))
                }
            }
        }, handler)
        reader = images
        val shown = Surface(preview)
        surface = shown
        cameras?.openCamera(id, object : CameraDevice.StateCallback() {
            override fun onOpened(camera: CameraDevice) {
                device = camera
                if (stopped) camera.close() else begin(camera, listOf(shown, images.surface), onTrouble)
            }

            override fun onDisconnected(camera: CameraDevice) {
                camera.close()
                onTrouble()
            }

            override fun onError(camera: CameraDevice, error: Int) {
                camera.close()
                onTrouble()
            }
        }, handler)
    }

    @Suppress("DEPRECATION") // Its successor came with API 28.
    private fun begin(camera: CameraDevice, targets: List<Surface>, onTrouble: () -> Unit) {
        camera.createCaptureSession(targets, object : CameraCaptureSession.StateCallback() {
            override fun onConfigured(session: CameraCaptureSession) {
                try {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    targets.forEach { request.addTarget(it) }
                    request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
                    session.setRepeatingRequest(request.build(), null, handler)
                } catch (_: CameraAccessException) {
                    onTrouble()
                } catch (_: IllegalStateException) {
                    // It was closed meanwhile.
                    onTrouble()
                }
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = onTrouble()
        }, handler)
    }

    private fun choose(): Pair<String, CameraCharacteristics>? {
        val cameras = cameras ?: return null
        val all = cameras.cameraIdList.map { it to cameras.getCameraCharacteristics(it) }
        return all.firstOrNull { (_, traits) ->
            traits.get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_BACK
        } ?: all.firstOrNull()
    }

    private fun sizes(traits: CameraCharacteristics): List<Size> {
        val map = traits.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
        return map?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty().toList()
    }

    private fun rotation(degrees: Int): Rotation = when (degrees) {
        90 -> Rotation.QUARTER
        180 -> Rotation.HALF
        270 -> Rotation.THREE_QUARTER
        else -> Rotation.NONE
    }

    private companion object {
        /** Enough for the code of a sheet, and quick to search. */
        const val PIXELS = 1280 * 720
    }
}
