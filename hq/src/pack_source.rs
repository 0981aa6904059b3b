use crate::format_source::{self, FormatSourceMistake, FormatToml};
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use testigo_wire::{
    Candidate, ElectionId, ElectionPack, Format, FormatMistake, Language, MAX_FORMATS,
    PollingTable, Slot, TableId,
};
use thiserror::Error;
use toml::Spanned;

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
    #[error("{file}, line {line}: {mistake}")]
    Line {
        /// The file's name.
        file: String,
        /// Counted from 1, the heading included.
        line: u64,
        /// What is wrong.
        mistake: Mistake,
    },
    /// A value of `pack.toml` that cannot be right.
    #[error("{file}: {field}: {mistake}")]
    Field {
        /// The file's name.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        mistake: Mistake,
    },
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Nothing stands there.
    #[error("it is empty")]
    Empty,
    /// Not a day as `YYYY-MM-DD`.
    #[error("{0:?} is not YYYY-MM-DD")]
    Date(String),
    /// A candidate's code that is empty or another's, too.
    #[error("code {0:?} is empty or there twice")]
    Code(String),
    /// Slots are numbered from 1 without a gap.
    #[error("slot {found} where {expected} is next")]
    Slot {
        /// The number that stands there.
        found: usize,
        /// The one that is next.
        expected: usize,
    },
    /// A slot's candidate is none of the candidates.
    #[error("no candidate has the code {0:?}")]
    Candidate(String),
    /// Not the form of a table's identifier.
    #[error("{0:?} is no polling table's identifier, such as 201301006.01")]
    Table(String),
    /// A polling table that is there already.
    #[error("table {0:?} is there twice")]
    Twice(String),
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

impl Mistake {
    fn sentence(&self, language: Language) -> String {
        let es = match self {
            Self::Empty => "está vacío".to_owned(),
            Self::Date(date) => format!("{date:?} no es AAAA-MM-DD"),
            Self::Code(code) => format!("el código {code:?} está vacío o se repite"),
            Self::Slot { found, expected } => {
                format!("casilla {found} donde sigue la {expected}")
            }
            Self::Candidate(code) => format!("ningún candidato tiene el código {code:?}"),
            Self::Table(table) => {
                format!("{table:?} no identifica una mesa, como por ejemplo 201301006.01")
            }
            Self::Twice(table) => format!("la mesa {table:?} se repite"),
            Self::Format {
                name,
                place,
                mistake,
            } => format!("formato {name:?}: {place}: {}", mistake.sentence(language)),
        };
        language.pick(es, self.to_string())
    }
}

impl PackSourceError {
    /// Where the mistake is and what it is. What a reader of TOML or CSV itself says stays English.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::Line {
                file,
                line,
                mistake,
            } => {
                let mistake = mistake.sentence(language);
                language.pick(
                    format!("{file}, línea {line}: {mistake}"),
                    format!("{file}, line {line}: {mistake}"),
                )
            }
            Self::Field {
                file,
                field,
                mistake,
            } => format!("{file}: {field}: {}", mistake.sentence(language)),
            Self::File { path, source } => {
                let path = path.display();
                language.pick(
                    format!("no se puede leer {path} ({source})"),
                    format!("{path} cannot be read ({source})"),
                )
            }
            Self::Toml { .. } | Self::Csv { .. } => self.to_string(),
        }
    }
}

