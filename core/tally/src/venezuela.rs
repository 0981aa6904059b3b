//! Venezuela's acta de escrutinio, 2024: `CENTRE.TABLE.1.0001!v1,...,v38!NULL!FOURTH`.
//!
//! Centre: nine digits, a leading zero included. Table: two. The meaning of `.1.0001` and of the
//! fourth field is not documented; both are kept word for word. Nothing inside protects the text:
//! no checksum, no signature, no election.

use crate::{Contest, Doubt, NotATally, SlotVotes, Tally, VotesField, Vouch};
use testigo_wire::TableId;

/// Slots on the ballot of 28 July 2024.
const SLOTS: usize = 38;
/// No table has near this many voters; also keeps every sum far from overflow.
const MAX_VOTES: u32 = 99_999;
/// The longest piece of text that an error repeats, in characters.
const QUOTE: usize = 40;

pub(crate) fn parse(text: &str) -> Result<Tally, NotATally> {
    if text.is_empty() {
        return Err(NotATally::Empty);
    }
    let parts: Vec<&str> = text.splitn(6, '!').collect();
    let [place, votes, nulls, fourth] = *parts.as_slice() else {
        return Err(NotATally::Parts { found: parts.len() });
    };
    let (table, suffix) = table(place)?;
    let mut doubts = Vec::new();
    let fields: Vec<&str> = votes.splitn(MAX_FIELDS, ',').collect();
    let mut slots = Vec::with_capacity(fields.len());
    for (n, field) in fields.iter().enumerate() {
        slots.push(number(VotesField::Slot(n + 1), field, &mut doubts)?);
    }
    if slots.len() != SLOTS {
        return Err(NotATally::Slots {
            found: slots.len(),
            expected: SLOTS,
        });
    }
    let null_votes = number(VotesField::Null, nulls, &mut doubts)?;
    if suffix != "1.0001" {
        doubts.push(Doubt::Suffix(quote(suffix)));
    }
    if fourth != "0" {
        doubts.push(Doubt::FourthField(quote(fourth)));
    }
    Ok(Tally {
        format: "ve-2024".to_owned(),
        table,
        contests: vec![Contest {
            slots: (slots.into_iter())
                .map(|votes| SlotVotes { name: None, votes })
                .collect(),
            null: Some(null_votes),
            choices: 1,
            ..Contest::default()
        }],
        counted: Some(0),
        candidates: Vec::new(),
        fields: vec![
            ("suffix".to_owned(), suffix.to_owned()),
            ("fourth".to_owned(), fourth.to_owned()),
        ],
        vouch: Vouch::PLAIN_CODE,
        doubts,
    })
}

/// More fields than any ballot has slots; the rest stays in the last, which then is no number.
const MAX_FIELDS: usize = 512;

/// Splits `CENTRE.TABLE.SUFFIX` into the table's identifier and the suffix.
fn table(place: &str) -> Result<(TableId, &str), NotATally> {
    let fault = || NotATally::Table {
        found: quote(place),
    };
    let digits = |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = place.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(centre), Some(table), Some(suffix)) if digits(centre, 9) && digits(table, 2) => {
            let id = TableId::new(&format!("{centre}.{table}")).map_err(|_| fault())?;
            Ok((id, suffix))
        }
        _ => Err(fault()),
    }
}

/// Reads a number of votes: decimal digits and nothing else.
fn number(field: VotesField, text: &str, doubts: &mut Vec<Doubt>) -> Result<u32, NotATally> {
    let fault = || NotATally::Votes {
        field,
        found: quote(text),
    };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(fault());
    }
    if text.len() > 1 && text.starts_with('0') && !doubts.contains(&Doubt::LeadingZeros) {
        doubts.push(Doubt::LeadingZeros);
    }
    match text.parse() {
        Ok(votes) if votes <= MAX_VOTES => Ok(votes),
        _ => Err(fault()),
    }
}

fn quote(text: &str) -> String {
    text.chars().take(QUOTE).collect()
}
