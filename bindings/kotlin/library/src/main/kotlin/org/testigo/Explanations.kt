package org.testigo

/** What went wrong, whichever kind of error it is. */
val TestigoException.explanation: Explanation
    get() = when (this) {
        is TestigoException.Input -> explanation
        is TestigoException.Enrolment -> explanation
        is TestigoException.Store -> explanation
        is TestigoException.StorageFull -> explanation
        is TestigoException.Locked -> explanation
        is TestigoException.Host -> explanation
        is TestigoException.Internal -> explanation
    }

/** The sentence for a person, in this language. */
fun Explanation.sentence(language: Language): String = when (language) {
    Language.ES -> es
    Language.EN -> en
}
