//! Known answers, through the very functions SQLCipher calls.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;

fn length(bytes: &[u8]) -> c_int {
    c_int::try_from(bytes.len()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn run_hmac(algorithm: c_int, key: &[u8], first: &[u8], second: Option<&[u8]>) -> (c_int, String) {
    let mut out = vec![0; usize::try_from(hmac_size(ptr::null_mut(), algorithm)).unwrap()];
    let (second, second_length) =
        second.map_or((ptr::null(), 99), |part| (part.as_ptr(), length(part)));
    // SAFETY: every buffer is a slice with its own length; `out` holds the HMAC's.
    let code = unsafe {
        super::hmac(
            ptr::null_mut(),
            algorithm,
            key.as_ptr(),
            length(key),
            first.as_ptr(),
            length(first),
            second,
            second_length,
            out.as_mut_ptr(),
        )
    };
    (code, hex(&out))
}

fn run_kdf(algorithm: c_int, password: &[u8], salt: &[u8], rounds: c_int, out: &mut [u8]) -> c_int {
    // SAFETY: every buffer is a slice with its own length.
    unsafe {
        kdf(
            ptr::null_mut(),
            algorithm,
            password.as_ptr(),
            length(password),
            salt.as_ptr(),
            length(salt),
            rounds,
            length(out),
            out.as_mut_ptr(),
        )
    }
}

fn run_cipher(mode: c_int, key: &[u8], iv: &[u8; 16], data: &[u8]) -> (c_int, Vec<u8>) {
    let mut out = vec![0; data.len()];
    // SAFETY: every buffer is a slice with its own length, `out` as long as `data`.
    let code = unsafe {
        cipher(
            ptr::null_mut(),
            mode,
            key.as_ptr(),
            length(key),
            iv.as_ptr(),
            data.as_ptr(),
            length(data),
            out.as_mut_ptr(),
        )
    };
    (code, out)
}

/// RFC 2202 and RFC 4231, test case 2; the message whole, and cut in two as SQLCipher does.
#[test]
fn hmac_answers_the_rfc_vectors() {
    let vectors = [
        (0, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            1,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            2,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ];
    for (algorithm, expected) in vectors {
        let whole = run_hmac(algorithm, b"Jefe", b"what do ya want for nothing?", None);
        assert_eq!(whole, (ffi::SQLITE_OK, expected.to_owned()));
        let parts = run_hmac(
            algorithm,
            b"Jefe",
            b"what do ya want ",
            Some(b"for nothing?"),
        );
        assert_eq!(parts, whole);
    }
}

/// RFC 6070 (SHA-1) and RFC 7914 section 11 (SHA-256).
#[test]
fn pbkdf2_answers_the_rfc_vectors() {
    let mut out = [0; 20];
    assert_eq!(
        run_kdf(0, b"password", b"salt", 4096, &mut out),
        ffi::SQLITE_OK
    );
    assert_eq!(hex(&out), "4b007901b765489abead49d926f721d065a429c1");
    let mut out = [0; 64];
    assert_eq!(run_kdf(1, b"passwd", b"salt", 1, &mut out), ffi::SQLITE_OK);
    assert_eq!(
        hex(&out),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
         49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
    );
}

/// Computed with Python's `hashlib.pbkdf2_hmac('sha512', b'password', b'salt', 1000, 32)` (OpenSSL).
#[test]
fn pbkdf2_sha512_agrees_with_openssl() {
    let mut out = [0; 32];
    assert_eq!(
        run_kdf(2, b"password", b"salt", 1000, &mut out),
        ffi::SQLITE_OK
    );
    assert_eq!(
        hex(&out),
        "afe6c5530785b6cc6b1c6453384731bd5ee432ee549fd42fb6695779ad8a1c5b"
    );
}

/// NIST SP 800-38A, F.2.5 and F.2.6.
#[test]
fn aes_256_cbc_answers_the_nist_vector() {
    let key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let iv: [u8; 16] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let plain = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    let sealed = unhex("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d");
    assert_eq!(
        run_cipher(1, &key, &iv, &plain),
        (ffi::SQLITE_OK, sealed.clone())
    );
    assert_eq!(run_cipher(0, &key, &iv, &sealed), (ffi::SQLITE_OK, plain));
}

#[test]
fn the_cipher_works_in_place() {
    let (key, iv, mut page) = ([7; 32], [9; 16], *b"sixteen bytes...");
    let (_, sealed) = run_cipher(1, &key, &iv, &page);
    let buffer = page.as_mut_ptr();
    // SAFETY: `buffer` is 16 bytes, and input and output may be the same.
    let code = unsafe {
        cipher(
            ptr::null_mut(),
            1,
            key.as_ptr(),
            32,
            iv.as_ptr(),
            buffer,
            16,
            buffer,
        )
    };
    assert_eq!((code, page.to_vec()), (ffi::SQLITE_OK, sealed));
}

#[test]
fn wrong_lengths_and_algorithms_are_errors_and_write_nothing() {
    let (key, iv) = ([1; 32], [2; 16]);
    for (mode, key_length, data_length) in [
        (1, 16, 16),
        (1, 33, 16),
        (1, 32, 15),
        (2, 32, 16),
        (-1, 32, 16),
    ] {
        let mut out = [0xEE; 16];
        // SAFETY: the lengths are refused before any buffer is read.
        let code = unsafe {
            cipher(
                ptr::null_mut(),
                mode,
                key.as_ptr(),
                key_length,
                iv.as_ptr(),
                [0; 16].as_ptr(),
                data_length,
                out.as_mut_ptr(),
            )
        };
        assert_eq!(
            (code, out),
            (ffi::SQLITE_ERROR, [0xEE; 16]),
            "mode {mode}, {key_length}, {data_length}"
        );
    }
    // SAFETY: negative lengths and null pointers are refused before anything is read or written.
    unsafe {
        let mut out = [0xEE; 64];
        let (none, byte) = (ptr::null_mut(), [0; 1].as_ptr());
        assert_eq!(
            cipher(
                none,
                1,
                key.as_ptr(),
                32,
                iv.as_ptr(),
                byte,
                -16,
                out.as_mut_ptr()
            ),
            ffi::SQLITE_ERROR
        );
        assert_eq!(
            cipher(
                none,
                1,
                key.as_ptr(),
                32,
                iv.as_ptr(),
                ptr::null(),
                16,
                out.as_mut_ptr()
            ),
            ffi::SQLITE_ERROR
        );
        assert_eq!(
            super::hmac(none, 2, byte, -1, byte, 1, byte, 1, out.as_mut_ptr()),
            ffi::SQLITE_ERROR
        );
        assert_eq!(
            super::hmac(none, 3, byte, 1, byte, 1, byte, 1, out.as_mut_ptr()),
            ffi::SQLITE_ERROR
        );
        assert_eq!(random(none, ptr::null_mut(), 16), ffi::SQLITE_ERROR);
        assert_eq!(random(none, out.as_mut_ptr().cast(), -1), ffi::SQLITE_ERROR);
        assert_eq!(testigo_sqlcipher_setup(ptr::null_mut()), ffi::SQLITE_ERROR);
        assert_eq!(out, [0xEE; 64]);
    }
    let mut out = [0xEE; 32];
    assert_eq!(
        run_kdf(3, b"password", b"salt", 1, &mut out),
        ffi::SQLITE_ERROR
    );
    assert_eq!(
        run_kdf(2, b"password", b"salt", 0, &mut out),
        ffi::SQLITE_ERROR
    );
    assert_eq!(
        run_kdf(2, b"password", b"salt", -1, &mut out),
        ffi::SQLITE_ERROR
    );
    assert_eq!(out, [0xEE; 32]);
    assert_eq!(
        run_kdf(2, b"password", b"salt", 1, &mut [0; 65]),
        ffi::SQLITE_ERROR
    );
    assert_eq!(
        run_kdf(2, b"password", b"salt", 1, &mut []),
        ffi::SQLITE_ERROR
    );
}

#[test]
fn a_panic_becomes_an_error() {
    assert_eq!(
        answer(|| std::panic::resume_unwind(Box::new("stays on this side"))),
        ffi::SQLITE_ERROR
    );
}

#[test]
fn random_fills_the_whole_buffer() {
    let mut out = [0u8; 4096];
    // SAFETY: `out` holds 4096 bytes.
    let code = unsafe { random(ptr::null_mut(), out.as_mut_ptr().cast(), 4096) };
    assert_eq!(code, ffi::SQLITE_OK);
    assert!(
        out.chunks(64)
            .all(|part| part.iter().any(|byte| *byte != 0))
    );
}
