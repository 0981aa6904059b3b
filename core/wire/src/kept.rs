//! What a phone seals for its own disk and never sends: readable copies of records, and the key of its store.
//!
//! Both are `enc || ct` of HPKE (RFC 9180) in the same suite as records, each under an `info` of its own, so that
//! none can pass for another, nor for a record.

use crate::seal::{ENC_LEN, HISTORY, Purpose, STORE_KEY};
use crate::{KeyId, SealPublicKey, SealSecretKey, StoreId, WireError};
use zeroize::Zeroizing;

impl SealPublicKey {
    /// Seals a readable copy to this key, which is a phone's history key; `aad` tells which row it is.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where the key is not usable.
    pub fn seal_history(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, WireError> {
        seal(self, &HISTORY, plain, aad)
    }
}

impl SealSecretKey {
    /// Opens what [`SealPublicKey::seal_history`] made.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where it is of another key or another row, or was changed.
    pub fn open_history(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, WireError> {
        open(self, &HISTORY, sealed, aad)
    }
}

/// The key of a phone's store, sealed to headquarters: what saves unsent records where the phone's key store lost its own.
///
/// Its bytes: the version 1, the store's name (16 bytes), the seal key's short name (8), then `enc || ct` with the store's
/// name as `aad` (docs/lock.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedStoreKey {
    /// The store's name.
    pub store: StoreId,
    /// The seal key that it is sealed to.
    pub seal_kid: KeyId,
    sealed: Vec<u8>,
}

impl SealedStoreKey {
    const VERSION: u8 = 1;
    const WHAT: &str = "store's key";
    /// Its length, in bytes.
    pub const LEN: usize = 1 + 16 + 8 + ENC_LEN + 32 + 16;

    /// Seals the key of this store.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where the seal key is not usable.
    pub fn seal(key: &[u8; 32], store: StoreId, to: &SealPublicKey) -> Result<Self, WireError> {
        Ok(Self {
            store,
            seal_kid: to.key_id(),
            sealed: seal(to, &STORE_KEY, key, &store.0)?,
        })
    }

    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (store, kid) = (&self.store.0[..], &self.seal_kid.0[..]);
        [&[Self::VERSION], store, kid, &self.sealed].concat()
    }

    /// Reads what [`SealedStoreKey::to_bytes`] made.
    ///
    /// # Errors
    /// [`WireError::Version`] where it is of a newer version; [`WireError::Malformed`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let fault = || WireError::malformed(Self::WHAT, "not of its length");
        let (version, rest) = bytes.split_first().ok_or_else(fault)?;
        if *version != Self::VERSION {
            return Err(WireError::Version {
                what: Self::WHAT,
                found: u64::from(*version),
            });
        }
        let (store, rest) = rest.split_first_chunk().ok_or_else(fault)?;
        let (kid, sealed) = rest.split_first_chunk().ok_or_else(fault)?;
        if bytes.len() != Self::LEN {
            return Err(fault());
        }
        Ok(Self {
            store: StoreId(*store),
            seal_kid: KeyId(*kid),
            sealed: sealed.to_vec(),
        })
    }

    /// The key, opened by headquarters.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where it is sealed to another key, or was changed.
    pub fn open(&self, key: &SealSecretKey) -> Result<Zeroizing<[u8; 32]>, WireError> {
        let plain = open(key, &STORE_KEY, &self.sealed, &self.store.0)?;
        let bytes = <&[u8; 32]>::try_from(plain.as_slice());
        let bytes = bytes.map_err(|_| WireError::Sealed { what: Self::WHAT })?;
        Ok(Zeroizing::new(*bytes))
    }
}

fn seal(
    key: &SealPublicKey,
    purpose: &Purpose,
    plain: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, WireError> {
    let (mut sealed, ct) = key.seal(purpose, plain, aad)?;
    sealed.extend_from_slice(&ct);
    Ok(sealed)
}

fn open(
    key: &SealSecretKey,
    purpose: &Purpose,
    sealed: &[u8],
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let (enc, ct) =
        (sealed.split_at_checked(ENC_LEN)).ok_or(WireError::Sealed { what: purpose.what })?;
    key.open(purpose, enc, ct, aad)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_row_and_purpose_open_it() {
        let key = SealSecretKey::random().unwrap();
        let public = key.public_key().unwrap();
        let sealed = public.seal_history(b"two blocks dark", b"row 1").unwrap();
        assert_eq!(sealed.len(), ENC_LEN + 15 + 16);
        assert_eq!(
            *key.open_history(&sealed, b"row 1").unwrap(),
            b"two blocks dark"
        );
        assert!(key.open_history(&sealed, b"row 2").is_err());
        assert!(
            SealSecretKey::random()
                .unwrap()
                .open_history(&sealed, b"row 1")
                .is_err()
        );
        for end in 0..sealed.len() {
            assert!(key.open_history(&sealed[..end], b"row 1").is_err());
        }
    }

    #[test]
    fn a_store_key_is_opened_by_the_key_and_for_the_store_that_it_was_sealed_for() {
        let key = SealSecretKey::random().unwrap();
        let public = key.public_key().unwrap();
        let sealed = SealedStoreKey::seal(&[7; 32], StoreId([3; 16]), &public).unwrap();
        let bytes = sealed.to_bytes();
        assert_eq!(bytes.len(), SealedStoreKey::LEN);
        let read = SealedStoreKey::read(&bytes).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(read.seal_kid, public.key_id());
        assert_eq!(*read.open(&key).unwrap(), [7; 32]);
        assert!(read.open(&SealSecretKey::random().unwrap()).is_err());
        let other = SealedStoreKey {
            store: StoreId([4; 16]),
            ..read.clone()
        };
        assert!(other.open(&key).is_err());
        assert!(key.open_history(&read.sealed, &[3; 16]).is_err());
        for end in 0..bytes.len() {
            assert!(SealedStoreKey::read(&bytes[..end]).is_err());
        }
        assert!(matches!(
            SealedStoreKey::read(&[&[2], &bytes[1..]].concat()),
            Err(WireError::Version { .. })
        ));
        for at in 25..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(SealedStoreKey::read(&changed).unwrap().open(&key).is_err());
        }
    }
}
