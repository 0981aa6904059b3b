//! What can be wrong with a file of results, and what a person is told of it.

use super::Column;
use crate::failure::Failure;
use testigo_wire::Language;

/// The longest piece of a file that a fault repeats, in characters.
const QUOTE: usize = 40;

pub(super) fn quote(text: &str) -> String {
    text.chars().take(QUOTE).collect()
}

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Its line, counted from 1.
    pub line: u64,
    /// The heading of its column, where it is in one.
    pub field: Option<String>,
    /// What it is.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The system could not read on; nothing comes behind it.
    Unreadable(String),
    /// There is no heading.
    EmptyFile,
    /// A heading stands over two columns.
    ColumnTwice(String),
    /// No column has a heading that was asked for.
    ColumnMissing(String),
    /// A column that is needed is not there under its usual heading.
    NoColumn {
        /// Which.
        column: Column,
        /// Its usual heading.
        usual: &'static str,
    },
    /// No column is left for a candidate.
    NoCandidates,
    /// Neither UTF-8 nor Latin-1, or not the one that the file began in.
    Encoding,
    /// Longer than any row of results.
    LongLine,
    /// A quotation mark that is not closed in its line.
    Quote,
    /// A line end (a lone CR) inside a line.
    LineEnd,
    /// More or fewer fields than the heading.
    Ragged {
        /// How many there are.
        found: usize,
        /// How many the heading has.
        expected: usize,
    },
    /// A number is missing.
    Missing,
    /// No decimal digits.
    NotANumber(String),
    /// Below zero.
    Negative(String),
    /// More than any election has votes.
    TooLarge(String),
    /// Not a table's identifier.
    Table(String),
    /// A table that a row before had; that row is counted.
    Twice {
        /// The table.
        table: String,
        /// The line of that row.
        first: u64,
    },
    /// The candidates' votes are not the valid votes.
    Sum {
        /// Of the candidates.
        sum: u64,
        /// Valid votes by the file.
        valid: u64,
    },
    /// More tables than are read of one file; nothing comes behind it.
    TooMany(usize),
}

impl RowFault {
    pub(super) fn of(line: u64, fault: Fault) -> Self {
        Self {
            line,
            field: None,
            fault,
        }
    }

    /// What a person is told.
    pub fn sentence(&self, file: &str, language: Language) -> String {
        let line = self.line;
        let place = match &self.field {
            Some(field) => language.pick(
                format!("{file}, línea {line}, {field}"),
                format!("{file}, line {line}, {field}"),
            ),
            None => language.pick(
                format!("{file}, línea {line}"),
                format!("{file}, line {line}"),
            ),
        };
        format!("{place}: {}", self.fault.sentence(language))
    }

    pub(super) fn into_failure(self, file: &str) -> Failure {
        Failure::said(
            self.sentence(file, Language::Es),
            self.sentence(file, Language::En),
        )
    }
}

impl Fault {
    fn sentence(&self, language: Language) -> String {
        let pick = |es: String, en: String| language.pick(es, en);
        match self {
            Self::Unreadable(why) => pick(
                format!("no se puede seguir leyendo ({why})"),
                format!("cannot be read on ({why})"),
            ),
            Self::EmptyFile => pick(
                "el archivo está vacío; se espera una línea con los nombres de las columnas".into(),
                "the file is empty; a line with the names of the columns is expected".into(),
            ),
            Self::ColumnTwice(name) => pick(
                format!("hay dos columnas «{name}»; deje una"),
                format!("two columns are called {name:?}; leave one"),
            ),
            Self::ColumnMissing(name) => pick(
                format!("ninguna columna se llama «{name}»; revise el nombre"),
                format!("no column is called {name:?}; check the name"),
            ),
            Self::NoColumn { column, usual } => pick(
                format!("falta la columna {usual}; si se llama de otro modo: --column {column}=NOMBRE"),
                format!("the column {usual} is missing; where it has another name: --column {column}=NAME"),
            ),
            Self::NoCandidates => pick(
                "ninguna columna es de un candidato; nómbrelas: --candidates A,B".into(),
                "no column is a candidate's; name them: --candidates A,B".into(),
            ),
            Self::Encoding => pick(
                "las letras no están en UTF-8 ni en Latin-1, o en otra que al comienzo del archivo; guárdelo como UTF-8".into(),
                "letters are neither UTF-8 nor Latin-1, or not as at the beginning of the file; save it as UTF-8".into(),
            ),
            Self::LongLine => pick(
                "la línea es más larga que cualquier fila de resultados".into(),
                "the line is longer than any row of results".into(),
            ),
            Self::Quote => pick(
                "falta cerrar una comilla".into(),
                "a quotation mark is not closed".into(),
            ),
            Self::LineEnd => pick(
                "hay un fin de línea (CR) dentro de la línea".into(),
                "there is a line end (CR) inside the line".into(),
            ),
            Self::Ragged { found, expected } => pick(
                format!("{found} campos en vez de {expected}"),
                format!("{found} fields instead of {expected}"),
            ),
            Self::Missing => pick("falta el número".into(), "the number is missing".into()),
            Self::NotANumber(found) => pick(
                format!("«{found}» no es un número en cifras"),
                format!("{found:?} is no number in digits"),
            ),
            Self::Negative(found) => pick(
                format!("{found} es menos que cero"),
                format!("{found} is below zero"),
            ),
            Self::TooLarge(found) => pick(
                format!("{found} es más que los votos de cualquier elección"),
                format!("{found} is more than the votes of any election"),
            ),
            Self::Table(found) => pick(
                format!("«{found}» no identifica un centro"),
                format!("{found:?} identifies no centre"),
            ),
            Self::Twice { table, first } => pick(
                format!("la mesa {table} ya está en la línea {first}; vale aquella fila"),
                format!("table {table} is in line {first} already; that row counts"),
            ),
            Self::Sum { sum, valid } => pick(
                format!("los candidatos suman {sum}, y los votos válidos son {valid}"),
                format!("the candidates come to {sum}, and the valid votes are {valid}"),
            ),
            Self::TooMany(most) => pick(
                format!("más de {most} mesas; el resto no se lee"),
                format!("more than {most} tables; the rest is not read"),
            ),
        }
    }
}
