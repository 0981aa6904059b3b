package contract

import org.testigo.Language
import org.testigo.Phone
import org.testigo.ReportInput
import org.testigo.TestigoException
import org.testigo.explanation
import org.testigo.inBackground
import org.testigo.phoneExists
import org.testigo.sentence

suspend fun firstReport(directory: String, key: ByteArray, code: String, keyset: ByteArray, pack: ByteArray) {
    try {
        val phone = if (phoneExists(directory)) Phone.open(directory, key) else Phone.create(directory, key)
        phone.use {
            if (!phone.status().enrolled) phone.enrol(code, keyset, pack)
            val saved = phone.inBackground { report(ReportInput(code = 21u, note = "Two blocks are dark")) }
            println("Saved as number ${saved.sequence}")    // durably on disk; no network is needed
            val sync = phone.sync()                         // ends when its coroutine is cancelled; nothing is lost
            println("${sync.delivered} delivered, ${sync.remaining} waiting: ${sync.outcome}")
        }
    } catch (error: TestigoException) {
        println(error.explanation.sentence(Language.ES))    // says what to do next
    }
}
