use crate::{Doubt, NotATally, Vouch, venezuela};
use std::fmt;
use testigo_wire::{ElectionPack, Language, TableId};

/// The longest text of one code that is looked at, in bytes: more than any QR code holds.
pub const MAX_TEXT: usize = 8 * 1024;

/// What a tally sheet says, checked against the election's pack as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The name of the format that read it.
    pub format: String,
    /// The polling table on the sheet.
    pub table: TableId,
    /// All contests on the sheet, in its order.
    pub contests: Vec<Contest>,
    /// Which of them is the one that the pack counts; `None` where the sheet has it not.
    pub counted: Option<usize>,
    /// Votes of the counted contest by candidate in the pack's order; empty without a pack, or with a differing ballot.
    pub candidates: Vec<CandidateVotes>,
    /// What else the sheet says, word for word: name and text, in its order.
    pub fields: Vec<(String, String)>,
    /// What inside the sheet's texts vouches for them.
    pub vouch: Vouch,
    /// What a careful auditor would ask about.
    pub doubts: Vec<Doubt>,
}

impl Tally {
    /// The contest that the pack counts.
    pub fn contest(&self) -> Option<&Contest> {
        self.counted.and_then(|counted| self.contests.get(counted))
    }

    /// Votes for candidates and parties in the counted contest.
    pub fn valid_votes(&self) -> u64 {
        self.contest().map_or(0, Contest::valid_votes)
    }

    /// Null votes of the counted contest, where the sheet tells them.
    pub fn null_votes(&self) -> Option<u32> {
        self.contest().and_then(|contest| contest.null)
    }

    /// A field's text, word for word.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|field| field.0 == name)
            .map(|field| field.1.as_str())
    }
}

/// One race on a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contest {
    /// The office's code on the sheet; empty where sheets of the format have one contest.
    pub office: String,
    /// Votes by slot, in the sheet's order.
    pub slots: Vec<SlotVotes>,
    /// Blank votes, where the sheet tells them.
    pub blank: Option<u32>,
    /// Null votes, where the sheet tells them.
    pub null: Option<u32>,
    /// The sum that the sheet prints, where it does.
    pub total: Option<u32>,
    /// Votes that each voter has: 2 in a race for two seats of a senate, otherwise 1.
    pub choices: u32,
}

impl Contest {
    /// The office for a person; `None` where sheets of the format have one contest.
    pub fn title(&self, _: Language) -> Option<String> {
        (!self.office.is_empty()).then(|| self.office.clone())
    }

    /// Votes in all slots.
    pub fn valid_votes(&self) -> u64 {
        self.slots.iter().map(|slot| u64::from(slot.votes)).sum()
    }

    /// Votes in all slots, blank and null ones.
    pub fn all_votes(&self) -> u64 {
        self.valid_votes() + u64::from(self.blank.unwrap_or(0)) + u64::from(self.null.unwrap_or(0))
    }
}

/// The votes of one slot, which is what a voter can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotVotes {
    /// Its name on the sheet, such as a candidate's number; `None` where its place on the ballot says which it is.
    pub name: Option<String>,
    /// Its votes.
    pub votes: u32,
}

impl fmt::Display for Contest {
    /// Votes by slot as text by which two readings are compared: `140,7,10` or `12:112,22:130,blank:17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, slot) in self.slots.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { "," })?;
            match &slot.name {
                Some(name) => write!(f, "{name}:{}", slot.votes)?,
                None => write!(f, "{}", slot.votes)?,
            }
        }
        self.blank
            .map_or(Ok(()), |blank| write!(f, ",blank:{blank}"))
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

/// Folds the counted contest to candidates and adds what the pack gives reason to doubt.
fn compare(tally: &mut Tally, pack: &ElectionPack) {
    let Some(contest) = tally.contest() else {
        return;
    };
    let slots: Vec<u32> = contest.slots.iter().map(|slot| slot.votes).collect();
    let (votes, sheet) = (contest.all_votes(), slots.len());
    if sheet != pack.slots.len() {
        tally.doubts.push(Doubt::SlotsDiffer {
            sheet,
            pack: pack.slots.len(),
        });
    } else {
        tally.candidates = pack
            .candidates
            .iter()
            .map(|candidate| CandidateVotes {
                code: candidate.code.clone(),
                name: candidate.name.clone(),
                votes: (pack.slots.iter().zip(&slots))
                    .filter(|(slot, _)| slot.candidate == candidate.code)
                    .map(|(_, votes)| u64::from(*votes))
                    .sum(),
            })
            .collect();
    }
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
