//! The gate in front of every decoder: deterministic CBOR, bounded, checked without allocating.
//!
//! A decoder behind this gate can trust that lengths are real, that depth is small and that there
//! is exactly one encoding of what it reads (RFC 8949, section 4.2.1), so that `SHA-256(bytes)` is an
//! identity. Floating-point numbers and indefinite lengths do not occur in Testigo and are refused.

use crate::WireError;
use minicbor::{Decode, Encode};

/// How deep arrays, maps and tags may be nested.
pub const MAX_DEPTH: usize = 8;
/// How many items one array or map may hold: more than the polling tables of a large country.
pub const MAX_COUNT: usize = 1 << 17;

/// Checks that `bytes` are exactly one deterministic CBOR item of at most `limit` bytes.
///
/// # Errors
/// [`WireError::TooLarge`] past a bound, [`WireError::Malformed`] for anything else.
pub fn check(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), WireError> {
    let rest = first(what, bytes, limit)?.1;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(WireError::malformed(what, "bytes follow after its end"))
    }
}

/// Splits `bytes` behind the first deterministic CBOR item, which may have at most `limit` bytes:
/// one step through a CBOR sequence (RFC 8742).
///
/// # Errors
/// As [`check`].
pub fn first<'a>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<(&'a [u8], &'a [u8]), WireError> {
    let mut walk = Walk {
        what,
        rest: bytes.get(..limit).unwrap_or(bytes),
        cut: bytes.len() > limit,
        limit,
    };
    walk.item(0)?;
    let left = walk.rest.len();
    let read = limit.min(bytes.len()) - left;
    bytes
        .split_at_checked(read)
        .ok_or_else(|| WireError::malformed(what, "it ends early"))
}

struct Walk<'a> {
    what: &'static str,
    rest: &'a [u8],
    cut: bool,
    limit: usize,
}

impl<'a> Walk<'a> {
    fn fault(&self, reason: &str) -> WireError {
        WireError::malformed(self.what, reason)
    }

