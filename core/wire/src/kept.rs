//! What a phone seals for its own disk and never sends: readable copies of records, and the key of its store.
//!
//! Both are `enc || ct` of HPKE (RFC 9180) in the same suite as records, each under an `info` of its own, so that
//! none can pass for another, nor for a record.

use crate::seal::{ENC_LEN, HISTORY, Purpose, STORE_KEY};
use crate::{SealPublicKey, SealSecretKey, WireError};
use zeroize::Zeroizing;

impl SealPublicKey {
    /// Seals a readable copy to this key, which is a phone's history key; `aad` tells which row it is.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where the key is not usable.
    pub fn seal_history(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, WireError> {
        seal(self, &HISTORY, plain, aad)
    }

    /// Seals the key of a phone's store to this key, which is headquarters' seal key; `aad` is the store's name.
    ///
    /// # Errors
    /// As [`SealPublicKey::seal_history`].
    pub fn seal_store_key(&self, key: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, WireError> {
        seal(self, &STORE_KEY, key, aad)
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

    /// Opens what [`SealPublicKey::seal_store_key`] made.
    ///
    /// # Errors
    /// As [`SealSecretKey::open_history`].
    pub fn open_store_key(
        &self,
        sealed: &[u8],
        aad: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, WireError> {
        open(self, &STORE_KEY, sealed, aad)
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
        assert!(key.open_store_key(&sealed, b"row 1").is_err());
        assert!(
            SealSecretKey::random()
                .unwrap()
                .open_history(&sealed, b"row 1")
                .is_err()
        );
        for end in 0..sealed.len() {
            assert!(key.open_history(&sealed[..end], b"row 1").is_err());
        }
        let store = public.seal_store_key(&[7; 32], b"store").unwrap();
        assert_eq!(*key.open_store_key(&store, b"store").unwrap(), [7; 32]);
        assert!(key.open_history(&store, b"store").is_err());
    }
}
