package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

/** Stand-in: Robolectric registers its instrumentation here. */
object InstrumentationRegistry {
    private var current: Pair<Instrumentation, Bundle>? = null

    @JvmStatic
    fun registerInstance(instrumentation: Instrumentation?, arguments: Bundle?) {
        current = if (instrumentation == null) null else instrumentation to (arguments ?: Bundle())
    }

    @JvmStatic
    fun getInstrumentation(): Instrumentation = checkNotNull(current).first

    @JvmStatic
    fun getArguments(): Bundle = checkNotNull(current).second
}
