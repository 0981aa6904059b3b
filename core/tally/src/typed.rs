//! A sheet without a readable code: its numbers as a person typed them twice from the paper.

use crate::read::{built_in_formats, compare};
use crate::{Contest, Doubt, SlotVotes, Tally, Vouch};
use testigo_wire::{ElectionPack, Format, FormatKind, TypedTally};

/// What a person is asked for, in the order of the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypingForm {
    /// The ballot's slots.
    pub slots: Vec<TypingSlot>,
    /// Sheets of this election tell blank votes.
    pub blank: bool,
    /// Sheets of this election tell null votes.
    pub null: bool,
    /// Sheets of this election tell a total.
    pub total: bool,
}

/// A slot of the ballot, whose votes are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypingSlot {
    /// The party or list on the paper.
    pub party: String,
    /// The name of the candidate that its votes count for.
    pub candidate: String,
}

impl TypingForm {
    /// That of an election, by the first of its formats.
    pub fn new(pack: &ElectionPack) -> Self {
        let slots = (pack.slots.iter())
            .map(|slot| {
                let mut candidates = pack.candidates.iter();
                let candidate = candidates.find(|candidate| candidate.code == slot.candidate);
                TypingSlot {
                    party: slot.party.clone(),
                    candidate: candidate
                        .map_or(&slot.candidate, |candidate| &candidate.name)
                        .clone(),
                }
            })
            .collect();
        let tells = |role: fn(&testigo_wire::Declaration) -> bool| {
            let declaration = (first_format(pack)).and_then(|format| format.declaration);
            declaration.is_none_or(|declaration| role(&declaration))
        };
        Self {
            slots,
            blank: tells(|declaration| declaration.blank.is_some()),
            null: tells(|declaration| declaration.null.is_some()),
            total: tells(|declaration| declaration.total.is_some()),
        }
    }
}

fn first_format(pack: &ElectionPack) -> Option<Format> {
    match pack.formats.first() {
        Some(format) => Some(format.clone()),
        None => built_in_formats(false).into_iter().next(),
    }
}

/// Whether votes of a format's sheets stand beside the names of their slots, and not in the ballot's order.
fn names_slots(format: &Format) -> bool {
    match (format.kind, &format.declaration) {
        (FormatKind::DECLARED, Some(declaration)) => match declaration.votes.as_slice() {
            [list] => (declaration.field(list)).is_none_or(|field| field.pair.is_some()),
            _ => true,
        },
        _ => true,
    }
}

/// What was typed, checked as a code's text is. Nothing typed is refused: what is wrong with it is a doubt.
///
/// Its slots have names where those of the election's codes have, so that equal readings are equal however they came.
pub fn read_typed(typed: &TypedTally, pack: Option<&ElectionPack>) -> Tally {
    let format = pack.and_then(first_format);
    let slots_of_pack = pack.map_or(&[][..], |pack| &pack.slots);
    let named =
        (format.as_ref()).is_some_and(names_slots) && slots_of_pack.len() == typed.votes.len();
    let slots = (typed.votes.iter().enumerate())
        .map(|(n, votes)| SlotVotes {
            name: (slots_of_pack.get(n))
                .filter(|_| named)
                .map(|slot| slot.party.clone()),
            votes: *votes,
        })
        .collect();
    let contest = Contest {
        office: (format.as_ref())
            .and_then(|format| format.office.clone())
            .unwrap_or_default(),
        names: None,
        slots,
        blank: typed.blank,
        null: typed.null,
        total: typed.total,
        choices: 1,
    };
    let mut doubts = Vec::new();
    if let Some(total) = typed.total
        && u64::from(total) != contest.all_votes()
    {
        doubts.push(Doubt::SumDiffers {
            of: "votes + blank + null".to_owned(),
            sum: contest.all_votes(),
            is: "total".to_owned(),
            says: u64::from(total),
        });
    }
    let fields = [
        ("printed_hash", &typed.printed_hash),
        ("machine_code", &typed.machine_code),
    ];
    let mut tally = Tally {
        format: "typed".to_owned(),
        table: typed.table.clone(),
        contests: vec![contest],
        counted: Some(0),
        candidates: Vec::new(),
        fields: (fields.into_iter())
            .filter_map(|(name, text)| Some((name.to_owned(), text.clone()?)))
            .collect(),
        vouch: Vouch::TYPED_TWICE,
        doubts,
    };
    match pack.zip(format.as_ref()) {
        None => tally.doubts.push(Doubt::NoElectionPack),
        Some((pack, format)) => compare(&mut tally, pack, format),
    }
    tally
}
