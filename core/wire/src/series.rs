//! A small bundle as a series of QR codes, for two phones without any network and without a file between them.
//!
//! Each code says `TGB1:<id>:<n>/<of>:<piece>`: the id is RFC 4648 base 32 of the first five bytes of SHA-256 over the
//! whole, numbers count from 1, and the piece is base 32 of up to 1,000 bytes. It fits the QR alphanumeric mode.

use crate::WireError;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

const PREFIX: &str = "TGB1:";
const WHAT: &str = "series of codes";
/// Bytes in one code: a version that a phone's camera reads from another phone's screen.
const PIECE: usize = 1000;
/// The most codes of one series: nobody holds two phones together for longer.
pub const MAX_SERIES: usize = 64;
/// The longest text that is looked at, in characters.
const MAX_TEXT: usize = 2048;

fn id(whole: &[u8]) -> String {
    let digest = Sha256::digest(whole);
    BASE32_NOPAD.encode(digest.get(..5).unwrap_or_default())
}

/// The texts of a series of codes for these bytes.
///
/// # Errors
/// [`WireError::TooLarge`] where they need more than [`MAX_SERIES`] codes: write a file instead.
pub fn series(whole: &[u8]) -> Result<Vec<String>, WireError> {
    let pieces = whole.chunks(PIECE);
    let of = pieces.len();
    if of > MAX_SERIES {
        return Err(WireError::TooLarge {
            what: WHAT,
            found: of,
            limit: MAX_SERIES,
        });
    }
    let id = id(whole);
    Ok((1..)
        .zip(pieces)
        .map(|(n, piece)| format!("{PREFIX}{id}:{n}/{of}:{}", BASE32_NOPAD.encode(piece)))
        .collect())
}

/// Puts a series together again, code by code, in any order.
#[derive(Debug, Default)]
pub struct Series {
    id: Option<String>,
    pieces: Vec<Option<Vec<u8>>>,
}

impl Series {
    /// Whether a text is a code of any series.
    pub fn is_part(text: &[u8]) -> bool {
        text.starts_with(PREFIX.as_bytes())
    }

    /// Takes a code in. One that was taken before changes nothing.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is no code of a series, or of another one than the first.
    pub fn add(&mut self, text: &[u8]) -> Result<(), WireError> {
        let fault = |reason| WireError::malformed(WHAT, reason);
        let text = (text.get(..MAX_TEXT).is_none())
            .then(|| std::str::from_utf8(text).ok())
            .flatten()
            .and_then(|text| text.strip_prefix(PREFIX))
            .ok_or_else(|| fault("another kind of code"))?;
        let mut fields = text.splitn(3, ':');
        let (Some(id), Some(place), Some(piece)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(fault("a part of it is missing"));
        };
        let (n, of) = place
            .split_once('/')
            .and_then(|(n, of)| Some((n.parse::<usize>().ok()?, of.parse::<usize>().ok()?)))
            .filter(|(n, of)| (1..=*of).contains(n) && *of <= MAX_SERIES)
            .ok_or_else(|| fault("its numbers are none"))?;
        let piece = BASE32_NOPAD
            .decode(piece.as_bytes())
            .ok()
            .filter(|piece| !piece.is_empty() && piece.len() <= PIECE)
            .ok_or_else(|| fault("a letter is wrong or missing"))?;
        if self.id.is_none() {
            self.id = Some(id.to_owned());
            self.pieces = vec![None; of];
        }
        if self.id.as_deref() != Some(id) || self.pieces.len() != of {
            return Err(fault("it belongs to another series"));
        }
        if let Some(place) = self.pieces.get_mut(n - 1) {
            *place = Some(piece);
        }
        Ok(())
    }

    /// The numbers that are still missing, counted from 1; before the first code there are none to name.
    pub fn missing(&self) -> Vec<usize> {
        (1..)
            .zip(&self.pieces)
            .filter_map(|(n, piece)| piece.is_none().then_some(n))
            .collect()
    }

    /// The whole, once no code is missing.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where codes are missing, or where their bytes are not those that the series was made of.
    pub fn finish(&self) -> Result<Vec<u8>, WireError> {
        let pieces: Option<Vec<&[u8]>> = self.pieces.iter().map(Option::as_deref).collect();
        let whole = match pieces {
            Some(pieces) if !pieces.is_empty() => pieces.concat(),
            _ => return Err(WireError::malformed(WHAT, "codes are missing")),
        };
        if self.id.as_deref() != Some(id(&whole).as_str()) {
            return Err(WireError::malformed(
                WHAT,
                "its codes do not belong together",
            ));
        }
        Ok(whole)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_in_any_order(whole in prop::collection::vec(any::<u8>(), 1..20_000), from in 0usize..20) {
            let mut texts = series(&whole).unwrap();
            let from = from % texts.len();
            texts.rotate_left(from);
            let mut found = Series::default();
            for text in &texts {
                prop_assert!(Series::is_part(text.as_bytes()));
                prop_assert!(found.finish().is_err());
                found.add(text.as_bytes()).unwrap();
                found.add(text.as_bytes()).unwrap();
            }
            prop_assert_eq!(found.finish().unwrap(), whole);
        }

        #[test]
        fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..3_000), n in 0usize..100, of in 0usize..100) {
            let mut found = Series::default();
            let _ = found.add(&text);
            let _ = found.add(format!("TGB1:A:{n}/{of}:AA").as_bytes());
            let _ = (found.missing(), found.finish());
        }
    }

    #[test]
    fn what_is_missing_or_of_another_series_is_said() {
        let (one, other) = (series(&[1; 2500]).unwrap(), series(&[2; 2500]).unwrap());
        let mut found = Series::default();
        assert!(found.missing().is_empty());
        found.add(one[1].as_bytes()).unwrap();
        assert_eq!(found.missing(), [1, 3]);
        assert!(found.add(other[0].as_bytes()).is_err());
        assert!(found.add(b"TGB1:AAAAAAAA:9/3:AA").is_err());
        assert_eq!(found.missing(), [1, 3]);
        // Another's piece under this one's name.
        let forged = other[0].replace(&other[0][5..13], &one[0][5..13]);
        found.add(forged.as_bytes()).unwrap();
        found.add(one[2].as_bytes()).unwrap();
        assert!(found.finish().is_err());
        found.add(one[0].as_bytes()).unwrap();
        assert_eq!(found.finish().unwrap(), [1; 2500]);
    }

    #[test]
    fn one_that_is_too_long_is_refused() {
        assert!(series(&vec![0; PIECE * MAX_SERIES]).is_ok());
        assert!(matches!(
            series(&vec![0; PIECE * MAX_SERIES + 1]),
            Err(WireError::TooLarge { .. })
        ));
    }

    #[test]
    fn the_text_is_stable() {
        insta::assert_snapshot!(series(&[7; 3]).unwrap()[0]);
    }
}
