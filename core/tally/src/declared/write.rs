//! The way back: a reading -> the text of its sheet, for practice sheets and replays.

use crate::{Contest, Tally};
use testigo_wire::{Cut, Declaration, Format};

/// The text that a sheet of a declared format has for this reading. Hashes and signatures come from the reading's own
/// fields, word for word. `None` for a format of several codes, one that is not declared, and where a field is missing.
pub fn write(tally: &Tally, format: &Format) -> Option<String> {
    let declaration = format.declaration.as_ref()?;
    let contest = tally.contests.first()?;
    let value = |name: &str| text(tally, contest, declaration, name);
    match &declaration.cut {
        _ if declaration.codes.is_some() => None,
        Cut::Template(template) => {
            let values: Option<Vec<(&str, String)>> = (template.fields())
                .map(|name| Some((name, value(name)?)))
                .collect();
            let values = values?;
            let of = |name: &str| values.iter().find(|v| v.0 == name).map(|v| v.1.as_str());
            template.fill(of).ok()
        }
        Cut::Pairs { between, of } => {
            let pairs =
                names(tally, declaration).map(|name| Some(format!("{name}{of}{}", value(name)?)));
            Some(pairs.collect::<Option<Vec<String>>>()?.join(between))
        }
        Cut::Json => {
            let pairs = names(tally, declaration).map(|name| {
                let key = serde_json::to_string(name).ok()?;
                Some(format!(
                    "{key}:{}",
                    serde_json::to_string(&value(name)?).ok()?
                ))
            });
            let pairs = pairs.collect::<Option<Vec<String>>>()?;
            Some(format!("{{{}}}", pairs.join(",")))
        }
    }
}

/// The names of all fields, where the declaration does not say their order.
fn names<'a>(tally: &'a Tally, declaration: &'a Declaration) -> impl Iterator<Item = &'a str> {
    let roles = [&declaration.blank, &declaration.null, &declaration.total];
    let votes = (declaration.votes.iter()).chain(roles.into_iter().flatten());
    let kept = tally.fields.iter().map(|(name, _)| name);
    kept.chain(votes).map(String::as_str)
}

fn text(tally: &Tally, contest: &Contest, declaration: &Declaration, name: &str) -> Option<String> {
    let field = declaration.field(name);
    let width = field.and_then(|field| field.digits).unwrap_or(0);
    let width = usize::try_from(width).ok()?;
    let number = |votes: u32| format!("{votes:0width$}");
    let is = |role: &Option<String>| role.as_deref() == Some(name);
    if is(&declaration.blank) {
        return contest.blank.map(number);
    }
    if is(&declaration.null) {
        return contest.null.map(number);
    }
    if is(&declaration.total) {
        return contest.total.map(number);
    }
    if !declaration.votes.iter().any(|votes| votes == name) {
        return tally.field(name).map(str::to_owned);
    }
    let Some(separator) = field.and_then(|field| field.list.as_deref()) else {
        let mut slots = contest.slots.iter();
        let slot = slots.find(|slot| slot.name.as_deref() == Some(name))?;
        return Some(number(slot.votes));
    };
    let pair = field.and_then(|field| field.pair.as_deref());
    let slots: Option<Vec<String>> = (contest.slots.iter())
        .map(|slot| match pair {
            Some(pair) => Some(format!(
                "{}{pair}{}",
                slot.name.as_deref()?,
                number(slot.votes)
            )),
            None => Some(number(slot.votes)),
        })
        .collect();
    Some(slots?.join(separator))
}
