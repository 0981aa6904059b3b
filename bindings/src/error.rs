use std::panic::{AssertUnwindSafe, catch_unwind};
use testigo_phone::PhoneError;
use testigo_wire::Language;

/// What whoever was told of an error does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NextStep {
    /// Correct the field that is named, and try again.
    CorrectInput,
    /// Enrol first.
    Enrol,
    /// Ask for the PIN.
    Unlock,
    /// Ask the coordinator: nothing on this phone can put it right.
    AskCoordinator,
    /// Free some space, and try again.
    FreeSpace,
    /// Try again in a while.
    TryAgain,
    /// Keep the phone's folder as it is, and report it.
    KeepAndReport,
}

/// What went wrong, for a program and for a person.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Explanation {
    /// A stable name for programs, such as `wrong-key`.
    pub code: String,
    /// The input that cannot be understood, by its name in the interface.
    pub field: Option<String>,
    /// The sentence in Spanish; it says what to do.
    pub es: String,
    /// The sentence in English.
    pub en: String,
    /// What to do next.
    pub next: NextStep,
}

/// Why something could not be done. Each kind asks something else of the app, and none of them loses
/// anything that was saved before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TestigoError {
    /// An input cannot be understood: show the sentence at the field that is named.
    #[error("{}", explanation.en)]
    Input {
        /// What went wrong.
        explanation: Explanation,
    },
    /// It does not fit the phone's enrolment: there is no phone yet, or one already; it has not
    /// enrolled, or has already; or a file is damaged or of another headquarters.
    #[error("{}", explanation.en)]
    Enrolment {
        /// What went wrong.
        explanation: Explanation,
    },
    /// The store cannot be opened or read: a wrong key, damage, a newer version. It was left untouched.
    #[error("{}", explanation.en)]
    Store {
        /// What went wrong.
        explanation: Explanation,
    },
    /// There is no room: nothing was saved of this record.
    #[error("{}", explanation.en)]
    StorageFull {
        /// What went wrong.
        explanation: Explanation,
    },
    /// The PIN is needed first, or was not right: ask for it, once the wait is over. What is saved and sent never
    /// asks.
    #[error("{}", explanation.en)]
    Locked {
        /// What went wrong.
        explanation: Explanation,
        /// Milliseconds until a PIN is looked at.
        wait_ms: u64,
    },
    /// The app's own callback failed at once, where it is needed.
    #[error("{}", explanation.en)]
    Host {
        /// What went wrong.
        explanation: Explanation,
    },
    /// A fault of the library's own, or of the operating system. What was saved before is still there.
    #[error("{}", explanation.en)]
    Internal {
        /// What went wrong.
        explanation: Explanation,
    },
}

/// What an app's callback throws.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// It failed.
    #[error("{reason}")]
    Failed {
        /// Why, for a log: no personal data.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    /// The text of a foreign exception may hold anything, personal data too: it is dropped.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed {
            reason: "an exception that is no HostError".to_owned(),
        }
    }
}

impl TestigoError {
    /// What went wrong.
    pub fn explanation(&self) -> &Explanation {
        match self {
            Self::Input { explanation }
            | Self::Enrolment { explanation }
            | Self::Store { explanation }
            | Self::StorageFull { explanation }
            | Self::Locked { explanation, .. }
            | Self::Host { explanation }
            | Self::Internal { explanation } => explanation,
        }
    }

    pub(crate) fn host() -> Self {
        Self::Host {
            explanation: Explanation {
                code: "host-callback".to_owned(),
                field: None,
                es:
                    "La aplicación no pudo recibir un aviso. Nada se perdió; informe de esta falla."
                        .to_owned(),
                en: "The app could not take a message. Nothing is lost; report this fault."
                    .to_owned(),
                next: NextStep::KeepAndReport,
            },
        }
    }

    pub(crate) fn internal(code: &str) -> Self {
        Self::Internal {
            explanation: Explanation {
                code: code.to_owned(),
                field: None,
                es: "Falla interna. Lo guardado antes sigue allí: intente de nuevo e informe de esta falla."
                    .to_owned(),
                en: "An internal fault. What was saved before is still there: try again and report it."
                    .to_owned(),
                next: NextStep::TryAgain,
            },
        }
    }
}

impl From<PhoneError> for TestigoError {
    fn from(error: PhoneError) -> Self {
        let field = match &error {
            PhoneError::Input { field, .. } => Some((*field).to_owned()),
            _ => None,
        };
        let explanation = Explanation {
            code: error.code().to_owned(),
            field,
            es: error.sentence(Language::Es),
            en: error.sentence(Language::En),
            next: error.next_step().into(),
        };
        match error {
            PhoneError::Input { .. } | PhoneError::File(_) => Self::Input { explanation },
            PhoneError::Locked => Self::Locked {
                explanation,
                wait_ms: 0,
            },
            PhoneError::WrongPin { wait_ms, .. } | PhoneError::TooSoon { wait_ms } => {
                Self::Locked {
                    explanation,
                    wait_ms,
                }
            }
            PhoneError::NoPhone
            | PhoneError::Wiped
            | PhoneError::PhoneExists
            | PhoneError::NotDamaged
            | PhoneError::NotEnrolled
            | PhoneError::AlreadyEnrolled
            | PhoneError::OtherHeadquarters(_)
            | PhoneError::Damaged(_) => Self::Enrolment { explanation },
            PhoneError::Open(_) | PhoneError::Store(_)
                if explanation.next == NextStep::FreeSpace =>
            {
                Self::StorageFull { explanation }
            }
            PhoneError::Open(_)
            | PhoneError::Store(_)
            | PhoneError::Disk(_)
            | PhoneError::HostKeys(_) => Self::Store { explanation },
            PhoneError::StorageFull => Self::StorageFull { explanation },
            PhoneError::Random | PhoneError::OutOfMemory => Self::Internal { explanation },
        }
    }
}

impl From<testigo_phone::NextStep> for NextStep {
    fn from(next: testigo_phone::NextStep) -> Self {
        match next {
            testigo_phone::NextStep::CorrectInput => Self::CorrectInput,
            testigo_phone::NextStep::Enrol => Self::Enrol,
            testigo_phone::NextStep::Unlock => Self::Unlock,
            testigo_phone::NextStep::AskCoordinator => Self::AskCoordinator,
            testigo_phone::NextStep::FreeSpace => Self::FreeSpace,
            testigo_phone::NextStep::TryAgain => Self::TryAgain,
            testigo_phone::NextStep::KeepAndReport => Self::KeepAndReport,
        }
    }
}

/// Does the work; a panic becomes [`TestigoError::Internal`] instead of the foreign language's
/// exception for a broken library.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, TestigoError>) -> Result<T, TestigoError> {
    // The store's transaction is undone as the panic unwinds; nothing else is kept between calls.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("a panic was caught");
        Err(TestigoError::internal("panic"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "what is tested")]
    fn a_panic_ends_here_and_its_words_stay_inside() {
        let ended: Result<(), _> = caught(|| panic!("secret words"));
        let Err(TestigoError::Internal { explanation }) = ended else {
            panic!("{ended:?}");
        };
        assert_eq!(explanation.code, "panic");
        assert_eq!(explanation.next, NextStep::TryAgain);
        assert!(!format!("{explanation:?}").contains("secret"));
    }
}
