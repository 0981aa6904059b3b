//! An election as its organisers write it down: `pack.toml` and CSV files beside it (`docs/election-pack.md`).

mod catalogue;
mod document;
mod fault;
mod places;
mod rows;
#[cfg(test)]
mod tests;

pub use fault::{Expected, Fault, Mistake, PackSourceError, Place};

use crate::format_source::{self, FormatSourceMistake};
use chrono::{FixedOffset, NaiveDate};
use document::{Document, Entry};
use fault::Faults;
use rows::{Column, Rows, may, must};
use std::collections::HashSet;
use std::path::Path;
use testigo_wire::{
    Candidate, ElectionId, ElectionPack, Format, FormatMistake, MAX_FORMATS, MAX_LEVELS,
    PollingTable, Slot, Texts,
};
use toml::de::DeValue;

/// The largest file, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What `pack.toml` may say, entries and names of files included.
const KEYS: &[&str] = &[
    "name",
    "date",
    "time_zone",
    "utc_offset",
    "languages",
    "no_history",
    "level",
    "areas",
    "area",
    "centres",
    "centre",
    "tables",
    "table",
    "candidates",
    "candidate",
    "slots",
    "slot",
    "catalogue",
    "irregularity",
    "fields",
    "field",
    "format",
];
const LEVELS: &[Column] = &[
    may("es", Expected::Text),
    may("en", Expected::Text),
    may("pt", Expected::Text),
];
const CANDIDATES: &[Column] = &[must("code", Expected::Text), must("name", Expected::Text)];
const SLOTS: &[Column] = &[
    must("slot", Expected::Number),
    must("party", Expected::Text),
    must("candidate", Expected::Text),
];

/// An election as its organisers write it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackSource {
    /// Of no election yet.
    pack: ElectionPack,
    practice: bool,
}

/// What brings the bytes of a file beside `pack.toml`; its error is what a person is told.
type Read<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

impl PackSource {
    /// Reads `pack.toml` and the files that it names, which lie beside it.
    ///
    /// # Errors
    /// [`PackSourceError`] with every fault of all files: file, line and column.
    pub fn from_file(path: &Path) -> Result<Self, PackSourceError> {
        let read = |path: &Path| {
            let size = std::fs::metadata(path).map(|file| file.len());
            match size {
                Ok(size) if size > MAX_FILE => Err(format!("{size} bytes")),
                _ => std::fs::read(path).map_err(|error| error.to_string()),
            }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = path.display().to_string();
        Self::parse(&file, read(path), &|name| read(&folder.join(name)))
    }

    /// The presidential election of Venezuela of 28 July 2024: its ten candidates and 38 ballot
    /// slots, and twelve of its real polling tables.
    ///
    /// # Errors
    /// None in practice: the files are part of the program.
    pub fn venezuela_2024() -> Result<Self, PackSourceError> {
        let toml = include_bytes!("../../packs/venezuela-2024/pack.toml");
        Self::parse("venezuela-2024/pack.toml", Ok(toml.to_vec()), &|name| {
            Ok(match name {
                "slots.csv" => include_bytes!("../../packs/venezuela-2024/slots.csv").to_vec(),
                _ => include_bytes!("../../packs/venezuela-2024/tables.csv").to_vec(),
            })
        })
    }

    /// The polling tables.
    pub fn tables(&self) -> &[PollingTable] {
        &self.pack.tables
    }

    /// The same election for practice: headquarters that are made of it have an identity that none of a real election
    /// can have, and its name says what it is, on older phones, too.
    pub fn for_practice(mut self) -> Self {
        if !self.practice {
            self.practice = true;
            self.pack.name = format!("PRÁCTICA · PRACTICE · PRÁTICA: {}", self.pack.name);
        }
        self
    }

    /// Whether it is one for practice.
    pub fn is_practice(&self) -> bool {
        self.practice
    }

    /// The pack of that election, unsigned.
    pub fn into_pack(self, election: ElectionId) -> ElectionPack {
        ElectionPack {
            election,
            ..self.pack
        }
    }

    /// Reads files that are in memory: for a fuzzer.
    ///
    /// # Errors
    /// As [`PackSource::from_file`].
    pub fn from_bytes(
        toml: &[u8],
        beside: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, PackSourceError> {
        Self::parse("pack.toml", Ok(toml.to_vec()), &|name| {
            beside(name).ok_or_else(|| "not found".to_owned())
        })
    }

    fn parse(
        file: &str,
        bytes: Result<Vec<u8>, String>,
        read: Read<'_>,
    ) -> Result<Self, PackSourceError> {
        let mut faults = Faults::default();
        let text = match bytes.map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                faults.add(file, None, Mistake::NotUtf8);
                String::new()
            }
            Err(why) => {
                faults.add(file, None, Mistake::File(why));
                String::new()
            }
        };
        let mut pack = ElectionPack::new(ElectionId([0; ElectionId::LEN]), "");
        if faults.is_empty() {
            let document = Document::new(file, text.strip_prefix('\u{feff}').unwrap_or(&text));
            if let Some(table) = document.read(&mut faults) {
                let root = Entry::new(&document, table.get_ref(), 0);
                Source {
                    root,
                    file,
                    read,
                    faults: &mut faults,
                }
                .fill(&mut pack);
            }
        }
        faults.end().map(|()| Self {
            pack,
            practice: false,
        })
    }
}

