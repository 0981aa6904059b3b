//! The catalogue of irregularities: stable numbers that also fit into a text message. An election's pack may add
//! entries and say others than the built-in ones.
//!
//! A report may carry any number; one that this catalogue does not know comes from a newer phone
//! and is kept as it is.

mod built_in;
mod detail;

pub use detail::{Choice, Detail, DetailField};

use crate::{Lane, Language, Texts};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::sync::LazyLock;

/// The number of a catalogue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Code(#[n(0)] pub u16);

/// A small set of things that have a number and a name in files. What a newer pack's number means is read as the last.
macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)* } else $other:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in files, which stays.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        numbered!(@cbor $name { $($variant = $number,)* } else $other);
    )*};
    (@cbor $name:ident { $($variant:ident = $number:literal,)* } else $other:ident) => {
        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.u16(match self {
                    $(Self::$variant => $number,)*
                })?
                .ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Ok(match d.u16()? {
                    $($number => Self::$variant,)*
                    _ => Self::$other,
                })
            }
        }
    };
}

numbered! {
    /// The part of the day that an entry belongs to.
    Phase {
        /// Before the first voter.
        Opening = 0 "opening",
        /// While people vote.
        Voting = 1 "voting",
        /// Threats to people, at any time.
        Safety = 2 "safety",
        /// Closing and counting.
        Count = 3 "count",
        /// The printed tally sheet.
        Sheet = 4 "sheet",
        /// Check-ins, hand-overs and the rest.
        Other = 5 "other",
    } else Other;
    /// How heavily an entry weighs when headquarters decides what to look at first.
    Severity {
        /// Nothing is wrong.
        Info = 0 "info",
        /// A disturbance.
        Low = 1 "low",
        /// May change a result.
        High = 2 "high",
        /// A person is in danger.
        Danger = 3 "danger",
    } else High;
    /// What is to be written in a detail.
    DetailKind {
        /// A whole number from 0, in decimal digits.
        Number = 0 "number",
        /// A time of day as `HH:MM`, or a moment in RFC 3339.
        Time = 1 "time",
        /// Any text. A kind of a newer pack is read as this.
        Text = 2 "text",
        /// One of the field's choices.
        Choice = 3 "choice",
    } else Text;
}

impl Phase {
    /// Its name for a person.
    pub fn label(self, language: Language) -> &'static str {
        match self {
            Self::Opening => language.pick3("Apertura", "Opening", "Abertura"),
            Self::Voting => language.pick3("Votación", "Voting", "Votação"),
            Self::Safety => language.pick3("Seguridad", "Safety", "Segurança"),
            Self::Count => language.pick3(
                "Cierre y escrutinio",
                "Closing and count",
                "Encerramento e apuração",
            ),
            Self::Sheet => language.pick3("Acta", "Tally sheet", "Boletim"),
            Self::Other => language.pick3("Otros", "Other", "Outros"),
        }
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// Its number.
    #[n(0)]
    pub code: Code,
    /// When it happens.
    #[n(1)]
    pub phase: Phase,
    /// How much it weighs.
    #[n(2)]
    pub severity: Severity,
    /// Its name for people.
    #[n(3)]
    pub label: Texts,
    /// What to do, for people.
    #[n(4)]
    pub advice: Texts,
    /// Details that it asks for.
    #[cbor(n(5), skip_if = "Vec::is_empty", default)]
    pub fields: Vec<DetailField>,
    /// Nobody should take a photograph for it: that would put them in danger.
    #[cbor(n(6), skip_if = "may", default)]
    pub no_photo: bool,
}

