use crate::{Phone, PhoneError};
use testigo_wire::Eid;

/// What headquarters signed for one record, as anyone can verify it who has the keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Identity of the record's envelope.
    pub eid: Eid,
    /// Receipt, blob receipts and the desk's latest notice, one behind the other, each as it was signed: a
    /// CBOR sequence (RFC 8742). Empty before headquarters has signed anything.
    pub signed: Vec<u8>,
    /// How many there are.
    pub statements: u64,
    /// The sealed envelope, as long as the phone has it.
    pub envelope: Option<Vec<u8>>,
}

impl Phone {
    /// What headquarters signed for the record with this number; `None` where there is no such record.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn proof(&self, sequence: u64) -> Result<Option<Proof>, PhoneError> {
        match self.hidden()?.contains(&sequence) {
            true => Ok(None),
            false => self.store.proof(sequence),
        }
    }
}
