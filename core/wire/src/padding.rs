//! Requests and replies padded to size classes: a CBOR byte string behind the items of a sequence, which says
//! nothing and which everybody skips.
//!
//! The classes are Padmé's (Nikitin, Barman, Lueks, Underwood, Hubaux and Ford, "Reducing Metadata Leakage from
//! Encrypted Files and Communication with PURBs", PoPETs 2019(4), algorithm 1): a length keeps as many of its
//! leading bits as its exponent has, so that padding costs at most 12 % and tells O(log log L) bits.

use crate::{WireError, cbor};

/// The least that a request of records has, in bytes: an ask alone, a record alone and one with its enrolment,
/// of any body up to 2,048 bytes, look alike. 4 KiB are 0.7 seconds at 50 kbit/s, a round trip of such a link.
pub const REQUEST_FLOOR: usize = 4096;
/// The least that a reply has, in bytes: one without anything to say looks like one with four receipts.
pub const REPLY_FLOOR: usize = 1024;
/// The longest padding item, in bytes: what the class of a sequence of 1 MiB may add.
const MAX_PADDING: usize = 32 * 1024;

/// The size class of a length: the least of Padmé's that is not below it.
fn padme(len: usize) -> usize {
    let Some(exponent) = len.checked_ilog2().filter(|exponent| *exponent > 0) else {
        return len;
    };
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << exponent.saturating_sub(kept)) - 1;
    len.saturating_add(mask) & !mask
}

/// The size class of a sequence of `len` bytes that has at least `floor`.
pub fn size_class(len: usize, floor: usize) -> usize {
    padme(len.max(floor))
}

/// Fills a CBOR sequence up to its size class.
pub fn pad(sequence: &mut Vec<u8>, floor: usize) {
    let class = size_class(sequence.len(), floor);
    let mut left = class - sequence.len();
    while left > 0 {
        // A few lengths are no byte string's: empty ones before it make up for that.
        let heads = [(1, 23), (2, 0xff), (3, MAX_PADDING - 3)];
        let head = (heads.into_iter()).find(|(head, most)| left - head.min(&left) <= *most);
        let zeros = match head {
            Some((head, _)) if cbor::byte_string_head(left - head).len() == head => left - head,
            Some(_) => 0,
            None => MAX_PADDING - 3,
        };
        sequence.extend(cbor::byte_string_head(zeros));
        sequence.resize(sequence.len() + zeros, 0);
        left = class - sequence.len();
    }
}

/// What follows behind a padding item at the beginning of `sequence`; `None` where another item is there.
///
/// # Errors
/// [`WireError`] where a padding item is larger than any class needs, or ends early.
pub fn skip(sequence: &[u8]) -> Result<Option<&[u8]>, WireError> {
    const BYTE_STRING: u8 = 2;
    if sequence.first().is_none_or(|byte| byte >> 5 != BYTE_STRING) {
        return Ok(None);
    }
    Ok(Some(cbor::first("padding", sequence, MAX_PADDING)?.1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes_are_those_of_the_paper() {
        // Hand-computed by algorithm 1; 9 is kept to two bits behind its first, 8 and 10 are classes.
        for (len, class) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (9, 10),
            (10, 10),
            (100, 104),
            (1_000, 1_024),
            (4_096, 4_096),
            (4_097, 4_352),
            (100_000, 100_352),
            (1_000_000, 1_015_808),
        ] {
            assert_eq!(padme(len), class, "{len}");
        }
    }

    fn items(mut sequence: &[u8]) -> usize {
        let mut items = 0;
        while let Some(behind) = skip(sequence).unwrap() {
            sequence = behind;
            items += 1;
        }
        assert!(sequence.is_empty());
        items
    }

    #[test]
    fn every_gap_can_be_filled() {
        for gap in (0..700).chain(65_500..65_600) {
            let mut sequence = Vec::new();
            // Whatever the floor is, it is its own class or is raised to it.
            pad(&mut sequence, gap);
            assert_eq!(sequence.len(), padme(gap), "{gap}");
            items(&sequence);
        }
    }

    proptest! {
        #[test]
        fn at_most_an_eighth_more_and_skipped_again(len in 4096usize..1 << 20) {
            let mut sequence = vec![0; len];
            pad(&mut sequence, REQUEST_FLOOR);
            prop_assert_eq!(sequence.len(), size_class(len, REQUEST_FLOOR));
            prop_assert!((sequence.len() - len) * 100 <= len * 12);
            prop_assert!(items(sequence.get(len..).unwrap()) <= 3);
        }

        #[test]
        fn anything_is_skipped_or_not_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some(behind)) = skip(&bytes) {
                prop_assert!(bytes.ends_with(behind) && behind.len() < bytes.len());
            }
        }
    }

    #[test]
    fn what_no_class_needs_is_refused() {
        let mut long = cbor::byte_string_head(MAX_PADDING);
        long.resize(long.len() + MAX_PADDING, 0);
        assert!(matches!(skip(&long), Err(WireError::TooLarge { .. })));
        assert!(matches!(skip(b"\x45ab"), Err(WireError::Malformed { .. })));
        assert_eq!(skip(b"\x83abc").unwrap(), None);
    }
}