/// An election as its organisers write it down: a `pack.toml` with name, date (`YYYY-MM-DD`), IANA
/// time zone, `[[candidate]]` entries of `code` and `name`, and the names of two CSV files beside it:
/// `slots` (`slot,party,candidate`, in the ballot's order from 1) and `tables`
/// (`table,registered,state,municipality,parish`). With `no_history = true` phones keep no readable copy of what
/// their witness saves. `[[format]]` entries say how its sheets are written, where they are not Venezuela's of 2024.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackSource {
    name: String,
    date: String,
    time_zone: String,
    candidates: Vec<Candidate>,
    slots: Vec<Slot>,
    tables: Vec<PollingTable>,
    no_history: bool,
    formats: Vec<Format>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    name: String,
    date: String,
    time_zone: String,
    slots: String,
    tables: String,
    /// Phones keep no readable copy of what they save.
    #[serde(default)]
    no_history: bool,
    candidate: Vec<CandidateToml>,
    #[serde(default)]
    format: Vec<Spanned<FormatToml>>,
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
            date: self.date,
            time_zone: self.time_zone,
            candidates: self.candidates,
            slots: self.slots,
            tables: self.tables,
            no_history: self.no_history,
            formats: self.formats,
            ..ElectionPack::new(election, &self.name)
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
        let fault = |field, mistake| PackSourceError::Field {
            file: file.to_owned(),
            field,
            mistake,
        };
        if pack.name.trim().is_empty() {
            return Err(fault("name", Mistake::Empty));
        }
        if NaiveDate::parse_from_str(&pack.date, "%Y-%m-%d").is_err() || pack.date.len() != 10 {
            return Err(fault("date", Mistake::Date(pack.date)));
        }
        if pack.time_zone.trim().is_empty() {
            return Err(fault("time_zone", Mistake::Empty));
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for CandidateToml { code, name } in pack.candidate {
            if code.trim().is_empty() || candidates.iter().any(|c| c.code == code) {
                return Err(fault("candidate", Mistake::Code(code)));
            }
            candidates.push(Candidate { code, name });
        }
        let formats = formats(file, text, pack.format)?;
        let slots = slots(&pack.slots, &read(&pack.slots)?, &candidates)?;
        let tables = tables(&pack.tables, &read(&pack.tables)?)?;
        Ok(Self {
            name: pack.name,
            date: pack.date,
            time_zone: pack.time_zone,
            candidates,
            slots,
            tables,
            no_history: pack.no_history,
            formats,
        })
    }
}

fn formats(
    file: &str,
    text: &str,
    entries: Vec<Spanned<FormatToml>>,
) -> Result<Vec<Format>, PackSourceError> {
    let mut formats: Vec<Format> = Vec::new();
    for entry in entries {
        let (name, start) = (entry.get_ref().name.clone(), entry.span().start);
        let fault = |at, place, mistake| PackSourceError::Line {
            file: file.to_owned(),
            line: line_of(text, at),
            mistake: Mistake::Format {
                name: name.clone(),
                place,
                mistake,
            },
        };
        let format = format_source::format(entry)
            .map_err(|found| fault(found.at, found.place, found.mistake))?;
        if formats.iter().any(|other| other.name == format.name) {
            let twice = FormatSourceMistake::Fault(FormatMistake::Twice(format.name));
            return Err(fault(start, "name".to_owned(), twice));
        }
        if formats.len() >= MAX_FORMATS {
            let many = FormatSourceMistake::Fault(FormatMistake::TooMany);
            return Err(fault(start, "format".to_owned(), many));
        }
        formats.push(format);
    }
    Ok(formats)
}

/// The line, counted from 1, of a byte of a text.
fn line_of(text: &str, at: usize) -> u64 {
    let before = text.get(..at).unwrap_or(text);
    1 + before.bytes().filter(|b| *b == b'\n').count() as u64
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
        let fault = |mistake| PackSourceError::Line {
            file: file.to_owned(),
            line,
            mistake,
        };
        let expected = slots.len() + 1;
        if row.slot != expected {
            return Err(fault(Mistake::Slot {
                found: row.slot,
                expected,
            }));
        }
        if !candidates.iter().any(|c| c.code == row.candidate) {
            return Err(fault(Mistake::Candidate(row.candidate)));
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
        let fault = |mistake| PackSourceError::Line {
            file: file.to_owned(),
            line,
            mistake,
        };
        let id = TableId::new(&row.table).map_err(|_| fault(Mistake::Table(row.table.clone())))?;
        let areas = [&*row.state, &*row.municipality, &*row.parish];
        let table = PollingTable::in_areas(id.clone(), row.registered, areas);
        if tables.insert(id, table).is_some() {
            return Err(fault(Mistake::Twice(row.table)));
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
            assert_eq!(error.sentence(Language::En), error.to_string());
        }
    }
}
