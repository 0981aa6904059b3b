//! `pack.toml` as a document whose every value has a place.

use super::fault::{Expected, Faults, Mistake, Place};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file's text, and the faults that are found in it.
pub(super) struct Document<'t> {
    pub file: &'t str,
    text: &'t str,
}

/// A table of the document, with where it begins.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a, 't> {
    pub table: &'a DeTable<'t>,
    document: &'a Document<'t>,
    start: usize,
}

impl<'t> Document<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text }
    }

    /// Reads the text; where it is no TOML all of what its reader says are faults, and nothing comes.
    pub(super) fn read(&self, faults: &mut Faults) -> Option<Spanned<DeTable<'t>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            let mistake = Mistake::Syntax(error.message().to_owned());
            faults.add(self.file, Some(self.place(at, "")), mistake);
        }
        errors.is_empty().then_some(table)
    }

    /// The place of a byte.
    pub(super) fn place(&self, at: usize, name: &str) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Place {
            line: 1 + before.bytes().filter(|b| *b == b'\n').count() as u64,
            column: 1 + line.chars().count() as u64,
            name: name.to_owned(),
        }
    }
}

impl<'a, 't> Entry<'a, 't> {
    pub(super) fn new(document: &'a Document<'t>, table: &'a DeTable<'t>, start: usize) -> Self {
        Self {
            table,
            document,
            start,
        }
    }

    /// Where it begins.
    pub(super) fn place(&self, name: &str) -> Place {
        self.document.place(self.start, name)
    }

    /// The place of a byte of the file.
    pub(super) fn at(&self, at: usize, name: &str) -> Place {
        self.document.place(at, name)
    }

    /// Keys that are none of these are faults.
    pub(super) fn only(&self, known: &[&str], faults: &mut Faults) {
        for (key, _) in self.table.iter() {
            if !known.contains(&key.get_ref().as_ref()) {
                let place = self.at(key.span().start, key.get_ref());
                let mistake = Mistake::UnknownKey(known.join(", "));
                faults.add(self.document.file, Some(place), mistake);
            }
        }
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    pub(super) fn fault(&self, at: usize, key: &str, mistake: Mistake, faults: &mut Faults) {
        faults.add(self.document.file, Some(self.at(at, key)), mistake);
    }

    /// A text and where it stands. A day may stand without quotation marks.
    pub(super) fn text(&self, key: &'static str, faults: &mut Faults) -> Option<(String, usize)> {
        let value = self.value(key)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) => Some((text.trim().to_owned(), at)),
            DeValue::Datetime(day) => Some((day.to_string(), at)),
            _ => {
                self.fault(at, key, Mistake::Type(Expected::Text), faults);
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, key: &'static str, faults: &mut Faults) -> (String, usize) {
        if self.value(key).is_none() {
            self.fault(self.start, "", Mistake::Missing(key), faults);
        }
        let (text, at) = self.text(key, faults).unwrap_or_default();
        let is_text = matches!(
            self.value(key).map(Spanned::get_ref),
            Some(DeValue::String(_))
        );
        if text.is_empty() && is_text {
            self.fault(at, key, Mistake::Empty, faults);
        }
        (text, at)
    }

    pub(super) fn flag(&self, key: &'static str, faults: &mut Faults) -> bool {
        match self
            .value(key)
            .map(|value| (value.span().start, value.get_ref()))
        {
            None => false,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((at, _)) => {
                self.fault(at, key, Mistake::Type(Expected::Flag), faults);
                false
            }
        }
    }

    /// A list of texts, each with where it stands.
    pub(super) fn texts(&self, key: &'static str, faults: &mut Faults) -> Vec<(String, usize)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(list) = value.get_ref() else {
            let at = value.span().start;
            self.fault(at, key, Mistake::Type(Expected::Texts), faults);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => texts.push((text.trim().to_owned(), at)),
                _ => self.fault(at, key, Mistake::Type(Expected::Texts), faults),
            }
        }
        texts
    }

    /// The entries of a key in double brackets.
    pub(super) fn entries(&self, key: &'static str, faults: &mut Faults) -> Vec<Entry<'a, 't>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        let DeValue::Array(list) = value.get_ref() else {
            let at = value.span().start;
            self.fault(at, key, Mistake::Type(Expected::Entries), faults);
            return entries;
        };
        for item in list.iter() {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::Table(table) => entries.push(Self::new(self.document, table, at)),
                _ => self.fault(at, key, Mistake::Type(Expected::Entries), faults),
            }
        }
        entries
    }
}
