use crate::notice::{MAX_NOTICE, NOTICE};
use crate::receipt::{BLOB_RECEIPT, MAX_RECEIPT, RECEIPT};
use crate::{BlobReceipt, KeyId, Keyset, Notice, Receipt, WireError, cbor};

/// The most that one file may hold: a receipt and a notice, and a receipt for each attachment.
const MAX_COUNT: usize = 64;

type Verify = fn(&[u8], &Keyset) -> Result<Statement, WireError>;

/// Something that headquarters signed for a phone, and that anyone can verify who has the keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// It holds a record.
    Receipt(Receipt),
    /// It holds a whole attachment.
    BlobReceipt(BlobReceipt),
    /// What its desk did with a record.
    Notice(Notice),
}

impl Statement {
    /// Verifies what is in a file: a CBOR sequence (RFC 8742) of receipts, blob receipts and notices, each
    /// byte for byte as headquarters signed it.
    ///
    /// # Errors
    /// [`WireError`] where it is no such sequence at all. Inside stands, for each object, why it cannot be
    /// verified: [`WireError::Signature`] where no key of the keyset signed it.
    pub fn verify_all(
        bytes: &[u8],
        keyset: &Keyset,
    ) -> Result<Vec<Result<Self, WireError>>, WireError> {
        const WHAT: &str = "signed statement";
        let limit = MAX_RECEIPT.max(MAX_NOTICE);
        let mut found = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if found.len() == MAX_COUNT {
                return Err(WireError::TooLarge {
                    what: WHAT,
                    found: MAX_COUNT + 1,
                    limit: MAX_COUNT,
                });
            }
            let item;
            (item, rest) = cbor::first(WHAT, rest, limit)?;
            found.push(Self::verify(item, keyset));
        }
        if found.is_empty() {
            return Err(WireError::malformed(WHAT, "the file is empty"));
        }
        Ok(found)
    }

    /// The short name of the key that is said to have signed such an object; nothing is verified.
    pub fn signer(bytes: &[u8]) -> Option<KeyId> {
        [RECEIPT, BLOB_RECEIPT, NOTICE]
            .iter()
            .find_map(|kind| Some(kind.parse(bytes).ok()?.kid))
    }

    fn verify(item: &[u8], keyset: &Keyset) -> Result<Self, WireError> {
        let kinds: [Verify; 3] = [
            |item, keyset| Receipt::verify(item, keyset).map(Self::Receipt),
            |item, keyset| BlobReceipt::verify(item, keyset).map(Self::BlobReceipt),
            |item, keyset| Notice::verify(item, keyset).map(Self::Notice),
        ];
        let mut fault = WireError::malformed("signed statement", "none of headquarters' kinds");
        for verify in kinds {
            match verify(item, keyset) {
                // Another kind of object, as its header says.
                Err(WireError::Malformed { .. } | WireError::TooLarge { .. }) => {}
                Err(error) => fault = error,
                verified => return verified,
            }
        }
        Err(fault)
    }
}
