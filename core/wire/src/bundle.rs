//! A courier's bundle: enrolment, envelopes and their sealed files in one file, sealed whole to headquarters, described byte by
//! byte in `docs/bundle-format.md`.
//!
//! `"testigo-bundle" || 0x01 || seal key's kid || enc || sealed secret`, then a CBOR sequence (RFC 8742),
//! padded to a size class and sealed under that secret in the form of attachments. Neither device, number,
//! time nor kind can be seen from outside; the secret is used for one bundle only.

use crate::blob::open_whole;
use crate::seal::{self, BUNDLE, ENC_LEN, TAG_LEN};
use crate::{
    BLOB_HEADER, BLOB_SEGMENT, BlobSealer, BlobSecret, KeyId, MAX_ENVELOPE, MAX_PIECE,
    SealPublicKey, SealSecretKey, WireError, cbor,
};
use zeroize::Zeroizing;

const MAGIC: [u8; 14] = *b"testigo-bundle";
const VERSION: u8 = 1;
/// All that stands in clear: magic, version, the seal key's kid. What is sealed is bound to it.
const CLEAR: usize = MAGIC.len() + 1 + KeyId::LEN;
/// A sealed secret.
const SECRET: usize = 32 + TAG_LEN;
/// What stands before the sealed sequence.
const HEAD: usize = CLEAR + ENC_LEN + SECRET;

/// The most bytes of enrolment and envelopes in one bundle: more than 25,000 small records.
pub const MAX_BUNDLE: usize = 64 * 1024 * 1024;
/// The most things in one bundle.
pub const MAX_BUNDLE_ITEMS: usize = 1 << 16;

/// More than what stands around a piece of a file: its hash and three numbers.
const PIECE_OVERHEAD: usize = 64;
/// The smallest size class.
const LEAST: usize = 4 * 1024;
/// From here on classes are multiples of it.
const STEP: usize = 1024 * 1024;

const WHAT: &str = BUNDLE.what;

/// How long the sequence is once it is padded: a power of two from 4 KiB to 1 MiB, then multiples of 1 MiB.
fn class(len: usize) -> usize {
    if len <= STEP {
        len.next_power_of_two().max(LEAST)
    } else {
        len.next_multiple_of(STEP)
    }
}

/// Seals a bundle piece by piece; what it gives is to be written one behind the other. A file that was not
/// finished cannot be opened.
pub struct BundleSealer {
    stream: BlobSealer,
    /// What does not make a segment yet. It never grows past its room, so no copy is left behind in memory.
    open: Zeroizing<Vec<u8>>,
    len: usize,
    items: usize,
}

impl BundleSealer {
    /// Begins under a secret that is fresh from [`BlobSecret::random`]; returns the first bytes, too.
    ///
    /// # Errors
    /// None in practice: [`WireError::Sealed`] where sealing fails.
    pub fn new(hq: &SealPublicKey, secret: &BlobSecret) -> Result<(Self, Vec<u8>), WireError> {
        let mut head = MAGIC.to_vec();
        head.push(VERSION);
        head.extend(hq.key_id().0);
        let (enc, sealed) = hq.seal(&BUNDLE, secret.expose(), &head)?;
        head.extend(enc);
        head.extend(sealed);
        head.extend(BLOB_HEADER);
        let sealer = Self {
            stream: BlobSealer::new(secret),
            open: Zeroizing::new(Vec::with_capacity(BLOB_SEGMENT + MAX_ENVELOPE)),
            len: 0,
            items: 0,
        };
        Ok((sealer, head))
    }

    /// Whether something of so many bytes has room.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.items < MAX_BUNDLE_ITEMS && self.len.saturating_add(bytes) <= MAX_BUNDLE
    }

    /// Whether a file of so many bytes has room, with what stands around its pieces.
    pub fn has_room_for_pieces(&self, bytes: u64) -> bool {
        let Ok(bytes) = usize::try_from(bytes) else {
            return false;
        };
        let pieces = bytes.div_ceil(MAX_PIECE);
        let all = bytes.saturating_add(pieces.saturating_mul(PIECE_OVERHEAD));
        self.items.saturating_add(pieces) <= MAX_BUNDLE_ITEMS
            && self.len.saturating_add(all) <= MAX_BUNDLE
    }

    /// Adds a [`BundleItem`](crate::BundleItem); returns what is sealed by now.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] where it has no room; [`WireError::Malformed`] where it is no CBOR item.
    pub fn add(&mut self, item: &[u8]) -> Result<Vec<u8>, WireError> {
        cbor::check(WHAT, item, MAX_ENVELOPE)?;
        if !self.has_room(item.len()) {
            return Err(WireError::TooLarge {
                what: WHAT,
                found: self.len.saturating_add(item.len()),
                limit: MAX_BUNDLE,
            });
        }
        self.len += item.len();
        self.items += 1;
        self.open.extend_from_slice(item);
        self.whole_segments()
    }

    /// Pads it to its size class and seals the rest.
    ///
    /// # Errors
    /// None in practice: those of [`BlobSealer`].
    pub fn finish(mut self) -> Result<Vec<u8>, WireError> {
        let mut padding = class(self.len) - self.len;
        let mut sealed = Vec::new();
        while padding > 0 {
            let some = padding.min(BLOB_SEGMENT);
            self.open.extend(std::iter::repeat_n(0, some));
            padding -= some;
            sealed.extend(self.whole_segments()?);
        }
        sealed.extend(self.stream.last(&self.open)?.0);
        Ok(sealed)
    }

    /// All but the last segment, which has at least one byte.
    fn whole_segments(&mut self) -> Result<Vec<u8>, WireError> {
        let mut sealed = Vec::new();
        let mut taken = 0;
        while self.open.len() - taken > BLOB_SEGMENT {
            let segment = self.open.get(taken..taken + BLOB_SEGMENT);
            sealed.extend(self.stream.segment(segment.unwrap_or_default())?);
            taken += BLOB_SEGMENT;
        }
        self.open.drain(..taken);
        Ok(sealed)
    }
}

