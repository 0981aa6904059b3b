use super::template::is_name;
use super::{
    CheckKind, Cut, Declaration, Field, Format, FormatKind, MAX_PARTS, MAX_SLOTS, Piece, Template,
};
use crate::Language;
use std::fmt;

/// A declaration that contradicts itself: where, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatFault {
    /// The place, as a pack's source writes it, such as `check 1: over`.
    pub place: String,
    /// What is wrong there.
    pub mistake: FormatMistake,
}

/// What is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatMistake {
    /// Nothing stands there.
    Empty,
    /// More than may be.
    TooMany,
    /// A name that is not 1 to 32 letters, digits, `_`, `-` and `.`.
    Name(String),
    /// It is there twice.
    Twice(String),
    /// The text has no such field.
    NoSuchField(String),
    /// The field has no end, for another follows it at once.
    NoEnd(String),
    /// It needs another part of the declaration, which is not there.
    Needs(&'static str),
    /// It has no meaning there.
    Pointless,
}

impl FormatMistake {
    /// What a person is told.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::Empty => language.pick("está vacío".to_owned(), "it is empty".to_owned()),
            Self::TooMany => language.pick("es demasiado".to_owned(), "it is too much".to_owned()),
            Self::Name(name) => language.pick(
                format!("{name:?} no es un nombre de 1 a 32 letras, cifras, «_», «-» y «.»"),
                format!("{name:?} is no name of 1 to 32 letters, digits, '_', '-' and '.'"),
            ),
            Self::Twice(name) => language.pick(
                format!("{name:?} se repite"),
                format!("{name:?} is there twice"),
            ),
            Self::NoSuchField(name) => language.pick(
                format!("el texto no tiene un campo {name:?}"),
                format!("the text has no field {name:?}"),
            ),
            Self::NoEnd(name) => language.pick(
                format!("nada dice dónde termina {name:?}: ponga algo entre los dos campos"),
                format!("nothing says where {name:?} ends: put something between the two fields"),
            ),
            Self::Needs(what) => {
                language.pick(format!("falta {what:?}"), format!("it needs {what:?}"))
            }
            Self::Pointless => language.pick(
                "no significa nada ahí".to_owned(),
                "it has no meaning there".to_owned(),
            ),
        }
    }
}

impl fmt::Display for FormatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.mistake.sentence(Language::En))
    }
}

fn fault<T>(place: impl ToString, mistake: FormatMistake) -> Result<T, FormatFault> {
    Err(FormatFault {
        place: place.to_string(),
        mistake,
    })
}

impl Format {
    /// Whether it can be read by, and is within its bounds.
    ///
    /// # Errors
    /// [`FormatFault`] names the first fault.
    pub fn check(&self) -> Result<(), FormatFault> {
        if !is_name(&self.name) {
            return fault("name", FormatMistake::Name(self.name.clone()));
        }
        if self.keys.len() > MAX_PARTS {
            return fault("key", FormatMistake::TooMany);
        }
        once("key", self.keys.iter().map(|key| key.name.as_str()))?;
        match (&self.declaration, self.kind) {
            (Some(declaration), FormatKind::DECLARED) => declaration.check(),
            (None, FormatKind::DECLARED) => fault("format", FormatMistake::Needs("text")),
            (Some(_), FormatKind::BOLETIM_DE_URNA) => fault("text", FormatMistake::Pointless),
            _ => Ok(()),
        }
    }
}

fn once<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Result<(), FormatFault> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return fault(place, FormatMistake::Twice(name.to_owned()));
        }
    }
    Ok(())
}

/// A text can be cut by it: each field is there once, and something says where it ends.
fn cuts(place: &str, template: &Template) -> Result<(), FormatFault> {
    once(place, template.fields())?;
    let pieces: Vec<Piece<'_>> = template.pieces().collect();
    if pieces.len() > MAX_PARTS {
        return fault(place, FormatMistake::TooMany);
    }
    for pair in pieces.windows(2) {
        if let [Piece::Field(name), Piece::Field(_)] = pair {
            return fault(place, FormatMistake::NoEnd((*name).to_owned()));
        }
    }
    Ok(())
}

