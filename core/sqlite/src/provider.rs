//! SQLCipher's cryptographic provider on RustCrypto: core's only unsafe code.
//!
//! The C side is `struct sqlcipher_provider` of SQLCipher 4.19 (`sqlcipher.h`), its reference
//! implementation `crypto_openssl.c`. SQLCipher is compiled with
//! `-DSQLCIPHER_CRYPTO_CUSTOM=testigo_sqlcipher_setup` (`.cargo/config.toml`) and calls that function
//! once, when SQLite starts.
#![allow(unsafe_code, reason = "SQLCipher's provider interface is C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use aes::Aes256;
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, typenum::U16};
use hmac::{Hmac, KeyInit, Mac};
use libsqlite3_sys as ffi;
use rusqlite::Connection;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::DatabaseKey;

/// What `PRAGMA cipher_provider` answers when this provider is in use.
pub(crate) const NAME: &CStr = c"rustcrypto";

/// What `PRAGMA cipher_provider_version` answers.
const VERSION: &CStr = match CStr::from_bytes_with_nul(
    concat!("testigo-sqlite ", env!("CARGO_PKG_VERSION"), "\0").as_bytes(),
) {
    Ok(version) => version,
    Err(_) => c"",
};

// Numbers of `sqlcipher.h`: the mode of the cipher, and the hash of HMAC and PBKDF2.
const DECRYPT: c_int = 0;
const ENCRYPT: c_int = 1;
const SHA1: c_int = 0;
const SHA256: c_int = 1;
const SHA512: c_int = 2;

const KEY_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;
/// The longest key SQLCipher may ask to be derived, and the longest HMAC.
const LONGEST_OUTPUT: usize = 64;

/// `sqlcipher_provider`, field by field in the order of `sqlcipher.h`.
#[repr(C)]
#[derive(Debug)]
pub struct Provider {
    init: Option<extern "C" fn() -> c_int>,
    shutdown: Option<extern "C" fn()>,
    name: extern "C" fn(*mut c_void) -> *const c_char,
    add_random: extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
    random: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int,
    hmac: HmacFn,
    kdf: KdfFn,
    cipher: CipherFn,
    cipher_name: extern "C" fn(*mut c_void) -> *const c_char,
    key_size: extern "C" fn(*mut c_void) -> c_int,
    iv_size: extern "C" fn(*mut c_void) -> c_int,
    block_size: extern "C" fn(*mut c_void) -> c_int,
    hmac_size: extern "C" fn(*mut c_void, c_int) -> c_int,
    ctx_init: extern "C" fn(*mut *mut c_void) -> c_int,
    ctx_free: extern "C" fn(*mut *mut c_void) -> c_int,
    fips_status: extern "C" fn(*mut c_void) -> c_int,
    version: extern "C" fn(*mut c_void) -> *const c_char,
    next: *mut Provider,
}

type HmacFn = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *mut u8,
) -> c_int;
type KdfFn = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    c_int,
    c_int,
    *mut u8,
) -> c_int;
type CipherFn = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    *const u8,
    c_int,
    *mut u8,
) -> c_int;

/// Keeps [`testigo_sqlcipher_setup`] in every program that links this crate, whether or not it calls it:
/// only C refers to it, and a linker may have gone past this crate's archive by then.
#[used]
static LINKED: unsafe extern "C" fn(*mut Provider) -> c_int = testigo_sqlcipher_setup;

/// Fills in SQLCipher's table of functions. Called by SQLCipher when SQLite starts.
///
/// # Safety
/// `provider` is null or points to writable, aligned memory of `sizeof(sqlcipher_provider)`.
// SAFETY: no other symbol of this name exists; the prefix is the project's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn testigo_sqlcipher_setup(provider: *mut Provider) -> c_int {
    if provider.is_null() {
        return ffi::SQLITE_ERROR;
    }
    let table = Provider {
        init: None,
        shutdown: None,
        name,
        add_random,
        random,
        hmac,
        kdf,
        cipher,
        cipher_name,
        key_size,
        iv_size: block_size,
        block_size,
        hmac_size,
        ctx_init: no_context,
        ctx_free: no_context,
        fips_status,
        version,
        next: ptr::null_mut(),
    };
    // SAFETY: not null (checked above); size and alignment by this function's contract.
    unsafe { provider.write(table) };
    ffi::SQLITE_OK
}

