use crate::WireError;
use crate::text::travels_as_text;
use std::fmt;

/// A polling table as the election's pack writes it, for Venezuela `centre.table` (`201301006.01`).
///
/// Any 1 to 64 visible characters: a table that no pack knows is evidence all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(String);

impl TableId {
    /// The longest table identifier, in characters.
    pub const MAX_CHARS: usize = 64;

    /// From text as typed; white space around it is dropped.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is empty, too long, or holds spaces or control characters.
    pub fn new(text: &str) -> Result<Self, WireError> {
        let text = text.trim();
        let visible = |c: char| !c.is_control() && !c.is_whitespace();
        if text.is_empty() || text.chars().count() > Self::MAX_CHARS || !text.chars().all(visible) {
            return Err(WireError::malformed(
                "table",
                "1 to 64 characters without spaces, such as 201301006.01",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

travels_as_text!(TableId);
