use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    version,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a public key that no pin names is refused with.
pub(super) const WRONG_PIN: Error =
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

/// TLS 1.3 with those whose public key is pinned, or under the web's roots where there are no pins.
///
/// Nothing is resumed: a session that is taken up again would tie two connections together.
pub(super) fn config(pins: Vec<[u8; 32]>) -> Result<ClientConfig, Error> {
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let building = with_provider(provider)?;
    let mut config = if pins.is_empty() {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        building.with_root_certificates(roots).with_no_client_auth()
    } else {
        building
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pins, algorithms }))
            .with_no_client_auth()
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn with_provider(
    provider: CryptoProvider,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])
}

/// Believes who holds a pinned key (RFC 7858, section 4.2, pins so too), whatever the certificate around it says
/// of names and dates: a witness's clock may be wrong, and no authority is asked.
#[derive(Debug)]
struct Pinned {
    /// SHA-256 of the public keys (SubjectPublicKeyInfo, RFC 5280).
    pins: Vec<[u8; 32]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let pin: [u8; 32] = Sha256::digest(&key).into();
        if self.pins.contains(&pin) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(WRONG_PIN)
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
