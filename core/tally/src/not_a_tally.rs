use testigo_wire::Language;
use thiserror::Error;

/// Why texts are no tally sheet of a known format. Whoever saved them keeps them all the same.
///
/// A hash or signature that fails is here, too: a text that was altered is never a reading, so that nothing can count it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotATally {
    /// There is no text.
    #[error("there is no text")]
    Empty,
    /// A sheet of this format has one code; here are several texts, and none or several of them are
    /// sheets.
    #[error("{found} different texts, where this format has one")]
    SeveralTexts {
        /// How many.
        found: usize,
    },
    /// Longer than any sheet.
    #[error("the text has {bytes} bytes, more than any tally sheet")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// Not characters at all.
    #[error("the text is not UTF-8")]
    NotText,
    /// The pack's formats are all of a kind that only a newer version reads.
    #[error("the format {format:?} needs a newer version of Testigo")]
    Newer {
        /// The first of them.
        format: String,
    },
    /// A part of the text that stands in every sheet is not there.
    #[error("{literal:?} is missing {}", place(after.as_deref(), Language::En))]
    Literal {
        /// The field that it ends; none at the beginning.
        after: Option<String>,
        /// The part.
        literal: String,
    },
    /// A field is not there.
    #[error("{field:?} is missing")]
    FieldMissing {
        /// Its name.
        field: String,
    },
    /// A field is there twice.
    #[error("{field:?} is there twice")]
    FieldTwice {
        /// Its name.
        field: String,
    },
    /// A field is not of its form.
    #[error("{field:?} is not {}: {found:?}", wants.phrase(Language::En))]
    Field {
        /// Its name.
        field: String,
        /// What stands there.
        found: String,
        /// What belongs there.
        wants: Wants,
    },
    /// A vote that is no number, or too large for any table.
    #[error("{} is not a number of votes: {found:?}", field.name(Language::En))]
    Votes {
        /// Which one.
        field: VotesField,
        /// What stands there.
        found: String,
    },
    /// Another number of votes than the ballot has slots.
    #[error("{found} {} of votes, where the ballot has {expected} slots", plural(*found, "number", "numbers"))]
    Slots {
        /// How many stand there.
        found: usize,
        /// How many the ballot has.
        expected: usize,
    },
    /// Not JSON.
    #[error("it is no JSON object: {reason}")]
    Json {
        /// Why, with line and column.
        reason: String,
    },
    /// A check digit does not fit: a character was misread.
    #[error("the check digit in {field:?} does not fit: a character was misread or changed")]
    CheckDigit {
        /// The field of the check digit.
        field: String,
    },
    /// A hash does not fit.
    #[error("hash wrong{}: a character was misread or changed, or codes of two records are mixed", of_code(*code, Language::En))]
    Hash {
        /// The code that has the hash, where the sheet has several.
        code: Option<u32>,
    },
    /// The signature does not fit the key.
    #[error("signature wrong: the text was changed, or another key signed it")]
    Signature,
    /// A code of the sheet is not there.
    #[error("code {code} of {of} is missing: scan it as well")]
    CodeMissing {
        /// Which.
        code: u32,
        /// How many there are.
        of: u32,
    },
    /// There are two different codes of one number.
    #[error("code {code} is there twice with different texts: codes of two records are mixed")]
    CodeTwice {
        /// Which.
        code: u32,
    },
    /// A code's heading is not that of the first.
    #[error("code {code} has another {field:?} than the first: codes of two records are mixed")]
    HeaderDiffers {
        /// Which code.
        code: u32,
        /// The field of the heading.
        field: String,
    },
}

/// What belongs in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// So many decimal digits.
    Digits(u32),
    /// So many hexadecimal digits with capital letters, or any even number.
    Hex(Option<usize>),
    /// A polling table's identifier.
    Table,
    /// A text that does not contain this one.
    Without(String),
    /// The version of a key that the pack has.
    KnownKey,
    /// One of these.
    OneOf(&'static str),
}

impl Wants {
    fn phrase(&self, language: Language) -> String {
        match self {
            Self::Digits(n) => language.pick(format!("{n} cifras"), format!("{n} digits")),
            Self::Hex(Some(n)) => language.pick(
                format!("{n} cifras hexadecimales en mayúsculas"),
                format!("{n} hexadecimal digits in capitals"),
            ),
            Self::Hex(None) => language
                .pick(
                    "cifras hexadecimales en mayúsculas",
                    "hexadecimal digits in capitals",
                )
                .to_owned(),
            Self::Table => language
                .pick("el código de una mesa", "a polling table's identifier")
                .to_owned(),
            Self::Without(text) => language.pick(
                format!("un texto sin {text:?}"),
                format!("a text without {text:?}"),
            ),
            Self::KnownKey => language
                .pick(
                    "la versión de una clave que el paquete de la elección tiene para ese estado",
                    "the version of a key that the election pack has for that state",
                )
                .to_owned(),
            Self::OneOf(these) => (*these).to_owned(),
        }
    }
}