/// `pack.toml` while it is read.
struct Source<'a, 't> {
    root: Entry<'a, 't>,
    file: &'a str,
    read: Read<'a>,
    faults: &'a mut Faults,
}

impl Source<'_, '_> {
    fn fill(&mut self, pack: &mut ElectionPack) {
        self.root.only(KEYS, self.faults);
        pack.name = self.root.required("name", self.faults).0;
        self.days(pack);
        self.languages(pack);
        pack.no_history = self.root.flag("no_history", self.faults);
        let candidates = self.rows("candidates", "candidate", true, CANDIDATES);
        pack.candidates = candidates_of(&candidates, self.faults);
        let slots = self.rows("slots", "slot", true, SLOTS);
        pack.slots = slots_of(&slots, &candidates, self.faults);
        self.places(pack);
        let entries = self.rows("catalogue", "irregularity", false, catalogue::ENTRIES);
        let fields = self.rows("fields", "field", false, catalogue::FIELDS);
        pack.entries = catalogue::entries(&entries, &fields, self.faults);
        self.formats(pack);
        if pack.tables.is_empty() && self.faults.is_empty() {
            self.root.fault(0, "tables", Mistake::NoTables, self.faults);
        }
    }

    /// Rows of the file that a key names, or of entries in double brackets.
    fn rows(
        &mut self,
        key: &'static str,
        entry: &'static str,
        required: bool,
        columns: &[Column],
    ) -> Rows {
        let named = self
            .root
            .value(key)
            .map(|value| (value.span().start, value));
        let inline = self.root.value(entry).map(|value| value.span().start);
        let Some((at, value)) = named else {
            if inline.is_none() {
                if required {
                    self.root.fault(0, "", Mistake::Missing(key), self.faults);
                }
                return Rows::none();
            }
            let entries = self.root.entries(entry, self.faults);
            return rows::toml(self.file, &entries, columns, self.faults);
        };
        if let Some(at) = inline {
            self.root
                .fault(at, entry, Mistake::Both(entry), self.faults);
        }
        let DeValue::String(name) = value.get_ref() else {
            let mistake = Mistake::Type(Expected::Text);
            self.root.fault(at, key, mistake, self.faults);
            return Rows::none();
        };
        match (self.read)(name) {
            Ok(bytes) => rows::csv(name, &bytes, columns, self.faults),
            Err(why) => {
                let mistake = Mistake::File(format!("{name}: {why}"));
                self.root.fault(at, key, mistake, self.faults);
                Rows::none()
            }
        }
    }

