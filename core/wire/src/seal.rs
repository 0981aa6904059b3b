use crate::{KeyId, WireError};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::XWing,
};
use std::fmt;
use zeroize::Zeroizing;

type PublicKey = <XWing as hpke::Kem>::PublicKey;
type PrivateKey = <XWing as hpke::Kem>::PrivateKey;
type EncappedKey = <XWing as hpke::Kem>::EncappedKey;

/// What a sealed text is for.
pub(crate) struct Purpose {
    /// What errors call it.
    pub what: &'static str,
    /// Binds it to this protocol and to this use of the key (RFC 9180, section 5.1).
    info: &'static [u8],
}

/// A record's body.
pub(crate) const BODY: Purpose = Purpose {
    what: "record",
    info: b"testigo/1/body",
};
/// The secret of a courier's bundle.
pub(crate) const BUNDLE: Purpose = Purpose {
    what: "bundle",
    info: b"testigo/1/bundle",
};
/// A phone's readable copy of a record, to its own history key.
pub(crate) const HISTORY: Purpose = Purpose {
    what: "history",
    info: b"testigo/1/history",
};
/// The key of a phone's store, to headquarters.
pub(crate) const STORE_KEY: Purpose = Purpose {
    what: "store key",
    info: b"testigo/1/store-key",
};
/// Length of an X-Wing encapsulated key, in bytes.
pub(crate) const ENC_LEN: usize = 1120;
/// Length of the Poly1305 tag that sealing adds, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// Public half of headquarters' seal key: 1,216 bytes of X-Wing (X25519 with ML-KEM-768,
/// draft-connolly-cfrg-xwing-kem). Whatever is sealed to it only its holder can read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealPublicKey(PublicKey);

impl SealPublicKey {
    /// From its 1,216 bytes.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where they are no such key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        PublicKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| WireError::malformed("seal key", "not an X-Wing key"))
    }

    /// Its 1,216 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// Its short name.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.to_bytes())
    }

    /// Seals; returns the encapsulated key and the ciphertext.
    pub(crate) fn seal(
        &self,
        purpose: &Purpose,
        plain: &[u8],
        aad: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), WireError> {
        let (enc, ct) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.0,
            purpose.info,
            plain,
            aad,
        )
        .map_err(|_| WireError::Sealed { what: purpose.what })?;
        Ok((enc.to_bytes().to_vec(), ct))
    }
}

impl fmt::Debug for SealPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealPublicKey({})", self.key_id())
    }
}

impl<C> minicbor::Encode<C> for SealPublicKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for SealPublicKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_bytes(d.bytes()?).map_err(minicbor::decode::Error::message)
    }
}

/// Secret half of headquarters' seal key. Erased from memory when dropped; cannot be printed.
pub struct SealSecretKey(
    // Boxed: a move would leave a copy behind.
    Box<Zeroizing<[u8; 32]>>,
);

impl SealSecretKey {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = Self::from_bytes(&[0; 32]);
        getrandom::fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// From the 32 bytes that were kept.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut key = Self(Box::new(Zeroizing::new([0; 32])));
        key.0.copy_from_slice(bytes);
        key
    }

    /// The 32 bytes, for headquarters' key files only.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        (*self.0).clone()
    }

    /// The 32 bytes where they lie, for whoever keeps them in another place: no copy is left behind.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half.
    ///
    /// # Errors
    /// None in practice: any 32 bytes are a secret key.
    pub fn public_key(&self) -> Result<SealPublicKey, WireError> {
        Ok(SealPublicKey(XWing::sk_to_pk(&self.private()?)))
    }

    fn private(&self) -> Result<PrivateKey, WireError> {
        PrivateKey::from_bytes(self.0.as_slice())
            .map_err(|_| WireError::malformed("seal key", "not an X-Wing key"))
    }

    /// Opens what was sealed to the public half with the same `aad`.
    pub(crate) fn open(
        &self,
        purpose: &Purpose,
        enc: &[u8],
        ct: &[u8],
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, WireError> {
        let fault = |_| WireError::Sealed { what: purpose.what };
        let enc = EncappedKey::from_bytes(enc).map_err(fault)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.private()?,
            &enc,
            purpose.info,
            ct,
            aad,
        )
        .map(Zeroizing::new)
        .map_err(fault)
    }
}

impl Clone for SealSecretKey {
    fn clone(&self) -> Self {
        Self::from_bytes(&self.0)
    }
}

impl fmt::Debug for SealSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealSecretKey(..)")
    }
}
