use crate::{Doubt, Vouch};
use std::fmt;
use testigo_wire::{Language, TableId};

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
    /// The office in Spanish and in English, where the format knows it.
    pub names: Option<(&'static str, &'static str)>,
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
    pub fn title(&self, language: Language) -> Option<String> {
        let name = self.names.map(|(es, en)| language.pick(es, en));
        match (name, self.office.as_str()) {
            (Some(name), office) => Some(format!("{name} ({office})")),
            (None, "") => None,
            (None, office) => Some(office.to_owned()),
        }
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
    /// Votes by slot as text by which two readings are compared: `140,7,10` in the ballot's order, or
    /// `12:112,22:130,blank:17` by name, where slots without votes are left out as many sheets do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut slots: Vec<&SlotVotes> = (self.slots.iter())
            .filter(|slot| slot.name.is_none() || slot.votes > 0)
            .collect();
        // Those without a name keep their places.
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        for (n, slot) in slots.into_iter().enumerate() {
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
