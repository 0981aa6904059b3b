//! Where tables are, as the API shows it.

use crate::results::{CandidateVotesView, TableState, TableView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use testigo_wire::{ElectionPack, PollingTable};

/// The tables of one of the largest areas, and what they reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaView {
    /// Its name.
    pub name: String,
    /// Its tables.
    pub expected: u64,
    /// With a result that counts.
    pub reported: u64,
    /// Votes by candidate over these, in the pack's order.
    pub votes: Vec<CandidateVotesView>,
}

/// A voting centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentreView {
    /// The electoral authority's code of it.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it is; may be empty.
    pub address: String,
}

impl CentreView {
    pub(crate) fn of(table: &PollingTable) -> Option<Self> {
        let centre = &table.centre;
        (!centre.code.is_empty()).then(|| Self {
            code: centre.code.clone(),
            name: centre.name.clone(),
            address: centre.address.clone(),
        })
    }
}

/// Totals of the largest areas, by name; a country that is one area has no parts.
pub(crate) fn areas(pack: &ElectionPack, rows: &[TableView]) -> Vec<AreaView> {
    let mut areas: BTreeMap<&str, (u64, u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for (table, row) in pack.tables.iter().zip(rows) {
        let (expected, reported, votes) = areas.entry(table.area(0)).or_default();
        *expected += 1;
        *reported += u64::from(row.state == TableState::Reported);
        for of in &row.votes {
            *votes.entry(of.code.as_str()).or_default() += of.votes;
        }
    }
    if areas.len() < 2 {
        return Vec::new();
    }
    (areas.into_iter())
        .map(|(name, (expected, reported, votes))| AreaView {
            name: name.to_owned(),
            expected,
            reported,
            votes: (pack.candidates.iter())
                .map(|candidate| CandidateVotesView {
                    code: candidate.code.clone(),
                    votes: votes.get(candidate.code.as_str()).copied().unwrap_or(0),
                })
                .collect(),
        })
        .collect()
}