/// A place on a sheet where a number of votes stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VotesField {
    /// A slot of the ballot, counted from 1.
    Slot(usize),
    /// A slot by its name, or another field of this name.
    Named(String),
    /// The blank votes.
    Blank,
    /// The null votes.
    Null,
    /// The printed total.
    Total,
}

impl VotesField {
    fn name(&self, language: Language) -> String {
        match self {
            Self::Slot(n) => language.pick(format!("casilla {n}"), format!("slot {n}")),
            Self::Named(name) => name.clone(),
            Self::Blank => language.pick("votos en blanco", "blank votes").to_owned(),
            Self::Null => language.pick("votos nulos", "null votes").to_owned(),
            Self::Total => language.pick("total", "total").to_owned(),
        }
    }
}

fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

fn place(after: Option<&str>, language: Language) -> String {
    match after {
        Some(field) => language.pick(format!("tras «{field}»"), format!("behind {field:?}")),
        None => language.pick("al comienzo", "at the beginning").to_owned(),
    }
}

fn of_code(code: Option<u32>, language: Language) -> String {
    code.map_or_else(String::new, |code| {
        language.pick(format!(" en el código {code}"), format!(" in code {code}"))
    })
}

impl NotATally {
    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        let es = match self {
            Self::Empty => "no hay texto".to_owned(),
            Self::SeveralTexts { found } => {
                format!("hay {found} textos distintos y este formato tiene uno solo")
            }
            Self::TooLong { bytes } => {
                format!("el texto tiene {bytes} bytes, más que cualquier acta")
            }
            Self::NotText => "el texto no está en UTF-8".to_owned(),
            Self::Newer { format } => {
                format!("el formato «{format}» necesita una versión más nueva de Testigo")
            }
            Self::Literal { after, literal } => {
                format!(
                    "falta {literal:?} {}",
                    place(after.as_deref(), Language::Es)
                )
            }
            Self::FieldMissing { field } => format!("falta «{field}»"),
            Self::FieldTwice { field } => format!("«{field}» se repite"),
            Self::Field {
                field,
                found,
                wants,
            } => format!("«{field}» no es {}: «{found}»", wants.phrase(Language::Es)),
            Self::Votes { field, found } => {
                let field = field.name(Language::Es);
                format!("en «{field}» no hay un número de votos: «{found}»")
            }
            Self::Slots { found, expected } => {
                let numbers = plural(*found, "número", "números");
                format!("hay {found} {numbers} de votos y la boleta tiene {expected} casillas")
            }
            Self::Json { reason } => format!("no es un objeto JSON ({reason})"),
            Self::CheckDigit { field } => format!(
                "el dígito de control de «{field}» no coincide: un carácter se leyó mal o fue cambiado"
            ),
            Self::Hash { code } => format!(
                "el resumen (hash){} no coincide: un carácter se leyó mal o fue cambiado, o se mezclan códigos de dos actas",
                of_code(*code, Language::Es)
            ),
            Self::Signature => {
                "la firma no coincide: el texto fue cambiado o lo firmó otra clave".to_owned()
            }
            Self::CodeMissing { code, of } => {
                format!("falta el código {code} de {of}: léalo también")
            }
            Self::CodeTwice { code } => format!(
                "el código {code} está dos veces con textos distintos: se mezclan códigos de dos actas"
            ),
            Self::HeaderDiffers { code, field } => format!(
                "el código {code} tiene otro «{field}» que el primero: se mezclan códigos de dos actas"
            ),
        };
        match self.is_altered() {
            true => language.pick(
                format!("Esta acta se leyó mal o fue alterada, y no cuenta: {es}. Léala otra vez."),
                format!(
                    "This sheet was misread or altered, and does not count: {self}. Scan it again."
                ),
            ),
            false => language.pick(
                format!("Esto no es un acta que Testigo conozca: {es}."),
                format!("This is not a tally sheet that Testigo knows: {self}."),
            ),
        }
    }

    /// Whether the texts are a sheet whose hash or signature is wrong: misread, altered or forged.
    pub fn is_altered(&self) -> bool {
        matches!(
            self,
            Self::Hash { .. } | Self::Signature | Self::CheckDigit { .. }
        )
    }
}
