//! The terminal phone's stand-in for a phone's key store: a file for each key. **Unsafe**: whoever has the folder has
//! the keys. It exists so that the core can be tried without a phone.

use crate::failure::Failure;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testigo_phone::{DatabaseKey, HostKey, HostKeys, HostKeysFault, Phone};
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// Keys in files named `unsafe-key` and `unsafe-history-key`; what they wrap is a nonce of 12 bytes and
/// ChaCha20-Poly1305.
struct KeyFiles(PathBuf);

/// The key store of the phone in this folder. A phone of an earlier release, whose store's key is the file itself,
/// is put under it.
pub fn keys(home: &Path) -> Result<Arc<dyn HostKeys>, Failure> {
    let files = KeyFiles(home.to_owned());
    if Phone::exists(home) && !Phone::is_being_wiped(home) {
        let path = files.path(HostKey::Store);
        match files.read(HostKey::Store) {
            Ok(Some(_)) if Phone::has_wrapped_key(home) => {}
            Ok(Some(key)) => {
                Phone::keep_key_under(home, &DatabaseKey::from_bytes(**key), &files)?;
            }
            Ok(None) => return Err(missing(&path)),
            Err(_) => return Err(damaged(&path)),
        }
    }
    Ok(Arc::new(files))
}

/// The key store of the phone in this folder, whatever is left of it.
pub fn remains(home: &Path) -> impl HostKeys {
    KeyFiles(home.to_owned())
}

/// Whether anything of a phone is left in this folder.
pub fn has_remains(home: &Path) -> bool {
    let keys = [
        "store-key",
        "store-key.sealed",
        "unsafe-key",
        "unsafe-history-key",
    ];
    Phone::exists(home) || keys.iter().any(|name| home.join(name).exists())
}

fn missing(path: &Path) -> Failure {
    Failure::said(
        format!(
            "{}: falta la llave de este teléfono; recupere el archivo. No se tocó nada.",
            path.display()
        ),
        format!(
            "{}: this phone's key is missing; restore the file. Nothing was touched.",
            path.display()
        ),
    )
}

fn damaged(path: &Path) -> Failure {
    Failure::said(
        format!(
            "{}: la llave no tiene 32 bytes; recupere el archivo.",
            path.display()
        ),
        format!(
            "{}: the key does not have 32 bytes; restore the file.",
            path.display()
        ),
    )
}

type Key = Box<Zeroizing<[u8; 32]>>;

impl KeyFiles {
    fn path(&self, key: HostKey) -> PathBuf {
        self.0.join(match key {
            HostKey::Store => "unsafe-key",
            HostKey::History => "unsafe-history-key",
        })
    }

    /// The key, where there is one; a file that is none is a fault.
    fn read(&self, key: HostKey) -> Result<Option<Key>, HostKeysFault> {
        let file = match File::open(self.path(key)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|_| HostKeysFault::Unavailable)?,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(33));
        (file.take(33).read_to_end(&mut bytes)).map_err(|_| HostKeysFault::Unavailable)?;
        let mut key: Key = Box::default();
        let whole = bytes.len() == key.len();
        if !whole {
            return Err(HostKeysFault::Gone);
        }
        key.copy_from_slice(&bytes);
        Ok(Some(key))
    }

    fn make(&self, key: HostKey) -> Result<Key, HostKeysFault> {
        let unavailable = |_| HostKeysFault::Unavailable;
        let mut bytes: Key = Box::default();
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| HostKeysFault::Unavailable)?;
        Phone::make_folder(&self.0).map_err(unavailable)?;
        // Beside it first: a key that was cut off would look like one.
        let (path, unfinished) = (self.path(key), self.path(key).with_extension("new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        (options.open(&unfinished))
            .and_then(|mut file| {
                file.write_all(bytes.as_slice())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(unavailable)?;
        Ok(bytes)
    }
}

impl HostKeys for KeyFiles {
    fn wrap(&self, key: HostKey, secret: &[u8]) -> Result<Vec<u8>, HostKeysFault> {
        let bytes = match self.read(key)? {
            Some(bytes) => bytes,
            None => self.make(key)?,
        };
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| HostKeysFault::Unavailable)?;
        let sealed = ChaCha20Poly1305::new((&**bytes).into())
            .encrypt(&nonce.into(), secret)
            .map_err(|_| HostKeysFault::Unavailable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unwrap(&self, key: HostKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysFault> {
        let bytes = self.read(key)?.ok_or(HostKeysFault::Gone)?;
        let (nonce, sealed) = wrapped.split_at_checked(NONCE).ok_or(HostKeysFault::Gone)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| HostKeysFault::Gone)?;
        ChaCha20Poly1305::new((&**bytes).into())
            .decrypt(&nonce.into(), sealed)
            .map(Zeroizing::new)
            .map_err(|_| HostKeysFault::Gone)
    }

    fn destroy(&self, key: HostKey) -> Result<(), HostKeysFault> {
        let path = self.path(key);
        let _ = fs::remove_file(path.with_extension("new"));
        let destroyed = OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&[0; 32]).and_then(|()| file.sync_all()))
            .and_then(|()| fs::remove_file(&path));
        match destroyed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(HostKeysFault::Unavailable),
            _ => Ok(()),
        }
    }
}
