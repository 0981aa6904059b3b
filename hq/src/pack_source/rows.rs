//! Rows of a CSV file, or entries of `pack.toml` that say the same: cells of text, each with its place.

use super::document::Entry;
use super::fault::{Expected, Faults, Mistake, Place};
use std::collections::BTreeMap;
use testigo_wire::cbor::MAX_COUNT;
use toml::de::DeValue;

/// A column of a file, or a key of an entry.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    pub required: bool,
    pub expected: Expected,
}

/// A column that must be there, with something in each row.
pub(super) const fn must(name: &'static str, expected: Expected) -> Column {
    Column {
        name,
        required: true,
        expected,
    }
}

/// A column that may be missing or empty.
pub(super) const fn may(name: &'static str, expected: Expected) -> Column {
    Column {
        name,
        required: false,
        expected,
    }
}

/// Rows of a file.
pub(super) struct Rows {
    pub file: String,
    pub rows: Vec<Row>,
}

/// A row: what stands in each column, empty where nothing does.
pub(super) struct Row {
    cells: BTreeMap<&'static str, Cell>,
    place: (u64, u64),
}

struct Cell {
    text: String,
    place: Place,
}

impl Row {
    /// What stands in a column.
    pub(super) fn text(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", |cell| &cell.text)
    }

    /// Where that is.
    pub(super) fn place(&self, column: &str) -> Place {
        self.cells.get(column).map_or_else(
            || Place {
                line: self.place.0,
                column: self.place.1,
                name: column.to_owned(),
            },
            |cell| cell.place.clone(),
        )
    }
}

impl Rows {
    pub(super) fn none() -> Self {
        Self {
            file: String::new(),
            rows: Vec::new(),
        }
    }

    /// A fault in a row's column.
    pub(super) fn fault(&self, row: &Row, column: &str, mistake: Mistake, faults: &mut Faults) {
        faults.add(&self.file, Some(row.place(column)), mistake);
    }