/// What is so by default is left out.
fn may(no_photo: &bool) -> bool {
    !no_photo
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryMistake {
    /// It, a field or a choice of it has a name in no language.
    NoLabel,
    /// A text is too long.
    LongText,
    /// A field's name is not of `a-z`, `0-9` and `_`, 1 to 32 of them, or is there twice.
    FieldName(String),
    /// More fields than an entry may have, or more choices than a field.
    TooMany,
    /// A choice without choices, choices of another kind of field, or one that is empty or there twice.
    Choices(String),
}

impl EntryMistake {
    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::NoLabel => language.pick3(
                "falta su nombre, o el de un campo u opción, en todos los idiomas".to_owned(),
                "its name, or that of a field or choice, is missing in every language".to_owned(),
                "falta seu nome, ou o de um campo ou opção, em todos os idiomas".to_owned(),
            ),
            Self::LongText => language.pick3(
                format!("un texto pasa de {} caracteres", Entry::MAX_TEXT),
                format!("a text has more than {} characters", Entry::MAX_TEXT),
                format!("um texto passa de {} caracteres", Entry::MAX_TEXT),
            ),
            Self::FieldName(name) => language.pick3(
                format!("el campo {name:?} se repite, o no es de 1 a 32 letras a-z, cifras o _"),
                format!("field {name:?} is there twice, or is not 1 to 32 of a-z, digits and _"),
                format!(
                    "o campo {name:?} se repete, ou não é de 1 a 32 letras a-z, algarismos ou _"
                ),
            ),
            Self::TooMany => language.pick3(
                format!(
                    "más de {} campos, o de {} opciones",
                    DetailField::MAX,
                    DetailField::MAX_CHOICES
                ),
                format!(
                    "more than {} fields, or {} choices",
                    DetailField::MAX,
                    DetailField::MAX_CHOICES
                ),
                format!(
                    "mais de {} campos, ou de {} opções",
                    DetailField::MAX,
                    DetailField::MAX_CHOICES
                ),
            ),
            Self::Choices(name) => language.pick3(
                format!(
                    "las opciones del campo {name:?} faltan, sobran, están vacías o se repiten"
                ),
                format!(
                    "the choices of field {name:?} are missing, out of place, empty or there twice"
                ),
                format!("as opções do campo {name:?} faltam, sobram, estão vazias ou se repetem"),
            ),
        }
    }
}

impl Entry {
    /// The longest name or advice, in characters.
    pub const MAX_TEXT: usize = 300;

    /// Its name for a person.
    pub fn label(&self, language: Language) -> &str {
        self.label.pick(language)
    }

    /// What to do.
    pub fn advice(&self, language: Language) -> &str {
        self.advice.pick(language)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&DetailField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether it contradicts itself.
    ///
    /// # Errors
    /// The first [`EntryMistake`].
    pub fn check(&self) -> Result<(), EntryMistake> {
        let labels = self.fields.iter().map(|field| &field.label);
        let choices = self.fields.iter().flat_map(|field| &field.choices);
        let mut texts = [&self.label, &self.advice]
            .into_iter()
            .chain(labels)
            .chain(choices.map(|choice| &choice.label));
        let long = |text: &str| text.chars().count() > Self::MAX_TEXT;
        if texts.any(|texts| texts.each().iter().any(|(_, text)| long(text))) {
            return Err(EntryMistake::LongText);
        }
        let nameless = |field: &DetailField| {
            field.label.is_empty() || field.choices.iter().any(|choice| choice.label.is_empty())
        };
        if self.label.is_empty() || self.fields.iter().any(nameless) {
            return Err(EntryMistake::NoLabel);
        }
        if self.fields.len() > DetailField::MAX {
            return Err(EntryMistake::TooMany);
        }
        for (n, field) in self.fields.iter().enumerate() {
            let mut before = self.fields.iter().take(n);
            if !DetailField::is_name(&field.name) || before.any(|other| other.name == field.name) {
                return Err(EntryMistake::FieldName(field.name.clone()));
            }
            if field.choices.len() > DetailField::MAX_CHOICES {
                return Err(EntryMistake::TooMany);
            }
            let twice = |n: usize, value: &str| {
                (field.choices.iter().take(n)).any(|choice| choice.value == value)
            };
            let faulty = (field.choices.iter().enumerate()).any(|(n, choice)| {
                choice.value.is_empty()
                    || choice.value.chars().count() > Detail::MAX_CHARS
                    || twice(n, &choice.value)
            });
            if faulty || field.choices.is_empty() == (field.kind == DetailKind::Choice) {
                return Err(EntryMistake::Choices(field.name.clone()));
            }
        }
        Ok(())
    }
}

impl Code {
    /// A witness is held: sent before everything else.
    pub const WITNESS_DETAINED: Self = Self(35);
    /// The witness was made to open the phone and gave the duress PIN: sent before everything else.
    pub const DURESS: Self = Self(37);
    /// All is well: a check-in.
    pub const NORMAL: Self = Self(90);

