//! Which column of a file of results is what.

use super::{Fault, Wanted};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use testigo_tally::bulletins::same_name;

/// What a column can be, besides a candidate's votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// State.
    State,
    /// Municipality.
    Municipality,
    /// Parish.
    Parish,
    /// Voting centre.
    Centre,
    /// Table within its centre.
    Table,
    /// Registered voters.
    Registered,
    /// Valid votes.
    Valid,
    /// Null votes.
    Null,
}

impl Column {
    const ALL: [(Self, &'static str, &'static [&'static str]); 8] = [
        (Self::State, "state", &["EDO", "ESTADO"]),
        (Self::Municipality, "municipality", &["MUN", "MUNICIPIO"]),
        (Self::Parish, "parish", &["PAR", "PARROQUIA"]),
        (Self::Centre, "centre", &["CENTRO"]),
        (Self::Table, "table", &["MESA"]),
        (Self::Registered, "registered", &["RE"]),
        (Self::Valid, "valid", &["VOTOS_VALIDOS"]),
        (Self::Null, "null", &["VOTOS_NULOS"]),
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(column, ..)| *column == self);
        found.map_or("", |(_, name, _)| name)
    }

    fn needed(self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Tables => !matches!(self, Self::Municipality | Self::Parish),
            Wanted::Votes => matches!(self, Self::Centre | Self::Table),
            Wanted::Sums => false,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file's own name of a column, such as `registered=INSCRITOS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnName {
    /// Which column.
    pub column: Column,
    /// What its heading says.
    pub heading: String,
}

impl FromStr for ColumnName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Column::ALL.map(|(_, name, _)| name).join(", ");
        let (name, heading) = text
            .split_once('=')
            .ok_or("write it such as registered=INSCRITOS")?;
        let column = Column::ALL.iter().find(|(_, known, _)| *known == name);
        match column {
            Some((column, ..)) if !heading.trim().is_empty() => Ok(Self {
                column: *column,
                heading: heading.trim().to_owned(),
            }),
            _ => Err(format!("the columns are {}", names())),
        }
    }
}

/// How a file names its columns, where not as in [docs/results-file.md](../../../docs/results-file.md).
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Columns with another name.
    pub columns: Vec<ColumnName>,
    /// The candidates' columns; otherwise all that are nothing else.
    pub candidates: Vec<String>,
}

/// The columns before the candidates', as published results of Venezuela 2024 name them.
pub const HEADING: [&str; 8] = [
    "EDO",
    "MUN",
    "PAR",
    "CENTRO",
    "MESA",
    "RE",
    "VOTOS_VALIDOS",
    "VOTOS_NULOS",
];

/// What headquarters' export says besides of a table, behind the candidates: state of the table, whether it is
/// provisional, how many readings count and wait, how many differ, and doubts by number.
pub const FURTHER: [&str; 6] = [
    "ESTADO_MESA",
    "PROVISIONAL",
    "LECTURAS",
    "EN_ESPERA",
    "VERSIONES",
    "AVISOS",
];

/// What `testigo decode` says besides (docs/decode.md): state of the table, doubts by number, what vouches for the
/// reading, all contests, images.
pub const OF_IMAGES: [&str; 5] = [
    "ESTADO_MESA",
    "AVISOS",
    "RESPALDO",
    "CONTIENDAS",
    "ARCHIVOS",
];

/// Nobody's votes, by heading; those that begin with `COD_` are passed over too.
const PASSED_OVER: [&str; 3] = ["COD", "ACTAS", "URL"];

/// The columns of a file.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// All headings.
    pub names: Vec<String>,
    found: Vec<(Column, usize)>,
    /// The candidates' headings.
    pub candidates: Vec<String>,
    /// Their places.
    pub votes: Vec<usize>,
    /// Where the state of the table is, in files of Testigo's own.
    pub state: Option<usize>,
}

impl Columns {
    pub fn find(names: &[String], wanted: Wanted, layout: &Layout) -> Result<Self, Fault> {
        let mut columns = Self {
            names: names.to_vec(),
            ..Self::default()
        };
        let position = |heading: &str| {
            let mut same = (names.iter().enumerate()).filter(|(_, name)| same_name(name, heading));
            match (same.next(), same.next()) {
                (Some(_), Some(_)) => Err(Fault::ColumnTwice(heading.to_owned())),
                (found, _) => Ok(found.map(|(at, _)| at)),
            }
        };
        let missing = |heading: &str| Fault::ColumnMissing(heading.to_owned());
        for (column, _, spellings) in Column::ALL {
            let own = layout.columns.iter().find(|own| own.column == column);
            let at = match own {
                Some(own) => Some(position(&own.heading)?.ok_or_else(|| missing(&own.heading))?),
                None => {
                    let mut places = Vec::new();
                    for spelling in spellings {
                        places.extend(position(spelling)?);
                    }
                    places.first().copied()
                }
            };
            match at {
                Some(at) => columns.found.push((column, at)),
                None if column.needed(wanted) => {
                    return Err(Fault::NoColumn {
                        column,
                        usual: spellings.first().copied().unwrap_or_default(),
                    });
                }
                None => {}
            }
        }
        columns.state = position(OF_IMAGES[0])?;
        if !layout.candidates.is_empty() {
            for candidate in &layout.candidates {
                let at = position(candidate)?.ok_or_else(|| missing(candidate))?;
                columns.candidates.push(candidate.clone());
                columns.votes.push(at);
            }
        } else {
            let taken: BTreeSet<usize> = columns.found.iter().map(|(_, at)| *at).collect();
            for (at, name) in names.iter().enumerate() {
                if !taken.contains(&at) && !passed_over(name) {
                    columns.candidates.push(name.clone());
                    columns.votes.push(at);
                }
            }
        }
        let mut codes = BTreeSet::new();
        if let Some(twice) = (columns.candidates.iter()).find(|code| !codes.insert(*code)) {
            return Err(Fault::ColumnTwice(twice.clone()));
        }
        if columns.candidates.is_empty() {
            return Err(Fault::NoCandidates);
        }
        Ok(columns)
    }

    /// Where a column is.
    pub fn at(&self, column: Column) -> Option<usize> {
        let found = self.found.iter().find(|(known, _)| *known == column);
        found.map(|(_, at)| *at)
    }

    /// What the column at a place is called.
    pub fn name(&self, at: usize) -> Option<String> {
        self.names.get(at).cloned()
    }
}

fn passed_over(name: &str) -> bool {
    let upper = name.to_uppercase();
    let known = PASSED_OVER.iter().chain(&FURTHER).chain(&OF_IMAGES);
    upper.is_empty() || upper.starts_with("COD_") || known.into_iter().any(|known| *known == upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_candidate_of_an_election_can_be_called_as_one_of_these_columns_is() {
        let spellings = Column::ALL
            .into_iter()
            .flat_map(|(.., spellings)| spellings);
        let of_rows = HEADING.iter().chain(&FURTHER).chain(&OF_IMAGES);
        for name in spellings.chain(of_rows).chain(&PASSED_OVER) {
            assert!(testigo_hq::RESULT_COLUMNS.contains(name), "{name}");
        }
    }
}
