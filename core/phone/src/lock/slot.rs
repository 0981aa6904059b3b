//! What a PIN opens. Two slots of one size, one for each PIN that there may be; nothing tells a slot that a
//! PIN opens from one that none does.
//!
//! Plain, 66 bytes: kind (1: everything, 2: harmless), alarm (0 or 1), the secret key of the harmless parts,
//! the secret key of the whole parts (zeros for kind 2). Closed: nonce (12 bytes), then ChaCha20-Poly1305 under
//! the PIN's key with [`AAD`].

use super::pin::PinKey;
use crate::PhoneError;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use testigo_wire::SealSecretKey;
use zeroize::Zeroizing;

/// What the closed slot is bound to.
const AAD: &[u8] = b"testigo/1/pin";
const NONCE: usize = 12;
const TAG: usize = 16;
const PLAIN: usize = 66;
/// Bytes of a closed slot.
pub(crate) const CLOSED: usize = NONCE + PLAIN + TAG;

const WHOLE: u8 = 1;
const HARMLESS: u8 = 2;

/// What an opened phone shows.
pub(crate) enum Opened {
    /// Whatever was saved.
    Whole {
        whole: SealSecretKey,
        harmless: SealSecretKey,
    },
    /// What the duress PIN opens.
    Harmless {
        harmless: SealSecretKey,
        /// Opening it is reported to headquarters.
        alarm: bool,
    },
}

impl Opened {
    pub(crate) fn alarm(&self) -> bool {
        matches!(self, Self::Harmless { alarm: true, .. })
    }

    /// What a duress PIN is to open.
    pub(crate) fn under_duress(&self, alarm: bool) -> Self {
        let (Self::Whole { harmless, .. } | Self::Harmless { harmless, .. }) = self;
        Self::Harmless {
            harmless: harmless.clone(),
            alarm,
        }
    }

    /// Its 66 bytes.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PLAIN));
        match self {
            Self::Whole { whole, harmless } => {
                bytes.extend_from_slice(&[WHOLE, 0]);
                bytes.extend_from_slice(harmless.expose());
                bytes.extend_from_slice(whole.expose());
            }
            Self::Harmless { harmless, alarm } => {
                bytes.extend_from_slice(&[HARMLESS, u8::from(*alarm)]);
                bytes.extend_from_slice(harmless.expose());
                bytes.extend_from_slice(&[0; 32]);
            }
        }
        bytes
    }

    /// From its 66 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, keys) = bytes.split_at_checked(2)?;
        let (harmless, whole) = keys.split_at_checked(32)?;
        let key = |bytes: &[u8]| {
            <&[u8; 32]>::try_from(bytes)
                .ok()
                .map(SealSecretKey::from_bytes)
        };
        let harmless = key(harmless)?;
        match head {
            [WHOLE, 0] => Some(Self::Whole {
                whole: key(whole)?,
                harmless,
            }),
            [HARMLESS, alarm @ (0 | 1)] if whole == [0; 32] => Some(Self::Harmless {
                harmless,
                alarm: *alarm == 1,
            }),
            _ => None,
        }
    }

    /// Closes it under a PIN's key.
    pub(crate) fn close(&self, key: &PinKey) -> Result<Vec<u8>, PhoneError> {
        let mut closed = vec![0; NONCE];
        getrandom::fill(&mut closed)?;
        let nonce = <[u8; NONCE]>::try_from(closed.as_slice()).map_err(|_| PhoneError::Random)?;
        let plain = self.to_bytes();
        let payload = Payload {
            msg: &plain,
            aad: AAD,
        };
        let sealed = cipher(key).encrypt(&nonce.into(), payload);
        closed.extend(sealed.map_err(|_| PhoneError::Random)?);
        Ok(closed)
    }

    /// Opens what was closed under this key.
    pub(crate) fn open(closed: &[u8], key: &PinKey) -> Option<Self> {
        let (nonce, sealed) = closed.split_at_checked(NONCE)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).ok()?;
        let payload = Payload {
            msg: sealed,
            aad: AAD,
        };
        let plain = cipher(key).decrypt(&nonce.into(), payload).ok()?;
        Self::from_bytes(&Zeroizing::new(plain))
    }
}

/// A slot that nothing opens.
pub(crate) fn shut() -> Result<Vec<u8>, PhoneError> {
    let mut closed = vec![0; CLOSED];
    getrandom::fill(&mut closed)?;
    Ok(closed)
}

fn cipher(key: &PinKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key.0).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn secrets() -> [Opened; 2] {
        let whole = Opened::Whole {
            whole: SealSecretKey::from_bytes(&[1; 32]),
            harmless: SealSecretKey::from_bytes(&[2; 32]),
        };
        let harmless = whole.under_duress(true);
        [whole, harmless]
    }

    #[test]
    fn its_form_is_stable_and_of_one_size() {
        for opened in secrets() {
            let bytes = opened.to_bytes();
            assert_eq!(bytes.len(), PLAIN);
            insta::assert_snapshot!(data_encoding::HEXLOWER.encode(&bytes));
            assert_eq!(Opened::from_bytes(&bytes).unwrap().to_bytes(), bytes);
            let key = PinKey(Box::new(Zeroizing::new([9; 32])));
            let closed = opened.close(&key).unwrap();
            assert_eq!(closed.len(), CLOSED);
            assert_eq!(Opened::open(&closed, &key).unwrap().to_bytes(), bytes);
            let other = PinKey(Box::new(Zeroizing::new([8; 32])));
            assert!(Opened::open(&closed, &other).is_none());
            for end in 0..closed.len() {
                assert!(Opened::open(&closed[..end], &key).is_none());
            }
            for at in 0..closed.len() {
                let mut changed = closed.clone();
                changed[at] ^= 1;
                assert!(Opened::open(&changed, &key).is_none());
            }
        }
        assert_eq!(shut().unwrap().len(), CLOSED);
    }

    proptest::proptest! {
        #[test]
        fn anything_is_taken_without_a_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let key = PinKey(Box::new(Zeroizing::new([9; 32])));
            assert!(Opened::open(&bytes, &key).is_none());
            let _ = Opened::from_bytes(&bytes);
        }
    }
}
