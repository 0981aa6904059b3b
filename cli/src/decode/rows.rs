//! Readings -> one row a table. The same reading twice is one, with both files; readings that differ are each kept.

use super::journal::Entry;
use crate::failure::Failure;
use crate::results_file::{OF_IMAGES, writing};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use testigo_tally::{Contest, NotATally, Tally, Vouch};
use testigo_wire::{ElectionPack, Language, TableId};

/// How many images one record is looked for in: more than a record has codes.
const MAX_IMAGES: usize = 16;

/// A reading and the images that gave it.
pub struct Reading {
    pub tally: Tally,
    /// The texts of the sheet's codes.
    pub texts: Vec<Vec<u8>>,
    pub images: Vec<Entry>,
}

impl Reading {
    /// Their names.
    fn files(&self) -> Vec<String> {
        self.images.iter().map(|image| image.file.clone()).collect()
    }
}

/// An image that gave no reading.
pub struct Unread {
    pub file: String,
    /// A stable name: `image`, `no-code`, `not-a-tally`, or `altered` for a sheet whose own checks fail.
    pub code: &'static str,
    pub reason: String,
    /// The texts of its codes, word for word.
    pub texts: Vec<String>,
}

impl Unread {
    fn new(entry: Entry, code: &'static str, reason: String) -> Self {
        let lossy = |text: &Vec<u8>| String::from_utf8_lossy(text).into_owned();
        Self {
            texts: entry.texts().iter().map(lossy).collect(),
            file: entry.file,
            code,
            reason,
        }
    }
}

/// All that the images gave.
#[derive(Default)]
pub struct Rows {
    pub tables: BTreeMap<TableId, Vec<Reading>>,
    pub unread: Vec<Unread>,
}

impl Rows {
    /// Reads what each image gave.
    pub fn of(
        entries: impl IntoIterator<Item = Entry>,
        read: impl Fn(&[&[u8]]) -> Result<Tally, NotATally>,
        language: Language,
    ) -> Self {
        let mut rows = Self::default();
        let mut parts = Vec::new();
        for entry in entries {
            let codes = entry.texts();
            let texts: Vec<&[u8]> = codes.iter().map(Vec::as_slice).collect();
            let (code, reason) = match (&entry.fault, texts.is_empty()) {
                (Some(fault), _) => ("image", fault.clone()),
                (None, true) => {
                    let sentence = language.pick(
                        "no se pudo leer ningún código QR",
                        "no QR code could be read",
                    );
                    ("no-code", sentence.to_owned())
                }
                (None, false) => match read(&texts) {
                    Ok(tally) => {
                        rows.add(tally, codes, vec![entry]);
                        continue;
                    }
                    Err(error @ NotATally::CodeMissing { .. }) => {
                        parts.push((entry, error));
                        continue;
                    }
                    Err(error) if error.is_altered() => ("altered", error.sentence(language)),
                    Err(error) => ("not-a-tally", error.sentence(language)),
                },
            };
            rows.unread.push(Unread::new(entry, code, reason));
        }
        rows.put_together(parts, read, language);
        rows.unread.sort_by(|a, b| a.file.cmp(&b.file));
        rows
    }

    /// A record of several codes may be photographed code by code: images that follow one another by name are tried
    /// together, and are one sheet where its own hashes say so.
    fn put_together(
        &mut self,
        mut parts: Vec<(Entry, NotATally)>,
        read: impl Fn(&[&[u8]]) -> Result<Tally, NotATally>,
        language: Language,
    ) {
        while !parts.is_empty() {
            let mut texts: Vec<Vec<u8>> = Vec::new();
            let whole = (parts.iter().take(MAX_IMAGES).enumerate()).find_map(|(n, (entry, _))| {
                texts.extend(entry.texts());
                let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
                let tally = read(&texts).ok().filter(|tally| tally.vouch >= Vouch::HASH);
                tally.map(|tally| (tally, n + 1))
            });
            match whole {
                Some((tally, images)) => {
                    let images = parts.drain(..images).map(|(entry, _)| entry).collect();
                    self.add(tally, texts, images);
                }
                None => {
                    let (entry, error) = parts.remove(0);
                    let reason = error.sentence(language);
                    self.unread.push(Unread::new(entry, "not-a-tally", reason));
                }
            }
        }
    }

    /// A reading that says the same as one before is that one, with one image more and the doubts of both.
    fn add(&mut self, tally: Tally, texts: Vec<Vec<u8>>, images: Vec<Entry>) {
        let readings = self.tables.entry(tally.table.clone()).or_default();
        let same = |one: &&mut Reading| {
            (&one.tally.contests, &one.tally.fields, one.tally.vouch)
                == (&tally.contests, &tally.fields, tally.vouch)
        };
        match readings.iter_mut().find(same) {
            Some(reading) => {
                reading.images.extend(images);
                for doubt in tally.doubts {
                    if !reading.tally.doubts.contains(&doubt) {
                        reading.tally.doubts.push(doubt);
                    }
                }
            }
            None => readings.push(Reading {
                tally,
                texts,
                images,
            }),
        }
    }

    /// Whether votes of any reading count for the election's candidates.
    pub fn any_folded(&self) -> bool {
        let mut readings = self.tables.values().flatten();
        readings.any(|reading| !reading.tally.candidates.is_empty())
    }

    /// Tables whose readings differ.
    pub fn conflicts(&self) -> usize {
        let several = |readings: &&Vec<Reading>| readings.len() > 1;
        self.tables.values().filter(several).count()
    }

