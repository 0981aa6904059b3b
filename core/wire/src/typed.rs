use crate::TableId;
use minicbor::{Decode, Encode};

/// A tally sheet whose numbers a person typed from the paper, because it has no code that can be read: twice, the second
/// time without seeing the first, until both were the same. A photograph of it is the record's attachment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TypedTally {
    /// The polling table that the sheet names.
    #[n(0)]
    pub table: TableId,
    /// Votes by slot, in the order of the ballot.
    #[n(1)]
    pub votes: Vec<u32>,
    /// Blank votes, where the sheet tells them.
    #[n(2)]
    pub blank: Option<u32>,
    /// Null votes, where the sheet tells them.
    #[n(3)]
    pub null: Option<u32>,
    /// The total, where the sheet prints one.
    #[n(4)]
    pub total: Option<u32>,
    /// The hash that is printed on the paper, word for word; on Venezuela's acta the "firma" under the code.
    #[n(5)]
    pub printed_hash: Option<String>,
    /// The code of the machine that is printed on the paper, word for word.
    #[n(6)]
    pub machine_code: Option<String>,
}

impl TypedTally {
    /// The longest printed hash or machine code that a phone takes, in characters: twice that of SHA-512 in hexadecimal.
    pub const MAX_PRINTED_CHARS: usize = 256;
}
