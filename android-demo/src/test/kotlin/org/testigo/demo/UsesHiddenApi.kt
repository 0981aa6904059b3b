package org.testigo.demo

import android.app.Activity
import android.os.SystemProperties

/** What the app must not do; [PublicApiTest] looks whether it would be found. */
class UsesHiddenApi : Activity() {
    fun hiddenMethod(): Boolean = isResumed

    fun hiddenClass(): String = SystemProperties.get("ro.product.model")
}
