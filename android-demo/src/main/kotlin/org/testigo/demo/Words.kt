package org.testigo.demo

import android.content.Context
import android.text.format.DateFormat
import java.time.OffsetDateTime
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeParseException
import java.util.Locale
import org.testigo.TestigoException
import org.testigo.explanation

/** The core says each sentence in two languages; the one that goes with the app's own is shown. */
fun Context.pick(es: String, en: String): String = if (getString(R.string.language) == "en") en else es

/** What went wrong, in the core's words, which say what to do. */
fun Context.sentence(error: TestigoException): String = pick(error.explanation.es, error.explanation.en)

/** Why the phone cannot be opened. */
fun Context.sentence(trouble: Trouble): String = when (trouble) {
    is Trouble.Core -> sentence(trouble.error)
    is Trouble.Fault -> getString(R.string.fault)
}

/** A sentence that fits the number. */
fun Context.counted(plural: Int, count: Long): String {
    val quantity = count.coerceAtMost(Int.MAX_VALUE.toLong()).toInt()
    return resources.getQuantityString(plural, quantity, "%,d".format(locale(), count))
}

/** A number as it is written here. */
fun Context.number(count: Long): String = "%,d".format(locale(), count)

/** A time of the core (RFC 3339) as day, month and clock of this phone; as it is where it is none. */
fun Context.time(rfc3339: String): String = try {
    val clock = if (DateFormat.is24HourFormat(this)) "Hm" else "hm"
    val pattern = DateFormat.getBestDateTimePattern(locale(), "dMMM$clock")
    val here = OffsetDateTime.parse(rfc3339).atZoneSameInstant(ZoneId.systemDefault())
    here.format(DateTimeFormatter.ofPattern(pattern, locale()))
} catch (_: DateTimeParseException) {
    rfc3339
}

/** The first letter large, as a name in a list is written. */
fun String.asTitle(): String = replaceFirstChar { it.titlecase(Locale.ROOT) }

private fun Context.locale(): Locale = resources.configuration.locales[0]