    /// The day of the vote and what clocks show on it.
    fn days(&mut self, pack: &mut ElectionPack) {
        let (date, at) = self.root.required("date", self.faults);
        let is_day = date.len() == 10 && NaiveDate::parse_from_str(&date, "%Y-%m-%d").is_ok();
        if !is_day && !date.is_empty() {
            self.root
                .fault(at, "date", Mistake::Date(date.clone()), self.faults);
        }
        pack.date = date;
        let (zone, at) = self.root.required("time_zone", self.faults);
        pack.utc_offset = offset(&zone);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        if pack.utc_offset.is_none() && !zone.bytes().all(plain) {
            self.root
                .fault(at, "time_zone", Mistake::Zone(zone.clone()), self.faults);
        }
        pack.time_zone = zone;
        if let Some((text, at)) = self.root.text("utc_offset", self.faults) {
            match offset(&text) {
                Some(minutes) => pack.utc_offset = Some(minutes),
                None => (self.root).fault(at, "utc_offset", Mistake::Offset(text), self.faults),
            }
        }
    }

    fn languages(&mut self, pack: &mut ElectionPack) {
        for (tag, at) in self.root.texts("languages", self.faults) {
            let letters = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !(2..=35).contains(&tag.len()) || !letters {
                let found = tag.clone();
                let of = "es, en, pt, pt-BR ...".to_owned();
                (self.root).fault(at, "languages", Mistake::Word { found, of }, self.faults);
            }
            if pack.languages.contains(&tag) {
                let mistake = Mistake::Twice(tag.clone());
                self.root.fault(at, "languages", mistake, self.faults);
            }
            pack.languages.push(tag);
        }
    }

    fn places(&mut self, pack: &mut ElectionPack) {
        let has = |key: &str| self.root.value(key).is_some();
        if !has("centres") && !has("centre") {
            let tables = self.rows("tables", "table", true, places::FLAT_TABLES);
            pack.tables = places::tables(&tables, None, self.faults);
            return;
        }
        let levels = self.root.entries("level", self.faults);
        let levels = rows::toml(self.file, &levels, LEVELS, self.faults);
        for row in &levels.rows {
            let texts = Texts::new(row.text("es"), row.text("en"), row.text("pt"));
            if texts.is_empty() {
                levels.fault(row, "", Mistake::Empty, self.faults);
            }
            pack.levels.push(texts);
        }
        if let Some(row) = levels.rows.get(MAX_LEVELS) {
            levels.fault(row, "", Mistake::Rows(MAX_LEVELS), self.faults);
        }
        if pack.levels.is_empty() {
            self.root
                .fault(0, "", Mistake::Missing("level"), self.faults);
        }
        let area_rows = self.rows("areas", "area", true, places::AREAS);
        // Without levels every area would be too deep, which is told already.
        let depth = match pack.levels.len() {
            0 => MAX_LEVELS,
            levels => levels,
        };
        let areas = places::areas(&area_rows, depth, self.faults);
        let centre_rows = self.rows("centres", "centre", true, places::CENTRES);
        let centres = places::centres(&centre_rows, &areas, &area_rows, self.faults);
        let tables = self.rows("tables", "table", true, places::TABLES);
        pack.tables = places::tables(&tables, Some(&centres), self.faults);
    }

    fn formats(&mut self, pack: &mut ElectionPack) {
        let Some(DeValue::Array(list)) = self.root.value("format").map(toml::Spanned::get_ref)
        else {
            self.root.entries("format", self.faults);
            return;
        };
        for item in list.iter() {
            let start = item.span().start;
            match format_source::read(item.clone()) {
                Err(error) => {
                    let at = error.span().map_or(start, |span| span.start);
                    let mistake = Mistake::Syntax(error.message().to_owned());
                    self.root.fault(at, "format", mistake, self.faults);
                }
                Ok(format) => self.format(format, start, pack),
            }
        }
    }

