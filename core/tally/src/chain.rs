use crate::number::hex;
use sha2::{Digest, Sha256, Sha512};
use testigo_wire::CheckKind;

/// Hashes of a sheet's codes, each over all that came before it: `HASH_n = H(d1 mark h1 join d2 mark h2 join ... d_n)`.
pub(crate) enum Chain {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Chain {
    /// `None` where the kind is no hash.
    pub(crate) fn new(kind: CheckKind) -> Option<Self> {
        match kind {
            CheckKind::Sha256 => Some(Self::Sha256(Sha256::new())),
            CheckKind::Sha512 => Some(Self::Sha512(Sha512::new())),
            CheckKind::Luhn | CheckKind::Mod11 | CheckKind::Ed25519 => None,
        }
    }

    pub(crate) fn update(&mut self, text: &str) {
        match self {
            Self::Sha256(hash) => hash.update(text),
            Self::Sha512(hash) => hash.update(text),
        }
    }

    /// Whether this is the hash, in hexadecimal, of all so far.
    pub(crate) fn is(&self, said: &str) -> bool {
        match self {
            Self::Sha256(hash) => hex::<32>(said) == Some(hash.clone().finalize().into()),
            Self::Sha512(hash) => hex::<64>(said) == Some(hash.clone().finalize().into()),
        }
    }
}
