use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use testigo_wire::{Candidate, ElectionId, ElectionPack, PollingTable, Slot, TableId};
use thiserror::Error;

/// A mistake in the files that describe an election. Names the file and, where it is known, the line.
#[derive(Debug, Error)]
pub enum PackSourceError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `pack.toml` is not of the right form.
    #[error("{file}: {source}")]
    Toml {
        /// The file's name.
        file: String,
        /// What and in which line.
        source: Box<toml::de::Error>,
    },
    /// A table of slots or polling tables is not of the right form.
    #[error("{file}: {source}")]
    Csv {
        /// The file's name.
        file: String,
        /// What and in which line.
        source: csv::Error,
    },
    /// A value that cannot be right.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// The file's name.
        file: String,
        /// Counted from 1, the heading included.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A value of `pack.toml` that cannot be right.
    #[error("{file}: {field}: {reason}")]
    Field {
        /// The file's name.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// An election as its organisers write it down: a `pack.toml` with name, date (`YYYY-MM-DD`), IANA
/// time zone, `[[candidate]]` entries of `code` and `name`, and the names of two CSV files beside it:
/// `slots` (`slot,party,candidate`, in the ballot's order from 1) and `tables`
/// (`table,registered,state,municipality,parish`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackSource {
    name: String,
    date: String,
    time_zone: String,
    candidates: Vec<Candidate>,
    slots: Vec<Slot>,
    tables: Vec<PollingTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    name: String,
    date: String,
    time_zone: String,
    slots: String,
    tables: String,
    candidate: Vec<CandidateToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CandidateToml {
    code: String,
    name: String,
}

#[derive(Deserialize)]
struct SlotRow {
    slot: usize,
    party: String,
    candidate: String,
}

#[derive(Deserialize)]
struct TableRow {
    table: String,
    registered: u32,
    state: String,
    municipality: String,
    parish: String,
}

impl PackSource {
    /// Reads `pack.toml` and the two files that it names.
    ///
    /// # Errors
    /// [`PackSourceError`] names the file and line of the first mistake.
    pub fn from_file(path: &Path) -> Result<Self, PackSourceError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| PackSourceError::File {
                path: path.to_owned(),
                source,
            })
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&path.display().to_string(), &read(path)?, |name| {
            read(&folder.join(name))
        })
    }

    /// The presidential election of Venezuela of 28 July 2024: its ten candidates and 38 ballot
    /// slots, and twelve of its real polling tables.
    ///
    /// # Errors
    /// None in practice: the files are part of the program.
    pub fn venezuela_2024() -> Result<Self, PackSourceError> {
        let toml = include_str!("../packs/venezuela-2024/pack.toml");
        Self::parse("venezuela-2024/pack.toml", toml, |name| {
            Ok(match name {
                "slots.csv" => include_str!("../packs/venezuela-2024/slots.csv"),
                _ => include_str!("../packs/venezuela-2024/tables.csv"),
            }
            .to_owned())
        })
    }

    /// The polling tables.
    pub fn tables(&self) -> &[PollingTable] {
        &self.tables
    }

    /// The pack of that election, unsigned.
    pub fn into_pack(self, election: ElectionId) -> ElectionPack {
        ElectionPack {
            version: 1,
            election,
            name: self.name,
            date: self.date,
            time_zone: self.time_zone,
            candidates: self.candidates,
            slots: self.slots,
            tables: self.tables,
        }
    }

    fn parse(
        file: &str,
        text: &str,
        read: impl Fn(&str) -> Result<String, PackSourceError>,
    ) -> Result<Self, PackSourceError> {
        let pack: PackToml = toml::from_str(text).map_err(|source| PackSourceError::Toml {
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        let fault = |field, reason: String| PackSourceError::Field {
            file: file.to_owned(),
            field,
            reason,
        };
        if pack.name.trim().is_empty() {
            return Err(fault("name", "it is empty".into()));
        }
        if NaiveDate::parse_from_str(&pack.date, "%Y-%m-%d").is_err() || pack.date.len() != 10 {
            return Err(fault("date", format!("{:?} is not YYYY-MM-DD", pack.date)));
        }
        if pack.time_zone.trim().is_empty() {
            return Err(fault("time_zone", "it is empty".into()));
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for CandidateToml { code, name } in pack.candidate {
            if code.trim().is_empty() || candidates.iter().any(|c| c.code == code) {
                return Err(fault(
                    "candidate",
                    format!("code {code:?} is empty or there twice"),
                ));
            }
            candidates.push(Candidate { code, name });
        }
        let slots = slots(&pack.slots, &read(&pack.slots)?, &candidates)?;
        let tables = tables(&pack.tables, &read(&pack.tables)?)?;
        Ok(Self {
            name: pack.name,
            date: pack.date,
            time_zone: pack.time_zone,
            candidates,
            slots,
            tables,
        })
    }
}

/// Rows of a CSV file, each with its line.
fn rows<T: for<'de> Deserialize<'de>>(
    file: &str,
    text: &str,
) -> Result<Vec<(u64, T)>, PackSourceError> {
    let fault = |source| PackSourceError::Csv {
        file: file.to_owned(),
        source,
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let heading = reader.headers().map_err(fault)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&heading)).map_err(fault)?));
    }
    Ok(rows)
}

