//! What is wrong in the files that describe an election, and where.

use crate::format_source::FormatSourceMistake;
use std::fmt;
use testigo_wire::Language;
use testigo_wire::catalogue::EntryMistake;
use thiserror::Error;

/// The most faults that are told at once; one wrong column makes as many as there are rows.
const MAX: usize = 100;

/// Everything that is wrong in the files that describe an election, at most a hundred faults.
#[derive(Debug, PartialEq, Eq)]
pub struct PackSourceError {
    faults: Vec<Fault>,
    /// There are more.
    more: bool,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// The place in it; none where it is about the whole file.
    pub place: Option<Place>,
    /// What is wrong.
    pub mistake: Mistake,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1, a heading included.
    pub line: u64,
    /// In TOML the character of the line, in CSV the column, each from 1.
    pub column: u64,
    /// The key or the column's name; empty where it has none.
    pub name: String,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mistake {
    /// The file cannot be read.
    #[error("it cannot be read ({0})")]
    File(String),
    /// No TOML.
    #[error("{0}")]
    Syntax(String),
    /// Bytes that are no UTF-8.
    #[error("it is not UTF-8; save the file as CSV UTF-8")]
    NotUtf8,
    /// A key that does not exist.
    #[error("there is no such key; there are: {0}")]
    UnknownKey(String),
    /// A column that does not exist.
    #[error("there is no such column; there are: {0}")]
    UnknownColumn(String),
    /// A key or column that must be there.
    #[error("{0:?} is missing")]
    Missing(&'static str),
    /// A heading twice.
    #[error("the column is there twice")]
    ColumnTwice,
    /// Both a file and entries in `pack.toml`.
    #[error("either a file or [[{0}]], not both")]
    Both(&'static str),
    /// A value of another type.
    #[error("it must be {0}")]
    Type(Expected),
    /// More or fewer fields than the heading has.
    #[error("{found} fields where the heading has {expected}")]
    Fields {
        /// In this row.
        found: usize,
        /// In the heading.
        expected: usize,
    },
    /// More rows than a pack may have.
    #[error("more than {0} rows")]
    Rows(usize),
    /// Nothing stands there.
    #[error("it is empty")]
    Empty,
    /// Not a whole number from 0 that fits.
    #[error("{0:?} is no whole number from 0 to 4294967295")]
    Number(String),
    /// Not a day as `YYYY-MM-DD`.
    #[error("{0:?} is no day as YYYY-MM-DD")]
    Date(String),
    /// Not a name of the IANA database, nor an offset.
    #[error("{0:?} is no time zone such as America/Caracas or -04:00")]
    Zone(String),
    /// Not an offset from UTC.
    #[error("{0:?} is no offset from UTC such as -04:00")]
    Offset(String),
    /// Not one of a few words.
    #[error("{found:?} is none of: {of}")]
    Word {
        /// What stands there.
        found: String,
        /// What may stand there.
        of: String,
    },
    /// Something that is there already.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// Slots are numbered from 1 without a gap.
    #[error("slot {found} where {expected} is next")]
    Slot {
        /// The number that stands there.
        found: u32,
        /// The one that is next.
        expected: u32,
    },
    /// A code that would be a column of results, or a formula in a spreadsheet.
    #[error(
        "{0:?} cannot be a candidate's code: 1 to 32 letters, digits, '-', '_' or '.', a letter or digit first, and no column of results such as RE or MESA (docs/results-file.md)"
    )]
    CandidateCode(String),
    /// An election without a table.
    #[error("there is no polling table")]
    NoTables,
    /// Sheets of a format have another number of slots than the ballot.
    #[error("sheets of format {format:?} have {count} slots, and the ballot has {slots}")]
    SlotCount {
        /// The format's name.
        format: String,
        /// On its sheets.
        count: u32,
        /// On the ballot.
        slots: usize,
    },
    /// A quotation mark that is not closed, so that a field goes over its line's end.
    #[error("a quotation mark is not closed in its line; what follows it was not read")]
    Quote,
    /// A slot's candidate is none of the candidates.
    #[error("no candidate has the code {0:?}")]
    Candidate(String),
    /// Not the form of a table's identifier.
    #[error("{0:?} is no polling table's identifier, such as 201301006.01")]
    Table(String),
    /// A table's centre that is not there.
    #[error("no centre has the code {0:?}")]
    Centre(String),
    /// An area that is not there.
    #[error("no area has the code {0:?}")]
    Area(String),
    /// An area that lies within itself.
    #[error("area {0:?} lies within itself")]
    Circle(String),
    /// More areas within one another than there are levels.
    #[error("area {0:?} is deeper than the [[level]]s are")]
    Deep(String),
    /// A detail or choice of an entry that is not among the irregularities of these files.
    #[error("{0:?} is not there to be a part of")]
    Parent(String),
    /// An entry of the catalogue that contradicts itself.
    #[error("{}", .0.sentence(Language::En))]
    Entry(EntryMistake),
    /// A format of sheets that cannot be read by.
    #[error("format {name:?}: {place}: {}", mistake.sentence(Language::En))]
    Format {
        /// The format's name.
        name: String,
        /// The place in its entry.
        place: String,
        /// What is wrong there.
        mistake: FormatSourceMistake,
    },
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Expected {
    /// A text in quotation marks.
    #[error("a text in quotation marks")]
    Text,
    /// A whole number.
    #[error("a whole number")]
    Number,
    /// `true` or `false`.
    #[error("true or false")]
    Flag,
    /// A list of texts.
    #[error("a list of texts")]
    Texts,
    /// Entries in double brackets.
    #[error("entries in double brackets, or the name of a CSV file")]
    Entries,
}

impl Expected {
    fn sentence(self, language: Language) -> String {
        match self {
            Self::Text => language.pick("un texto entre comillas".into(), self.to_string()),
            Self::Number => language.pick("un número entero".into(), self.to_string()),
            Self::Flag => language.pick("true o false".into(), self.to_string()),
            Self::Texts => language.pick("una lista de textos".into(), self.to_string()),
            Self::Entries => language.pick(
                "entradas entre corchetes dobles, o el nombre de un archivo CSV".into(),
                self.to_string(),
            ),
        }
    }
}

impl Mistake {
    fn sentence(&self, language: Language) -> String {
        let es = match self {
            Self::File(why) => format!("no se puede leer ({why})"),
            Self::Syntax(said) => said.clone(),
            Self::NotUtf8 => "no es UTF-8; guarde el archivo como CSV UTF-8".to_owned(),
            Self::UnknownKey(known) => format!("esa clave no existe; existen: {known}"),
            Self::UnknownColumn(known) => format!("esa columna no existe; existen: {known}"),
            Self::Missing(name) => format!("falta {name:?}"),
            Self::ColumnTwice => "la columna se repite".to_owned(),
            Self::Both(entry) => format!("o un archivo o [[{entry}]], no los dos"),
            Self::Type(expected) => format!("debe ser {}", expected.sentence(language)),
            Self::Fields { found, expected } => {
                format!("{found} campos donde el encabezado tiene {expected}")
            }
            Self::Rows(most) => format!("más de {most} filas"),
            Self::Empty => "está vacío".to_owned(),
            Self::Number(text) => format!("{text:?} no es un número entero de 0 a 4294967295"),
            Self::Date(date) => format!("{date:?} no es un día como AAAA-MM-DD"),
            Self::Zone(text) => {
                format!("{text:?} no es una zona horaria como America/Caracas o -04:00")
            }
            Self::Offset(text) => format!("{text:?} no es una diferencia con UTC como -04:00"),
            Self::Word { found, of } => format!("{found:?} no es ninguno de: {of}"),
            Self::Twice(what) => format!("{what:?} se repite"),
            Self::Slot { found, expected } => {
                format!("casilla {found} donde sigue la {expected}")
            }
            Self::CandidateCode(code) => format!(
                "{code:?} no puede ser el código de un candidato: de 1 a 32 letras, cifras, '-', '_' o '.', una letra o cifra primero, y ninguna columna de resultados como RE o MESA (docs/results-file.md)"
            ),
            Self::NoTables => "no hay ninguna mesa".to_owned(),
            Self::SlotCount {
                format,
                count,
                slots,
            } => format!(
                "las actas del formato {format:?} tienen {count} casillas, y la boleta {slots}"
            ),
            Self::Quote => {
                "una comilla no se cierra en su línea; lo que sigue no se leyó".to_owned()
            }
            Self::Candidate(code) => format!("ningún candidato tiene el código {code:?}"),
            Self::Table(table) => {
                format!("{table:?} no identifica una mesa, como por ejemplo 201301006.01")
            }
            Self::Centre(code) => format!("ningún centro tiene el código {code:?}"),
            Self::Area(code) => format!("ninguna división tiene el código {code:?}"),
            Self::Circle(code) => format!("la división {code:?} está dentro de sí misma"),
            Self::Deep(code) => format!("la división {code:?} está más abajo que los [[level]]"),
            Self::Parent(of) => format!("{of:?} no está, y esto es parte de ello"),
            Self::Entry(mistake) => mistake.sentence(language),
            Self::Format {
                name,
                place,
                mistake,
            } => format!("formato {name:?}: {place}: {}", mistake.sentence(language)),
        };
        language.pick(es, self.to_string())
    }
}

impl Fault {
    /// Where it is and what it is. What a reader of TOML itself says stays English.
    pub fn sentence(&self, language: Language) -> String {
        let (file, mistake) = (&self.file, self.mistake.sentence(language));
        let Some(Place { line, column, name }) = &self.place else {
            return format!("{file}: {mistake}");
        };
        let place = language.pick(
            format!("{file}, línea {line}, columna {column}"),
            format!("{file}, line {line}, column {column}"),
        );
        match name.is_empty() {
            true => format!("{place}: {mistake}"),
            false => format!("{place} ({name}): {mistake}"),
        }
    }
}

impl PackSourceError {
    /// What is wrong, in the order of the files.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// All of it, a line for each.
    pub fn sentence(&self, language: Language) -> String {
        let mut lines: Vec<String> = (self.faults.iter())
            .map(|fault| fault.sentence(language))
            .collect();
        if self.more {
            lines.push(
                language
                    .pick(
                        "Hay más; corrija estos e intente de nuevo.",
                        "There are more; correct these and try again.",
                    )
                    .to_owned(),
            );
        }
        lines.join("\n")
    }
}

impl fmt::Display for PackSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(Language::En))
    }
}

impl std::error::Error for PackSourceError {}

/// Faults as they are found.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    more: bool,
}

impl Faults {
    pub(super) fn add(&mut self, file: &str, place: Option<Place>, mistake: Mistake) {
        if self.found.len() >= MAX {
            self.more = true;
            return;
        }
        self.found.push(Fault {
            file: file.to_owned(),
            place,
            mistake,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Everything that was found, if anything was.
    pub(super) fn end(self) -> Result<(), PackSourceError> {
        match self.found.is_empty() {
            true => Ok(()),
            false => Err(PackSourceError {
                faults: self.found,
                more: self.more,
            }),
        }
    }
}
