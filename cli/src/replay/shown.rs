//! The count as it rises: a bar on a terminal, lines otherwise.

use super::book::Book;
use crate::failure::Failure;
use crate::outcome;
use crate::plain::plain;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeSet;
use std::io::{IsTerminal, stderr};
use testigo_hq::{ResultsView, TableState};
use testigo_wire::Language;

/// How often the count is shown, at the most; with few rows after every batch.
const TIMES: usize = 20;

/// What is shown.
pub struct Shown {
    bar: Option<ProgressBar>,
    /// The state of each table, in headquarters' order, which is that of identifiers.
    states: Vec<String>,
    total: usize,
    next: usize,
    language: Language,
    as_json: bool,
}

impl Shown {
    /// Before anything has arrived.
    pub fn new(book: &Book, language: Language, as_json: bool) -> Self {
        let mut tables: Vec<_> = book
            .rows
            .iter()
            .map(|row| (&row.table, &row.state))
            .collect();
        tables.sort();
        let bar = stderr().is_terminal().then(|| {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(book.rows.len() as u64), target);
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {per_sec} {eta}\n{msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            states: tables.into_iter().map(|(_, state)| state.clone()).collect(),
            total: book.rows.len(),
            next: 0,
            language,
            as_json,
        }
    }

    /// One more record has its receipt.
    pub fn delivered(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// So many rows have arrived: asks headquarters, now and then, what they have counted.
    pub fn counted(
        &mut self,
        rows: usize,
        results: impl FnOnce() -> Result<ResultsView, Failure>,
    ) -> Result<(), Failure> {
        if rows < self.next {
            return Ok(());
        }
        self.next = rows + self.total / TIMES;
        let results = results()?;
        let counted = results.rows.iter().zip(&self.states);
        let states: BTreeSet<&String> = counted
            .filter(|(row, _)| row.state == TableState::Reported)
            .map(|(_, state)| state)
            .collect();
        let mut leading: Vec<_> = results.candidates.iter().collect();
        leading.sort_by_key(|candidate| std::cmp::Reverse(candidate.votes));
        let votes: Vec<String> = (leading.iter().take(3))
            .map(|candidate| format!("{} {}", candidate.code, candidate.votes))
            .collect();
        let (reported, expected) = (results.tables.reported, results.tables.expected);
        let line = self.language.pick(
            format!(
                "{reported} de {expected} actas, {} estados: {}",
                states.len(),
                votes.join(", ")
            ),
            format!(
                "{reported} of {expected} records, {} states: {}",
                states.len(),
                votes.join(", ")
            ),
        );
        match &self.bar {
            Some(bar) => bar.set_message(plain(&line)),
            None if self.as_json => outcome::complain(&line),
            None => outcome::say(&plain(&line)),
        }
        Ok(())
    }

    /// All have arrived.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