fn slots(file: &str, text: &str, candidates: &[Candidate]) -> Result<Vec<Slot>, PackSourceError> {
    let mut slots = Vec::new();
    for (line, row) in rows::<SlotRow>(file, text)? {
        let fault = |reason| PackSourceError::Line {
            file: file.to_owned(),
            line,
            reason,
        };
        let expected = slots.len() + 1;
        if row.slot != expected {
            return Err(fault(format!("slot {} where {expected} is next", row.slot)));
        }
        if !candidates.iter().any(|c| c.code == row.candidate) {
            return Err(fault(format!(
                "no candidate has the code {:?}",
                row.candidate
            )));
        }
        slots.push(Slot {
            party: row.party,
            candidate: row.candidate,
        });
    }
    Ok(slots)
}

fn tables(file: &str, text: &str) -> Result<Vec<PollingTable>, PackSourceError> {
    let mut tables = BTreeMap::new();
    for (line, row) in rows::<TableRow>(file, text)? {
        let fault = |reason| PackSourceError::Line {
            file: file.to_owned(),
            line,
            reason,
        };
        let id = TableId::new(&row.table).map_err(|error| fault(error.to_string()))?;
        let table = PollingTable {
            id: id.clone(),
            registered: row.registered,
            state: row.state,
            municipality: row.municipality,
            parish: row.parish,
        };
        if tables.insert(id, table).is_some() {
            return Err(fault(format!("table {:?} is there twice", row.table)));
        }
    }
    Ok(tables.into_values().collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    const PACK: &str = "name = 'x'\ndate = '2024-07-28'\ntime_zone = 'UTC'\nslots = 's'\n\
        tables = 't'\n[[candidate]]\ncode = 'A'\nname = 'Ana'\n";
    const SLOTS: &str = "slot,party,candidate\n1,P,A\n";
    const TABLES: &str = "table,registered,state,municipality,parish\n1.2,10,S,M,P\n";

    fn parse(pack: &str, slots: &str, tables: &str) -> Result<PackSource, PackSourceError> {
        PackSource::parse("pack.toml", pack, |name| {
            Ok(if name == "s" { slots } else { tables }.to_owned())
        })
    }

    #[test]
    fn venezuela_has_ten_candidates_38_slots_and_the_tables_of_known_sheets() {
        let source = PackSource::venezuela_2024().unwrap();
        assert_eq!(source.candidates.len(), 10);
        assert_eq!(source.slots.len(), 38);
        assert_eq!(source.tables.len(), 12);
        let pack = source.into_pack(ElectionId([1; 8]));
        for (table, registered) in [
            ("201301006.01", 535),
            ("110601011.04", 903),
            ("150702005.02", 710),
        ] {
            let table = pack.table(&TableId::new(table).unwrap()).unwrap();
            assert_eq!(table.registered, registered);
        }
    }

    #[test]
    fn a_mistake_is_named_by_file_and_line() {
        parse(PACK, SLOTS, TABLES).unwrap();
        for (pack, slots, tables, says) in [
            ("name = 3", SLOTS, TABLES, "line 1"),
            (&*PACK.replace("2024-07-28", "28/7"), SLOTS, TABLES, "date"),
            (PACK, "slot,party,candidate\n2,P,A\n", TABLES, "s, line 2"),
            (PACK, "slot,party,candidate\n1,P,B\n", TABLES, "\"B\""),
            (PACK, "slot,party\n1,P\n", TABLES, "candidate"),
            (
                PACK,
                SLOTS,
                "table,registered,state,municipality,parish\n1.2,many,S,M,P\n",
                "line: 2",
            ),
            (
                PACK,
                SLOTS,
                "table,registered,state,municipality,parish\n1.2,1,S,M,P\n1.2,1,S,M,P\n",
                "t, line 3",
            ),
        ] {
            let Err(error) = parse(pack, slots, tables) else {
                panic!("accepted: {says}");
            };
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
