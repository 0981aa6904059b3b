use testigo_wire::Language;
use thiserror::Error;

/// Why texts are no tally sheet of a known format. Whoever saved them keeps them all the same.
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
    #[error("the text is not ASCII")]
    NotText,
    /// Not the four parts that `!` separates.
    #[error("{found} {} between '!', where a tally sheet has 4", plural(*found, "part", "parts"))]
    Parts {
        /// How many.
        found: usize,
    },
    /// The first part is not centre, table and suffix.
    #[error("the first part is not CENTRE.TABLE.1.0001: {found:?}")]
    Table {
        /// What stands there.
        found: String,
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
}

/// A place on a sheet where a number of votes stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VotesField {
    /// A slot of the ballot, counted from 1.
    Slot(usize),
    /// The null votes.
    Null,
}

impl VotesField {
    fn name(self, language: Language) -> String {
        match self {
            Self::Slot(n) => language.pick(format!("casilla {n}"), format!("slot {n}")),
            Self::Null => language.pick("votos nulos", "null votes").to_owned(),
        }
    }
}

fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

impl NotATally {
    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        let en = format!("This is not a tally sheet that Testigo knows: {self}.");
        let es = match self {
            Self::Empty => "no hay texto".to_owned(),
            Self::SeveralTexts { found } => {
                format!("hay {found} textos distintos y este formato tiene uno solo")
            }
            Self::TooLong { bytes } => {
                format!("el texto tiene {bytes} bytes, más que cualquier acta")
            }
            Self::NotText => "no son letras y cifras".to_owned(),
            Self::Parts { found } => {
                let parts = plural(*found, "parte", "partes");
                format!("tiene {found} {parts} entre «!» y un acta tiene 4")
            }
            Self::Table { found } => {
                format!("la primera parte no es CENTRO.MESA.1.0001: «{found}»")
            }
            Self::Votes { field, found } => {
                let field = field.name(Language::Es);
                format!("en «{field}» no hay un número de votos: «{found}»")
            }
            Self::Slots { found, expected } => {
                let numbers = plural(*found, "número", "números");
                format!("hay {found} {numbers} de votos y la boleta tiene {expected} casillas")
            }
        };
        language.pick(format!("Esto no es un acta que Testigo conozca: {es}."), en)
    }
}
