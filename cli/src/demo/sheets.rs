//! The sheets of the demo's night.

use crate::failure::Failure;
use crate::phone;
use crate::sheet::Chance;
use std::path::{Path, PathBuf};
use testigo_wire::TableId;

/// Texts of three real sheets of 28 July 2024, whose figures were published by table.
const REAL: [&str; 3] = [
    "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0",
    "110601011.04.1.0001!122,1,0,0,4,2,0,0,2,1,0,1,2,1,0,0,0,5,0,2,0,0,0,0,0,0,0,0,1,0,0,0,0,8,22,406,0,1!0!0",
    "150702005.02.1.0001!105,7,2,0,4,1,0,1,1,1,0,2,44,2,1,0,0,1,0,1,0,0,0,1,0,0,0,0,1,0,1,0,0,7,13,350,0,2!0!0",
];

/// Two of the real sheets, neither of them of the table `but`.
pub fn real(chance: &mut Chance, but: Option<&TableId>) -> [&'static str; 2] {
    let mut left: Vec<&str> = (REAL.into_iter())
        .filter(|text| but.is_none_or(|table| table_of(text) != table.as_str()))
        .collect();
    [(); 2].map(|()| match left.len() {
        0 => "",
        n => left.swap_remove(chance.below(n)),
    })
}

/// The table on one of the real sheets.
pub fn table_of(text: &str) -> &str {
    text.split_once(".1.0001").map_or("", |(table, _)| table)
}

/// A photograph of the person's own, which was found to have a code.
pub struct Photo {
    /// The file.
    pub path: PathBuf,
    /// The table on it; none where it is no sheet that Testigo knows.
    pub table: Option<TableId>,
}

/// Looks at a photograph before anything is started for it.
pub fn photo(path: &Path) -> Result<Photo, Failure> {
    let texts = phone::texts_in(path)?;
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    Ok(Photo {
        path: path.to_owned(),
        table: testigo_tally::read(&texts, None)
            .ok()
            .map(|tally| tally.table),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sheets_differ_and_are_not_of_the_photographs_table() {
        for seed in 0..40 {
            let [a, b] = real(&mut Chance::from_seed(seed), None);
            assert_ne!(table_of(a), table_of(b));
            let but = TableId::new(table_of(a)).ok();
            let others = real(&mut Chance::from_seed(seed), but.as_ref());
            assert!(others.iter().all(|text| !text.is_empty() && *text != a));
            assert_ne!(others[0], others[1]);
        }
    }
}