/// Has SQLite and SQLCipher made ready, once, before the first connection.
///
/// SQLite calls itself ready before SQLCipher is (`sqlite3_initialize` runs `SQLITE_EXTRA_INIT` behind its
/// mutex): of two threads that open their first databases at the same moment, one found no provider.
pub(crate) fn make_ready() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        // SAFETY: takes nothing, may be called at any time. What goes wrong shows when a database is opened.
        unsafe { ffi::sqlite3_initialize() };
    });
}

/// Gives the connection its key, past the SQL parser: no copy of the key stays behind in the text of a
/// statement, in a trace or in an error message.
pub(crate) fn set_key(db: &Connection, key: &DatabaseKey) -> rusqlite::Result<()> {
    let spelling = key.sqlcipher_spelling();
    let length = c_int::try_from(spelling.len()).unwrap_or(0);
    // SAFETY: the handle lives as long as `db`, and `spelling` is `length` readable bytes, which SQLCipher
    // copies before it returns.
    let code = unsafe { ffi::sqlite3_key(db.handle(), spelling.as_ptr().cast(), length) };
    if code == ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }
}

/// Runs `f` for SQLCipher: `None` and a panic both become `SQLITE_ERROR`, nothing unwinds into C.
fn answer(f: impl FnOnce() -> Option<()>) -> c_int {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Some(())) => ffi::SQLITE_OK,
        Ok(None) | Err(_) => ffi::SQLITE_ERROR,
    }
}

/// A buffer of C as a slice; `None` for a negative length or a null pointer with a length.
///
/// # Safety
/// A non-null `data` with a positive `length` is that many bytes, readable and unchanged for `'a`.
unsafe fn input<'a>(data: *const u8, length: c_int) -> Option<&'a [u8]> {
    match usize::try_from(length).ok()? {
        0 => Some(&[]),
        _ if data.is_null() => None,
        // SAFETY: not null and positive (checked above), readable by this function's contract.
        length => Some(unsafe { std::slice::from_raw_parts(data, length) }),
    }
}

extern "C" fn name(_: *mut c_void) -> *const c_char {
    NAME.as_ptr()
}

extern "C" fn version(_: *mut c_void) -> *const c_char {
    VERSION.as_ptr()
}

extern "C" fn cipher_name(_: *mut c_void) -> *const c_char {
    c"aes-256-cbc".as_ptr()
}

extern "C" fn key_size(_: *mut c_void) -> c_int {
    KEY_BYTES as c_int
}

extern "C" fn block_size(_: *mut c_void) -> c_int {
    BLOCK_BYTES as c_int
}

extern "C" fn fips_status(_: *mut c_void) -> c_int {
    0
}

extern "C" fn no_context(_: *mut *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

/// The operating system's generator takes no seed from us.
extern "C" fn add_random(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

extern "C" fn hmac_size(_: *mut c_void, algorithm: c_int) -> c_int {
    match algorithm {
        SHA1 => 20,
        SHA256 => 32,
        SHA512 => 64,
        _ => 0,
    }
}

unsafe extern "C" fn random(_: *mut c_void, buffer: *mut c_void, length: c_int) -> c_int {
    answer(|| {
        let length = usize::try_from(length).ok()?;
        if length == 0 {
            return Some(());
        }
        if buffer.is_null() {
            return None;
        }
        // SAFETY: not null and positive (checked above); SQLCipher hands in `length` writable bytes. They
        // may be uninitialised, hence zeroed before they become a slice.
        let out = unsafe {
            ptr::write_bytes(buffer.cast::<u8>(), 0, length);
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length)
        };
        getrandom::fill(out).ok()
    })
}

unsafe extern "C" fn hmac(
    _: *mut c_void,
    algorithm: c_int,
    key: *const u8,
    key_length: c_int,
    first: *const u8,
    first_length: c_int,
    second: *const u8,
    second_length: c_int,
    out: *mut u8,
) -> c_int {
    answer(|| {
        if first.is_null() || out.is_null() {
            return None;
        }
        let second_length = if second.is_null() { 0 } else { second_length };
        // SAFETY: SQLCipher's buffers are readable at these lengths, and nothing writes to them meanwhile.
        let (key, parts) = unsafe {
            (
                input(key, key_length)?,
                [input(first, first_length)?, input(second, second_length)?],
            )
        };
        let mut mac = Zeroizing::new([0; LONGEST_OUTPUT]);
        let length = match algorithm {
            SHA1 => mac_of::<Hmac<Sha1>>(key, parts, mac.as_mut_slice()),
            SHA256 => mac_of::<Hmac<Sha256>>(key, parts, mac.as_mut_slice()),
            SHA512 => mac_of::<Hmac<Sha512>>(key, parts, mac.as_mut_slice()),
            _ => None,
        }?;
        // SAFETY: not null (checked above); SQLCipher's buffer holds `hmac_size(algorithm)` bytes, which is
        // `length`; `mac` is our own, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(mac.as_ptr(), out, length) };
        Some(())
    })
}

/// HMAC (RFC 2104) over two parts, into the beginning of `out`; answers its length.
fn mac_of<M: Mac + KeyInit>(key: &[u8], parts: [&[u8]; 2], out: &mut [u8]) -> Option<usize> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    let bytes = mac.finalize().into_bytes();
    out.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(bytes.len())
}

