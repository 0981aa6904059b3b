package contract

import org.junit.rules.TestWatcher
import org.junit.runner.Description
import java.io.File

/** Names the scenario of `bindings/contract.toml` that a test keeps. */
@Retention(AnnotationRetention.RUNTIME)
@Target(AnnotationTarget.FUNCTION)
annotation class Scenario(val id: String)

/** Says of each kept scenario that it was kept. */
class Told : TestWatcher() {
    override fun succeeded(description: Description) {
        description.getAnnotation(Scenario::class.java)?.let { println("contract: kotlin ${it.id} ok") }
    }
}

/** The ids in `bindings/contract.toml`, in its order. */
fun contractIds(): List<String> {
    val path = System.getProperty("testigo.contract") ?: "../../contract.toml"
    return File(path).readLines().mapNotNull { ID.matchEntire(it.trim())?.groupValues?.get(1) }
}

private val ID = Regex("id = \"([^\"]+)\"")
