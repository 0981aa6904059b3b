//! What a PIN costs whoever tries PINs: memory and time for each, and ever longer waits between them.

use crate::PhoneError;
use crate::moment::Moment;
use argon2::{Algorithm, Argon2, Params, Version};
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

/// How many characters a PIN may have.
const LENGTH: RangeInclusive<usize> = 6..=64;
/// Seconds to wait after so many wrong PINs in a row; the last of them after each further one.
const WAITS_S: [u64; 9] = [0, 0, 0, 0, 30, 60, 300, 900, 3600];

/// What deriving a key from a PIN costs (Argon2id, RFC 9106), kept with the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PinCost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl PinCost {
    /// docs/lock.md tells what was measured, and on what.
    pub(crate) const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 2,
    };

    /// The key that a PIN stands for on the phone of this salt.
    pub(crate) fn derive(self, pin: &str, salt: &[u8]) -> Result<PinKey, PhoneError> {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        let params = Params::new(self.memory_kib, self.passes, 1, Some(key.len()));
        params
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
            .and_then(|argon2| argon2.hash_password_into(pin.as_bytes(), salt, key.as_mut_slice()))
            .map_err(|_| PhoneError::OutOfMemory)?;
        Ok(PinKey(key))
    }
}

/// A key that was derived from a PIN.
pub(crate) struct PinKey(pub Box<Zeroizing<[u8; 32]>>);

/// A PIN that a person chose.
pub(crate) fn check(field: &'static str, pin: &str) -> Result<(), PhoneError> {
    let length = pin.chars().count();
    if LENGTH.contains(&length) && !pin.chars().any(char::is_control) {
        return Ok(());
    }
    let (least, most) = (LENGTH.start(), LENGTH.end());
    Err(PhoneError::input(
        field,
        format!("de {least} a {most} cifras o letras"),
        format!("{least} to {most} digits or letters"),
        format!("de {least} a {most} algarismos ou letras"),
    ))
}

/// Milliseconds to wait after so many wrong PINs in a row.
pub(crate) fn wait_ms(wrong: u32) -> u64 {
    let at = usize::try_from(wrong).unwrap_or(usize::MAX);
    let seconds = WAITS_S.get(at).or(WAITS_S.last()).copied().unwrap_or(0);
    seconds * 1000
}

/// What is left of the wait after the last of so many wrong PINs.
///
/// Only the clock that nobody can set counts: after another start of the phone it counts from that start, so
/// that whoever sets the clock or starts the phone anew gains nothing, and waits at most the whole wait again.
pub(crate) fn left_ms(now: &Moment, last: Option<&Moment>, wrong: u32) -> u64 {
    let Some(last) = last else { return 0 };
    let elapsed = match now.boot == last.boot {
        true => now.monotonic_ms.saturating_sub(last.monotonic_ms),
        false => now.monotonic_ms,
    };
    wait_ms(wrong).saturating_sub(u64::try_from(elapsed).unwrap_or(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use testigo_wire::BootId;

    fn at(boot: u8, monotonic_ms: i64, wall_ms: i64) -> Moment {
        Moment {
            boot: BootId([boot; 16]),
            monotonic_ms,
            wall_ms,
        }
    }

    #[test]
    fn waits_grow_and_never_end() {
        let waits: Vec<u64> = (0..12).map(|n| wait_ms(n) / 1000).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 30, 60, 300, 900, 3600, 3600, 3600, 3600]
        );
        assert_eq!(wait_ms(u32::MAX), 3_600_000);
    }

    #[test]
    fn neither_clock_nor_restart_shortens_a_wait() {
        let last = at(1, 1_000, 500_000);
        for wall in [i64::MIN, 0, 500_000, i64::MAX] {
            assert_eq!(left_ms(&at(1, 11_000, wall), Some(&last), 4), 20_000);
            assert_eq!(left_ms(&at(2, 0, wall), Some(&last), 4), 30_000);
            assert_eq!(left_ms(&at(2, 29_999, wall), Some(&last), 4), 1);
            assert_eq!(left_ms(&at(2, 30_000, wall), Some(&last), 4), 0);
        }
        // A monotonic clock that went back, which it must not.
        assert_eq!(left_ms(&at(1, 0, 0), Some(&last), 4), 30_000);
        assert_eq!(left_ms(&at(1, 1_000, 0), Some(&last), 3), 0);
        assert_eq!(left_ms(&at(1, 1_000, 0), None, 4), 0);
    }

    #[test]
    fn the_standard_cost_derives_what_it_always_did() {
        // A phone's history hangs on it.
        let key = PinCost::STANDARD.derive("428619", &[7; 16]).unwrap();
        let hex = data_encoding::HEXLOWER.encode(key.0.as_slice());
        insta::assert_snapshot!(hex);
    }
}
