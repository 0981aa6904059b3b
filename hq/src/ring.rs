//! Headquarters' secret keys: one of each kind at first, several after a rotation. An earlier seal key goes on
//! opening what was sealed to it.

use crate::HqError;
use crate::keys::read_key;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_wire::{KeyId, Keyset, SealSecretKey, SigningKey};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Seal,
    Receipt,
    Desk,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Receipt => "receipt",
            Self::Desk => "desk",
        }
    }

    /// The file of a key that a rotation made; `init` made `seal.key`, `receipt.key` and `desk.key`.
    pub(crate) fn file(self, keys: &Path, kid: KeyId) -> PathBuf {
        keys.join(format!("{}-{kid}.key", self.name()))
    }

    fn is_file(self, name: &str) -> bool {
        name.strip_suffix(".key")
            .and_then(|name| name.strip_prefix(self.name()))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// Whether a file of this name is a key of the server's TLS.
pub(crate) fn is_tls_key(name: &str) -> bool {
    name.strip_suffix(".key")
        .and_then(|name| name.strip_prefix("tls"))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Names of all key files in a folder, sorted: of these roles, of TLS, the two databases' and the root's.
pub(crate) fn key_files(keys: &Path) -> Result<Vec<String>, HqError> {
    let entries = fs::read_dir(keys).map_err(HqError::file(keys))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_key_file(name))
        .collect();
    names.sort();
    Ok(names)
}

/// Whether a file of this name is a key of headquarters.
pub(crate) fn is_key_file(name: &str) -> bool {
    let of_a_role = [Role::Seal, Role::Receipt, Role::Desk]
        .iter()
        .any(|role| role.is_file(name));
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let others = ["database.key", "database-desk.key", "root.key"];
    plain && (of_a_role || is_tls_key(name) || others.contains(&name))
}

/// The seal keys that are held, by their short names.
#[derive(Clone)]
pub(crate) struct SealKeys(Vec<(KeyId, SealSecretKey)>);

impl SealKeys {
    /// The one of this name.
    pub(crate) fn get(&self, kid: KeyId) -> Option<&SealSecretKey> {
        self.0
            .iter()
            .find_map(|(held, key)| (*held == kid).then_some(key))
    }
}

/// All that are held.
pub(crate) struct SecretKeys {
    folder: PathBuf,
    seal: SealKeys,
    receipt: Vec<SigningKey>,
    desk: Vec<SigningKey>,
}

impl SecretKeys {
    /// Reads a `keys` folder.
    pub(crate) fn load(folder: &Path) -> Result<Self, HqError> {
        let names = key_files(folder)?;
        let of = |role: Role| {
            (names.iter())
                .filter(move |name| role.is_file(name))
                .map(|name| read_key(&folder.join(name)))
        };
        let signing = |role| -> Result<Vec<SigningKey>, HqError> {
            of(role)
                .map(|seed| Ok(SigningKey::from_seed(&*seed?)))
                .collect()
        };
        let seal = of(Role::Seal)
            .map(|bytes| {
                let key = SealSecretKey::from_bytes(&*bytes?);
                let public = key.public_key().map_err(HqError::keys)?;
                Ok((public.key_id(), key))
            })
            .collect::<Result<_, HqError>>()?;
        Ok(Self {
            folder: folder.to_owned(),
            seal: SealKeys(seal),
            receipt: signing(Role::Receipt)?,
            desk: signing(Role::Desk)?,
        })
    }

    /// Whether the keys that phones use under this keyset are held: the first of each kind.
    ///
    /// # Errors
    /// [`HqError::Key`] with the file that is missing.
    pub(crate) fn check(&self, keyset: &Keyset) -> Result<(), HqError> {
        let first = keyset.seal.first().map(|key| key.key_id());
        if first.is_some_and(|kid| self.seal.get(kid).is_none()) {
            return Err(self.missing(Role::Seal, first, keyset));
        }
        self.receipt_key(keyset)?;
        self.desk_key(keyset).map(drop)
    }

    pub(crate) fn seal_keys(&self) -> SealKeys {
        self.seal.clone()
    }

    /// The key that signs receipts.
    pub(crate) fn receipt_key(&self, keyset: &Keyset) -> Result<SigningKey, HqError> {
        let kid = keyset.receipt.first().map(|key| key.key_id());
        held(&self.receipt, kid).ok_or_else(|| self.missing(Role::Receipt, kid, keyset))
    }

    /// The key that signs notices; `None` where the keyset was made by a release whose desk had none.
    pub(crate) fn desk_key(&self, keyset: &Keyset) -> Result<Option<SigningKey>, HqError> {
        let Some(kid) = keyset.desk.first().map(|key| key.key_id()) else {
            return Ok(None);
        };
        held(&self.desk, Some(kid))
            .map(Some)
            .ok_or_else(|| self.missing(Role::Desk, Some(kid), keyset))
    }

    fn missing(&self, role: Role, kid: Option<KeyId>, keyset: &Keyset) -> HqError {
        HqError::Key(match kid {
            Some(kid) if keyset.version > 1 && !self.folder.join(role.plain()).exists() => {
                role.file(&self.folder, kid)
            }
            Some(kid) if role.file(&self.folder, kid).exists() => role.file(&self.folder, kid),
            _ => self.folder.join(role.plain()),
        })
    }
}

impl Role {
    fn plain(self) -> String {
        format!("{}.key", self.name())
    }
}

fn held(keys: &[SigningKey], kid: Option<KeyId>) -> Option<SigningKey> {
    keys.iter()
        .find(|key| Some(key.verifying_key().key_id()) == kid)
        .cloned()
}
