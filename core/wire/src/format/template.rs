use crate::WireError;
use crate::text::travels_as_text;

/// A text with fields in it, such as `{centre}.{table}`; `{{` and `}}` are the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// It stands there as it is.
    Literal(&'a str),
    /// A field of this name.
    Field(&'a str),
}

impl Template {
    /// The longest template, in bytes.
    pub const MAX_BYTES: usize = 2048;

    /// From text.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is empty or too long, a brace has no other, or a field no name of up to 32
    /// letters, digits, `_`, `-` and `.`.
    pub fn new(text: &str) -> Result<Self, WireError> {
        let template = Self(text.to_owned());
        let whole = |piece| match piece {
            Piece::Literal(_) => true,
            Piece::Field(name) => is_name(name),
        };
        let braces = template.pieces().count() > 0 && template.pieces().all(whole);
        if text.len() > Self::MAX_BYTES || !braces {
            return Err(WireError::malformed(
                "template",
                "text with {fields}, such as {centre}.{table}",
            ));
        }
        Ok(template)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, in their order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let piece;
            (piece, rest) = first(rest)?;
            Some(piece)
        })
    }

    /// Its fields' names, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Field(name) => Some(name),
            Piece::Literal(_) => None,
        })
    }

    /// The text with a value for each field; the name of a field that has none is the error.
    ///
    /// # Errors
    /// The name of the field.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
        let mut text = String::new();
        for piece in self.pieces() {
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Field(name) => value(name).ok_or_else(|| name.to_owned())?,
            });
        }
        Ok(text)
    }
}

/// The first part and the rest. A brace without another comes as a field that [`is_name`] refuses.
fn first(text: &str) -> Option<(Piece<'_>, &str)> {
    let c = text.chars().next()?;
    for brace in ["{{", "}}"] {
        if let Some(rest) = text.strip_prefix(brace) {
            return Some((Piece::Literal(text.get(..1)?), rest));
        }
    }
    Some(match c {
        '{' => match text.get(1..)?.split_once('}') {
            Some((name, rest)) => (Piece::Field(name), rest),
            None => (Piece::Field(""), ""),
        },
        '}' => (Piece::Field(""), ""),
        _ => {
            let end = text.find(['{', '}']).unwrap_or(text.len());
            let (literal, rest) = text.split_at_checked(end)?;
            (Piece::Literal(literal), rest)
        }
    })
}

/// Whether a field may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    !name.is_empty() && name.len() <= 32 && name.bytes().all(allowed)
}

travels_as_text!(Template);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_taken_apart_and_filled() {
        let template = Template::new("{{{a}}}-{b}é{a}").unwrap();
        let pieces: Vec<_> = template.pieces().collect();
        assert_eq!(
            pieces,
            [
                Piece::Literal("{"),
                Piece::Field("a"),
                Piece::Literal("}"),
                Piece::Literal("-"),
                Piece::Field("b"),
                Piece::Literal("é"),
                Piece::Field("a"),
            ]
        );
        let value = |name: &str| (name == "a").then_some("1");
        assert_eq!(template.fill(value), Err("b".to_owned()));
        assert_eq!(template.fill(|_| Some("1")), Ok("{1}-1é1".to_owned()));
    }

    #[test]
    fn a_brace_without_another_and_a_name_that_is_none_are_refused() {
        for wrong in [
            "",
            "{",
            "}",
            "{a",
            "a}",
            "{}",
            "{a b}",
            "{á}",
            "{a{b}}",
            &"x".repeat(3000),
        ] {
            assert!(Template::new(wrong).is_err(), "{wrong}");
        }
    }
}
