//! A JSON object -> fields. What is declared as a list becomes the text of one; what else lies in objects and arrays has
//! a name with dots.

use super::cut::Fields;
use crate::NotATally;
use crate::not_a_tally::Wants;
use crate::number::quote;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use testigo_wire::{Declaration, Field};

/// A value with its keys in their order; `serde_json`'s own keeps the last of a key that stands twice.
enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // With a point or an exponent, so that it never passes for a number of votes.
        Ok(Node::Text(format!("{value:e}")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Text("null".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(entry) = map.next_entry()? {
            nodes.push(entry);
        }
        Ok(Node::Map(nodes))
    }
}

pub(super) fn fields(text: &str, declaration: &Declaration) -> Result<Fields<'static>, NotATally> {
    let node: Node = serde_json::from_str(text).map_err(|error| NotATally::Json {
        reason: error.to_string(),
    })?;
    if !matches!(node, Node::Map(_)) {
        return Err(NotATally::Json {
            reason: "it has no keys".to_owned(),
        });
    }
    let mut fields = Fields::default();
    flatten("", node, declaration, &mut fields)?;
    Ok(fields)
}

fn flatten(
    name: &str,
    node: Node,
    declaration: &Declaration,
    fields: &mut Fields<'static>,
) -> Result<(), NotATally> {
    let within = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}.{key}"),
    };
    if let Some(field) = declaration.field(name)
        && let Some(separator) = &field.list
        && !matches!(node, Node::Text(_))
    {
        fields.push(name.to_owned(), list(field, separator, node)?);
        return Ok(());
    }
    match node {
        Node::Text(text) => fields.push(name.to_owned(), text),
        Node::List(nodes) => {
            for (n, node) in nodes.into_iter().enumerate() {
                flatten(&within(&n.to_string()), node, declaration, fields)?;
            }
        }
        Node::Map(nodes) => {
            for (key, node) in nodes {
                flatten(&within(&key), node, declaration, fields)?;
            }
        }
    }
    Ok(())
}

/// `[1,2]` as `1,2` and `{"A":1}` as `A:1`, so that a list is the same text in every format.
fn list(field: &Field, separator: &str, node: Node) -> Result<String, NotATally> {
    let fault = |found: &str| NotATally::Field {
        field: field.name.clone(),
        found: quote(found),
        wants: Wants::Without(separator.to_owned()),
    };
    let element = |node: Node| match node {
        Node::Text(text) if !text.contains(separator) => Ok(text),
        Node::Text(text) => Err(fault(&text)),
        Node::List(_) | Node::Map(_) => Err(fault("[...]")),
    };
    let elements: Result<Vec<String>, NotATally> = match (node, &field.pair) {
        (Node::Map(nodes), Some(pair)) => (nodes.into_iter())
            .map(
                |(key, node)| match key.contains(separator) || key.contains(&**pair) {
                    true => Err(fault(&key)),
                    false => Ok(format!("{key}{pair}{}", element(node)?)),
                },
            )
            .collect(),
        (Node::List(nodes), _) => nodes.into_iter().map(element).collect(),
        (node, _) => element(node).map(|text| vec![text]),
    };
    Ok(elements?.join(separator))
}