    fn format(
        &mut self,
        found: Result<Format, format_source::Misplaced>,
        start: usize,
        pack: &mut ElectionPack,
    ) {
        let mistaken = |name: &str, place: String, mistake| Mistake::Format {
            name: name.to_owned(),
            place,
            mistake,
        };
        let (at, mistake) = match found {
            Err(found) => (found.at, mistaken(&found.name, found.place, found.mistake)),
            Ok(format) if pack.formats.iter().any(|other| other.name == format.name) => {
                let twice = FormatMistake::Twice(format.name.clone());
                let twice = FormatSourceMistake::Fault(twice);
                (start, mistaken(&format.name, "name".to_owned(), twice))
            }
            Ok(format) if pack.formats.len() >= MAX_FORMATS => {
                let many = FormatSourceMistake::Fault(FormatMistake::TooMany);
                (start, mistaken(&format.name, "format".to_owned(), many))
            }
            Ok(format) => match slot_count(&format) {
                Some(count) if !pack.slots.is_empty() && count as usize != pack.slots.len() => {
                    let slots = pack.slots.len();
                    let format = format.name;
                    let mistake = Mistake::SlotCount {
                        format,
                        count,
                        slots,
                    };
                    (start, mistake)
                }
                _ => return pack.formats.push(format),
            },
        };
        self.root.fault(at, "", mistake, self.faults);
    }
}

/// How many slots a format's sheets have, where they are told apart by their places alone.
fn slot_count(format: &Format) -> Option<u32> {
    let declaration = format.declaration.as_ref()?;
    let [votes] = declaration.votes.as_slice() else {
        return None;
    };
    let field = declaration.field(votes)?;
    field.count.filter(|_| field.pair.is_none())
}

/// An offset from UTC as `-04:00`, in minutes.
fn offset(text: &str) -> Option<i16> {
    let digits = text.strip_prefix(['+', '-'])?;
    if digits.len() != 5 || digits.get(2..3) != Some(":") {
        return None;
    }
    let offset: FixedOffset = text.parse().ok()?;
    let minutes = i16::try_from(offset.local_minus_utc() / 60).ok()?;
    (minutes.abs() <= 14 * 60).then_some(minutes)
}

/// Columns of files of results (docs/results-file.md), among which the candidates' codes stand.
pub const RESULT_COLUMNS: [&str; 23] = [
    "COD",
    "EDO",
    "ESTADO",
    "MUN",
    "MUNICIPIO",
    "PAR",
    "PARROQUIA",
    "CENTRO",
    "MESA",
    "RE",
    "VOTOS_VALIDOS",
    "VOTOS_NULOS",
    "ACTAS",
    "URL",
    "ESTADO_MESA",
    "PROVISIONAL",
    "LECTURAS",
    "EN_ESPERA",
    "VERSIONES",
    "AVISOS",
    "RESPALDO",
    "CONTIENDAS",
    "ARCHIVOS",
];

fn is_candidate_code(code: &str) -> bool {
    let upper = code.to_uppercase();
    let right = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    code.chars().next().is_some_and(char::is_alphanumeric)
        && code.chars().count() <= 32
        && code.chars().all(right)
        && !RESULT_COLUMNS.contains(&upper.as_str())
        && !upper.starts_with("COD_")
}

fn candidates_of(rows: &Rows, faults: &mut Faults) -> Vec<Candidate> {
    let mut codes = HashSet::new();
    let mut candidates = Vec::new();
    for row in &rows.rows {
        let code = row.text("code").to_owned();
        if !is_candidate_code(&code) {
            rows.fault(row, "code", Mistake::CandidateCode(code.clone()), faults);
        }
        if !codes.insert(code.clone()) {
            rows.fault(row, "code", Mistake::Twice(code.clone()), faults);
        }
        let name = row.text("name").to_owned();
        candidates.push(Candidate { code, name });
    }
    candidates
}

fn slots_of(rows: &Rows, candidates: &Rows, faults: &mut Faults) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut expected = 1;
    for row in &rows.rows {
        if let Some(found) = rows.number(row, "slot", faults) {
            if found != expected {
                rows.fault(row, "slot", Mistake::Slot { found, expected }, faults);
            }
            expected = found.saturating_add(1);
        }
        let candidate = row.text("candidate").to_owned();
        if !(candidates.rows.iter()).any(|known| known.text("code") == candidate) {
            let mistake = Mistake::Candidate(candidate.clone());
            rows.fault(row, "candidate", mistake, faults);
        }
        slots.push(Slot {
            party: row.text("party").to_owned(),
            candidate,
        });
    }
    slots
}
