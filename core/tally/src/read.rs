use crate::{CandidateVotes, Contest, Doubt, NotATally, Tally, brazil, declared};
use std::collections::HashSet;
use testigo_wire::{ElectionPack, Format, FormatKind};

/// The longest text of one code that is looked at, in bytes: more than any QR code holds.
pub const MAX_TEXT: usize = 8 * 1024;

/// Why a format does not read the texts, and whether they are of that format at all.
pub(crate) struct Fault {
    recognised: bool,
    error: NotATally,
}

impl Fault {
    /// The texts are of this format, and this is wrong with them.
    pub(crate) fn here(error: NotATally) -> Self {
        Self {
            recognised: true,
            error,
        }
    }

    /// The texts may be of another format.
    pub(crate) fn elsewhere(error: NotATally) -> Self {
        Self {
            recognised: false,
            error,
        }
    }
}

/// An error behind the cut is about a text that has the format's form.
impl From<NotATally> for Fault {
    fn from(error: NotATally) -> Self {
        Self::here(error)
    }
}

/// Reads the texts of one sheet's codes, in any order, by the formats of the pack; by the built-in ones without a pack.
/// Equal texts are one, and what else lies beside the sheet is a doubt.
///
/// # Errors
/// [`NotATally`] where the texts are no sheet of a known format, or more than one; also where a hash or signature inside
/// them is wrong. Of several formats, the one that recognised them says what is wrong, otherwise the first.
pub fn read(texts: &[&[u8]], pack: Option<&ElectionPack>) -> Result<Tally, NotATally> {
    let mut seen = HashSet::new();
    let trimmed = texts.iter().map(|text| text.trim_ascii());
    let distinct: Vec<&[u8]> = trimmed.filter(|text| seen.insert(*text)).collect();
    let mut readable = Vec::with_capacity(distinct.len());
    let mut unreadable = None;
    for text in &distinct {
        match readable_text(text) {
            Ok(text) => readable.push(text),
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    if readable.is_empty() {
        return Err(match distinct.len() {
            0 | 1 => unreadable.unwrap_or(NotATally::Empty),
            found => NotATally::SeveralTexts { found },
        });
    }
    let built_in;
    let formats = match pack {
        Some(pack) if !pack.formats.is_empty() => &pack.formats,
        _ => {
            built_in = built_in_formats(pack.is_none());
            &built_in
        }
    };
    let (mut tally, format) = by_formats(&readable, formats).map_err(|error| match error {
        NotATally::SeveralTexts { .. } => NotATally::SeveralTexts {
            found: distinct.len(),
        },
        error => error,
    })?;
    if readable.len() < distinct.len() && !tally.doubts.contains(&Doubt::OtherCodes) {
        tally.doubts.push(Doubt::OtherCodes);
    }
    tally.counted = match &format.office {
        Some(office) => (tally.contests.iter()).position(|contest| contest.office == *office),
        None => (tally.contests.len() == 1).then_some(0),
    };
    match pack {
        None => tally.doubts.push(Doubt::NoElectionPack),
        Some(pack) => compare(&mut tally, pack, format),
    }
    Ok(tally)
}

fn readable_text(text: &[u8]) -> Result<&str, NotATally> {
    if text.is_empty() {
        return Err(NotATally::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(NotATally::TooLong { bytes: text.len() });
    }
    std::str::from_utf8(text).map_err(|_| NotATally::NotText)
}

/// What is read where no pack declares a format; a pack of an earlier release is of Venezuela.
pub(crate) fn built_in_formats(anywhere: bool) -> Vec<Format> {
    let brazil = anywhere.then(Format::boletim_de_urna);
    Format::venezuela_2024().into_iter().chain(brazil).collect()
}

fn by_formats<'f>(texts: &[&str], formats: &'f [Format]) -> Result<(Tally, &'f Format), NotATally> {
    let mut first: Option<Fault> = None;
    for format in formats {
        let read = match (format.kind, &format.declaration) {
            (FormatKind::DECLARED, Some(declaration)) => declared::read(texts, format, declaration),
            (FormatKind::BOLETIM_DE_URNA, _) => brazil::read(texts, format),
            _ => Err(Fault::elsewhere(NotATally::Newer {
                format: format.name.clone(),
            })),
        };
        match (read, &first) {
            (Ok(tally), _) => return Ok((tally, format)),
            (Err(fault), None) => first = Some(fault),
            (Err(fault), Some(kept)) if fault.recognised && !kept.recognised => first = Some(fault),
            (Err(_), Some(_)) => {}
        }
    }
    Err(first.map_or(NotATally::Empty, |fault| fault.error))
}

/// Folds the counted contest to candidates and adds what the pack gives reason to doubt.
pub(crate) fn compare(tally: &mut Tally, pack: &ElectionPack, format: &Format) {
    let folded = match tally.contest() {
        Some(contest) => fold(contest, pack),
        None => Err(Doubt::ContestMissing {
            office: format.office.clone(),
        }),
    };
    match folded {
        Ok(candidates) => tally.candidates = candidates,
        Err(doubt) => tally.doubts.push(doubt),
    }
    let (votes, choices) =
        (tally.contest()).map_or((0, 1), |contest| (contest.all_votes(), contest.choices));
    match pack.table(&tally.table) {
        None => tally.doubts.push(Doubt::TableUnknown(tally.table.clone())),
        Some(table) if votes > u64::from(table.registered) * u64::from(choices) => {
            tally.doubts.push(Doubt::ExceedsRegistered {
                votes,
                registered: table.registered,
            });
        }
        Some(_) => {}
    }
}

/// Votes by candidate. Slots with a name are the pack's of that name; without, those at the same place.
fn fold(contest: &Contest, pack: &ElectionPack) -> Result<Vec<CandidateVotes>, Doubt> {
    let mut candidates: Vec<CandidateVotes> = (pack.candidates.iter())
        .map(|candidate| CandidateVotes {
            code: candidate.code.clone(),
            name: candidate.name.clone(),
            votes: 0,
        })
        .collect();
    let by_place = contest.slots.iter().any(|slot| slot.name.is_none());
    if by_place && contest.slots.len() != pack.slots.len() {
        return Err(Doubt::SlotsDiffer {
            sheet: contest.slots.len(),
            pack: pack.slots.len(),
        });
    }
    for (n, slot) in contest.slots.iter().enumerate() {
        let of_pack = match &slot.name {
            Some(name) => pack.slots.iter().find(|known| known.party == *name),
            None => pack.slots.get(n),
        };
        let candidate = of_pack.and_then(|known| {
            (candidates.iter_mut()).find(|candidate| candidate.code == known.candidate)
        });
        match (candidate, &slot.name) {
            (Some(candidate), _) => candidate.votes += u64::from(slot.votes),
            (None, Some(name)) if slot.votes > 0 => return Err(Doubt::SlotUnknown(name.clone())),
            (None, _) => {}
        }
    }
    Ok(candidates)
}
