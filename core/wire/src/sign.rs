use crate::{KeyId, WireError, cbor};
use coset::{
    CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, Label, TaggedCborSerializable,
    cbor::Value, iana,
};
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// COSE header parameter `typ`, RFC 9596.
const TYP: i64 = 16;
/// A COSE_Sign1 around its payload: tag, array, protected header, signature.
const OVERHEAD: usize = 160;

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// An Ed25519 private key (RFC 8032). Erased from memory when dropped; cannot be printed.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut())?;
        Ok(Self::from_seed(&seed))
    }

    /// From the 32-byte seed that was kept.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for an encrypted store only.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().key_id())
    }
}

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where they are no point of the curve, or a weak one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WireError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(key)),
            _ => Err(WireError::malformed("public key", "not an Ed25519 key")),
        }
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its short name.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.to_bytes())
    }

    /// Whether a bare signature of another's making fits the message: RFC 8032 without malleable or small-order forms.
    /// What Testigo itself signs is of a kind, and never checked by this.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.key_id())
    }
}

impl<C> minicbor::Encode<C> for VerifyingKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for VerifyingKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let fault = |_| minicbor::decode::Error::message("not an Ed25519 key");
        let bytes: &[u8; 32] = d.bytes()?.try_into().map_err(|_| fault(()))?;
        Self::from_bytes(bytes).map_err(|_| fault(()))
    }
}

/// A kind of signed object: what errors call it, its `typ`, and how long its payload may be.
pub(crate) struct Kind {
    pub what: &'static str,
    pub typ: &'static str,
    pub max_payload: usize,
}

impl Kind {
    /// The largest object of this kind, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        self.max_payload + OVERHEAD
    }

    /// The exact bytes of the protected header `{1: Ed25519, 4: kid, 16: typ}` that this key signs.
    pub(crate) fn protected(&self, kid: KeyId) -> Vec<u8> {
        self.header(kid).to_vec().unwrap_or_default()
    }

    fn header(&self, kid: KeyId) -> coset::Header {
        HeaderBuilder::new()
            .algorithm(iana::Algorithm::Ed25519)
            .key_id(kid.0.to_vec())
            .value(TYP, Value::from(self.typ))
            .build()
    }

    /// Signs a payload: a tagged COSE_Sign1.
    pub(crate) fn sign(&self, key: &SigningKey, payload: Vec<u8>) -> Result<Vec<u8>, WireError> {
        if payload.len() > self.max_payload {
            return Err(WireError::TooLarge {
                what: self.what,
                found: payload.len(),
                limit: self.max_payload,
            });
        }
        CoseSign1Builder::new()
            .protected(self.header(key.verifying_key().key_id()))
            .payload(payload)
            .create_signature(b"", |message| key.0.sign(message).to_bytes().to_vec())
            .build()
            .to_tagged_vec()
            .map_err(|_| WireError::malformed(self.what, "it cannot be encoded"))
    }

    /// Takes a signed object apart. Nothing in it may be believed before [`Unverified::verify`].
    pub(crate) fn parse(&self, bytes: &[u8]) -> Result<Unverified, WireError> {
        cbor::check(self.what, bytes, self.limit())?;
        let fault = |reason| WireError::malformed(self.what, reason);
        let mut signed =
            CoseSign1::from_tagged_slice(bytes).map_err(|_| fault("not a COSE_Sign1"))?;
        let kid = KeyId::from_slice(&signed.protected.header.key_id)?;
        let typ =
            signed.protected.header.rest.iter().find_map(|(l, v)| {
                (*l == Label::Int(TYP)).then(|| v.as_text().unwrap_or_default())
            });
        if typ != Some(self.typ) {
            return Err(fault("signed as another kind of object"));
        }
        let canonical = self.protected(kid);
        if signed.protected.original_data.as_deref() != Some(&canonical)
            || !signed.unprotected.is_empty()
        {
            return Err(fault("a header that does not belong there"));
        }
        let payload = signed.payload.take().unwrap_or_default();
        cbor::check(self.what, &payload, self.max_payload)?;
        signed.payload = Some(payload.clone());
        Ok(Unverified {
            what: self.what,
            kid,
            payload,
            signed,
        })
    }
}

/// A signed object whose signature has not been checked yet.
#[derive(Debug)]
pub(crate) struct Unverified {
    what: &'static str,
    pub(crate) kid: KeyId,
    pub(crate) payload: Vec<u8>,
    signed: CoseSign1,
}

impl Unverified {
    /// Checks the signature strictly (RFC 8032 without malleable or small-order forms).
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<(), WireError> {
        let fault = || WireError::Signature { what: self.what };
        if key.key_id() != self.kid {
            return Err(fault());
        }
        self.signed.verify_signature(b"", |signature, message| {
            let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| fault())?;
            key.0
                .verify_strict(message, &signature)
                .map_err(|_| fault())
        })
    }
}
