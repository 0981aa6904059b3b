//! Headquarters' own TLS: a key that phones know by its pin, and a certificate around it that says nothing.

use crate::HqError;
use crate::init::Headquarters;
use crate::keys::{Folder, read_private, write_new};
use crate::ring::{is_tls_key, key_files};
use minicbor::bytes::ByteArray;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{ServerConfig, version};
use zeroize::Zeroizing;

/// How phones know headquarters' addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// By keys of their own, pinned in the keyset: headquarters speak TLS themselves, and no authority is asked.
    Own,
    /// By the web's certificates: a proxy before headquarters speaks TLS.
    Web,
}

/// Makes the key in use and the one for after it; returns their pins, SHA-256 of each public key
/// (SubjectPublicKeyInfo).
pub(crate) fn make_keys(folder: &Folder) -> Result<Vec<[u8; 32]>, HqError> {
    [folder.tls_key(), folder.next_tls_key()]
        .into_iter()
        .map(|path| {
            let key = make()?;
            write_new(&path, &Zeroizing::new(key.serialize_der()), true)?;
            Ok(pin(&key))
        })
        .collect()
}

/// Makes one more key, in a file that is named by its pin; returns the pin.
pub(crate) fn make_another(keys: &Path) -> Result<[u8; 32], HqError> {
    let key = make()?;
    let pin = pin(&key);
    let name: String = data_encoding::HEXLOWER
        .encode(&pin)
        .chars()
        .take(16)
        .collect();
    let path = keys.join(format!("tls-{name}.key"));
    write_new(&path, &Zeroizing::new(key.serialize_der()), true)?;
    Ok(pin)
}

/// P-256 (RFC 5480), the one kind of key that browsers take as well; kept in PKCS #8 (RFC 5208).
fn make() -> Result<KeyPair, HqError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(HqError::keys)
}

/// What takes connections in; `None` where no key is pinned: then a proxy speaks TLS, or nobody does. The first key
/// among the pinned ones that is here is shown: phones know the others, too.
///
/// # Errors
/// [`HqError::TlsKeys`] where keys are pinned and none of them is here; [`HqError::Key`] where one is damaged.
pub(crate) fn acceptor(headquarters: &Headquarters) -> Result<Option<TlsAcceptor>, HqError> {
    let pins = &headquarters.keyset.pins;
    if pins.is_empty() {
        return Ok(None);
    }
    let keys = headquarters.folder.keys();
    let held = held(&keys)?;
    let place = |pin: &[u8; 32]| pins.iter().position(|known| **known == *pin);
    let shown = (held.into_iter())
        .filter_map(|(key, bytes)| Some((place(&pin(&key))?, key, bytes)))
        .min_by_key(|(place, ..)| *place);
    let Some((_, key, bytes)) = shown else {
        return Err(HqError::TlsKeys(keys));
    };
    // Phones look at its key alone, so it is made anew each time and bears no name.
    let certificate = CertificateParams::new(Vec::new())
        .and_then(|params| params.self_signed(&key))
        .map_err(HqError::keys)?;
    let private = PrivatePkcs8KeyDer::from(bytes.as_slice()).clone_key();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(HqError::keys)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .map_err(HqError::keys)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Nothing is resumed: a session that is taken up again would tie two connections together.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// A key of TLS, and its PKCS #8.
type TlsKey = (KeyPair, Zeroizing<Vec<u8>>);

/// All keys of TLS that are here.
fn held(keys: &Path) -> Result<Vec<TlsKey>, HqError> {
    (key_files(keys)?.iter())
        .filter(|name| is_tls_key(name))
        .map(|name| load(&keys.join(name)))
        .collect()
}

/// Whether no key is pinned, or one that is here.
pub(crate) fn holds_one_of(keys: &Path, pins: &[ByteArray<32>]) -> Result<bool, HqError> {
    let held = held(keys)?;
    let mut pinned = pins.iter();
    Ok(pins.is_empty() || pinned.any(|known| held.iter().any(|(key, _)| pin(key) == **known)))
}

/// Reads a TLS key as [`make_keys`] wrote it.
fn load(path: &Path) -> Result<TlsKey, HqError> {
    let bytes = read_private(path)?;
    let der = PrivatePkcs8KeyDer::from(bytes.as_slice());
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256)
        .map_err(|_| HqError::Key(path.to_owned()))?;
    Ok((key, bytes))
}

fn pin(key: &KeyPair) -> [u8; 32] {
    Sha256::digest(key.subject_public_key_info()).into()
}
