use crate::keyset::{KEYSET, SEAL_KEYS_LISTED};
use crate::pack::PACK;
use crate::words::request_words;
use crate::{
    ElectionId, ElectionPack, KeyId, Keyset, Language, RootId, SealPublicKey, SigningKey, Time,
    VerifyingKey, WireError, cbor,
};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

const WHAT: &str = "keyset request";
const FORMAT: u64 = 1;
/// The longest request, in bytes: two keysets and a pack.
const MAX: usize = 2 * KEYSET.limit() + PACK.limit();

/// What headquarters ask the offline root to sign: the keyset that they want, without version and time, and the
/// first time the election pack. It holds public halves only, and is not signed: who brings it is asked for its
/// six words, and the root shows what it changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeysetRequest {
    #[n(0)]
    format: u64,
    /// The election it is for.
    #[n(1)]
    pub election: ElectionId,
    /// The root that is to sign it.
    #[n(2)]
    pub root: RootId,
    /// As in a [`Keyset`].
    #[n(3)]
    pub seal: Vec<SealPublicKey>,
    /// As in a [`Keyset`].
    #[n(4)]
    pub receipt: Vec<VerifyingKey>,
    /// As in a [`Keyset`].
    #[n(5)]
    pub desk: Vec<VerifyingKey>,
    /// As in a [`Keyset`].
    #[n(6)]
    pub log: Vec<VerifyingKey>,
    /// As in a [`Keyset`].
    #[n(7)]
    pub revoked: Vec<KeyId>,
    /// As in a [`Keyset`].
    #[n(8)]
    pub endpoints: Vec<String>,
    /// As in a [`Keyset`].
    #[n(9)]
    pub pins: Vec<ByteArray<32>>,
    /// The signed keyset that it changes; none before the first.
    #[n(10)]
    previous: Option<ByteVec>,
    /// The election pack to be signed, as its payload.
    #[n(11)]
    pack: Option<ByteVec>,
}

impl KeysetRequest {
    /// The first one of an election: its keys and addresses are filled in by the caller.
    ///
    /// # Errors
    /// [`WireError`] where the pack contradicts itself or is too large.
    pub fn first(pack: &ElectionPack, root: RootId) -> Result<Self, WireError> {
        Ok(Self {
            format: FORMAT,
            election: pack.election,
            root,
            seal: Vec::new(),
            receipt: Vec::new(),
            desk: Vec::new(),
            log: Vec::new(),
            revoked: Vec::new(),
            endpoints: Vec::new(),
            pins: Vec::new(),
            previous: None,
            pack: Some(pack.to_unsigned()?.into()),
        })
    }

    /// One that would leave everything as it is: the caller changes something in it.
    ///
    /// # Errors
    /// [`WireError`] where the signed bytes are no keyset.
    pub fn following(signed: &[u8]) -> Result<Self, WireError> {
        let root = Keyset::named_root(signed)?;
        let keyset = Keyset::verify(signed, root)?;
        Ok(Self {
            format: FORMAT,
            election: keyset.election,
            root,
            seal: keyset.seal,
            receipt: keyset.receipt,
            desk: keyset.desk,
            log: keyset.log,
            revoked: keyset.revoked,
            endpoints: keyset.endpoints,
            pins: keyset.pins,
            previous: Some(signed.to_vec().into()),
            pack: None,
        })
    }

    /// Puts a new seal key first. So many of the latest stay listed; headquarters open what was sealed to any
    /// that they still hold, listed or not.
    pub fn replace_seal_key(&mut self, new: SealPublicKey) {
        self.seal.insert(0, new);
        self.seal.truncate(SEAL_KEYS_LISTED);
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// Reads a request. Nothing in it is signed but the previous keyset.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are none, or lack a seal or receipt key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let request: Self = cbor::from_slice(WHAT, bytes, MAX)?;
        if request.format != FORMAT {
            return Err(WireError::Version {
                what: WHAT,
                found: request.format,
            });
        }
        if request.seal.is_empty() || request.receipt.is_empty() {
            let reason = "it lacks a seal key or a receipt key";
            return Err(WireError::malformed(WHAT, reason));
        }
        Ok(request)
    }

    /// Six words for its exact bytes: whoever signs compares them with headquarters, by voice.
    pub fn words(&self, language: Language) -> String {
        request_words(&self.to_bytes(), language)
    }

    /// The signed bytes of the keyset that it changes.
    pub fn previous(&self) -> Option<&[u8]> {
        self.previous.as_ref().map(|bytes| bytes.as_slice())
    }

    /// The election pack that is to be signed.
    ///
    /// # Errors
    /// [`WireError`] where it is none, contradicts itself, or is another election's.
    pub fn pack(&self) -> Result<Option<ElectionPack>, WireError> {
        let Some(bytes) = &self.pack else {
            return Ok(None);
        };
        let pack = ElectionPack::from_unsigned(bytes)?;
        if pack.election != self.election {
            let reason = "its pack is of another election";
            return Err(WireError::malformed(WHAT, reason));
        }
        Ok(Some(pack))
    }

    /// The keyset that is asked for.
    pub fn to_keyset(&self, root: &SigningKey, version: u64, issued_at: Time) -> Keyset {
        Keyset {
            version,
            election: self.election,
            issued_at,
            root: root.verifying_key(),
            seal: self.seal.clone(),
            receipt: self.receipt.clone(),
            desk: self.desk.clone(),
            log: self.log.clone(),
            revoked: self.revoked.clone(),
            endpoints: self.endpoints.clone(),
            pins: self.pins.clone(),
        }
    }
}
