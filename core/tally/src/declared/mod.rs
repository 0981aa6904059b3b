//! Formats that an election's pack declares: cut, rules, checks.

mod codes;
mod cut;
mod json;
mod rules;
mod write;

pub(crate) use codes::{in_order, numbered};
pub use write::write;

use crate::not_a_tally::NotATally;
use crate::read::Fault;
use crate::{Doubt, Tally};
use cut::cut;
use testigo_wire::{Cut, Declaration, Format};

/// Reads what may be one sheet's texts and others beside them.
pub(crate) fn read(
    texts: &[&str],
    format: &Format,
    declaration: &Declaration,
) -> Result<Tally, Fault> {
    if let Some(codes) = &declaration.codes {
        let whole = codes::put_together(texts, codes)?;
        let mut tally = one(&whole.text, format, declaration, &whole.heading)?;
        tally.vouch = tally.vouch.max(whole.vouch);
        if whole.others {
            tally.doubts.push(Doubt::OtherCodes);
        }
        return Ok(tally);
    }
    if let [text] = texts {
        return one(text, format, declaration, &[]);
    }
    let mut sheets = (texts.iter()).filter_map(|text| one(text, format, declaration, &[]).ok());
    let (Some(mut sheet), None) = (sheets.next(), sheets.next()) else {
        return Err(Fault::elsewhere(NotATally::SeveralTexts {
            found: texts.len(),
        }));
    };
    sheet.doubts.push(Doubt::OtherCodes);
    Ok(sheet)
}

fn one(
    text: &str,
    format: &Format,
    declaration: &Declaration,
    heading: &[(String, String)],
) -> Result<Tally, Fault> {
    let mut fields = cut(text, declaration).map_err(|error| {
        let begins = declaration.cut == Cut::Json && text.starts_with('{');
        let of_this_form = begins
            || matches!(
                error,
                NotATally::FieldTwice { .. } | NotATally::Field { .. }
            );
        match of_this_form {
            true => Fault::here(error),
            false => Fault::elsewhere(error),
        }
    })?;
    for (name, text) in heading {
        fields.push(name.as_str(), text.as_str());
    }
    let mut rules = rules::Rules::new(&fields, format, declaration);
    let table = rules.table()?;
    let contest = rules.contest()?;
    rules.sums()?;
    let vouch = rules.checks()?;
    let roles = [&declaration.blank, &declaration.null, &declaration.total];
    let votes = || (declaration.votes.iter()).chain(roles.into_iter().flatten());
    let kept = (fields.iter()).filter(|(name, _)| !votes().any(|votes| votes == name));
    Ok(Tally {
        format: format.name.clone(),
        table,
        contests: vec![contest],
        counted: None,
        candidates: Vec::new(),
        fields: kept
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        vouch,
        doubts: rules.doubts,
    })
}
