//! The sealed form of an attachment, described byte by byte in `docs/blob-format.md`.
//!
//! `"testigo" || 0x01`, then segments of 64 KiB, each sealed with ChaCha20-Poly1305 (RFC 8439) in the
//! STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance", CRYPTO 2015; the variant with a 32-bit big-endian counter). The key is
//! the attachment's own secret, which is used for nothing else; so the nonce's prefix is zero.

use crate::{BlobRef, WireError};
use aead_stream::aead::{KeyInit, Payload};
use aead_stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::ChaCha20Poly1305;
use hkdf::Hkdf;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// First bytes of every sealed attachment: the format's name and its version. They are authenticated
/// with each segment.
pub const BLOB_HEADER: [u8; 8] = *b"testigo\x01";
/// Bytes of the open attachment in one segment; the last one may have fewer, or none.
pub const BLOB_SEGMENT: usize = 64 * 1024;
/// What sealing adds to each segment.
const TAG: usize = 16;
/// Bytes of a whole sealed segment.
pub const SEALED_SEGMENT: usize = BLOB_SEGMENT + TAG;
/// All but the counter and the flag of the last segment (STREAM takes five bytes of the nonce).
const NONCE_PREFIX: [u8; 7] = [0; 7];

/// Bytes of a letter's salt.
const SALT: usize = 32;

const WHAT: &str = "attachment";

/// The secret of one attachment, drawn afresh for it and kept inside the sealed record. Erased from
/// memory when dropped; cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BlobSecret(Zeroizing<[u8; 32]>);

impl BlobSecret {
    /// A fresh one from the operating system's randomness.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut())?;
        Ok(Self(secret))
    }

    /// From the 32 bytes that were kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// One for the purpose `info`, of a secret key of 32 bytes, by HKDF-SHA256 (RFC 5869).
    ///
    /// # Errors
    /// None in practice: 32 bytes are always available.
    pub fn derived(key: &[u8; 32], info: &[u8]) -> Result<Self, WireError> {
        derive(None, key, info)
    }

    /// Seals something whole under a key that is drawn from this secret and a fresh salt, so that it may be done again and
    /// again: the 32 bytes of salt, then the form of attachments. `info` binds it to its use.
    ///
    /// # Errors
    /// Where the operating system has no randomness.
    pub fn seal_letter(&self, info: &[u8], open: &[u8]) -> Result<Vec<u8>, WireError> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|error| WireError::malformed(WHAT, error))?;
        let secret = derive(Some(&salt), self.expose(), info)?;
        let mut letter = salt.to_vec();
        letter.extend(seal_whole(&secret, open)?);
        Ok(letter)
    }

    /// Opens what [`seal_letter`](Self::seal_letter) sealed.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where it was sealed under another secret or for another use, or was changed.
    pub fn open_letter(&self, info: &[u8], letter: &[u8]) -> Result<Zeroizing<Vec<u8>>, WireError> {
        let (salt, sealed) =
            (letter.split_at_checked(SALT)).ok_or(WireError::Sealed { what: WHAT })?;
        open_whole(&derive(Some(salt), self.expose(), info)?, sealed)
    }

    /// Its bytes, for an encrypted store of one's own.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for BlobSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobSecret(..)")
    }
}

impl<C> Encode<C> for BlobSecret {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.0.as_ref())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for BlobSecret {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let position = d.position();
        match d.bytes()?.try_into() {
            Ok(bytes) => Ok(Self::from_bytes(bytes)),
            Err(_) => Err(decode::Error::message("a blob's secret has 32 bytes").at(position)),
        }
    }
}

/// How many bytes an attachment of this size has once it is sealed; `None` past what can be counted.
pub fn sealed_size(size: u64) -> Option<u64> {
    let segments = size.div_ceil(BLOB_SEGMENT as u64).max(1);
    (segments.checked_mul(TAG as u64)?)
        .checked_add(size)?
        .checked_add(BLOB_HEADER.len() as u64)
}

/// Seals an attachment segment by segment; what it gives is to be written one behind the other.
pub struct BlobSealer {
    stream: EncryptorBE32<ChaCha20Poly1305>,
    sha256: Sha256,
    size: u64,
}

impl BlobSealer {
    /// Begins; the first bytes of the sealed attachment are [`BLOB_HEADER`].
    pub fn new(secret: &BlobSecret) -> Self {
        Self {
            stream: EncryptorBE32::from_aead(secret.cipher(), &NONCE_PREFIX.into()),
            sha256: Sha256::new_with_prefix(BLOB_HEADER),
            size: BLOB_HEADER.len() as u64,
        }
    }

    /// Seals a segment that others follow.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it has not exactly [`BLOB_SEGMENT`] bytes;
    /// [`WireError::TooLarge`] past 2^32 segments.
    pub fn segment(&mut self, open: &[u8]) -> Result<Vec<u8>, WireError> {
        if open.len() != BLOB_SEGMENT {
            return Err(WireError::malformed(WHAT, "a segment that is not whole"));
        }
        let sealed = self
            .stream
            .encrypt_next(bound(open))
            .map_err(|_| too_many())?;
        self.sha256.update(&sealed);
        self.size += sealed.len() as u64;
        Ok(sealed)
    }

