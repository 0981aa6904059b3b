//! The key of a database.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: try again; no key was made")]
pub struct NoRandomness(#[source] getrandom::Error);

/// The raw 256-bit key of a database: used as it is, without a key derivation for passphrases.
///
/// Its bytes are overwritten when it is dropped, and `Debug` does not show them.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DatabaseKey(Box<[u8; 32]>);

impl DatabaseKey {
    /// Takes over 32 bytes that are already a key (uniformly random, not a passphrase).
    ///
    /// The array is copied: overwriting the caller's own copy is up to the caller.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Box::new(*bytes))
    }

    /// Makes a fresh key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut key = Self(Box::new([0; 32]));
        getrandom::fill(key.0.as_mut_slice()).map_err(NoRandomness)?;
        Ok(key)
    }

    /// The 32 bytes, for the host alone, which wraps them (Android Keystore, iOS Keychain, a key file)
    /// and hands them back to [`DatabaseKey::from_bytes`] at the next start.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// SQLCipher's spelling of a raw key, `x'` + 64 hexadecimal digits + `'`
    /// (<https://www.zetetic.net/sqlcipher/sqlcipher-api/#key>).
    pub(crate) fn sqlcipher_spelling(&self) -> Zeroizing<[u8; 67]> {
        let mut text = Zeroizing::new([b'\''; 67]);
        let (head, digits) = text.split_at_mut(2);
        head.copy_from_slice(b"x'");
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0.iter()) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        text
    }
}

fn hex_digit(nibble: u8) -> u8 {
    // No table: an index by a secret would show in the cache.
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_bytes() {
        assert_eq!(
            format!("{:?}", DatabaseKey::from_bytes([0xAB; 32])),
            "DatabaseKey(..)"
        );
    }

    #[test]
    fn spelling_is_the_raw_key_in_hex() {
        let mut bytes = [0; 32];
        bytes[0] = 0x09;
        bytes[1] = 0xAF;
        let text = DatabaseKey::from_bytes(bytes).sqlcipher_spelling();
        let expected = format!("x'09af{}'", "00".repeat(30));
        assert_eq!(str::from_utf8(text.as_slice()).unwrap(), expected);
    }

    #[test]
    fn random_keys_differ() {
        assert_ne!(
            DatabaseKey::random().unwrap().expose(),
            DatabaseKey::random().unwrap().expose()
        );
    }
}
