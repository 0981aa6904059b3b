//! A file of results in memory, and what two of them do not have in common.

use crate::failure::Failure;
use crate::outcome::complain;
use crate::results_file::{Layout, ResultRow, ResultsFile, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use testigo_wire::{Language, TableId};

/// A whole file of results.
pub struct Book {
    /// The file's name, for people.
    pub name: String,
    /// Its candidates.
    pub candidates: Vec<String>,
    /// Its rows without a fault.
    pub rows: Vec<ResultRow>,
    /// How many rows have one.
    pub faulty: u64,
}

/// What two files are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A state, all tables together.
    State(String),
    /// A table, with its line in the published file where it is there.
    Table(TableId, Option<u64>),
}

/// A number that two files do not agree on, or a table that one of them lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// The column that differs and both numbers, the published one first; `None` where one file lacks the table.
    pub numbers: Option<(String, u64, u64)>,
}

impl Book {
    /// Reads it, naming each row that has a fault.
    pub fn read(path: &Path, layout: &Layout, language: Language) -> Result<Self, Failure> {
        Self::read_with(path, layout, complain, language)
    }

    /// Reads what headquarters exported of the election of `published`. Tables without a result are not in it.
    pub fn read_export(path: &Path, published: &Self, language: Language) -> Result<Self, Failure> {
        let layout = Layout {
            columns: Vec::new(),
            candidates: published.candidates.clone(),
        };
        // Tables without a result have no numbers; they are named as differences.
        Self::read_with(path, &layout, |_| {}, language)
    }

    fn read_with(
        path: &Path,
        layout: &Layout,
        mut named: impl FnMut(&str),
        language: Language,
    ) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file = ResultsFile::open(path, Wanted::Tables, layout)?;
        let mut book = Self {
            candidates: file.candidates().to_vec(),
            rows: Vec::new(),
            faulty: 0,
            name,
        };
        for row in file {
            match row {
                Ok(row) => {
                    if let Some((cast, registered)) = row.over_registered() {
                        let (name, line) = (&book.name, row.line);
                        named(&language.pick(
                            format!("{name}, línea {line}: aviso: {cast} votos de {registered} inscritos"),
                            format!("{name}, line {line}: warning: {cast} votes of {registered} registered"),
                        ));
                    }
                    book.rows.push(row);
                }
                Err(fault) => {
                    book.faulty += 1;
                    named(&fault.sentence(&book.name, language));
                }
            }
        }
        Ok(book)
    }

    /// What `counted` has otherwise, to the last vote: state by state, then table by table in the order of this file.
    pub fn differences(&self, counted: &Self) -> Vec<Difference> {
        let (ours, theirs) = (self.states(), counted.states());
        let states: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
        let none = BTreeMap::new();
        let mut found = Vec::new();
        for state in states {
            let place = Place::State(state.to_owned());
            let (ours, theirs) = (ours.get(state), theirs.get(state));
            differing(
                &place,
                ours.unwrap_or(&none),
                theirs.unwrap_or(&none),
                &mut found,
            );
        }
        found.extend(self.by_table(counted));
        found
    }

    /// All tables of each state together.
    fn states(&self) -> BTreeMap<&str, Numbers<'_>> {
        let mut states: BTreeMap<&str, Numbers<'_>> = BTreeMap::new();
        for row in &self.rows {
            let sums = states.entry(&row.state).or_default();
            for (column, number) in self.numbers(row) {
                *sums.entry(column).or_default() += number;
            }
        }
        states
    }

    fn by_table(&self, counted: &Self) -> Vec<Difference> {
        let mut left: BTreeMap<&TableId, &ResultRow> = (counted.rows.iter())
            .filter_map(|row| Some((row.table.as_ref()?, row)))
            .collect();
        let mut found = Vec::new();
        for row in &self.rows {
            let Some(table) = &row.table else { continue };
            let place = Place::Table(table.clone(), Some(row.line));
            match left.remove(table) {
                None => found.push(Difference {
                    place,
                    numbers: None,
                }),
                Some(other) => {
                    differing(
                        &place,
                        &self.numbers(row),
                        &counted.numbers(other),
                        &mut found,
                    );
                }
            }
        }
        found.extend(left.into_keys().map(|table| Difference {
            place: Place::Table(table.clone(), None),
            numbers: None,
        }));
        found
    }

    fn numbers<'a>(&'a self, row: &ResultRow) -> Numbers<'a> {
        let votes = row.votes.iter().map(|votes| u64::from(*votes));
        let mut numbers: Numbers<'_> = self
            .candidates
            .iter()
            .map(String::as_str)
            .zip(votes)
            .collect();
        // Names that no heading has.
        numbers.insert("registered", u64::from(row.registered.unwrap_or(0)));
        numbers.insert("null", u64::from(row.null.unwrap_or(0)));
        numbers.insert("valid", row.valid());
        numbers
    }
}