/// PBKDF2 (RFC 8018).
unsafe extern "C" fn kdf(
    _: *mut c_void,
    algorithm: c_int,
    password: *const u8,
    password_length: c_int,
    salt: *const u8,
    salt_length: c_int,
    rounds: c_int,
    key_length: c_int,
    out: *mut u8,
) -> c_int {
    answer(|| {
        let rounds = u32::try_from(rounds).ok().filter(|rounds| *rounds > 0)?;
        let mut derived = Zeroizing::new([0; LONGEST_OUTPUT]);
        let key = derived.get_mut(..usize::try_from(key_length).ok()?)?;
        if key.is_empty() || out.is_null() {
            return None;
        }
        // SAFETY: SQLCipher's buffers are readable at these lengths, and nothing writes to them meanwhile.
        let (password, salt) =
            unsafe { (input(password, password_length)?, input(salt, salt_length)?) };
        match algorithm {
            SHA1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, salt, rounds, key),
            SHA256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, rounds, key),
            SHA512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, rounds, key),
            _ => return None,
        }
        .ok()?;
        // SAFETY: not null (checked above); SQLCipher's buffer holds `key_length` bytes, which is `key`'s
        // length; `key` is our own, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(key.as_ptr(), out, key.len()) };
        Some(())
    })
}

/// AES-256-CBC (NIST SP 800-38A) without padding.
unsafe extern "C" fn cipher(
    _: *mut c_void,
    mode: c_int,
    key: *const u8,
    key_length: c_int,
    iv: *const u8,
    data: *const u8,
    length: c_int,
    out: *mut u8,
) -> c_int {
    answer(|| {
        let bytes = usize::try_from(length)
            .ok()
            .filter(|bytes| bytes % BLOCK_BYTES == 0)?;
        if key_length != KEY_BYTES as c_int || !matches!(mode, DECRYPT | ENCRYPT) {
            return None;
        }
        if bytes == 0 {
            return Some(());
        }
        if data.is_null() || out.is_null() {
            return None;
        }
        // SAFETY: SQLCipher's key is `key_length` readable bytes and its initialisation vector
        // `iv_size()`; the vector lies behind the page's bytes, outside what is written below.
        let (key, iv) = unsafe { (input(key, key_length)?, input(iv, BLOCK_BYTES as c_int)?) };
        // SAFETY: not null (checked above); both are `bytes` long by SQLCipher's contract, and `copy`
        // allows them to overlap. From here on only `out` is touched.
        let page = unsafe {
            ptr::copy(data, out, bytes);
            std::slice::from_raw_parts_mut(out, bytes)
        };
        let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(page);
        if mode == ENCRYPT {
            cbc::Encryptor::<Aes256>::new_from_slices(key, iv)
                .ok()?
                .encrypt_blocks(blocks);
        } else {
            cbc::Decryptor::<Aes256>::new_from_slices(key, iv)
                .ok()?
                .decrypt_blocks(blocks);
        }
        Some(())
    })
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