    /// How urgently a report of it leaves the phone.
    pub fn lane(self) -> Lane {
        match self {
            Self::WITNESS_DETAINED | Self::DURESS => Lane::DANGER,
            Self::NORMAL => Lane::CHECK_IN,
            _ => Lane::INCIDENT,
        }
    }
}

/// What can be reported, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

impl Catalogue {
    /// The one that is part of the program.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
            entries: built_in::entries(),
        });
        &BUILT_IN
    }

    /// This one with further entries, each instead of the one of its number where there is one.
    pub fn with(&self, entries: &[Entry]) -> Self {
        let mut all = self.clone();
        for entry in entries {
            match all.entries.binary_search_by_key(&entry.code, |e| e.code) {
                Ok(at) => {
                    if let Some(place) = all.entries.get_mut(at) {
                        place.clone_from(entry);
                    }
                }
                Err(at) => all.entries.insert(at, entry.clone()),
            }
        }
        all
    }

    /// Every entry, by number.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of that number.
    pub fn entry(&self, code: Code) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&code, |e| e.code);
        at.ok().and_then(|at| self.entries.get(at))
    }

    /// A number's name for a person; for an unknown one, a sentence that says so.
    pub fn label(&self, code: Code, language: Language) -> String {
        self.entry(code).map_or_else(
            || {
                language.pick3(
                    format!("código {} (desconocido aquí)", code.0),
                    format!("code {} (unknown here)", code.0),
                    format!("código {} (desconhecido aqui)", code.0),
                )
            },
            |entry| entry.label(language).to_owned(),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_each_says_its_name_and_what_to_do_in_three_languages() {
        let entries = Catalogue::built_in().entries();
        assert!(entries.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(entries.len(), 39);
        for entry in entries {
            assert_eq!(entry.check(), Ok(()), "{}", entry.code.0);
            let fields = entry.fields.iter().map(|field| &field.label);
            for texts in [&entry.label, &entry.advice].into_iter().chain(fields) {
                assert!(texts.each().iter().all(|(_, text)| !text.is_empty()));
                assert!(texts.es != texts.en && texts.en != texts.pt, "{texts:?}");
            }
        }
    }

    #[test]
    fn a_detained_witness_goes_first_and_an_unknown_code_is_an_incident() {
        assert_eq!(Code::WITNESS_DETAINED.lane(), Lane::DANGER);
        assert_eq!(Code(777).lane(), Lane::INCIDENT);
        let label = Catalogue::built_in().label(Code(777), Language::En);
        assert!(label.contains("777"));
    }

    #[test]
    fn a_pack_adds_entries_and_says_others_than_the_built_in_ones() {
        let entry = |code, name: &str| Entry {
            code: Code(code),
            phase: Phase::Other,
            severity: Severity::Low,
            label: Texts::new(name, "", ""),
            advice: Texts::default(),
            fields: vec![],
            no_photo: false,
        };
        let all = Catalogue::built_in().with(&[entry(10, "tarde"), entry(60, "apagón nacional")]);
        assert_eq!(all.entries().len(), 40);
        assert!(all.entries().is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(all.label(Code(10), Language::Pt), "tarde");
        assert_eq!(all.label(Code(60), Language::En), "apagón nacional");
        assert_eq!(all.label(Code(11), Language::Pt), "não abriu");
    }

    #[test]
    fn the_hourly_count_of_voters_is_a_number_and_its_hour_a_time() {
        let entry = Catalogue::built_in().entry(Code::NORMAL).unwrap();
        let voters = entry.field("voters").unwrap();
        assert_eq!(voters.kind, DetailKind::Number);
        for (value, good) in [
            ("0", true),
            ("212", true),
            ("-1", false),
            ("+1", false),
            ("", false),
            ("many", false),
        ] {
            assert_eq!(voters.accepts(value), good, "{value}");
        }
        let hour = entry.field("hour").unwrap();
        for (value, good) in [
            ("09:00", true),
            ("23:59", true),
            ("24:00", false),
            ("9:00", false),
            ("2024-07-28T14:30:00-04:00", true),
            ("noon", false),
        ] {
            assert_eq!(hour.accepts(value), good, "{value}");
        }
    }
}
