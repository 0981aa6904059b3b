//! How far a reading is to be believed: what vouches for it, and who.
//!
//! The order, which phone and headquarters share ([`Standing`] is `Ord`; more is believed further):
//!
//! 1. **A verified signature comes before everything**, whoever brought it: only who holds the key of the
//!    electoral authority can make it.
//! 2. **Otherwise who vouches decides first.** Nothing else inside a sheet protects it from a forger: anybody can
//!    compute a hash, and the QR code of a Venezuelan acta has not even that, so that anybody who can print can make
//!    one. What keeps such a reading honest is who says to have seen the paper.
//! 3. **Then what vouches**: a hash leaves no room for a misread character, a plain code (with its error correction)
//!    little, numbers typed twice some, numbers read once from a photograph most.
//!
//! Equal standing decides nothing: readings of one table that differ are a conflict for a person, however they stand.

use minicbor::{Decode, Encode};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use testigo_wire::Language;
use thiserror::Error;

macro_rules! grades {
    ($(#[$doc:meta])* $name:ident { $($(#[$grade_doc:meta])* $grade:ident = $code:literal, $text:literal: $es:literal, $en:literal;)* }) => {
        $(#[$doc])*
        ///
        /// A number, greater where more is believed; in CBOR that number. One that this version does not know keeps its rank.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub u8);

        impl $name {
            $($(#[$grade_doc])* pub const $grade: Self = Self($code);)*

            /// All that this version knows, the least first.
            pub const ALL: &[Self] = &[$(Self::$grade),*];

            /// A part of a sentence for a person.
            pub fn phrase(self, language: Language) -> String {
                match self.0 {
                    $($code => language.pick($es, $en).to_owned(),)*
                    code => language.pick(
                        format!("código {code}, que esta versión no conoce"),
                        format!("code {code}, which this version does not know"),
                    ),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($code => f.write_str($text),)*
                    code => write!(f, "{code}"),
                }
            }
        }

        impl FromStr for $name {
            type Err = NoStanding;

            fn from_str(text: &str) -> Result<Self, NoStanding> {
                match text {
                    $($text => Ok(Self($code)),)*
                    other => other.parse().map(Self).map_err(|_| NoStanding),
                }
            }
        }
    };
}

grades! {
    /// What vouches for the numbers of a reading.
    Vouch {
        /// They were read once from a photograph, by a person.
        PHOTO = 10, "photo":
            "cifras leídas una vez de una foto", "numbers read once from a photograph";
        /// They were typed twice from the paper, the second time without seeing the first.
        TYPED_TWICE = 20, "typed-twice":
            "cifras tecleadas dos veces del papel", "numbers typed twice from the paper";
        /// The sheet's own code, in which nothing protects the numbers: Venezuela's acta.
        PLAIN_CODE = 30, "plain-code":
            "código QR del acta, sin nada que lo proteja", "the sheet's QR code, which nothing protects";
        /// The sheet's own code with a hash that fits: no character was misread. A forger can compute it as well.
        HASH = 40, "hash":
            "código QR del acta con su resumen correcto, sin firma comprobada",
            "the sheet's QR code with a hash that fits, no signature checked";
        /// The sheet's own code, signed under a key of the election pack.
        SIGNATURE = 50, "signature":
            "código QR del acta con firma comprobada", "the sheet's QR code with a verified signature";
    }
}

grades! {
    /// Who vouches for having seen the paper.
    Who {
        /// A device that headquarters put under review: quarantined or revoked.
        UNDER_REVIEW = 10, "under-review":
            "un teléfono en revisión", "a phone under review";
        /// A device that no coordinator has confirmed yet.
        UNCONFIRMED_DEVICE = 20, "unconfirmed-device":
            "un teléfono sin confirmar", "a phone not confirmed yet";
        /// A device that a coordinator has confirmed.
        CONFIRMED_DEVICE = 30, "confirmed-device":
            "un teléfono confirmado", "a confirmed phone";
        /// Devices of two invitations, at least one of them confirmed, that read the same.
        SECOND_CAPABILITY = 40, "second-capability":
            "dos personas invitadas por separado", "two people invited separately";
        /// A member of staff who compared it with the photograph or the paper, whoever brought it.
        STAFF = 50, "staff":
            "una persona de la central", "a person at headquarters";
    }
}

/// How far a reading is to be believed. Its order is the module's; in text `plain-code/confirmed-device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Standing {
    /// What vouches for the numbers.
    #[n(0)]
    pub vouch: Vouch,
    /// Who vouches for the paper.
    #[n(1)]
    pub who: Who,
}

/// A text that is no standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a standing is written WHAT/WHO, such as plain-code/confirmed-device")]
pub struct NoStanding;

impl Standing {
    /// What a person is told.
    pub fn sentence(self, language: Language) -> String {
        let (vouch, who) = (self.vouch.phrase(language), self.who.phrase(language));
        if self.who == Who::STAFF {
            return language.pick(
                format!("Responde por esta lectura: {vouch}; la dio por buena {who}."),
                format!("What vouches for this reading: {vouch}; {who} decided for it."),
            );
        }
        language.pick(
            format!("Responde por esta lectura: {vouch}; la trajo {who}."),
            format!("What vouches for this reading: {vouch}; it came from {who}."),
        )
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |s: &Self| (s.vouch >= Vouch::SIGNATURE, s.who, s.vouch);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vouch, self.who)
    }
}

impl FromStr for Standing {
    type Err = NoStanding;

    fn from_str(text: &str) -> Result<Self, NoStanding> {
        let (vouch, who) = text.split_once('/').ok_or(NoStanding)?;
        Ok(Self {
            vouch: vouch.parse()?,
            who: who.parse()?,
        })
    }
}
