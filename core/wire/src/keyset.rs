use crate::sign;
use crate::{
    ElectionId, KeyId, RootId, SealPublicKey, SigningKey, Time, VerifyingKey, WireError, cbor,
};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

const KEYSET: sign::Kind = sign::Kind {
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
    /// Keys that sign receipts.
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
