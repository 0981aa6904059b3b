//! Formats of tally sheets, as an election's pack declares them.
//!
//! A declaration says how the text of a sheet's codes is cut into named fields, which of them name the table and hold
//! votes, and what must hold among them. What it can say and what not: `docs/adr/0005-declared-formats.md`. It is read by
//! `testigo-tally`; here are its form, its bounds and its check.

mod check;
mod template;
mod venezuela;

pub use check::{FormatFault, FormatMistake};
pub use template::{Piece, Template};

use crate::VerifyingKey;
use minicbor::{Decode, Encode};

/// How many formats a pack may declare.
pub const MAX_FORMATS: usize = 16;
/// How many fields, checks, sums and keys a format may have, of each.
pub const MAX_PARTS: usize = 256;
/// How many slots a list of votes may have.
pub const MAX_SLOTS: u32 = 512;
/// The most votes in a field whose declaration sets no other maximum: no table has near this many voters.
pub const MAX_VOTES: u32 = 99_999;

/// A format of tally sheets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Format {
    /// Its name, such as `ve-2024`.
    #[n(0)]
    pub name: String,
    /// Who understands it.
    #[n(1)]
    pub kind: FormatKind,
    /// Of several contests on a sheet, the office of the one that the pack counts; without it a sheet's only contest.
    #[n(2)]
    pub office: Option<String>,
    /// Public keys under which sheets are signed.
    #[cbor(n(3), skip_if = "Vec::is_empty", default)]
    pub keys: Vec<NamedKey>,
    /// The declaration, for [`FormatKind::DECLARED`].
    #[n(4)]
    pub declaration: Option<Declaration>,
}

/// Who understands a format. Numbers of newer packs are kept as they are, and their sheets as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct FormatKind(#[n(0)] pub u16);

impl FormatKind {
    /// Its declaration says all.
    pub const DECLARED: Self = Self(0);
    /// Brazil's Boletim de Urna, understood by code. Names of its keys: a state, or `STATE.VRCH` where
    /// bulletins name the key's version; of a state all or none.
    pub const BOLETIM_DE_URNA: Self = Self(1);
}

/// A public key with the name by which sheets refer to it; one key without a choice has the empty name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NamedKey {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// The Ed25519 key.
    #[n(1)]
    pub key: VerifyingKey,
}

/// How a sheet's text is understood.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Declaration {
    /// How the text is cut into fields.
    #[n(0)]
    pub cut: Cut,
    /// The polling table's identifier, from fields; padded ones with their zeros.
    #[n(1)]
    pub table: Template,
    /// Fields that hold votes: one list, or a field for each slot, whose name is the field's.
    #[n(2)]
    pub votes: Vec<String>,
    /// The field of blank votes.
    #[n(3)]
    pub blank: Option<String>,
    /// The field of null votes.
    #[n(4)]
    pub null: Option<String>,
    /// The field of the printed total.
    #[n(5)]
    pub total: Option<String>,
    /// What is known of fields; one that is not here is free text, kept word for word.
    #[cbor(n(6), skip_if = "Vec::is_empty", default)]
    pub fields: Vec<Field>,
    /// What must fit, or the text is refused.
    #[cbor(n(7), skip_if = "Vec::is_empty", default)]
    pub checks: Vec<Check>,
    /// What must sum to what; a sheet where it does not is doubtful.
    #[cbor(n(8), skip_if = "Vec::is_empty", default)]
    pub sums: Vec<Sum>,
    /// For sheets of several codes, how these are put together.
    #[n(9)]
    pub codes: Option<Codes>,
}

/// How a text is cut into fields.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Cut {
    /// Fields between literal parts. A field ends at the first occurrence of what follows; the last one may not contain
    /// the literal part before it.
    #[n(0)]
    Template(#[n(0)] Template),
    /// Keys with values in any order, each key once.
    #[n(1)]
    Pairs {
        /// Between pairs, such as a space.
        #[n(0)]
        between: String,
        /// Between key and value, such as `:`.
        #[n(1)]
        of: String,
    },
    /// A JSON object (RFC 8259), each key once. Fields in objects and arrays within have names with dots.
    #[n(2)]
    Json,
}

/// What is known of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Field {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Exactly so many decimal digits, zeros in front included; of a list, each of its numbers.
    #[n(1)]
    pub digits: Option<u32>,
    /// Fewer digits are filled up with zeros in front.
    #[cbor(n(2), skip_if = "is_false", default)]
    pub pad: bool,
    /// It is a list with this separator.
    #[n(3)]
    pub list: Option<String>,
    /// Each of the list names its slot, and this stands between name and votes.
    #[n(4)]
    pub pair: Option<String>,
    /// So many are in the list.
    #[n(5)]
    pub count: Option<u32>,
    /// No number in it is greater.
    #[n(6)]
    pub max: Option<u32>,
    /// What it says on every known sheet; another text is doubtful.
    #[n(7)]
    pub expect: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Something inside a text that shows a misread character or a forgery.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Check {
    /// Which.
    #[n(0)]
    pub kind: CheckKind,
    /// What it is over: fields, word for word, and literal parts.
    #[n(1)]
    pub over: Template,
    /// The field that holds it; hashes and signatures in hexadecimal, all letters in one case.
    #[n(2)]
    pub field: String,
    /// The name of a signature's key; without it the one of empty name.
    #[n(3)]
    pub key: Option<Template>,
}

/// A kind of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CheckKind {
    /// A check digit by Luhn's rule (ISO/IEC 7812-1).
    #[n(0)]
    Luhn,
    /// A check character by ISO/IEC 7064, MOD 11-2: a digit or `X`.
    #[n(1)]
    Mod11,
    /// SHA-256.
    #[n(2)]
    Sha256,
    /// SHA-512.
    #[n(3)]
    Sha512,
    /// Ed25519 (RFC 8032), checked strictly.
    #[n(4)]
    Ed25519,
}

/// Fields whose numbers must sum to another's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sum {
    /// The fields.
    #[n(0)]
    pub of: Vec<String>,
    /// The field that holds their sum.
    #[n(1)]
    pub is: String,
}

/// How the codes of one sheet are put together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Codes {
    /// One code: `{part}` of `{parts}`, counted from 1, the piece `{data}`, perhaps its `{hash}`. Other fields in it must be
    /// the same in all codes.
    #[n(0)]
    pub text: Template,
    /// What stands between the pieces once they are put together.
    #[n(1)]
    pub join: String,
    /// The `{hash}` of a code is over its piece and, before it, the codes before from piece to hash, joined in the same way.
    #[n(2)]
    pub hash: Option<CheckKind>,
}

impl Declaration {
    /// What is known of a field.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Format {
    /// A format that its declaration says all of.
    pub fn declared(name: &str, declaration: Declaration) -> Self {
        Self {
            name: name.to_owned(),
            kind: FormatKind::DECLARED,
            office: None,
            keys: Vec::new(),
            declaration: Some(declaration),
        }
    }

    /// Brazil's Boletim de Urna without a key.
    pub fn boletim_de_urna() -> Self {
        Self {
            name: "br-bu".to_owned(),
            kind: FormatKind::BOLETIM_DE_URNA,
            office: None,
            keys: Vec::new(),
            declaration: None,
        }
    }

    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&VerifyingKey> {
        let mut keys = self.keys.iter();
        keys.find(|key| key.name == name).map(|key| &key.key)
    }
}
