//! What a declaration says of fields: table, votes, sums, expected texts, checks.

use super::cut::Fields;
use crate::chain::Chain;
use crate::not_a_tally::Wants;
use crate::number::{self, hex, leading_zeros, quote};
use crate::{Contest, Doubt, NotATally, SlotVotes, VotesField, Vouch};
use std::collections::BTreeSet;
use testigo_wire::{Check, CheckKind, Declaration, Field, Format, MAX_SLOTS, MAX_VOTES, TableId};

pub(super) struct Rules<'a> {
    fields: &'a Fields<'a>,
    format: &'a Format,
    declaration: &'a Declaration,
    pub(super) doubts: Vec<Doubt>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(
        fields: &'a Fields<'a>,
        format: &'a Format,
        declaration: &'a Declaration,
    ) -> Self {
        Self {
            fields,
            format,
            declaration,
            doubts: Vec::new(),
        }
    }

    /// The table's identifier; also holds every field that is not votes against its declaration.
    pub(super) fn table(&mut self) -> Result<TableId, NotATally> {
        let declaration = self.declaration;
        let mut padded = Vec::new();
        for field in &declaration.fields {
            let Some(text) = self.fields.get(&field.name) else {
                continue;
            };
            if let Some(expected) = &field.expect
                && text != expected
            {
                self.doubts.push(Doubt::Unusual {
                    field: field.name.clone(),
                    found: quote(text),
                    expected: expected.clone(),
                });
            }
            let roles = [&declaration.blank, &declaration.null, &declaration.total];
            let votes = (declaration.votes.iter()).chain(roles.into_iter().flatten());
            if let Some(digits) = field.digits
                && field.list.is_none()
                && !votes.clone().any(|name| *name == field.name)
            {
                if !fits(text, field) {
                    return Err(NotATally::Field {
                        field: field.name.clone(),
                        found: quote(text),
                        wants: Wants::Digits(digits),
                    });
                }
                let width = usize::try_from(digits).unwrap_or_default();
                if text.len() < width {
                    padded.push((field.name.as_str(), format!("{text:0>width$}")));
                }
            }
        }
        let value = |name: &str| {
            let mut padded = padded.iter();
            let padded = padded.find(|(field, _)| *field == name);
            padded.map_or_else(|| self.fields.get(name), |(_, text)| Some(text.as_str()))
        };
        let filled = declaration.table.fill(value);
        let table = filled.map_err(|field| NotATally::FieldMissing { field })?;
        TableId::new(&table).map_err(|_| NotATally::Field {
            field: "table".to_owned(),
            found: quote(&table),
            wants: Wants::Table,
        })
    }

    fn votes(&mut self, role: VotesField, name: &str, text: &str) -> Result<u32, NotATally> {
        let field = self.declaration.field(name);
        let max = field.and_then(|field| field.max).unwrap_or(MAX_VOTES);
        let fixed = field.filter(|field| field.digits.is_some());
        if fixed.is_some_and(|field| !fits(text, field)) {
            return Err(NotATally::Votes {
                field: role,
                found: quote(text),
            });
        }
        let votes = number::votes(|| role, text, max)?;
        if leading_zeros(text) && fixed.is_none() && !self.doubts.contains(&Doubt::LeadingZeros) {
            self.doubts.push(Doubt::LeadingZeros);
        }
        Ok(votes)
    }

    fn single(
        &mut self,
        role: VotesField,
        name: Option<&String>,
    ) -> Result<Option<u32>, NotATally> {
        let Some(name) = name else { return Ok(None) };
        let text = self.fields.require(name)?;
        self.votes(role, name, text).map(Some)
    }

    pub(super) fn contest(&mut self) -> Result<Contest, NotATally> {
        let declaration = self.declaration;
        let mut slots = Vec::new();
        match declaration.votes.as_slice() {
            [name]
                if declaration
                    .field(name)
                    .is_some_and(|field| field.list.is_some()) =>
            {
                slots = self.list(name)?;
            }
            names => {
                for name in names {
                    let text = self.fields.require(name)?;
                    slots.push(SlotVotes {
                        votes: self.votes(VotesField::Named(name.clone()), name, text)?,
                        name: Some(name.clone()),
                    });
                }
            }
        }
        Ok(Contest {
            slots,
            blank: self.single(VotesField::Blank, declaration.blank.as_ref())?,
            null: self.single(VotesField::Null, declaration.null.as_ref())?,
            total: self.single(VotesField::Total, declaration.total.as_ref())?,
            choices: 1,
            ..Contest::default()
        })
    }

    fn list(&mut self, name: &str) -> Result<Vec<SlotVotes>, NotATally> {
        let text = self.fields.require(name)?;
        let field = self.declaration.field(name);
        let separator = field.and_then(|field| field.list.as_deref()).unwrap_or(",");
        let pair = field.and_then(|field| field.pair.as_deref());
        let most = usize::try_from(MAX_SLOTS).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut slots = Vec::new();
        // Where slots have names, those without votes may be left out, all of them, too.
        let none = text.is_empty() && pair.is_some();
        let elements = text.splitn(most + 1, separator).filter(|_| !none);
        for (n, element) in elements.enumerate() {
            let (slot, votes) = match pair {
                None => (None, element),
                Some(pair) => match element.split_once(pair) {
                    Some((slot, votes)) if !slot.is_empty() => (Some(slot), votes),
                    _ => {
                        return Err(NotATally::Votes {
                            field: VotesField::Slot(n + 1),
                            found: quote(element),
                        });
                    }
                },
            };
            if let Some(slot) = slot
                && !seen.insert(slot)
            {
                return Err(NotATally::FieldTwice { field: quote(slot) });
            }
            let role = match slot {
                Some(slot) => VotesField::Named(quote(slot)),
                None => VotesField::Slot(n + 1),
            };
            slots.push(SlotVotes {
                votes: self.votes(role, name, votes)?,
                name: slot.map(str::to_owned),
            });
        }
        let count = field.and_then(|field| field.count);
        let expected = count.map(|count| usize::try_from(count).unwrap_or_default());
        match expected {
            Some(expected) if slots.len() != expected => Err(NotATally::Slots {
                found: slots.len(),
                expected,
            }),
            _ if slots.len() > most => Err(NotATally::Slots {
                found: slots.len(),
                expected: most,
            }),
            _ => Ok(slots),
        }
    }

    /// The sum of a field's numbers.
    fn sum_of(&self, name: &str) -> Result<u64, NotATally> {
        let text = self.fields.require(name)?;
        let field = self.declaration.field(name);
        let pair = field.and_then(|field| field.pair.as_deref());
        let role = || VotesField::Named(name.to_owned());
        let mut sum = 0;
        let elements: Vec<&str> = match field.and_then(|field| field.list.as_deref()) {
            Some(_) if text.is_empty() && pair.is_some() => Vec::new(),
            Some(separator) => text.split(separator).collect(),
            None => vec![text],
        };
        for element in elements {
            let named = pair.and_then(|pair| element.split_once(pair));
            let votes = named.map_or(element, |(_, votes)| votes);
            sum += u64::from(number::votes(role, votes, u32::MAX)?);
        }
        Ok(sum)
    }

    pub(super) fn sums(&mut self) -> Result<(), NotATally> {
        for rule in &self.declaration.sums {
            let mut sum = 0;
            for name in &rule.of {
                sum += self.sum_of(name)?;
            }
            let says = self.sum_of(&rule.is)?;
            if sum != says {
                self.doubts.push(Doubt::SumDiffers {
                    of: rule.of.join(" + "),
                    sum,
                    is: rule.is.clone(),
                    says,
                });
            }
        }
        Ok(())
    }

    /// What vouches for the text; a check that fails is an error.
    pub(super) fn checks(&mut self) -> Result<Vouch, NotATally> {
        let mut vouch = Vouch::PLAIN_CODE;
        for check in &self.declaration.checks {
            let fits = self.check(check)?;
            if self.covers(check) {
                vouch = vouch.max(fits);
            }
        }
        Ok(vouch)
    }

    /// Whether a check is over all that is counted, or over a hash that is: another one fits, and vouches for no number.
    fn covers(&self, check: &Check) -> bool {
        let declared = self.declaration;
        // The chain of several codes is over the whole of their text.
        if (declared.codes.as_ref()).is_some_and(|codes| codes.hash.is_some()) {
            return true;
        }
        let mut over: BTreeSet<&str> = check.over.fields().collect();
        for other in &declared.checks {
            if over.contains(other.field.as_str()) && Chain::new(other.kind).is_some() {
                over.extend(other.over.fields());
            }
        }
        let single = [&declared.blank, &declared.null];
        let counted = (declared.votes.iter()).chain(single.into_iter().flatten());
        (declared.table.fields())
            .chain(counted.map(String::as_str))
            .all(|field| over.contains(field))
    }

    fn check(&mut self, check: &Check) -> Result<Vouch, NotATally> {
        let over = self.fields.fill(&check.over)?;
        let said = self.fields.require(&check.field)?;
        if let Some(mut hash) = Chain::new(check.kind) {
            hash.update(&over);
            return match hash.is(said) {
                true => Ok(Vouch::HASH),
                false => Err(NotATally::Hash { code: None }),
            };
        }
        let digit = match check.kind {
            CheckKind::Luhn => luhn(&over),
            CheckKind::Mod11 => mod_11_2(&over),
            _ => return self.signature(check, &over, said),
        };
        let fits = digit.is_some_and(|digit| said.chars().eq([digit]));
        fits.then_some(Vouch::PLAIN_CODE)
            .ok_or_else(|| NotATally::CheckDigit {
                field: check.field.clone(),
            })
    }

    fn signature(&mut self, check: &Check, over: &str, said: &str) -> Result<Vouch, NotATally> {
        let name = match &check.key {
            Some(name) => self.fields.fill(name)?,
            None => String::new(),
        };
        let signature = hex(said).ok_or(NotATally::Signature)?;
        match self.format.key(&name) {
            Some(key) if key.verifies(over.as_bytes(), &signature) => Ok(Vouch::SIGNATURE),
            Some(_) => Err(NotATally::Signature),
            None => {
                self.doubts.push(Doubt::NoKey(quote(&name)));
                Ok(Vouch::PLAIN_CODE)
            }
        }
    }
}

