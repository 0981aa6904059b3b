//! A file of results, a row a table or a row a place: what others published, or what headquarters exported.
//!
//! It is read a line at a time, so that its size does not matter, and so that a quotation mark that is never closed costs
//! one row. A row with a fault is named and not counted; the rest goes on.

mod columns;
mod fault;
pub mod writing;

pub use columns::{Column, ColumnName, FURTHER, HEADING, Layout, OF_IMAGES};
pub use fault::{Fault, RowFault};

use crate::failure::Failure;
use columns::Columns;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use testigo_wire::TableId;

/// The longest line, in bytes.
const MAX_LINE: usize = 16 * 1024;
/// The most tables of one file: what is kept to find one twice must not grow without end.
const MAX_TABLES: usize = 2_000_000;
/// Digits of a centre and of a table within it (Venezuela); published files lose leading zeros.
const CENTRE_DIGITS: usize = 9;
const TABLE_DIGITS: usize = 2;

/// What the file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Every row is a table's whole result: the file must have all columns but municipality and parish.
    Tables,
    /// Votes of each table: the file must have centre and table.
    Votes,
    /// Sums by candidate: the file must have candidates.
    Sums,
}

/// One row without a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// State; empty where the file has no such column.
    pub state: String,
    /// Municipality; empty as well.
    pub municipality: String,
    /// Parish; empty as well.
    pub parish: String,
    /// The polling table, where the file has such columns.
    pub table: Option<TableId>,
    /// Registered voters, where the file has such a column.
    pub registered: Option<u32>,
    /// Null votes, where the file has such a column.
    pub null: Option<u32>,
    /// Votes by candidate, in the order of [`ResultsFile::candidates`]. Their sum is the valid votes.
    pub votes: Vec<u32>,
}

impl ResultRow {
    /// Valid votes.
    pub fn valid(&self) -> u64 {
        self.votes.iter().map(|votes| u64::from(*votes)).sum()
    }

    /// More votes than registered voters, a doubt and no fault: how many of each.
    pub fn over_registered(&self) -> Option<(u64, u32)> {
        let (cast, registered) = (
            self.valid() + u64::from(self.null.unwrap_or(0)),
            self.registered?,
        );
        (cast > u64::from(registered)).then_some((cast, registered))
    }
}

/// How a file's letters are written: the first line that has any beyond ASCII tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Ascii,
    Utf8,
    Latin1,
}

/// A file of results that is being read: an iterator over its rows and faults.
pub struct ResultsFile<R> {
    reader: R,
    columns: Columns,
    separator: u8,
    encoding: Encoding,
    line: u64,
    wanted: Wanted,
    /// Tables found so far, with their lines.
    seen: HashMap<TableId, u64>,
    over: bool,
    passed_over: u64,
}

impl ResultsFile<BufReader<File>> {
    /// Opens a file and reads its heading.
    ///
    /// # Errors
    /// [`Failure`], naming the file, where it cannot be read or lacks a column that is needed.
    pub fn open(path: &Path, wanted: Wanted, layout: &Layout) -> Result<Self, Failure> {
        let file = File::open(path).map_err(Failure::file(path))?;
        Self::new(BufReader::new(file), wanted, layout)
            .map_err(|fault| fault.into_failure(&path.display().to_string()))
    }
}

impl<R: BufRead> ResultsFile<R> {
    fn new(reader: R, wanted: Wanted, layout: &Layout) -> Result<Self, RowFault> {
        let mut file = Self {
            reader,
            columns: Columns::default(),
            separator: b',',
            encoding: Encoding::Ascii,
            line: 0,
            wanted,
            seen: HashMap::new(),
            over: false,
            passed_over: 0,
        };
        let mut heading = (file.next_line()?).ok_or(RowFault::of(1, Fault::EmptyFile))?;
        if let Some(rest) = heading.strip_prefix(b"\xef\xbb\xbf") {
            heading = rest.to_vec();
            file.encoding = Encoding::Utf8;
        }
        if heading.starts_with(b"\xff\xfe")
            || heading.starts_with(b"\xfe\xff")
            || heading.contains(&0)
        {
            return Err(RowFault::of(1, Fault::Encoding));
        }
        let count = |wanted| heading.iter().filter(|byte| **byte == wanted).count();
        if count(b';') > count(b',') {
            file.separator = b';';
        }
        let names = file.fields(&heading)?;
        file.columns =
            Columns::find(&names, wanted, layout).map_err(|fault| RowFault::of(1, fault))?;
        Ok(file)
    }