    fn take(&mut self, n: u64) -> Result<&'a [u8], WireError> {
        let split = usize::try_from(n)
            .ok()
            .and_then(|n| self.rest.split_at_checked(n));
        let Some((head, rest)) = split else {
            return Err(if self.cut {
                WireError::TooLarge {
                    what: self.what,
                    found: self.limit.saturating_add(1),
                    limit: self.limit,
                }
            } else {
                self.fault("it ends early")
            });
        };
        self.rest = rest;
        Ok(head)
    }

    /// Reads the head of an item: major type and argument, in its shortest form.
    fn head(&mut self) -> Result<(u8, u64), WireError> {
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (major, short) = (first >> 5, first & 0x1f);
        let width = match short {
            0..=23 => return Ok((major, u64::from(short))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(self.fault("an indefinite length, or a reserved form")),
        };
        if major == 7 {
            return Err(self.fault("a floating-point number or an unassigned simple value"));
        }
        let argument = self
            .take(width)?
            .iter()
            .fold(0u64, |n, b| (n << 8) | u64::from(*b));
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        if argument < least {
            return Err(self.fault("a number or length not in its shortest form"));
        }
        Ok((major, argument))
    }

    fn item(&mut self, depth: usize) -> Result<(), WireError> {
        if depth > MAX_DEPTH {
            return Err(WireError::TooLarge {
                what: self.what,
                found: depth,
                limit: MAX_DEPTH,
            });
        }
        match self.head()? {
            (0 | 1, _) => Ok(()),
            (2, len) => self.take(len).map(drop),
            (3, len) => match std::str::from_utf8(self.take(len)?) {
                Ok(_) => Ok(()),
                Err(_) => Err(self.fault("a text that is not UTF-8")),
            },
            (4, count) => (0..self.count(count)?).try_for_each(|_| self.item(depth + 1)),
            (5, count) => self.map(count, depth),
            (6, _) => self.item(depth + 1),
            (_, 20..=22) => Ok(()),
            _ => Err(self.fault("an unassigned simple value")),
        }
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<(), WireError> {
        let mut previous: Option<&[u8]> = None;
        for _ in 0..self.count(count)? {
            let before = self.rest;
            self.item(depth + 1)?;
            let key = before
                .get(..before.len() - self.rest.len())
                .unwrap_or_default();
            if previous.is_some_and(|p| p >= key) {
                return Err(self.fault("map keys out of order, or one twice"));
            }
            previous = Some(key);
            self.item(depth + 1)?;
        }
        Ok(())
    }

    fn count(&self, count: u64) -> Result<usize, WireError> {
        match usize::try_from(count) {
            Ok(n) if n <= MAX_COUNT => Ok(n),
            other => Err(WireError::TooLarge {
                what: self.what,
                found: other.unwrap_or(usize::MAX),
                limit: MAX_COUNT,
            }),
        }
    }
}

/// Encodes a value into memory, which cannot fail but for a value whose own encoding refuses it: then nothing comes.
pub fn to_vec<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

/// The head of a byte string of this many bytes, in its shortest form.
pub(crate) fn byte_string_head(len: usize) -> Vec<u8> {
    let mut head = Vec::new();
    // Writing into memory cannot fail.
    let _ = minicbor::Encoder::new(&mut head).bytes_len(len as u64);
    head
}

/// Decodes one item behind [`check`].
///
/// # Errors
/// As [`check`], and [`WireError::Malformed`] where it is another kind of item.
pub fn from_slice<'b, T: Decode<'b, ()>>(
    what: &'static str,
    bytes: &'b [u8],
    limit: usize,
) -> Result<T, WireError> {
    check(what, bytes, limit)?;
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder
        .decode()
        .map_err(|error| WireError::malformed(what, error))?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(WireError::malformed(what, "bytes follow after its end"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn checked(bytes: &[u8]) -> Result<(), WireError> {
        check("item", bytes, 1024)
    }

    #[test]
    fn takes_what_is_deterministic() {
        for bytes in [
            &b"\x00"[..],
            b"\x18\x18",
            b"\x43abc",
            b"\x82\x01\xf6",
            b"\xa2\x01\x02\x02\x03",
            b"\xd2\x84\x40\xa0\x40\x40",
        ] {
            assert_eq!(checked(bytes), Ok(()), "{bytes:02x?}");
        }
    }

    #[test]
    fn refuses_every_other_encoding() {
        for bytes in [
            &b""[..],
            b"\x18\x17",
            b"\x5f\x41a\xff",
            b"\xf9\x00\x00",
            b"\x62\xff\xff",
            b"\xa2\x02\x02\x01\x03",
            b"\xa2\x01\x02\x01\x03",
            b"\x00\x00",
            b"\xf8\xff",
            b"\x44abc",
        ] {
            assert!(
                matches!(checked(bytes), Err(WireError::Malformed { .. })),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn bombs_are_named_by_the_bound_that_they_exceed() {
        let deep = vec![0x81; 100_000];
        assert!(matches!(
            check("item", &deep, 1 << 20),
            Err(WireError::TooLarge {
                limit: MAX_DEPTH,
                ..
            })
        ));
        let wide = [0x9b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(matches!(
            checked(&wide),
            Err(WireError::TooLarge {
                limit: MAX_COUNT,
                ..
            })
        ));
        let long = vec![0u8; 2000];
        let mut text = vec![0x59, 0x07, 0xd0];
        text.extend(long);
        assert!(matches!(
            checked(&text),
            Err(WireError::TooLarge { limit: 1024, .. })
        ));
    }

    #[test]
    fn a_sequence_is_walked_item_by_item() {
        let bytes = b"\x01\x42ab\x02";
        let (a, rest) = first("item", bytes, 10).unwrap();
        let (b, rest) = first("item", rest, 10).unwrap();
        assert_eq!((a, b, rest), (&b"\x01"[..], &b"\x42ab"[..], &b"\x02"[..]));
    }
}
