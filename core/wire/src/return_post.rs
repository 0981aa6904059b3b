//! Receipts on their way back by hand, described byte by byte in `docs/bundle-format.md`: for each bundle one
//! letter that only the phone that made it opens. Whoever carries them sees their number and size classes.
//!
//! `"testigo-receipts" || 0x01`, then letters: a length in four bytes, big-endian, 32 bytes of salt, and a reply behind
//! its own length, padded with zeros to a size class and sealed in the form of attachments. Its secret is HKDF-SHA256
//! (RFC 5869) over the phone's return secret with the letter's salt, so that it is used once.

use crate::{BlobSecret, Reply, WireError};
use zeroize::Zeroizing;

const MAGIC: [u8; 16] = *b"testigo-receipts";
const VERSION: u8 = 1;
const INFO: &[u8] = b"testigo/1/receipts";
const WHAT: &str = "receipts";
/// The smallest size class, in bytes.
const LEAST: usize = 1024;
/// The most letters in one file.
const MAX_LETTERS: usize = 1 << 14;
/// The largest file that is read, in bytes.
pub const MAX_RETURN_POST: usize = 64 * 1024 * 1024;

/// A file of letters under way.
pub struct ReturnPost(Vec<u8>);

impl Default for ReturnPost {
    fn default() -> Self {
        let mut file = MAGIC.to_vec();
        file.push(VERSION);
        Self(file)
    }
}

impl ReturnPost {
    /// Adds a reply for the phone whose bundle had this return secret.
    ///
    /// # Errors
    /// Where the operating system has no randomness; [`WireError::TooLarge`] past a bound.
    pub fn add(&mut self, secret: &BlobSecret, reply: &Reply) -> Result<(), WireError> {
        let reply = reply.to_bytes();
        let mut open = Zeroizing::new(frame(reply.len())?.to_vec());
        open.extend(reply);
        let padded = open.len().next_power_of_two().max(LEAST);
        open.resize(padded, 0);
        let letter = secret.seal_letter(INFO, &open)?;
        if self.0.len() + letter.len() >= MAX_RETURN_POST {
            return Err(too_large(letter.len()));
        }
        self.0.extend(frame(letter.len())?);
        self.0.extend(letter);
        Ok(())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The replies in a file that are for who has this secret. Letters for others, and damaged ones, which look the
    /// same, are passed over.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is no such file or was cut off; [`WireError::Version`] for a later form;
    /// [`WireError::TooLarge`] past a bound.
    pub fn open(file: &[u8], secret: &BlobSecret) -> Result<Vec<Reply>, WireError> {
        if file.len() > MAX_RETURN_POST {
            return Err(too_large(file.len()));
        }
        let no_post = || WireError::malformed(WHAT, "another kind of file");
        let (version, mut rest) =
            (file.strip_prefix(&MAGIC).and_then(<[u8]>::split_first)).ok_or_else(no_post)?;
        if *version != VERSION {
            return Err(WireError::Version {
                what: WHAT,
                found: u64::from(*version),
            });
        }
        let mut own = Vec::new();
        let mut letters = 0;
        while !rest.is_empty() {
            if letters == MAX_LETTERS {
                return Err(WireError::TooLarge {
                    what: WHAT,
                    found: letters + 1,
                    limit: MAX_LETTERS,
                });
            }
            letters += 1;
            let letter;
            (letter, rest) =
                framed(rest).ok_or_else(|| WireError::malformed(WHAT, "it ends early"))?;
            own.extend(open(secret, letter));
        }
        Ok(own)
    }
}

fn open(secret: &BlobSecret, letter: &[u8]) -> Option<Reply> {
    let open = secret.open_letter(INFO, letter).ok()?;
    Reply::from_bytes(framed(&open)?.0).ok()
}

/// A length as it stands before what it is of: four bytes, big-endian.
fn frame(length: usize) -> Result<[u8; 4], WireError> {
    u32::try_from(length)
        .map(u32::to_be_bytes)
        .map_err(|_| too_large(length))
}

/// What stands behind its length, and the rest.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn too_large(found: usize) -> WireError {
    WireError::TooLarge {
        what: WHAT,
        found,
        limit: MAX_RETURN_POST,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Answer, Deferral, Eid, Epoch};

    /// Bytes of a letter with so many answers, behind the file's head and the letter's length.
    fn letter(answers: u8) -> usize {
        let reply = Reply {
            epoch: Epoch([1; 16]),
            keyset: 1,
            answers: (0..answers)
                .map(|n| Answer::Deferred {
                    eid: Eid([n; 32]),
                    deferral: Deferral::MALFORMED,
                })
                .collect(),
        };
        let mut post = ReturnPost::default();
        let secret = BlobSecret::random().unwrap();
        post.add(&secret, &reply).unwrap();
        assert_eq!(ReturnPost::open(post.to_bytes(), &secret).unwrap(), [reply]);
        post.to_bytes().len() - MAGIC.len() - 1 - 4
    }

    #[test]
    fn who_carries_letters_sees_size_classes_only() {
        let least = letter(0);
        let sealing = least - LEAST;
        assert!(sealing < LEAST / 2, "{sealing}");
        assert_eq!([letter(1), letter(5), letter(20)], [least; 3]);
        let long = [letter(60), letter(61), letter(200), letter(255)];
        assert!(
            long.iter().all(|size| (size - sealing).is_power_of_two()),
            "{long:?}"
        );
        assert_eq!(long[0], long[1]);
        assert!(long[3] > long[0] && long[0] > least);
    }
}
