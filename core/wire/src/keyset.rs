use crate::sign;
use crate::{
    ElectionId, KeyId, RootId, SealPublicKey, SigningKey, Time, VerifyingKey, WireError, cbor,
};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// The largest signed keyset, in bytes.
pub const MAX_KEYSET: usize = KEYSET.limit();
/// How many seal keys a keyset lists, the newest first. Each is 1,216 bytes that every phone fetches.
pub(crate) const SEAL_KEYS_LISTED: usize = 2;

pub(crate) const KEYSET: sign::Kind = sign::Kind {
    what: "keyset",
    typ: "testigo.keyset",
    max_payload: 64 * 1024,
};

/// Headquarters' public keys and addresses, signed by the offline root. Versions only rise.
///
/// It comes with the app, as a file, or by sync; it is public.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Keyset {
    /// Rises with every change; a phone never goes back.
    #[n(0)]
    pub version: u64,
    /// The election it is for.
    #[n(1)]
    pub election: ElectionId,
    /// When the root signed it: no phone's clock may be behind it.
    #[n(2)]
    pub issued_at: Time,
    /// The root's own public key.
    #[n(3)]
    pub root: VerifyingKey,
    /// Keys that records are sealed to; phones use the first.
    #[n(4)]
    pub seal: Vec<SealPublicKey>,
    /// Keys that sign receipts; headquarters sign with the first.
    #[n(5)]
    pub receipt: Vec<VerifyingKey>,
    /// Keys that sign the desk's notices.
    #[n(6)]
    pub desk: Vec<VerifyingKey>,
    /// Keys that sign the public ledger.
    #[n(7)]
    pub log: Vec<VerifyingKey>,
    /// Devices and capabilities that are no longer believed.
    #[n(8)]
    pub revoked: Vec<KeyId>,
    /// Base addresses of headquarters' one store, in the order to try them.
    #[n(9)]
    pub endpoints: Vec<String>,
    /// SHA-256 of the TLS public keys (SPKI) that the endpoints may show; empty: ordinary
    /// web certificates.
    #[n(10)]
    pub pins: Vec<ByteArray<32>>,
}

impl Keyset {
    /// Signs it with the root, whose public half it must carry.
    ///
    /// # Errors
    /// [`WireError`] where it is too large, or names another root.
    pub fn sign(&self, root: &SigningKey) -> Result<Vec<u8>, WireError> {
        if self.root != root.verifying_key() {
            return Err(WireError::malformed(KEYSET.what, "it names another root"));
        }
        KEYSET.sign(root, cbor::to_vec(self))
    }

    /// Reads and verifies a keyset that must be signed by `trusted`.
    ///
    /// # Errors
    /// [`WireError::Signature`] where it comes from another root or was changed;
    /// [`WireError::Malformed`] where it is no keyset, or lacks a seal or receipt key.
    pub fn verify(bytes: &[u8], trusted: RootId) -> Result<Self, WireError> {
        let signed = KEYSET.parse(bytes)?;
        let keyset: Self = cbor::from_slice(KEYSET.what, &signed.payload, KEYSET.max_payload)?;
        if RootId::of(&keyset.root) != trusted {
            return Err(WireError::Signature { what: KEYSET.what });
        }
        signed.verify(&keyset.root)?;
        if keyset.seal.is_empty() || keyset.receipt.is_empty() {
            return Err(WireError::malformed(
                KEYSET.what,
                "it lacks a seal key or a receipt key",
            ));
        }
        Ok(keyset)
    }

    /// What another keyset is to this one, whose signed bytes are `held`: only a later one of the same root and
    /// election takes its place.
    ///
    /// # Errors
    /// As [`Keyset::verify`] under this one's root.
    pub fn succession(&self, held: &[u8], other: &[u8]) -> Result<Succession, WireError> {
        let keyset = Self::verify(other, RootId::of(&self.root))?;
        Ok(if keyset.election != self.election {
            Succession::OtherElection
        } else if keyset.version > self.version {
            Succession::Newer(Box::new(keyset))
        } else if keyset.version < self.version {
            Succession::Older(keyset.version)
        } else if other == held {
            Succession::Same
        } else {
            Succession::Conflict
        })
    }

    /// Whether the root has taken back its trust in this device or capability.
    pub fn is_revoked(&self, kid: KeyId) -> bool {
        self.revoked.contains(&kid)
    }

    /// The root that a keyset names as its own, not verified: for who compares it with one from elsewhere.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are no keyset.
    pub fn named_root(bytes: &[u8]) -> Result<RootId, WireError> {
        let signed = KEYSET.parse(bytes)?;
        let keyset: Self = cbor::from_slice(KEYSET.what, &signed.payload, KEYSET.max_payload)?;
        Ok(RootId::of(&keyset.root))
    }

    /// The receipt key of that short name.
    pub fn receipt_key(&self, kid: KeyId) -> Option<&VerifyingKey> {
        self.receipt.iter().find(|key| key.key_id() == kid)
    }

    /// The desk's key of that short name.
    pub fn desk_key(&self, kid: KeyId) -> Option<&VerifyingKey> {
        self.desk.iter().find(|key| key.key_id() == kid)
    }
}

/// What a keyset is to the one that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Succession {
    /// It takes its place.
    Newer(Box<Keyset>),
    /// The very same bytes.
    Same,
    /// It was replaced long ago: somebody plays an old one back.
    Older(u64),
    /// The same version with other content: the root signed twice, and nobody may believe the second.
    Conflict,
    /// The same root's, for another election.
    OtherElection,
}