    /// The candidates, as the heading names them, in the file's order.
    pub fn candidates(&self) -> &[String] {
        &self.columns.candidates
    }

    /// Rows so far that say of themselves that nothing of them counts: no result yet, or readings that differ.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The next line without its end; `None` behind the last.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, RowFault> {
        let mut line = Vec::new();
        self.line += 1;
        let limit = MAX_LINE as u64 + 2;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|error| RowFault::of(self.line, Fault::Unreadable(error.to_string())))?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            line.pop_if(|byte| *byte == b'\r');
        } else if read as u64 == limit {
            self.skip_line()?;
        }
        if line.len() > MAX_LINE {
            return Err(RowFault::of(self.line, Fault::LongLine));
        }
        Ok(Some(line))
    }

    /// Reads on to the end of the line without keeping any of it.
    fn skip_line(&mut self) -> Result<(), RowFault> {
        let line = self.line;
        let fault =
            |error: std::io::Error| RowFault::of(line, Fault::Unreadable(error.to_string()));
        loop {
            let part = self.reader.fill_buf().map_err(fault)?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(part.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() || used == 0 {
                return Ok(());
            }
        }
    }

    /// A line's fields as text.
    fn fields(&mut self, line: &[u8]) -> Result<Vec<String>, RowFault> {
        if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            return Err(RowFault::of(self.line, Fault::Quote));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.separator)
            .buffer_capacity(line.len().max(1))
            .from_reader(line);
        let mut record = csv::ByteRecord::new();
        reader
            .read_byte_record(&mut record)
            .map_err(|error| RowFault::of(self.line, Fault::Unreadable(error.to_string())))?;
        // A lone CR ends a record for the library and no line for an editor: what is behind it must not vanish.
        if line.trim_ascii_end().contains(&b'\r') {
            return Err(RowFault::of(self.line, Fault::LineEnd));
        }
        let mut fields = Vec::with_capacity(record.len());
        for (at, field) in record.iter().enumerate() {
            let text = self.text(field).ok_or_else(|| RowFault {
                line: self.line,
                field: self.columns.name(at),
                fault: Fault::Encoding,
            })?;
            fields.push(text.trim().to_owned());
        }
        Ok(fields)
    }

    fn text(&mut self, bytes: &[u8]) -> Option<String> {
        if bytes.is_ascii() {
            return String::from_utf8(bytes.to_vec()).ok();
        }
        let utf8 = std::str::from_utf8(bytes).ok();
        if self.encoding == Encoding::Ascii {
            self.encoding = match utf8 {
                Some(_) => Encoding::Utf8,
                None => Encoding::Latin1,
            };
        }
        match self.encoding {
            Encoding::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            _ => utf8.map(str::to_owned),
        }
    }

    /// The next row; `None` behind the last.
    fn row(&mut self) -> Result<Option<ResultRow>, RowFault> {
        let fields = loop {
            match self.next_line()? {
                None => return Ok(None),
                // Some programs end a file with an empty line.
                Some(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Some(line) => {
                    let fields = self.fields(&line)?;
                    let state = self.columns.state.and_then(|at| fields.get(at));
                    match state.map(String::as_str) {
                        None | Some("" | "reported") => break fields,
                        Some(_) => self.passed_over += 1,
                    }
                }
            }
        };
        let of = |fault| RowFault::of(self.line, fault);
        if fields.len() != self.columns.names.len() {
            return Err(of(Fault::Ragged {
                found: fields.len(),
                expected: self.columns.names.len(),
            }));
        }
        let text = |column| {
            let at = self.columns.at(column)?;
            Some(fields.get(at)?.as_str())
        };
        let at = |at: usize, fault| RowFault {
            line: self.line,
            field: self.columns.name(at),
            fault,
        };
        let number_at = |position: usize| {
            number(fields.get(position).map_or("", String::as_str))
                .map_err(|fault| at(position, fault))
        };
        let number = |column| self.columns.at(column).map(number_at).transpose();
        // Who holds sheets of a table that no list has does not know its voters.
        let registered = match (self.wanted, text(Column::Registered)) {
            (Wanted::Votes | Wanted::Sums, Some("")) => None,
            _ => number(Column::Registered)?,
        };
        let table = match text(Column::Centre) {
            None => None,
            Some(centre) => {
                let id = table_id(centre, text(Column::Table).unwrap_or(""));
                let fault = || {
                    let wrong = Fault::Table(fault::quote(centre));
                    at(self.columns.at(Column::Centre).unwrap_or(0), wrong)
                };
                Some(id.ok_or_else(fault)?)
            }
        };
        let votes: Vec<u32> = (self.columns.votes.iter())
            .map(|position| number_at(*position))
            .collect::<Result<_, _>>()?;
        let row = ResultRow {
            line: self.line,
            state: text(Column::State).unwrap_or_default().to_owned(),
            municipality: text(Column::Municipality).unwrap_or_default().to_owned(),
            parish: text(Column::Parish).unwrap_or_default().to_owned(),
            table,
            registered,
            null: number(Column::Null)?,
            votes,
        };
        let (sum, valid) = (row.valid(), number(Column::Valid)?);
        if sum > u64::from(u32::MAX) || valid.is_some_and(|valid| u64::from(valid) != sum) {
            let valid = valid.map_or(u64::from(u32::MAX), u64::from);
            let position = self.columns.at(Column::Valid);
            let field = position.and_then(|position| self.columns.name(position));
            let fault = Fault::Sum { sum, valid };
            return Err(RowFault {
                line: self.line,
                field,
                fault,
            });
        }
        if let Some(table) = &row.table {
            if let Some(first) = self.seen.get(table) {
                let twice = Fault::Twice {
                    table: table.to_string(),
                    first: *first,
                };
                return Err(of(twice));
            }
            if self.seen.len() >= MAX_TABLES {
                self.over = true;
                return Err(of(Fault::TooMany(MAX_TABLES)));
            }
            self.seen.insert(table.clone(), self.line);
        }
        Ok(Some(row))
    }
}

