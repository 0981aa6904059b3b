package contract

import org.testigo.Phone
import org.testigo.ReportInput

/** A process that saves reports until it is killed, and says the number of each once it is saved. */
object CapturingChild {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val key = System.`in`.readBytes()
        Phone.open(arguments[0], key).use { phone ->
            println("open")
            while (true) {
                println(phone.report(ReportInput(21u, note = "Still dark")).sequence)
                System.out.flush()
            }
        }
    }
}
