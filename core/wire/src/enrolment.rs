use crate::envelope::version_of;
use crate::sign::{self, Unverified};
use crate::{Eid, ElectionId, KeyId, SigningKey, StoreId, VerifyingKey, WireError, cbor};
use minicbor::{Decode, Encode};

const VERSION: u64 = 1;

const ENROLMENT: sign::Kind = sign::Kind {
    what: "enrolment",
    typ: "testigo.enrolment",
    max_payload: 256,
};

/// A witness's capability vouches once for a phone's key: `[version, election, device key, store]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Enrolment {
    #[n(0)]
    version: u64,
    /// The election.
    #[n(1)]
    pub election: ElectionId,
    /// The device's public key.
    #[n(2)]
    pub device: VerifyingKey,
    /// The phone's store.
    #[n(3)]
    pub store_id: StoreId,
}

impl Enrolment {
    /// Of this device and store.
    pub fn new(election: ElectionId, device: VerifyingKey, store_id: StoreId) -> Self {
        Self {
            version: VERSION,
            election,
            device,
            store_id,
        }
    }

    /// Signs it with the capability's key.
    ///
    /// # Errors
    /// None in practice: its size is fixed.
    pub fn sign(&self, capability: &SigningKey) -> Result<Vec<u8>, WireError> {
        ENROLMENT.sign(capability, cbor::to_vec(self))
    }

    /// Takes a signed enrolment apart; nothing in it may be believed before it is verified.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<UnverifiedEnrolment, WireError> {
        let signed = ENROLMENT.parse(bytes)?;
        let version = version_of(ENROLMENT.what, &signed.payload)?;
        if version != VERSION {
            return Err(WireError::Version {
                what: ENROLMENT.what,
                found: version,
            });
        }
        let enrolment = cbor::from_slice(ENROLMENT.what, &signed.payload, ENROLMENT.max_payload)?;
        Ok(UnverifiedEnrolment {
            eid: Eid::of(bytes),
            enrolment,
            signed,
        })
    }
}

/// An enrolment of right form whose signature has not been checked.
#[derive(Debug)]
pub struct UnverifiedEnrolment {
    eid: Eid,
    enrolment: Enrolment,
    signed: Unverified,
}

impl UnverifiedEnrolment {
    /// Identity of its bytes.
    pub fn eid(&self) -> Eid {
        self.eid
    }

    /// The election that it says it is for.
    pub fn election(&self) -> ElectionId {
        self.enrolment.election
    }

    /// The short name of the capability that is said to have signed it.
    pub fn capability(&self) -> KeyId {
        self.signed.kid
    }

    /// One that was verified before it was kept; the signature is not checked again.
    pub fn kept(self) -> Enrolment {
        self.enrolment
    }

    /// Checks the signature by the capability's public key.
    ///
    /// # Errors
    /// [`WireError::Signature`] where another key signed it, or a bit was changed.
    pub fn verify(self, capability: &VerifyingKey) -> Result<Enrolment, WireError> {
        self.signed.verify(capability)?;
        Ok(self.enrolment)
    }
}
