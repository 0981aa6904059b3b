//! Files of results of Testigo's own: headquarters' export, and what was read out of images.

use super::HEADING;
use crate::failure::Failure;
use testigo_wire::{ElectionPack, PollingTable, TableId};

/// The heading, with `further` columns behind the candidates.
pub fn heading(pack: &ElectionPack, further: &[&str]) -> Vec<String> {
    let candidates = pack.candidates.iter().map(|candidate| &*candidate.code);
    (HEADING.into_iter().chain(candidates))
        .chain(further.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// A row up to the candidates' votes; what is not known is empty.
pub fn row(
    pack: &ElectionPack,
    table: &TableId,
    known: Option<&PollingTable>,
    [valid, null]: [Option<u64>; 2],
    votes: impl Fn(&str) -> Option<u64>,
) -> Vec<String> {
    let area = |level| known.map_or_else(String::new, |table| table.area(level).to_owned());
    let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
    let (centre, of_centre) = (table.as_str().rsplit_once('.')).unwrap_or((table.as_str(), ""));
    let mut fields = vec![
        area(0),
        area(1),
        area(2),
        centre.to_owned(),
        of_centre.to_owned(),
        number(known.map(|table| u64::from(table.registered))),
        number(valid),
        number(null),
    ];
    fields.extend((pack.candidates.iter()).map(|candidate| number(votes(&candidate.code))));
    fields
}

/// Rows as a CSV file (RFC 4180).
pub fn csv(rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(Failure::foreign)?;
    }
    writer.into_inner().map_err(Failure::foreign)
}