/// Each column's number.
type Numbers<'a> = BTreeMap<&'a str, u64>;

/// Notes each column that differs.
fn differing(place: &Place, ours: &Numbers<'_>, theirs: &Numbers<'_>, found: &mut Vec<Difference>) {
    let columns: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
    for column in columns {
        let of = |numbers: &Numbers<'_>| numbers.get(column).copied().unwrap_or(0);
        if of(ours) != of(theirs) {
            found.push(Difference {
                place: place.clone(),
                numbers: Some((column.to_owned(), of(ours), of(theirs))),
            });
        }
    }
}

impl Difference {
    /// What a person is told; `file` is the published one.
    pub fn sentence(&self, file: &str, language: Language) -> String {
        let place = match &self.place {
            Place::State(state) => {
                language.pick(format!("estado «{state}»"), format!("state {state:?}"))
            }
            Place::Table(table, Some(line)) => language.pick(
                format!("{file}, línea {line}, mesa {table}"),
                format!("{file}, line {line}, table {table}"),
            ),
            Place::Table(table, None) => language.pick(
                format!("mesa {table}: la central la contó, y {file} no la tiene"),
                format!("table {table}: headquarters counted it, and {file} does not have it"),
            ),
        };
        match (&self.numbers, &self.place) {
            (Some((column, published, counted)), _) => language.pick(
                format!("{place}, {column}: {published} en el archivo, {counted} en la central"),
                format!("{place}, {column}: {published} in the file, {counted} at headquarters"),
            ),
            (None, Place::Table(_, Some(_))) => language.pick(
                format!("{place}: la central no tiene resultado de ella"),
                format!("{place}: headquarters have no result of it"),
            ),
            (None, _) => place,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn book() -> Book {
        let row = |line: u64, table: &str| ResultRow {
            line,
            state: "S".into(),
            municipality: String::new(),
            parish: String::new(),
            table: Some(TableId::new(table).unwrap()),
            registered: Some(9),
            null: Some(1),
            votes: vec![2, 3],
        };
        Book {
            name: "r.csv".into(),
            candidates: vec!["A".into(), "B".into()],
            rows: vec![row(2, "1.1"), row(3, "1.2")],
            faulty: 0,
        }
    }

    #[test]
    fn one_altered_row_in_either_is_named_and_the_order_of_candidates_is_free() {
        let mut turned = book();
        turned.candidates.reverse();
        turned.rows.iter_mut().for_each(|row| row.votes.reverse());
        assert_eq!(book().differences(&turned), []);
        let mut altered = book();
        altered.rows[1].votes = vec![3, 2];
        for found in [book().differences(&altered), altered.differences(&book())] {
            let said: Vec<String> = found
                .iter()
                .map(|d| d.sentence("r.csv", Language::En))
                .collect();
            assert_eq!(said.len(), 4, "{said:?}");
            assert!(said[0].starts_with("state \"S\", A: "), "{said:?}");
            assert!(
                said[2].starts_with("r.csv, line 3, table 1.2, A: "),
                "{said:?}"
            );
        }
        for change in [
            (|row: &mut ResultRow| row.null = Some(2)) as fn(&mut ResultRow),
            |row| row.registered = Some(8),
        ] {
            let mut altered = book();
            change(&mut altered.rows[0]);
            assert_eq!(book().differences(&altered).len(), 2);
        }
        // A row that is filed under another state moves its votes there.
        let mut moved = book();
        moved.rows[0].state = "T".into();
        let found = book().differences(&moved);
        assert!(
            found.iter().any(|d| d.place == Place::State("T".into())),
            "{found:?}"
        );
    }

    #[test]
    fn a_table_that_one_lacks_is_named() {
        let mut short = book();
        short.rows.pop();
        let says = |found: Vec<Difference>, what: &str| {
            let said: Vec<String> = found
                .iter()
                .map(|d| d.sentence("r.csv", Language::Es))
                .collect();
            assert!(said.iter().any(|said| said == what), "{said:?}");
        };
        says(
            book().differences(&short),
            "r.csv, línea 3, mesa 1.2: la central no tiene resultado de ella",
        );
        says(
            short.differences(&book()),
            "mesa 1.2: la central la contó, y r.csv no la tiene",
        );
    }
}
