//! The sheets of the demo's night.

use crate::sheet::Chance;
use testigo_wire::{ElectionPack, PollingTable, TableId};

/// Texts of three real sheets of 28 July 2024, whose figures were published by table.
const REAL: [&str; 3] = [
    "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0",
    "110601011.04.1.0001!122,1,0,0,4,2,0,0,2,1,0,1,2,1,0,0,0,5,0,2,0,0,0,0,0,0,0,0,1,0,0,0,0,8,22,406,0,1!0!0",
    "150702005.02.1.0001!105,7,2,0,4,1,0,1,1,1,0,2,44,2,1,0,0,1,0,1,0,0,0,1,0,0,0,0,1,0,1,0,0,7,13,350,0,2!0!0",
];

/// The real sheet of this night.
pub fn real(chance: &mut Chance) -> &'static str {
    let at = chance.below(REAL.len());
    REAL.get(at).copied().unwrap_or_default()
}

/// A practice sheet with invented votes, for a table whose real sheet is not among these.
pub fn invented(pack: &ElectionPack, chance: &mut Chance) -> Option<(TableId, String)> {
    let free: Vec<&PollingTable> = (pack.tables.iter())
        .filter(|table| !REAL.iter().any(|text| text.starts_with(table.id.as_str())))
        .collect();
    let table = free.get(chance.below(free.len().max(1)))?;
    let mut left = table.registered as usize * 2 / 3;
    let votes: Vec<String> = (pack.slots.iter())
        .map(|_| {
            let votes = chance.below(left / 4 + 1);
            left -= votes;
            votes.to_string()
        })
        .collect();
    let nulls = chance.below(5);
    let text = format!("{}.1.0001!{}!{nulls}!0", table.id, votes.join(","));
    Some((table.id.clone(), text))
}