impl Declaration {
    fn check(&self) -> Result<(), FormatFault> {
        match &self.cut {
            Cut::Template(template) => cuts("text", template)?,
            Cut::Pairs { between, of } if between.is_empty() || of.is_empty() => {
                return fault("pairs", FormatMistake::Empty);
            }
            Cut::Pairs { .. } | Cut::Json => {}
        }
        for (place, count) in [
            ("field", self.fields.len()),
            ("check", self.checks.len()),
            ("sum", self.sums.len()),
            ("votes", self.votes.len()),
        ] {
            if count > MAX_PARTS {
                return fault(place, FormatMistake::TooMany);
            }
        }
        once("field", self.fields.iter().map(|field| field.name.as_str()))?;
        for field in &self.fields {
            self.check_field(field)?;
        }
        self.known("table", self.table.fields())?;
        self.check_votes()?;
        for (n, check) in self.checks.iter().enumerate() {
            let place = |part: &str| format!("check {}: {part}", n + 1);
            self.known(&place("field"), std::iter::once(check.field.as_str()))?;
            self.known(&place("over"), check.over.fields())?;
            if check.over.fields().any(|name| name == check.field) {
                return fault(place("over"), FormatMistake::Pointless);
            }
            match (&check.key, check.kind) {
                (Some(key), CheckKind::Ed25519) => self.known(&place("key"), key.fields())?,
                (Some(_), _) => return fault(place("key"), FormatMistake::Pointless),
                (None, _) => {}
            }
        }
        for (n, sum) in self.sums.iter().enumerate() {
            let names = sum.of.iter().chain([&sum.is]).map(String::as_str);
            self.known(&format!("sum {}", n + 1), names)?;
        }
        self.check_codes()
    }

    fn check_votes(&self) -> Result<(), FormatFault> {
        let roles = [&self.blank, &self.null, &self.total];
        let votes = (self.votes.iter()).chain(roles.into_iter().flatten());
        once("votes", votes.clone().map(String::as_str))?;
        self.known("votes", votes.map(String::as_str))?;
        let lists = self.votes.iter().filter_map(|name| self.field(name));
        match self.votes.len() {
            0 => fault("votes", FormatMistake::Empty),
            // A list among single fields would leave open which slot is which.
            2.. if lists.into_iter().any(|field| field.list.is_some()) => {
                fault("votes", FormatMistake::Pointless)
            }
            _ => Ok(()),
        }
    }

    fn check_field(&self, field: &Field) -> Result<(), FormatFault> {
        let place = |part: &str| format!("field {:?}: {part}", field.name);
        if !is_name(&field.name) {
            return fault("field", FormatMistake::Name(field.name.clone()));
        }
        self.known("field", std::iter::once(field.name.as_str()))?;
        if field.digits.is_some_and(|n| n == 0 || n > 64) {
            return fault(place("digits"), FormatMistake::TooMany);
        }
        if field.pad && field.digits.is_none() {
            return fault(place("pad"), FormatMistake::Needs("digits"));
        }
        for (part, text) in [("list", &field.list), ("pair", &field.pair)] {
            if text.as_ref().is_some_and(String::is_empty) {
                return fault(place(part), FormatMistake::Empty);
            }
        }
        if field.list.is_none() && (field.pair.is_some() || field.count.is_some()) {
            return fault(place("pair, count"), FormatMistake::Needs("list"));
        }
        if field.count.is_some_and(|count| count > MAX_SLOTS) {
            return fault(place("count"), FormatMistake::TooMany);
        }
        Ok(())
    }

    fn check_codes(&self) -> Result<(), FormatFault> {
        let Some(codes) = &self.codes else {
            return Ok(());
        };
        cuts("codes: text", &codes.text)?;
        for needed in ["part", "parts", "data"] {
            if !codes.text.fields().any(|name| name == needed) {
                return fault("codes: text", FormatMistake::Needs(needed));
            }
        }
        // The chain is over the text from piece to hash, so that the hash follows its piece.
        let fields: Vec<&str> = codes.text.fields().collect();
        let chained = fields.windows(2).any(|pair| pair == ["data", "hash"]);
        match codes.hash {
            Some(CheckKind::Sha256 | CheckKind::Sha512) if chained => Ok(()),
            Some(CheckKind::Sha256 | CheckKind::Sha512) => {
                fault("codes: text", FormatMistake::Needs("{data}...{hash}"))
            }
            Some(_) => fault("codes: hash", FormatMistake::Pointless),
            None => Ok(()),
        }
    }

    /// Whether a text has these fields; in pairs and JSON it shows when one is read.
    fn known<'a>(
        &self,
        place: &str,
        mut names: impl Iterator<Item = &'a str>,
    ) -> Result<(), FormatFault> {
        let Cut::Template(template) = &self.cut else {
            return Ok(());
        };
        let codes = self.codes.iter().map(|codes| &codes.text);
        let has = |name: &str| {
            (codes.clone().chain([template])).any(|text| text.fields().any(|field| field == name))
        };
        match names.find(|name| !has(name)) {
            Some(name) => fault(place, FormatMistake::NoSuchField(name.to_owned())),
            None => Ok(()),
        }
    }
}
