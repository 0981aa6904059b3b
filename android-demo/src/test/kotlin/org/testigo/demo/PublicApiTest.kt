package org.testigo.demo

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** App and bindings use public API of Android 8.0 only, but for what is named here, used only where it is there. */
class PublicApiTest {
    private val target = File(checkNotNull(System.getProperty("testigo.target")))
    private val list = File(target, "public-api/gummy-bears-api-26.signature")

    @Test
    fun the_app_uses_public_api_only() {
        val api = PublicApi(list, listOf(File(target, "classes")))
        val uses = api.missing().map { it.substringAfter(": ") }.distinct()
        assertEquals(NEWER.sorted().joinToString("\n"), uses.sorted().joinToString("\n"))
        assertTrue("Only ${api.looked} uses were looked at", api.looked > 500)
    }

    @Test
    fun hidden_api_is_found_also_through_a_class_of_our_own() {
        val here = checkNotNull(javaClass.getResource("UsesHiddenApi.class")).path
        val found = PublicApi(list, listOf(File(here))).missing().map { it.substringAfter(": ") }
        val hidden = listOf(
            "android/app/Activity.isResumed()Z",
            "android/os/SystemProperties",
            "android/os/SystemProperties.get(Ljava/lang/String;)Ljava/lang/String;",
        )
        assertTrue("$found", hidden.filter { it != "android/os/SystemProperties" }.all { it in found })
    }

    private companion object {
        /** API 30, in `Screen.typedBars` alone. */
        val INSETS = listOf(
            "android/graphics/Insets.bottom#I",
            "android/graphics/Insets.left#I",
            "android/graphics/Insets.right#I",
            "android/graphics/Insets.top#I",
            "android/view/WindowInsets.getInsets(I)Landroid/graphics/Insets;",
            "android/view/WindowInsets\$Type.displayCutout()I",
            "android/view/WindowInsets\$Type.ime()I",
            "android/view/WindowInsets\$Type.systemBars()I",
        )

        /** API 33, in the bindings: UniFFI uses it where `Class.forName` finds it, and JNA's own where not. */
        val CLEANER = listOf(
            "java/lang/ref/Cleaner.create()Ljava/lang/ref/Cleaner;",
            "java/lang/ref/Cleaner.register(Ljava/lang/Object;Ljava/lang/Runnable;)Ljava/lang/ref/Cleaner\$Cleanable;",
            "java/lang/ref/Cleaner\$Cleanable.clean()V",
        )

        val NEWER = INSETS + CLEANER
    }
}
