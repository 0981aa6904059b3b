use super::DetailKind;
use crate::{Language, Texts};
use minicbor::{Decode, Encode};

/// A detail that an entry of the catalogue asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DetailField {
    /// Its name in records: 1 to 32 of `a-z`, `0-9` and `_`.
    #[n(0)]
    pub name: String,
    /// What is to be written in it.
    #[n(1)]
    pub kind: DetailKind,
    /// A report without it is doubtful; it is saved all the same.
    #[cbor(n(2), skip_if = "is_false", default)]
    pub required: bool,
    /// Its name for people.
    #[n(3)]
    pub label: Texts,
    /// For [`DetailKind::Choice`], what can be chosen.
    #[cbor(n(4), skip_if = "Vec::is_empty", default)]
    pub choices: Vec<Choice>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Choice {
    /// What stands in records.
    #[n(0)]
    pub value: String,
    /// Its name for people.
    #[n(1)]
    pub label: Texts,
}

/// A detail of a report: a field's name and what the witness wrote in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Detail {
    /// The field.
    #[n(0)]
    pub name: String,
    /// The value, as it was written.
    #[n(1)]
    pub value: String,
}

impl Detail {
    /// The longest value, in characters.
    pub const MAX_CHARS: usize = 200;
}

impl DetailField {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 32;
    /// How many an entry may have, and a report.
    pub const MAX: usize = 16;
    /// How many choices one may have.
    pub const MAX_CHOICES: usize = 32;

    /// Whether this is a value that the field asks for. What is not is doubtful, and kept word for word.
    pub fn accepts(&self, value: &str) -> bool {
        match self.kind {
            DetailKind::Number => value.parse::<u64>().is_ok() && !value.starts_with('+'),
            DetailKind::Time => is_time_of_day(value) || crate::Time::from_rfc3339(value).is_some(),
            DetailKind::Text => !value.is_empty(),
            DetailKind::Choice => self.choices.iter().any(|choice| choice.value == value),
        }
    }

    /// The value for a person: a choice by its name, everything else as it stands.
    pub fn shown<'a>(&'a self, value: &'a str, language: Language) -> &'a str {
        let choice = self.choices.iter().find(|choice| choice.value == value);
        choice.map_or(value, |choice| choice.label.pick(language))
    }

    /// Whether this can be the name of a field.
    pub fn is_name(name: &str) -> bool {
        (1..=Self::MAX_NAME).contains(&name.len())
            && (name.bytes()).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }
}

fn is_time_of_day(value: &str) -> bool {
    let Some((hour, minute)) = value.split_once(':') else {
        return false;
    };
    let below = |text: &str, most: u8| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits && text.parse::<u8>().is_ok_and(|n| n < most)
    };
    below(hour, 24) && below(minute, 60)
}
