use crate::{NotATally, VotesField};

/// The longest piece of text that an error repeats, in characters.
const QUOTE: usize = 40;

pub(crate) fn quote(text: &str) -> String {
    text.chars().take(QUOTE).collect()
}

/// Reads a number of votes: decimal digits and nothing else.
pub(crate) fn votes(
    field: impl FnOnce() -> VotesField,
    text: &str,
    max: u32,
) -> Result<u32, NotATally> {
    let number = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(votes) if number && votes <= max => Ok(votes),
        _ => Err(NotATally::Votes {
            field: field(),
            found: quote(text),
        }),
    }
}

/// Whether zeros stand in front that a number does not need.
pub(crate) fn leading_zeros(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

/// Decodes hexadecimal digits whose letters are all of one case: a letter of the other case is a changed character.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let capitals = text.bytes().any(|b| b.is_ascii_uppercase());
    let small = text.bytes().any(|b| b.is_ascii_lowercase());
    if text.len() != 2 * N || (capitals && small) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(bytes)
}