/// Digits only, and as many as declared, or fewer where zeros may be filled in.
fn fits(text: &str, field: &Field) -> bool {
    let width = field.digits.and_then(|n| usize::try_from(n).ok());
    let enough = |width| text.len() == width || (field.pad && text.len() < width);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && width.is_none_or(enough)
}

/// The check digit of ISO/IEC 7812-1; `None` where the text is not digits.
fn luhn(text: &str) -> Option<char> {
    let mut sum = 0;
    for (n, c) in text.chars().rev().enumerate() {
        let digit = c.to_digit(10)?;
        let doubled = if n % 2 == 0 { digit * 2 } else { digit };
        sum = (sum + doubled / 10 + doubled % 10) % 10;
    }
    char::from_digit((10 - sum) % 10, 10)
}

/// The check character of ISO/IEC 7064, MOD 11-2; `None` where the text is not digits.
fn mod_11_2(text: &str) -> Option<char> {
    let mut sum = 0;
    for c in text.chars() {
        sum = (sum + c.to_digit(10)?) * 2 % 11;
    }
    match (12 - sum) % 11 {
        10 => Some('X'),
        digit => char::from_digit(digit, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_published_examples() {
        // The example of ISO/IEC 7812-1's rule, and the ORCID of its documentation.
        assert_eq!(luhn("7992739871"), Some('3'));
        assert_eq!(mod_11_2("000000021825009"), Some('7'));
        assert_eq!(mod_11_2("000000021694233"), Some('X'));
        assert_eq!((luhn("12a"), mod_11_2("1.2")), (None, None));
    }
}
