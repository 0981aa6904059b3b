//! A secret in a file, wrapped by a passphrase: Argon2id (RFC 9106) and ChaCha20-Poly1305 (RFC 8439). The form is
//! described in `docs/key-file-format.md`.

use super::RootError;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use std::fmt;
use testigo_wire::cbor;
use zeroize::Zeroizing;

const FORMAT: u64 = 1;
/// The largest file that is read, in bytes.
const MAX: usize = 64 * 1024;
/// The most memory that a file may ask for, in KiB: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
/// The most passes over it.
const MAX_PASSES: u32 = 16;
/// The most lanes.
const MAX_LANES: u32 = 8;
/// The fewest letters of a passphrase.
const LETTERS: usize = 12;

/// What a person types to open a key file. Erased from memory when dropped; cannot be printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// From what was typed; white space around it does not count.
    pub fn new(typed: &str) -> Self {
        Self(Zeroizing::new(typed.trim().to_owned()))
    }

    /// Whether it may protect a new file.
    ///
    /// # Errors
    /// [`RootError::ShortPassphrase`] under twelve letters.
    pub fn check(&self) -> Result<(), RootError> {
        match self.0.chars().count() >= LETTERS {
            true => Ok(()),
            false => Err(RootError::ShortPassphrase),
        }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What opening costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106's second recommended option with four times its memory: 256 MiB, 3 passes, 4 lanes.
    pub(crate) const CURRENT: Self = Self {
        memory_kib: 256 * 1024,
        passes: 3,
        lanes: 4,
    };
}

/// What stands in clear before the wrapped secret, authenticated with it.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Header {
    #[n(0)]
    format: u64,
    #[n(1)]
    purpose: String,
    #[n(2)]
    salt: ByteArray<16>,
    #[n(3)]
    memory_kib: u32,
    #[n(4)]
    passes: u32,
    #[n(5)]
    lanes: u32,
    #[n(6)]
    nonce: ByteArray<12>,
}

#[derive(Encode, Decode)]
struct File {
    #[n(0)]
    header: ByteVec,
    #[n(1)]
    wrapped: ByteVec,
}

/// The file.
pub(crate) struct Wrapped;

impl Wrapped {
    /// Wraps a secret under a fresh salt.
    pub(crate) fn seal(
        purpose: &str,
        secret: &[u8],
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Vec<u8>, RootError> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        getrandom::fill(&mut salt)?;
        getrandom::fill(&mut nonce)?;
        Self::seal_with(purpose, secret, passphrase, cost, (salt, nonce))
    }

    pub(super) fn seal_with(
        purpose: &str,
        secret: &[u8],
        passphrase: &Passphrase,
        cost: Cost,
        (salt, nonce): ([u8; 16], [u8; 12]),
    ) -> Result<Vec<u8>, RootError> {
        let header = Header {
            format: FORMAT,
            purpose: purpose.to_owned(),
            salt: salt.into(),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            nonce: nonce.into(),
        };
        let bytes = cbor::to_vec(&header);
        let payload = Payload {
            msg: secret,
            aad: &bytes,
        };
        let wrapped = cipher(&header, passphrase)?
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| RootError::KeyFile)?;
        Ok(cbor::to_vec(&File {
            header: bytes.into(),
            wrapped: wrapped.into(),
        }))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`RootError::KeyFile`] where it is none, or of another purpose; [`RootError::Passphrase`] where the passphrase
    /// is wrong or the file was changed: nobody can tell which.
    pub(crate) fn open(
        purpose: &str,
        bytes: &[u8],
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        let damaged = |_| RootError::KeyFile;
        let file: File = cbor::from_slice("key file", bytes, MAX).map_err(damaged)?;
        let header: Header = cbor::from_slice("key file", &file.header, MAX).map_err(damaged)?;
        let bounded = header.memory_kib <= MAX_MEMORY_KIB
            && header.passes <= MAX_PASSES
            && header.lanes <= MAX_LANES;
        if header.format != FORMAT || header.purpose != purpose || !bounded {
            return Err(RootError::KeyFile);
        }
        let payload = Payload {
            msg: &file.wrapped,
            aad: &file.header,
        };
        cipher(&header, passphrase)?
            .decrypt(&Nonce::from(*header.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| RootError::Passphrase)
    }
}

fn cipher(header: &Header, passphrase: &Passphrase) -> Result<ChaCha20Poly1305, RootError> {
    let params = Params::new(header.memory_kib, header.passes, header.lanes, Some(32))
        .map_err(|_| RootError::KeyFile)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), &*header.salt, key.as_mut())
        .map_err(|_| RootError::KeyFile)?;
    Ok(ChaCha20Poly1305::new(&Key::from(*key)))
}