    /// Tables without a conflict whose ballot is not this election's.
    pub fn other_ballots(&self, pack: &ElectionPack) -> usize {
        let other = |readings: &&Vec<Reading>| matches!(readings.as_slice(), [reading] if reading.tally.candidates.is_empty());
        match pack.candidates.is_empty() {
            true => 0,
            false => self.tables.values().filter(other).count(),
        }
    }

    /// Images that gave a reading.
    pub fn read(&self) -> usize {
        let readings = self.tables.values().flatten();
        readings.map(|reading| reading.images.len()).sum()
    }

    /// Votes by candidate over all tables but those in conflict.
    pub fn totals(&self, pack: &ElectionPack) -> Vec<(String, u64)> {
        (pack.candidates.iter())
            .map(|candidate| {
                let votes = (self.tables.values())
                    .filter_map(|readings| match readings.as_slice() {
                        [reading] => votes(&reading.tally, &candidate.code),
                        _ => None,
                    })
                    .sum();
                (candidate.code.clone(), votes)
            })
            .collect()
    }
}

fn votes(tally: &Tally, candidate: &str) -> Option<u64> {
    let mut folded = tally.candidates.iter();
    folded
        .find(|one| one.code == candidate)
        .map(|one| one.votes)
}

/// What stands in a row, by column.
struct Row<'a> {
    reading: &'a Reading,
    differs: bool,
    pack: &'a ElectionPack,
    language: Language,
}

impl Row<'_> {
    fn state(&self) -> &'static str {
        match (self.differs, self.pack.candidates.is_empty()) {
            (true, _) => "conflict",
            // Its ballot is not this election's, as headquarters' export has it.
            (false, false) if self.reading.tally.candidates.is_empty() => "review",
            (false, _) => "reported",
        }
    }

    /// Every contest, word for word: `office: votes by slot`.
    fn contests(&self) -> String {
        let contests: Vec<String> = (self.reading.tally.contests.iter())
            .map(|contest| match contest.office.as_str() {
                "" => contest.to_string(),
                office => format!("{office}: {contest}"),
            })
            .collect();
        contests.join(" / ")
    }

    fn warnings(&self) -> Vec<String> {
        let doubts = self.reading.tally.doubts.iter();
        doubts.map(|doubt| doubt.sentence(self.language)).collect()
    }

    /// The doubts by number.
    fn numbers(&self) -> Vec<String> {
        let doubts = self.reading.tally.doubts.iter();
        doubts.map(|doubt| doubt.warning().0.to_string()).collect()
    }

    fn csv(&self) -> Vec<String> {
        let tally = &self.reading.tally;
        let counted = [
            tally.contest().map(Contest::valid_votes),
            tally.null_votes().map(u64::from),
        ];
        let known = self.pack.table(&tally.table);
        let mut row = writing::row(self.pack, &tally.table, known, counted, |code| {
            votes(tally, code)
        });
        row.extend([
            self.state().to_owned(),
            self.numbers().join(" "),
            tally.vouch.to_string(),
            self.contests(),
            listed(&self.reading.files()),
        ]);
        row
    }

    fn json(&self) -> Value {
        let tally = &self.reading.tally;
        let known = self.pack.table(&tally.table);
        let candidates: serde_json::Map<String, Value> = (tally.candidates.iter())
            .map(|one| (one.code.clone(), one.votes.into()))
            .collect();
        json!({
            "table": tally.table.as_str(),
            "state": known.map(|table| table.area(0)),
            "municipality": known.map(|table| table.area(1)),
            "parish": known.map(|table| table.area(2)),
            "registered": known.map(|table| table.registered),
            "valid": tally.contest().map(Contest::valid_votes),
            "null": tally.null_votes(),
            "candidates": candidates,
            "table_state": self.state(),
            "vouch": tally.vouch.to_string(),
            "warnings": self.warnings(),
            "contests": self.contests(),
            "files": self.reading.files(),
        })
    }
}

/// Writes the rows, as CSV or, where the name ends so, as JSON lines (docs/decode.md).
pub fn write(
    rows: &Rows,
    pack: &ElectionPack,
    path: &Path,
    language: Language,
) -> Result<(), Failure> {
    let all = rows.tables.values().flat_map(|readings| {
        readings.iter().map(|reading| Row {
            reading,
            differs: readings.len() > 1,
            pack,
            language,
        })
    });
    let mut bytes = Vec::new();
    if is_jsonl(path) {
        for row in all {
            let _ = writeln!(bytes, "{}", row.json());
        }
    } else {
        let heading = writing::heading(pack, &OF_IMAGES);
        bytes = writing::csv(std::iter::once(heading).chain(all.map(|row| row.csv())))?;
    }
    replace(path, &bytes)
}

/// Writes what could not be read, and why.
pub fn write_unread(rows: &Rows, path: &Path) -> Result<(), Failure> {
    let heading = ["FILE", "CODE", "REASON", "TEXTS"]
        .map(str::to_owned)
        .to_vec();
    let all = rows.unread.iter().map(|one| {
        vec![
            listed(std::slice::from_ref(&one.file)),
            one.code.to_owned(),
            one.reason.clone(),
            listed(&one.texts),
        ]
    });
    replace(path, &writing::csv(std::iter::once(heading).chain(all))?)
}

pub fn is_jsonl(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "jsonl")
}

/// Texts from outside as a JSON list: no line end, and nothing that a spreadsheet takes for a formula.
fn listed(texts: &[String]) -> String {
    json!(texts).to_string()
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    std::fs::write(beside, bytes)
        .and_then(|()| std::fs::rename(beside, path))
        .map_err(Failure::file(path))
}
