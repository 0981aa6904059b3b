use crate::{Doubt, NotATally, venezuela};
use testigo_wire::{ElectionPack, TableId};

/// The longest text of one code that is looked at, in bytes: more than any QR code holds.
pub const MAX_TEXT: usize = 8 * 1024;

/// What a tally sheet says, checked against the election's pack as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The polling table on the sheet.
    pub table: TableId,
    /// Votes by ballot slot, in the ballot's order.
    pub slots: Vec<u32>,
    /// Votes by candidate in the pack's order; empty without a pack, or with a differing ballot.
    pub candidates: Vec<CandidateVotes>,
    /// Null votes.
    pub null_votes: u32,
    /// The undocumented fourth field, word for word.
    pub fourth: String,
    /// What stands behind the table (`1.0001` on every known sheet), word for word.
    pub suffix: String,
    /// What a careful auditor would ask about.
    pub doubts: Vec<Doubt>,
}

impl Tally {
    /// Votes in all slots.
    pub fn valid_votes(&self) -> u64 {
        self.slots.iter().map(|votes| u64::from(*votes)).sum()
    }
}

/// A candidate's votes at one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateVotes {
    /// The candidate's code in the pack.
    pub code: String,
    /// The candidate's name in the pack.
    pub name: String,
    /// Votes over all of the candidate's slots.
    pub votes: u64,
}

/// Reads the texts of the codes in one photograph. The one format so far is Venezuela's acta of 2024,
/// which has one code: equal texts are one, and what else lies beside the sheet is a doubt.
///
/// # Errors
/// [`NotATally`] where the texts are no sheet of a known format, or more than one.
pub fn read(texts: &[&[u8]], pack: Option<&ElectionPack>) -> Result<Tally, NotATally> {
    let mut distinct: Vec<&[u8]> = Vec::new();
    for text in texts.iter().map(|text| text.trim_ascii()) {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    let mut tally = match distinct.as_slice() {
        [] => return Err(NotATally::Empty),
        [text] => parse(text)?,
        several => {
            let mut sheets = several.iter().filter_map(|text| parse(text).ok());
            let (Some(mut sheet), None) = (sheets.next(), sheets.next()) else {
                return Err(NotATally::SeveralTexts {
                    found: several.len(),
                });
            };
            sheet.doubts.push(Doubt::OtherCodes);
            sheet
        }
    };
    match pack {
        None => tally.doubts.push(Doubt::NoElectionPack),
        Some(pack) => compare(&mut tally, pack),
    }
    Ok(tally)
}

fn parse(text: &[u8]) -> Result<Tally, NotATally> {
    if text.len() > MAX_TEXT {
        return Err(NotATally::TooLong { bytes: text.len() });
    }
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii())
        .ok_or(NotATally::NotText)?;
    venezuela::parse(text)
}

/// Folds slots to candidates and adds what the pack gives reason to doubt.
fn compare(tally: &mut Tally, pack: &ElectionPack) {
    if tally.slots.len() != pack.slots.len() {
        tally.doubts.push(Doubt::SlotsDiffer {
            sheet: tally.slots.len(),
            pack: pack.slots.len(),
        });
    } else {
        tally.candidates = pack
            .candidates
            .iter()
            .map(|candidate| CandidateVotes {
                code: candidate.code.clone(),
                name: candidate.name.clone(),
                votes: (pack.slots.iter().zip(&tally.slots))
                    .filter(|(slot, _)| slot.candidate == candidate.code)
                    .map(|(_, votes)| u64::from(*votes))
                    .sum(),
            })
            .collect();
    }
    let votes = tally.valid_votes() + u64::from(tally.null_votes);
    match pack.table(&tally.table) {
        None => tally.doubts.push(Doubt::TableUnknown(tally.table.clone())),
        Some(table) if votes > u64::from(table.registered) => {
            tally.doubts.push(Doubt::ExceedsRegistered {
                votes,
                registered: table.registered,
            });
        }
        Some(_) => {}
    }
}
