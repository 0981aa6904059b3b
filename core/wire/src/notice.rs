use crate::envelope::version_of;
use crate::sign;
use crate::{Eid, Keyset, Language, SigningKey, Time, WireError, cbor};
use minicbor::{Decode, Encode};

const VERSION: u64 = 1;

pub(crate) const NOTICE: sign::Kind = sign::Kind {
    what: "notice",
    typ: "testigo.notice",
    max_payload: 256,
};

/// The largest notice, in bytes.
pub(crate) const MAX_NOTICE: usize = NOTICE.limit();

/// What headquarters' desk did with a record. Numbers of a newer headquarters are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct NoticeStatus(#[n(0)] pub u16);

impl NoticeStatus {
    /// It was opened and filed.
    pub const READ: Self = Self(0);
    /// It is a tally sheet and counts.
    pub const COUNTED: Self = Self(1);
    /// A person at headquarters has looked at it.
    pub const SEEN: Self = Self(2);
    /// It could not be opened or read; it is kept.
    pub const UNREADABLE: Self = Self(3);
    /// The election has no such polling table; it is kept.
    pub const UNKNOWN_TABLE: Self = Self(4);
    /// Readings of its table differ; a person decides.
    pub const CONFLICT: Self = Self(5);

    /// What a person is told.
    pub fn sentence(self, language: Language) -> String {
        match self {
            Self::READ => language.pick3("La central lo leyó.", "Headquarters has read it.", "A central o leu."),
            Self::COUNTED => language.pick3(
                "La central leyó el acta y la cuenta.",
                "Headquarters has read the sheet and counts it.",
                "A central leu o boletim e o conta."),
            Self::SEEN => language.pick3(
                "Una persona de la central lo vio.",
                "A person at headquarters has looked at it.",
                "Uma pessoa da central o viu."),
            Self::UNREADABLE => language.pick3(
                "La central no pudo leerlo; lo conserva. Avise a su coordinación.",
                "Headquarters could not read it and keeps it. Tell your coordinator.",
                "A central não conseguiu lê-lo e o guarda. Avise sua coordenação."),
            Self::UNKNOWN_TABLE => language.pick3(
                "La central lo leyó; la elección no tiene esa mesa. Revise el número y avise a su coordinación.",
                "Headquarters has read it; the election has no such table. Check its number and tell your coordinator.",
                "A central o leu; a eleição não tem essa seção. Confira o número e avise sua coordenação."),
            Self::CONFLICT => language.pick3(
                "La central lo leyó; otra lectura de la mesa es distinta y decidirá una persona.",
                "Headquarters has read it; another reading of the table differs, and a person will decide.",
                "A central o leu; outra leitura da seção é diferente e uma pessoa decidirá."),
            Self(code) => {
                return language.pick3(
                    format!("La central lo trató (código {code})."),
                    format!("Headquarters has dealt with it (code {code})."),
                    format!("A central o tratou (código {code})."));
            }
        }
        .to_owned()
    }
}

/// The desk's signed word on one envelope: `[version, eid, status, safe, issued at]`.
///
/// It says that the record was read, where a receipt says only that it is held.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Notice {
    #[n(0)]
    version: u64,
    /// Identity of the envelope.
    #[n(1)]
    pub eid: Eid,
    /// What was done with it.
    #[n(2)]
    pub status: NoticeStatus,
    /// Headquarters holds a copy elsewhere, too: the phone may let the sealed envelope and its
    /// attachments go.
    #[n(3)]
    pub safe: bool,
    /// When the desk signed it, by headquarters' clock, but later than any it signed of this envelope
    /// before: a later one replaces an earlier one.
    #[n(4)]
    pub issued_at: Time,
}

impl Notice {
    /// Of this envelope.
    pub fn new(eid: Eid, status: NoticeStatus, safe: bool, issued_at: Time) -> Self {
        Self {
            version: VERSION,
            eid,
            status,
            safe,
            issued_at,
        }
    }

    /// Signs it with the desk's key.
    ///
    /// # Errors
    /// None in practice: its size is fixed.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, WireError> {
        NOTICE.sign(key, cbor::to_vec(self))
    }

    /// Reads a notice and verifies it under one of the keyset's desk keys.
    ///
    /// # Errors
    /// [`WireError::Signature`] where no such key signed it; [`WireError`] where it is none.
    pub fn verify(bytes: &[u8], keyset: &Keyset) -> Result<Self, WireError> {
        let signed = Self::parse(bytes)?;
        let key = keyset
            .desk_key(signed.kid)
            .ok_or(WireError::Signature { what: NOTICE.what })?;
        signed.verify(key)?;
        cbor::from_slice(NOTICE.what, &signed.payload, NOTICE.max_payload)
    }

    /// Reads a notice that was verified before it was kept; the signature is not checked again.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are no notice.
    pub fn from_kept(bytes: &[u8]) -> Result<Self, WireError> {
        let signed = Self::parse(bytes)?;
        cbor::from_slice(NOTICE.what, &signed.payload, NOTICE.max_payload)
    }

    fn parse(bytes: &[u8]) -> Result<sign::Unverified, WireError> {
        let signed = NOTICE.parse(bytes)?;
        let found = version_of(NOTICE.what, &signed.payload)?;
        if found != VERSION {
            return Err(WireError::Version {
                what: NOTICE.what,
                found,
            });
        }
        Ok(signed)
    }
}
