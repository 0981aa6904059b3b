//! A tally sheet without a readable code: its numbers, typed twice from the paper.

use crate::input::{attachments, table_id};
use crate::{Phone, PhoneError, SavedTally, SealedFile};
use std::fmt;
use testigo_tally::{Doubt, TypingForm, read_typed};
use testigo_wire::{Language, MAX_SLOTS, MAX_VOTES, Record, TypedTally, Warning};

/// A sheet's numbers as they were typed once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedSheet {
    /// The table on the paper.
    pub table: String,
    /// Votes by slot, in the order of [`Phone::typing_form`].
    pub votes: Vec<u32>,
    /// Blank votes, where the paper tells them.
    pub blank: Option<u32>,
    /// Null votes, where the paper tells them.
    pub null: Option<u32>,
    /// The total, where the paper tells one.
    pub total: Option<u32>,
    /// The hash that is printed on the paper, letter by letter.
    pub printed_hash: Option<String>,
    /// The machine's code that is printed on the paper, letter by letter.
    pub machine_code: Option<String>,
}

/// A sheet typed twice, the second time without seeing the first.
#[derive(Debug, Clone, Default)]
pub struct TypedInput {
    /// What was typed first.
    pub first: TypedSheet,
    /// What was typed then.
    pub second: TypedSheet,
    /// A photograph of the paper, from [`Phone::seal_file`], and what else belongs to it.
    pub attachments: Vec<SealedFile>,
}

/// A field of a typed sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypedField {
    /// The table.
    Table,
    /// The votes of a slot, counted from 0.
    Votes(usize),
    /// Blank votes.
    Blank,
    /// Null votes.
    Null,
    /// The total.
    Total,
    /// The printed hash.
    PrintedHash,
    /// The machine's code.
    MachineCode,
}

impl TypedField {
    /// What a person calls it.
    pub fn label(self, language: Language) -> String {
        let (es, en, pt) = match self {
            Self::Table => ("mesa", "table", "mesa"),
            Self::Votes(n) => {
                let n = n + 1;
                return language.pick3(
                    format!("votos de la casilla {n}"),
                    format!("votes of slot {n}"),
                    format!("votos da linha {n}"),
                );
            }
            Self::Blank => ("votos en blanco", "blank votes", "votos em branco"),
            Self::Null => ("votos nulos", "null votes", "votos nulos"),
            Self::Total => ("total", "total", "total"),
            Self::PrintedHash => (
                "firma impresa del acta",
                "printed hash of the sheet",
                "resumo impresso da ata",
            ),
            Self::MachineCode => ("código de la máquina", "machine code", "código da máquina"),
        };
        language.pick3(es, en, pt).to_owned()
    }
}

impl fmt::Display for TypedField {
    /// Its stable name: `table`, `votes.7` (counted from 1), `blank`, `null`, `total`, `printed_hash`, `machine_code`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("table"),
            Self::Votes(n) => write!(f, "votes.{}", n + 1),
            Self::Blank => f.write_str("blank"),
            Self::Null => f.write_str("null"),
            Self::Total => f.write_str("total"),
            Self::PrintedHash => f.write_str("printed_hash"),
            Self::MachineCode => f.write_str("machine_code"),
        }
    }
}

