use crate::envelope::version_of;
use crate::sign::{self, Unverified};
use crate::{Eid, Epoch, KeyId, SigningKey, VerifyingKey, WireError, cbor};
use minicbor::{Decode, Encode};

const VERSION: u64 = 1;

const ASK: sign::Kind = sign::Kind {
    what: "ask",
    typ: "testigo.ask",
    max_payload: 64,
};

/// A device asks what the desk has to say of its records: `[version, epoch, after]`.
///
/// A reply that is lost loses no notice by it: the phone names the last one that it has on its disk, and
/// headquarters give whatever came behind it, as often as they are asked. In clear it shows the device's
/// short name and these two fields, and nothing of any record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Ask {
    #[n(0)]
    version: u64,
    /// The run of headquarters' store that gave the number; in another run it means nothing.
    #[n(1)]
    pub epoch: Epoch,
    /// Number of the last notice that the phone holds durably; 0 before the first.
    #[n(2)]
    pub after: u64,
}

impl Ask {
    /// The most notices that one reply carries; where it carries so many, there may be more.
    pub const MAX_NOTICES: usize = 64;

    /// Of what follows behind this number in this run.
    pub fn new(epoch: Epoch, after: u64) -> Self {
        Self {
            version: VERSION,
            epoch,
            after,
        }
    }

    /// Signs it with the device's key.
    ///
    /// # Errors
    /// None in practice: its size is bounded.
    pub fn sign(&self, device: &SigningKey) -> Result<Vec<u8>, WireError> {
        ASK.sign(device, cbor::to_vec(self))
    }

    /// Takes a signed ask apart; who asks is known only after it is verified.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<UnverifiedAsk, WireError> {
        let signed = ASK.parse(bytes)?;
        let version = version_of(ASK.what, &signed.payload)?;
        if version != VERSION {
            return Err(WireError::Version {
                what: ASK.what,
                found: version,
            });
        }
        let ask = cbor::from_slice(ASK.what, &signed.payload, ASK.max_payload)?;
        Ok(UnverifiedAsk {
            eid: Eid::of(bytes),
            ask,
            signed,
        })
    }
}

/// An ask of right form whose signature has not been checked.
#[derive(Debug)]
pub struct UnverifiedAsk {
    eid: Eid,
    ask: Ask,
    signed: Unverified,
}

impl UnverifiedAsk {
    /// Identity of its bytes, by which a deferral names it.
    pub fn eid(&self) -> Eid {
        self.eid
    }

    /// The short name of the device that is said to have signed it.
    pub fn device(&self) -> KeyId {
        self.signed.kid
    }

    /// Checks the signature by the device's public key.
    ///
    /// # Errors
    /// [`WireError::Signature`] where another key signed it, or a bit was changed.
    pub fn verify(&self, device: &VerifyingKey) -> Result<Ask, WireError> {
        self.signed.verify(device)?;
        Ok(self.ask)
    }
}