impl<R: BufRead> Iterator for ResultsFile<R> {
    type Item = Result<ResultRow, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let row = self.row();
        if let Err(RowFault {
            fault: Fault::Unreadable(_),
            ..
        }) = &row
        {
            self.over = true;
        }
        row.transpose()
    }
}

/// What a whole file comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Votes by candidate, in the file's order.
    pub candidates: Vec<(String, u64)>,
    /// Null votes; `None` where the file has no such column.
    pub null: Option<u64>,
    /// Rows that are counted.
    pub rows: u64,
    /// Rows that have a fault and are not.
    pub faulty: u64,
    /// Rows of which nothing counts yet.
    pub passed_over: u64,
}

/// Adds a file up by candidate, tables or totals of places alike; `faulty` is told of each row that is left out.
///
/// # Errors
/// As [`ResultsFile::open`].
pub fn sums(
    path: &Path,
    layout: &Layout,
    mut faulty: impl FnMut(&RowFault),
) -> Result<Sums, Failure> {
    let mut file = ResultsFile::open(path, Wanted::Sums, layout)?;
    let names = file.candidates().iter();
    let mut sums = Sums {
        candidates: names.map(|name| (name.clone(), 0)).collect(),
        null: None,
        rows: 0,
        faulty: 0,
        passed_over: 0,
    };
    for row in &mut file {
        match row {
            Ok(row) => {
                sums.rows += 1;
                if let Some(null) = row.null {
                    *sums.null.get_or_insert(0) += u64::from(null);
                }
                for ((_, sum), votes) in sums.candidates.iter_mut().zip(row.votes) {
                    *sum += u64::from(votes);
                }
            }
            Err(fault) => {
                sums.faulty += 1;
                faulty(&fault);
            }
        }
    }
    sums.passed_over = file.passed_over();
    Ok(sums)
}

/// A number of votes: decimal digits and nothing else.
fn number(text: &str) -> Result<u32, Fault> {
    let quoted = || fault::quote(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        _ if text.is_empty() => Err(Fault::Missing),
        Ok(number) if digits(text) => Ok(number),
        _ if digits(text) => Err(Fault::TooLarge(quoted())),
        _ if text.strip_prefix('-').is_some_and(digits) => Err(Fault::Negative(quoted())),
        _ => Err(Fault::NotANumber(quoted())),
    }
}

/// The identifier of a table from its centre and its number there, with the zeros that published files lose.
fn table_id(centre: &str, table: &str) -> Option<TableId> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = match (centre, table) {
        ("", _) => return None,
        (centre, "") => centre.to_owned(),
        (centre, table) if digits(centre) && digits(table) => {
            format!("{centre:0>CENTRE_DIGITS$}.{table:0>TABLE_DIGITS$}")
        }
        (centre, table) => format!("{centre}.{table}"),
    };
    TableId::new(&text).ok()
}

#[cfg(test)]
mod tests;
