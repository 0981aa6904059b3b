use crate::text::travels_as_text;
use crate::{Time, WireError};
use minicbor::{Decode, Encode};

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

travels_as_text!(Pseudonym);