    /// A whole number that fits; a fault otherwise.
    pub(super) fn number(&self, row: &Row, column: &str, faults: &mut Faults) -> Option<u32> {
        let text = row.text(column);
        let number = (text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten();
        if number.is_none() && !text.is_empty() {
            self.fault(row, column, Mistake::Number(text.to_owned()), faults);
        }
        number
    }

    /// Yes or no; `default` where nothing stands.
    pub(super) fn flag(&self, row: &Row, column: &str, default: bool, faults: &mut Faults) -> bool {
        match row.text(column) {
            "" => default,
            "true" | "yes" | "sí" | "si" | "sim" | "1" => true,
            "false" | "no" | "não" | "nao" | "0" => false,
            other => {
                let found = other.to_owned();
                let of = "yes, no, true, false".to_owned();
                self.fault(row, column, Mistake::Word { found, of }, faults);
                default
            }
        }
    }

    /// One of a few things by its name; a fault otherwise.
    pub(super) fn word<T: Copy>(
        &self,
        row: &Row,
        column: &str,
        all: &[T],
        name: fn(T) -> &'static str,
        faults: &mut Faults,
    ) -> Option<T> {
        let text = row.text(column);
        let found = all.iter().copied().find(|one| name(*one) == text);
        if found.is_none() && !text.is_empty() {
            let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
            let (found, of) = (text.to_owned(), names.join(", "));
            self.fault(row, column, Mistake::Word { found, of }, faults);
        }
        found
    }
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

/// Reads a CSV file (RFC 4180, UTF-8, with or without a mark, a comma between fields). Rows with faults are left out.
pub(super) fn csv(file: &str, bytes: &[u8], columns: &[Column], faults: &mut Faults) -> Rows {
    let mut rows = Rows {
        file: file.to_owned(),
        rows: Vec::new(),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        faults.add(file, None, Mistake::NotUtf8);
        return rows;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut lines = Lines::of(bytes);
    let mut heading: Option<Vec<Option<Column>>> = None;
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                faults.add(file, None, Mistake::Syntax(error.to_string()));
                break;
            }
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        let Some(heading) = &heading else {
            let found = columns_of(file, line, &record, columns, faults);
            let there = |column: &Column| {
                found
                    .iter()
                    .flatten()
                    .any(|known| known.name == column.name)
            };
            if !(columns.iter()).filter(|column| column.required).all(there) {
                // Every row would be faulty, and none for a reason of its own.
                return rows;
            }
            heading = Some(found);
            continue;
        };
        if rows.rows.len() >= MAX_COUNT {
            let place = place(line, 0, "");
            faults.add(file, Some(place), Mistake::Rows(MAX_COUNT));
            break;
        }
        if record.len() != heading.len() {
            let (found, expected) = (record.len(), heading.len());
            let open = record.iter().position(|field| field.contains(&b'\n'));
            let (at, mistake) = match open {
                Some(at) => (at, Mistake::Quote),
                None => (found.min(expected), Mistake::Fields { found, expected }),
            };
            faults.add(file, Some(place(line, at, "")), mistake);
            continue;
        }
        rows.rows
            .extend(row_of(file, line, &record, heading, faults));
    }
    if heading.is_none() {
        faults.add(file, None, Mistake::Empty);
    }
    rows
}

fn place(line: u64, n: usize, name: &str) -> Place {
    Place {
        line,
        column: n as u64 + 1,
        name: name.to_owned(),
    }
}

/// Which column stands where; what is none of them is a fault.
fn columns_of(
    file: &str,
    line: u64,
    record: &csv::ByteRecord,
    columns: &[Column],
    faults: &mut Faults,
) -> Vec<Option<Column>> {
    let mut found: Vec<Option<Column>> = Vec::new();
    for (n, name) in record.iter().enumerate() {
        let name = String::from_utf8_lossy(name);
        let column = columns.iter().find(|column| column.name == name).copied();
        let mistake = match column {
            None => Some(Mistake::UnknownColumn(names(columns))),
            Some(known) => (found.iter().flatten())
                .any(|other| other.name == known.name)
                .then_some(Mistake::ColumnTwice),
        };
        if let Some(mistake) = mistake {
            faults.add(file, Some(place(line, n, &name)), mistake);
        }
        found.push(column);
    }
    for column in columns.iter().filter(|column| column.required) {
        if !found
            .iter()
            .flatten()
            .any(|known| known.name == column.name)
        {
            let place = place(line, record.len(), "");
            faults.add(file, Some(place), Mistake::Missing(column.name));
        }
    }
    found
}

fn row_of(
    file: &str,
    line: u64,
    record: &csv::ByteRecord,
    heading: &[Option<Column>],
    faults: &mut Faults,
) -> Option<Row> {
    let mut cells = BTreeMap::new();
    let mut whole = true;
    for (n, (field, column)) in record.iter().zip(heading).enumerate() {
        let Some(column) = column else { continue };
        let place = place(line, n, column.name);
        match std::str::from_utf8(field) {
            Err(_) => {
                whole = false;
                faults.add(file, Some(place), Mistake::NotUtf8);
            }
            Ok("") if column.required => {
                whole = false;
                faults.add(file, Some(place), Mistake::Empty);
            }
            Ok(text) => {
                let text = text.to_owned();
                cells.insert(column.name, Cell { text, place });
            }
        }
    }
    whole.then_some(Row {
        cells,
        place: (line, 1),
    })
}

/// Reads entries of `pack.toml`. Those with faults are left out.
pub(super) fn toml(
    file: &str,
    entries: &[Entry<'_, '_>],
    columns: &[Column],
    faults: &mut Faults,
) -> Rows {
    let mut rows = Rows {
        file: file.to_owned(),
        rows: Vec::new(),
    };
    if let Some(entry) = entries.get(MAX_COUNT) {
        faults.add(file, Some(entry.place("")), Mistake::Rows(MAX_COUNT));
    }
    for entry in entries.iter().take(MAX_COUNT) {
        let mut cells = BTreeMap::new();
        let mut whole = true;
        for (key, value) in entry.table.iter() {
            let Some(column) = columns.iter().find(|c| c.name == key.get_ref()) else {
                let place = entry.at(key.span().start, key.get_ref());
                faults.add(file, Some(place), Mistake::UnknownKey(names(columns)));
                continue;
            };
            let place = entry.at(value.span().start, column.name);
            let text = match (value.get_ref(), column.expected) {
                (DeValue::String(text), Expected::Text) => Some(text.trim().to_owned()),
                (DeValue::Integer(number), Expected::Number) if number.radix() == 10 => {
                    Some(number.as_str().to_owned())
                }
                (DeValue::Boolean(flag), Expected::Flag) => Some(flag.to_string()),
                _ => None,
            };
            match text {
                None => {
                    whole = false;
                    faults.add(file, Some(place), Mistake::Type(column.expected));
                }
                Some(text) if text.is_empty() && column.required => {
                    whole = false;
                    faults.add(file, Some(place), Mistake::Empty);
                }
                Some(text) => drop(cells.insert(column.name, Cell { text, place })),
            }
        }
        for column in columns.iter().filter(|column| column.required) {
            if !entry
                .table
                .iter()
                .any(|(key, _)| key.get_ref() == column.name)
            {
                whole = false;
                faults.add(file, Some(entry.place("")), Mistake::Missing(column.name));
            }
        }
        let place = entry.place("");
        rows.rows.extend(whole.then_some(Row {
            cells,
            place: (place.line, place.column),
        }));
    }
    rows
}

/// Counts the lines of a file as its reader goes on. Empty lines before a row are the reader's to skip, and no row.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the row that the reader began to look for at this byte, which never goes back.
    fn at(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).max(self.at);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let empty = rest
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let to = from.saturating_add(empty);
        let passed = self.bytes.get(self.at..to).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.at = to;
        self.line
    }
}