    /// Seals the last segment, which may be empty; returns it and what the envelope has to name.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it has more than [`BLOB_SEGMENT`] bytes.
    pub fn last(self, open: &[u8]) -> Result<(Vec<u8>, BlobRef), WireError> {
        if open.len() > BLOB_SEGMENT {
            return Err(WireError::malformed(WHAT, "a segment that is too long"));
        }
        let sealed = self
            .stream
            .encrypt_last(bound(open))
            .map_err(|_| too_many())?;
        let blob = BlobRef {
            sha256: self.sha256.chain_update(&sealed).finalize().into(),
            size: self.size + sealed.len() as u64,
        };
        Ok((sealed, blob))
    }
}

/// Opens a sealed attachment segment by segment.
pub struct BlobOpener(DecryptorBE32<ChaCha20Poly1305>);

impl BlobOpener {
    /// Begins with the attachment's first bytes.
    ///
    /// # Errors
    /// [`WireError::Version`] for a later form; [`WireError::Malformed`] where it is no attachment.
    pub fn new(secret: &BlobSecret, header: &[u8]) -> Result<Self, WireError> {
        match header.split_last() {
            Some((version, name)) if Some(name) == BLOB_HEADER.get(..7) => {
                if Some(version) != BLOB_HEADER.last() {
                    return Err(WireError::Version {
                        what: WHAT,
                        found: u64::from(*version),
                    });
                }
            }
            _ => return Err(WireError::malformed(WHAT, "another kind of file")),
        }
        Ok(Self(DecryptorBE32::from_aead(
            secret.cipher(),
            &NONCE_PREFIX.into(),
        )))
    }

    /// Opens a segment of [`SEALED_SEGMENT`] bytes that others follow.
    ///
    /// # Errors
    /// [`WireError::Sealed`] where it was changed, moved or sealed under another secret.
    pub fn segment(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WireError> {
        (self.0.decrypt_next(bound(sealed)).map(Zeroizing::new))
            .map_err(|_| WireError::Sealed { what: WHAT })
    }

    /// Opens the last segment.
    ///
    /// # Errors
    /// As [`BlobOpener::segment`]; also where it is not the last one: the attachment was cut off.
    pub fn last(self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WireError> {
        (self.0.decrypt_last(bound(sealed)).map(Zeroizing::new))
            .map_err(|_| WireError::Sealed { what: WHAT })
    }
}

fn derive(salt: Option<&[u8]>, key: &[u8; 32], info: &[u8]) -> Result<BlobSecret, WireError> {
    let mut secret = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(salt, key)
        .expand(info, secret.as_mut())
        .map_err(|error| WireError::malformed(WHAT, error))?;
    Ok(BlobSecret(secret))
}

/// The sealed form of something that is whole in memory.
fn seal_whole(secret: &BlobSecret, open: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut sealer = BlobSealer::new(secret);
    let mut sealed = BLOB_HEADER.to_vec();
    let mut rest = open;
    while let Some((segment, behind)) = before_the_last(rest, BLOB_SEGMENT) {
        sealed.extend(sealer.segment(segment)?);
        rest = behind;
    }
    sealed.extend(sealer.last(rest)?.0);
    Ok(sealed)
}

/// Opens a sealed attachment that is whole in memory.
///
/// # Errors
/// [`WireError::Sealed`] where it was changed, cut off or sealed under another secret; else as [`BlobOpener::new`].
pub fn open_whole(secret: &BlobSecret, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let (header, mut rest) = (sealed.split_at_checked(BLOB_HEADER.len()))
        .ok_or_else(|| WireError::malformed(WHAT, "it ends early"))?;
    let mut opener = BlobOpener::new(secret, header)?;
    // Never moved while it grows: no copy of it is left behind in memory.
    let mut open = Zeroizing::new(Vec::with_capacity(rest.len()));
    while let Some((segment, behind)) = before_the_last(rest, SEALED_SEGMENT) {
        open.extend_from_slice(&opener.segment(segment)?);
        rest = behind;
    }
    open.extend_from_slice(&opener.last(rest)?);
    Ok(open)
}

/// A whole segment and what follows it; the last one has nothing behind it.
fn before_the_last(bytes: &[u8], segment: usize) -> Option<(&[u8], &[u8])> {
    bytes
        .split_at_checked(segment)
        .filter(|(_, behind)| !behind.is_empty())
}

fn bound(bytes: &[u8]) -> Payload<'_, '_> {
    Payload {
        msg: bytes,
        aad: &BLOB_HEADER,
    }
}

fn too_many() -> WireError {
    WireError::TooLarge {
        what: WHAT,
        found: usize::MAX,
        limit: u32::MAX as usize,
    }
}
