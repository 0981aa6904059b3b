use thiserror::Error;

/// Why bytes from outside are not what they claim to be.
///
/// The caller's next step differs by kind: a [`WireError::Signature`] or [`WireError::Malformed`]
/// came damaged or forged and may be asked for again; a [`WireError::Version`] needs a newer
/// program; [`WireError::TooLarge`] must be made smaller by whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// Longer, deeper or more numerous than this kind of object may be.
    #[error("{what} is too large: {found}, where at most {limit} are allowed")]
    TooLarge {
        /// The kind of object or part.
        what: &'static str,
        /// Its size, depth or count.
        found: usize,
        /// The bound it exceeds, in the same unit.
        limit: usize,
    },
    /// Not the form that this kind of object has.
    #[error("{what} is damaged: {reason}")]
    Malformed {
        /// The kind of object or part.
        what: &'static str,
        /// What was found, for a developer's eyes; never content.
        reason: String,
    },
    /// A form that only a newer program knows.
    #[error("{what} has version {found}, which this program does not know: update it")]
    Version {
        /// The kind of object.
        what: &'static str,
        /// The version found.
        found: u64,
    },
    /// Signed by another key than the one that it must be signed by, or changed since.
    #[error("the signature of {what} does not fit: it was changed, or another key signed it")]
    Signature {
        /// The kind of object.
        what: &'static str,
    },
    /// Sealed to another key than the one at hand, or changed since.
    #[error("{what} cannot be opened: it was changed, or sealed to another key")]
    Sealed {
        /// The kind of object.
        what: &'static str,
    },
}

impl WireError {
    /// The kind of object that is at fault.
    pub fn what(&self) -> &'static str {
        match self {
            Self::TooLarge { what, .. }
            | Self::Malformed { what, .. }
            | Self::Version { what, .. }
            | Self::Signature { what }
            | Self::Sealed { what } => what,
        }
    }

    pub(crate) fn malformed(what: &'static str, reason: impl ToString) -> Self {
        Self::Malformed {
            what,
            reason: reason.to_string(),
        }
    }
}
