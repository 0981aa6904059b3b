use crate::body::MAX_BODY;
use crate::{Code, Time, WireError, cbor};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

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
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// How urgently it leaves the phone.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Report(report) => report.code.lane(),
            Self::Tally(_) => Lane::RESULT,
            Self::Handover(handover) => match handover.what {
                // Nobody but headquarters knows how urgent a bundle's content is.
                Handover::BUNDLE => Lane::INCIDENT,
                _ => Lane::CHECK_IN,
            },
            Self::Unknown { .. } => Lane::INCIDENT,
        }
    }

    /// Its CBOR.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Report(report) => cbor::to_vec(report),
            Self::Tally(tally) => cbor::to_vec(tally),
            Self::Handover(handover) => cbor::to_vec(handover),
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

/// Something passed from one person to another: a paper sheet, whose chain of custody it is a link of, or a courier's
/// bundle. The table stands in the body.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handover {
    /// What: [`Handover::SHEET`] or [`Handover::BUNDLE`]; numbers of newer phones are kept.
    #[n(0)]
    pub what: u16,
    /// Who gave it.
    #[n(1)]
    pub from: Option<Pseudonym>,
    /// Who has it now.
    #[n(2)]
    pub to: Option<Pseudonym>,
    /// When, where that is not the time of saving.
    #[n(3)]
    pub at: Option<Time>,
    /// Where, in the witness's words.
    #[n(4)]
    pub place: Option<String>,
}

impl Handover {
    /// A tally sheet on paper.
    pub const SHEET: u16 = 1;
    /// A courier's bundle, which is the record's attachment.
    pub const BUNDLE: u16 = 2;
    /// The longest place that a phone takes, in characters.
    pub const MAX_PLACE_CHARS: usize = 100;
}

/// A name that is nobody's: what a courier is called tonight, such as `boat-2`. No telephone or identity number fits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// The longest, in characters.
    pub const MAX_CHARS: usize = 24;
    /// The most digits in one.
    pub const MAX_DIGITS: usize = 4;

    /// From text as typed; white space around it is dropped.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is empty or too long, has more than four digits, or anything but letters, digits
    /// and hyphens.
    pub fn new(text: &str) -> Result<Self, WireError> {
        let text = text.trim();
        let digits = text.chars().filter(|c| c.is_numeric()).count();
        let right = |c: char| c.is_alphanumeric() || c == '-';
        if text.is_empty()
            || text.chars().count() > Self::MAX_CHARS
            || digits > Self::MAX_DIGITS
            || !text.chars().all(right)
        {
            return Err(WireError::malformed(
                "pseudonym",
                "1 to 24 letters, hyphens and at most 4 digits, such as boat-2",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<C> Encode<C> for Pseudonym {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Pseudonym {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let position = d.position();
        Self::new(d.str()?).map_err(|error| decode::Error::message(error).at(position))
    }
}