/// An open bundle: every byte of it was verified, and nothing in it is believed for that. What its things
/// are, and who signed them, is for ingest to find out.
pub struct Bundle {
    open: Zeroizing<Vec<u8>>,
    items: usize,
}

impl Bundle {
    /// What a phone calls a bundle that it carries as a file.
    pub const MEDIA_TYPE: &'static str = "application/vnd.testigo.bundle";

    /// How many bytes the largest bundle's file has.
    pub const MAX_FILE: usize =
        HEAD + BLOB_HEADER.len() + MAX_BUNDLE + (MAX_BUNDLE / BLOB_SEGMENT) * TAG_LEN;

    /// Which key the file says that it is sealed to.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is no bundle; [`WireError::Version`] for a later form.
    pub fn seal_kid(file: &[u8]) -> Result<KeyId, WireError> {
        Ok(Head::read(file)?.kid)
    }

    /// Opens a bundle's file.
    ///
    /// # Errors
    /// As [`Bundle::seal_kid`]; [`WireError::Sealed`] where a byte was changed, the end is missing, or it is
    /// sealed to another key; [`WireError::TooLarge`] past a bound.
    pub fn open(file: &[u8], key: &SealSecretKey) -> Result<Self, WireError> {
        if file.len() > Self::MAX_FILE {
            return Err(WireError::TooLarge {
                what: WHAT,
                found: file.len(),
                limit: Self::MAX_FILE,
            });
        }
        let head = Head::read(file)?;
        let damaged = || WireError::Sealed { what: WHAT };
        if head.kid != key.public_key()?.key_id() {
            return Err(damaged());
        }
        let secret = key.open(&seal::BUNDLE, head.enc, head.sealed, head.clear)?;
        let secret: &[u8; 32] = secret.as_slice().try_into().map_err(|_| damaged())?;
        let open =
            open_whole(&BlobSecret::from_bytes(*secret), head.rest).map_err(|_| damaged())?;
        Self::of(open)
    }

    /// Finds where the padding begins: zero bytes, each the number 0 as CBOR, which stands for nothing.
    fn of(mut open: Zeroizing<Vec<u8>>) -> Result<Self, WireError> {
        let mut rest = open.as_slice();
        let mut items = 0;
        while rest.first().is_some_and(|byte| *byte != 0) {
            if items == MAX_BUNDLE_ITEMS {
                return Err(WireError::TooLarge {
                    what: WHAT,
                    found: items + 1,
                    limit: MAX_BUNDLE_ITEMS,
                });
            }
            (_, rest) = cbor::first(WHAT, rest, MAX_ENVELOPE)?;
            items += 1;
        }
        if rest.iter().any(|byte| *byte != 0) {
            return Err(WireError::malformed(WHAT, "something behind its padding"));
        }
        let (len, whole) = (open.len() - rest.len(), open.len());
        if class(len) != whole {
            return Err(WireError::malformed(WHAT, "not padded to its size class"));
        }
        open.truncate(len);
        Ok(Self { open, items })
    }

    /// How many things are in it.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The bytes of each thing, in the order in which they were added; [`BundleItem::read`](crate::BundleItem::read)
    /// tells what it is.
    pub fn items(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.open.as_slice();
        std::iter::from_fn(move || {
            let item;
            (item, rest) = cbor::first(WHAT, rest, MAX_ENVELOPE).ok()?;
            Some(item)
        })
    }
}

/// The parts of a bundle's file.
struct Head<'a> {
    clear: &'a [u8],
    kid: KeyId,
    enc: &'a [u8],
    sealed: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(file: &'a [u8]) -> Result<Self, WireError> {
        let no_bundle = || WireError::malformed(WHAT, "another kind of file");
        let behind = file.strip_prefix(&MAGIC).ok_or_else(no_bundle)?;
        let (version, _) = behind.split_first().ok_or_else(no_bundle)?;
        if *version != VERSION {
            return Err(WireError::Version {
                what: WHAT,
                found: u64::from(*version),
            });
        }
        let short = || WireError::malformed(WHAT, "it ends early");
        let (clear, rest) = file.split_at_checked(CLEAR).ok_or_else(short)?;
        let (enc, rest) = rest.split_at_checked(ENC_LEN).ok_or_else(short)?;
        let (sealed, rest) = rest.split_at_checked(SECRET).ok_or_else(short)?;
        Ok(Self {
            clear,
            kid: KeyId::from_slice(clear.get(MAGIC.len() + 1..).unwrap_or_default())?,
            enc,
            sealed,
            rest,
        })
    }
}