impl TypedSheet {
    /// The fields in which another typing of the same sheet says something else, in their order. White space around texts
    /// and the case of letters in a hash say nothing.
    pub fn differences(&self, other: &Self) -> Vec<TypedField> {
        let slots = self.votes.len().max(other.votes.len());
        let votes = (0..slots)
            .filter(|n| self.votes.get(*n) != other.votes.get(*n))
            .map(TypedField::Votes);
        let plain = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_lowercase);
        let rest = [
            (TypedField::Blank, self.blank != other.blank),
            (TypedField::Null, self.null != other.null),
            (TypedField::Total, self.total != other.total),
            (
                TypedField::PrintedHash,
                plain(&self.printed_hash) != plain(&other.printed_hash),
            ),
            (
                TypedField::MachineCode,
                plain(&self.machine_code) != plain(&other.machine_code),
            ),
        ];
        let table = (self.table.trim() != other.table.trim()).then_some(TypedField::Table);
        let rest = rest.into_iter().filter(|(_, differs)| *differs);
        (table.into_iter().chain(votes))
            .chain(rest.map(|(field, _)| field))
            .collect()
    }

    fn typed(&self) -> Result<TypedTally, PhoneError> {
        let most = usize::try_from(MAX_SLOTS).unwrap_or(usize::MAX);
        if self.votes.is_empty() || self.votes.len() > most {
            let found = self.votes.len();
            return Err(PhoneError::input(
                "votes",
                format!("{found} casillas, y se pueden guardar de 1 a {most}"),
                format!("{found} slots, where 1 to {most} can be kept"),
                format!("{found} linhas, e podem ser guardadas de 1 a {most}"),
            ));
        }
        let numbers = (self.votes.iter()).chain([&self.blank, &self.null].into_iter().flatten());
        if let Some(votes) = numbers.into_iter().find(|votes| **votes > MAX_VOTES) {
            return Err(PhoneError::input(
                "votes",
                format!("{votes} votos; una casilla tiene como mucho {MAX_VOTES}"),
                format!("{votes} votes; a slot has at most {MAX_VOTES}"),
                format!("{votes} votos; uma linha tem no máximo {MAX_VOTES}"),
            ));
        }
        Ok(TypedTally {
            table: table_id(&self.table)?,
            votes: self.votes.clone(),
            blank: self.blank,
            null: self.null,
            total: self.total,
            printed_hash: printed("printed_hash", self.printed_hash.as_deref())?,
            machine_code: printed("machine_code", self.machine_code.as_deref())?,
        })
    }
}

fn printed(field: &'static str, text: Option<&str>) -> Result<Option<String>, PhoneError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let (chars, most) = (
        text.map_or(0, |text| text.chars().count()),
        TypedTally::MAX_PRINTED_CHARS,
    );
    if chars > most {
        return Err(PhoneError::input(
            field,
            format!("{chars} caracteres, máximo {most}"),
            format!("{chars} characters, at most {most}"),
            format!("{chars} caracteres, no máximo {most}"),
        ));
    }
    Ok(text.map(str::to_owned))
}

impl TypedInput {
    fn typed(&self) -> Result<TypedTally, PhoneError> {
        attachments(&self.attachments)?;
        let typed = self.first.typed()?;
        let differences = self.first.differences(&self.second);
        if !differences.is_empty() {
            let named = |language| {
                let labels: Vec<String> = (differences.iter())
                    .map(|field| field.label(language))
                    .collect();
                labels.join(", ")
            };
            return Err(PhoneError::input(
                "second",
                format!(
                    "no es igual a la primera vez en: {}. Mire el papel y teclee eso de nuevo",
                    named(Language::Es)
                ),
                format!(
                    "differs from the first time in: {}. Look at the paper and type that again",
                    named(Language::En)
                ),
                format!(
                    "difere da primeira vez em: {}. Olhe o papel e digite isso de novo",
                    named(Language::Pt)
                ),
            ));
        }
        Ok(typed)
    }
}

impl Phone {
    /// What to ask for where a sheet has no code that can be read; `None` before the phone has an election pack: then a
    /// photograph with a report is the way.
    pub fn typing_form(&self) -> Option<TypingForm> {
        self.election().map(TypingForm::new)
    }

    /// Saves a sheet's numbers that were typed twice from the paper. Whatever is doubtful about them is saved with them.
    ///
    /// # Errors
    /// As [`Phone::report`]; also [`PhoneError::Input`] where the two times differ ([`TypedSheet::differences`]).
    pub fn typed(&mut self, input: &TypedInput) -> Result<SavedTally, PhoneError> {
        let typed = input.typed()?;
        let reading = read_typed(&typed, self.election());
        let mut warnings: Vec<Warning> = reading.doubts.iter().map(Doubt::warning).collect();
        if input.attachments.is_empty() {
            warnings.push(Warning::NO_PHOTOGRAPH);
        }
        let table = Some(typed.table.clone());
        let record = Record::Typed(typed);
        let saved = self.capture(record, table, warnings, &input.attachments, false, None)?;
        Ok(SavedTally {
            saved,
            reading: Ok(reading),
        })
    }
}
