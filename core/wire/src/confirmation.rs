use crate::{KeyId, VerifyingKey, WireError};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Crockford's base 32 (<https://www.crockford.com/base32.html>): no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 12;

/// What a witness reads out to their coordinator, so that headquarters know which of the devices under a code is the
/// witness's: 12 characters, 60 bits, of SHA-256 over `testigo/1/confirmation`, the code's short name and the
/// device's public key.
///
/// It is no secret. Whoever has photographed the code and wants another device to be taken for the witness's would
/// have to find a key with the same 60 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Confirmation([u8; LENGTH]);

impl Confirmation {
    /// Of this device, enrolled under the capability of this short name.
    pub fn of(capability: KeyId, device: &VerifyingKey) -> Self {
        let digest = Sha256::new()
            .chain_update(b"testigo/1/confirmation")
            .chain_update(capability.0)
            .chain_update(device.to_bytes())
            .finalize();
        let mut bits =
            (digest.iter().take(8)).fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut characters = [0; LENGTH];
        for character in &mut characters {
            let place = usize::try_from(bits >> 59).unwrap_or_default();
            *character = ALPHABET.get(place).copied().unwrap_or(b'0');
            bits <<= 5;
        }
        Self(characters)
    }
}

/// In three groups, as they are read out.
impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, character) in self.0.iter().enumerate() {
            if n > 0 && n % 4 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{}", char::from(*character))?;
        }
        Ok(())
    }
}

/// As somebody heard and typed it: small letters, spaces and hyphens are forgiven, and O is 0, I and L are 1.
impl FromStr for Confirmation {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        let fault = |reason| WireError::malformed("confirmation", reason);
        let mut characters = [0; LENGTH];
        let mut places = characters.iter_mut();
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            let byte = u8::try_from(c).ok().filter(|byte| ALPHABET.contains(byte));
            let place = places
                .next()
                .ok_or_else(|| fault("more than 12 characters"))?;
            *place = byte.ok_or_else(|| fault("a character that is none of its alphabet"))?;
        }
        match places.next() {
            Some(_) => Err(fault("fewer than 12 characters")),
            None => Ok(Self(characters)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::SigningKey;
    use proptest::prelude::*;

    fn of(capability: u8, device: u8) -> Confirmation {
        let device = SigningKey::from_seed(&[device; 32]).verifying_key();
        Confirmation::of(KeyId([capability; 8]), &device)
    }

    #[test]
    fn the_characters_are_stable_and_of_this_code_and_device_alone() {
        insta::assert_snapshot!(of(1, 2));
        assert_ne!(of(1, 2), of(1, 3));
        assert_ne!(of(1, 2), of(2, 2));
    }

    #[test]
    fn what_was_heard_is_forgiven_and_what_is_wrong_is_not() {
        let heard: Confirmation = "0o1i-lABc dEfg".parse().unwrap();
        assert_eq!(heard.to_string(), "0011 1ABC DEFG");
        for wrong in [
            "",
            "ABCD EFGH JKM",
            "ABCD EFGH JKMNP",
            "ABCD EFGH JKMU",
            "ABCD EFGH JKMñ",
        ] {
            assert!(wrong.parse::<Confirmation>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn shown_ones_are_read_back(capability in any::<[u8; 8]>(), device in any::<[u8; 32]>()) {
            let device = SigningKey::from_seed(&device).verifying_key();
            let shown = Confirmation::of(KeyId(capability), &device);
            prop_assert_eq!(shown.to_string().parse::<Confirmation>().unwrap(), shown);
        }

        #[test]
        fn anything_is_read_without_panic(text in ".{0,40}") {
            let _ = text.parse::<Confirmation>();
        }
    }
}
