//! The codes of one sheet -> one text.

use super::cut::{Fields, by_template};
use crate::chain::Chain;
use crate::not_a_tally::Wants;
use crate::number::quote;
use crate::read::Fault;
use crate::{NotATally, Vouch};
use std::collections::BTreeMap;
use testigo_wire::{Codes, Piece};

/// The most codes that a sheet may have.
const MAX_CODES: u32 = 64;

/// A sheet's text, put together.
pub(super) struct Whole {
    pub text: String,
    /// What stands in the codes beside the pieces.
    pub heading: Vec<(String, String)>,
    pub vouch: Vouch,
    /// Texts that are no codes of it.
    pub others: bool,
}

/// `part` of `parts`, without zeros in front, counted from 1.
pub(crate) fn numbered(part: &str, parts: &str) -> Option<(u32, u32)> {
    let number = |text: &str| match text.bytes().next()? {
        b'1'..=b'9' => text.parse().ok().filter(|n| *n <= MAX_CODES),
        _ => None,
    };
    let (part, parts) = (number(part)?, number(parts)?);
    (part <= parts).then_some((part, parts))
}

/// Sorts codes by number: each once, none missing.
pub(crate) fn in_order<T>(
    codes: impl Iterator<Item = (u32, u32, T)>,
) -> Result<Vec<(u32, T)>, NotATally> {
    let mut sorted = BTreeMap::new();
    let mut of = None;
    for (part, parts, code) in codes {
        if sorted.insert(part, code).is_some() {
            return Err(NotATally::CodeTwice { code: part });
        }
        if *of.get_or_insert(parts) != parts {
            return Err(NotATally::HeaderDiffers {
                code: part,
                field: "parts".to_owned(),
            });
        }
    }
    let of = of.unwrap_or(0);
    match (1..=of).find(|part| !sorted.contains_key(part)) {
        Some(code) => Err(NotATally::CodeMissing { code, of }),
        None => Ok(sorted.into_iter().collect()),
    }
}

pub(super) fn put_together(texts: &[&str], codes: &Codes) -> Result<Whole, Fault> {
    let mut found = Vec::new();
    let mut first_error = NotATally::Empty;
    for text in texts {
        match by_template(text, &codes.text) {
            Ok(fields) => found.push(fields),
            Err(error) if first_error == NotATally::Empty => first_error = error,
            Err(_) => {}
        }
    }
    if found.is_empty() {
        return Err(Fault::elsewhere(first_error));
    }
    let others = found.len() < texts.len();
    let mut headed = Vec::with_capacity(found.len());
    for fields in found {
        let (part, parts) = (fields.require("part")?, fields.require("parts")?);
        let Some((part, parts)) = numbered(part, parts) else {
            return Err(Fault::here(NotATally::Field {
                field: "part".to_owned(),
                found: quote(&format!("{part}/{parts}")),
                wants: Wants::OneOf("1/1 ... 64/64"),
            }));
        };
        headed.push((part, parts, fields));
    }
    join(&in_order(headed.into_iter())?, codes, others).map_err(Fault::here)
}

fn join(sorted: &[(u32, Fields<'_>)], codes: &Codes, others: bool) -> Result<Whole, NotATally> {
    let mut whole = Whole {
        text: String::new(),
        heading: Vec::new(),
        vouch: Vouch::PLAIN_CODE,
        others,
    };
    let mut chain = codes.hash.and_then(Chain::new);
    let mark = mark(codes);
    for (part, fields) in sorted {
        let heading: Vec<(String, String)> = (fields.iter())
            .filter(|(name, _)| !["part", "parts", "data", "hash"].contains(name))
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        if *part == 1 {
            whole.heading = heading;
        } else if let Some(((name, _), _)) =
            heading.iter().zip(&whole.heading).find(|(a, b)| a != b)
        {
            return Err(NotATally::HeaderDiffers {
                code: *part,
                field: name.clone(),
            });
        }
        let data = fields.require("data")?;
        let join = if *part == 1 { "" } else { &*codes.join };
        whole.text.push_str(join);
        whole.text.push_str(data);
        if let Some(chain) = &mut chain {
            let hash = fields.require("hash")?;
            chain.update(join);
            chain.update(data);
            if !chain.is(hash) {
                return Err(NotATally::Hash { code: Some(*part) });
            }
            chain.update(mark);
            chain.update(hash);
            whole.vouch = Vouch::HASH;
        }
    }
    Ok(whole)
}

/// The literal part between piece and hash.
fn mark(codes: &Codes) -> &str {
    let pieces: Vec<Piece<'_>> = codes.text.pieces().collect();
    let between = pieces.windows(3).find_map(|three| match three {
        [
            Piece::Field("data"),
            Piece::Literal(mark),
            Piece::Field("hash"),
        ] => Some(*mark),
        _ => None,
    });
    between.unwrap_or_default()
}
