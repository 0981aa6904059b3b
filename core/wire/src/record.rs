use crate::body::MAX_BODY;
use crate::{Code, Detail, Handover, Time, TypedTally, WireError, cbor};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

/// How urgently something leaves the phone: a lower lane always goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Lane(#[n(0)] pub u8);

impl Lane {
    /// A witness is in danger.
    pub const DANGER: Self = Self(0);
    /// A result.
    pub const RESULT: Self = Self(1);
    /// An incident.
    pub const INCIDENT: Self = Self(2);
    /// A check-in.
    pub const CHECK_IN: Self = Self(3);
    /// A small picture of an attachment.
    pub const THUMBNAIL: Self = Self(4);
    /// A photograph or another attachment.
    pub const PHOTO: Self = Self(5);
}

/// What kind of record a body carries. Numbers of newer phones are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Kind(#[n(0)] pub u16);

impl Kind {
    /// A [`Report`].
    pub const REPORT: Self = Self(1);
    /// A [`TallyRecord`].
    pub const TALLY: Self = Self(2);
    /// A [`Handover`].
    pub const HANDOVER: Self = Self(3);
    /// A [`TypedTally`].
    pub const TYPED: Self = Self(4);
}

/// What a witness saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Something that happened.
    Report(Report),
    /// A tally sheet.
    Tally(TallyRecord),
    /// Something that passed from hand to hand.
    Handover(Handover),
    /// A tally sheet whose numbers were typed.
    Typed(TypedTally),
    /// A kind that only a newer program knows, kept as it came.
    Unknown {
        /// Its kind.
        kind: Kind,
        /// Its CBOR.
        bytes: Vec<u8>,
    },
}

impl Record {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Report(_) => Kind::REPORT,
            Self::Tally(_) => Kind::TALLY,
            Self::Handover(_) => Kind::HANDOVER,
            Self::Typed(_) => Kind::TYPED,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// How urgently it leaves the phone.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Report(report) => report.code.lane(),
            Self::Tally(_) | Self::Typed(_) => Lane::RESULT,
            Self::Handover(handover) => match handover.what {
                // Nobody but headquarters knows how urgent a bundle's content is.
                Handover::BUNDLE => Lane::INCIDENT,
                _ => Lane::CHECK_IN,
            },
            Self::Unknown { .. } => Lane::INCIDENT,
        }
    }

    /// Whether it says nothing but that all is well, and may be shown where nothing else may.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Report(report) if report.code == Code::NORMAL)
    }

    /// Its CBOR.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Report(report) => cbor::to_vec(report),
            Self::Tally(tally) => cbor::to_vec(tally),
            Self::Handover(handover) => cbor::to_vec(handover),
            Self::Typed(typed) => cbor::to_vec(typed),
            Self::Unknown { bytes, .. } => bytes.clone(),
        }
    }

    /// From the CBOR of a record of this kind. Its bound is the body's own, so that whatever could be
    /// sealed can be read.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are no such record.
    pub fn from_bytes(kind: Kind, bytes: &[u8]) -> Result<Self, WireError> {
        match kind {
            Kind::REPORT => cbor::from_slice("report", bytes, MAX_BODY).map(Self::Report),
            Kind::TALLY => cbor::from_slice("tally", bytes, MAX_BODY).map(Self::Tally),
            Kind::HANDOVER => cbor::from_slice("handover", bytes, MAX_BODY).map(Self::Handover),
            Kind::TYPED => cbor::from_slice("typed tally", bytes, MAX_BODY).map(Self::Typed),
            kind => cbor::check("record", bytes, MAX_BODY).map(|()| Self::Unknown {
                kind,
                bytes: bytes.to_vec(),
            }),
        }
    }
}

/// An irregularity, or its absence, by its number in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Report {
    /// What happened.
    #[n(0)]
    pub code: Code,
    /// The witness's own words.
    #[n(1)]
    pub note: Option<String>,
    /// How late, in minutes.
    #[n(2)]
    pub delay_minutes: Option<u32>,
    /// When it started.
    #[n(3)]
    pub started: Option<Time>,
    /// When it ended.
    #[n(4)]
    pub ended: Option<Time>,
    /// How many people were involved.
    #[n(5)]
    pub people: Option<u32>,
    /// What else its entry of the catalogue asks for; fields that only a newer catalogue knows stay as they are.
    #[cbor(n(6), skip_if = "Vec::is_empty", default)]
    pub details: Vec<Detail>,
}

impl Report {
    /// The longest note that a phone takes, in characters.
    pub const MAX_NOTE_CHARS: usize = 500;

    /// A report of nothing but its code.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            note: None,
            delay_minutes: None,
            started: None,
            ended: None,
            people: None,
            details: Vec::new(),
        }
    }
}

/// A tally sheet: the texts of its QR codes, byte for byte as the scanner read them. What they say
/// is worked out anew by whoever reads them, never taken from the phone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TallyRecord {
    /// One text a code, in the order of reading.
    #[n(0)]
    pub texts: Vec<ByteVec>,
}

impl TallyRecord {
    /// From the texts of the sheet's codes.
    pub fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            texts: texts.into_iter().map(ByteVec::from).collect(),
        }
    }

    /// The texts' bytes.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.texts.iter().map(|text| text.as_slice())
    }
}
