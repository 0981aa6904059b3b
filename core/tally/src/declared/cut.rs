//! A text -> named fields, by the declaration.

use super::json;
use crate::NotATally;
use crate::not_a_tally::Wants;
use crate::number::quote;
use std::borrow::Cow;
use std::collections::BTreeSet;
use testigo_wire::{Cut, Declaration, Piece, Template};

/// Fields of one text in its order, each name once.
#[derive(Debug, Default)]
pub(crate) struct Fields<'t>(Vec<(Cow<'t, str>, Cow<'t, str>)>);

impl<'t> Fields<'t> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        fields.find(|field| field.0 == name).map(|field| &*field.1)
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, NotATally> {
        self.get(name)
            .ok_or_else(|| NotATally::FieldMissing { field: quote(name) })
    }

    /// A template with these fields' texts.
    pub(crate) fn fill(&self, template: &Template) -> Result<String, NotATally> {
        (template.fill(|name| self.get(name))).map_err(|field| NotATally::FieldMissing { field })
    }

    pub(crate) fn push(&mut self, name: impl Into<Cow<'t, str>>, text: impl Into<Cow<'t, str>>) {
        self.0.push((name.into(), text.into()));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }

    /// No name stands twice: whoever reads on may take the first of a name for the only one.
    pub(super) fn once(self) -> Result<Self, NotATally> {
        let mut seen = BTreeSet::new();
        let twice = self.iter().find(|(name, _)| !seen.insert(*name));
        match twice.map(|(name, _)| quote(name)) {
            Some(field) => Err(NotATally::FieldTwice { field }),
            None => Ok(self),
        }
    }
}

pub(crate) fn cut<'t>(
    text: &'t str,
    declaration: &'t Declaration,
) -> Result<Fields<'t>, NotATally> {
    match &declaration.cut {
        Cut::Template(template) => by_template(text, template),
        Cut::Pairs { between, of } => pairs(text, between, of)?.once(),
        Cut::Json => json::fields(text, declaration)?.once(),
    }
}

pub(crate) fn by_template<'t>(
    text: &'t str,
    template: &'t Template,
) -> Result<Fields<'t>, NotATally> {
    let mut fields = Fields::default();
    let (mut rest, mut open, mut last) = (text, None, None);
    for piece in template.pieces() {
        match piece {
            Piece::Field(name) => open = Some(name),
            Piece::Literal(literal) => {
                let after = open.or(last.map(|(name, _)| name));
                let missing = || NotATally::Literal {
                    after: after.map(str::to_owned),
                    literal: literal.to_owned(),
                };
                rest = match open.take() {
                    Some(name) => {
                        let (field, rest) = rest.split_once(literal).ok_or_else(missing)?;
                        fields.push(name, field);
                        last = Some((name, literal));
                        rest
                    }
                    None => rest.strip_prefix(literal).ok_or_else(missing)?,
                };
            }
        }
    }
    let without = last.map(|(_, literal)| literal);
    match open {
        Some(name) if without.is_some_and(|literal| rest.contains(literal)) => {
            Err(NotATally::Field {
                field: name.to_owned(),
                found: quote(rest),
                wants: Wants::Without(without.unwrap_or_default().to_owned()),
            })
        }
        Some(name) => {
            fields.push(name, rest);
            Ok(fields)
        }
        None if rest.is_empty() => Ok(fields),
        None => Err(NotATally::Field {
            field: "end".to_owned(),
            found: quote(rest),
            wants: Wants::OneOf("\"\""),
        }),
    }
}

fn pairs<'t>(text: &'t str, between: &str, of: &str) -> Result<Fields<'t>, NotATally> {
    let mut fields = Fields::default();
    let mut last = None;
    for pair in text.split(between) {
        let Some((name, value)) = pair.split_once(of) else {
            return Err(NotATally::Literal {
                after: Some(quote(if pair.is_empty() {
                    last.unwrap_or_default()
                } else {
                    pair
                })),
                literal: of.to_owned(),
            });
        };
        fields.push(name, value);
        last = Some(name);
    }
    Ok(fields)
}
