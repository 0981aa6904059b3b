//! The store's key, wrapped by the host's key store, in a file beside the store.

use crate::error::disk;
use crate::store::sync_folder;
use crate::{HostKey, HostKeys, HostKeysFault, PhoneError};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{SealPublicKey, SealedStoreKey, StoreId};
use zeroize::Zeroizing;

/// The file, in the phone's folder.
pub(crate) const FILE: &str = "store-key";
const UNFINISHED: &str = "store-key.new";
/// More than any key store makes of 32 bytes.
const LIMIT: u64 = 16 * 1024;

/// The key; `None` where none was kept.
pub(crate) fn read(dir: &Path, host: &dyn HostKeys) -> Result<Option<DatabaseKey>, PhoneError> {
    let mut wrapped = Vec::new();
    match File::open(dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.and_then(|file| file.take(LIMIT).read_to_end(&mut wrapped)),
    }
    .map_err(PhoneError::Disk)?;
    let bytes = host.unwrap(HostKey::Store, &wrapped)?;
    let key = <&[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| HostKeysFault::Gone)?;
    Ok(Some(DatabaseKey::from_bytes(*key)))
}

/// Keeps it, durably.
pub(crate) fn keep(dir: &Path, key: &DatabaseKey, host: &dyn HostKeys) -> Result<(), PhoneError> {
    let wrapped = Zeroizing::new(host.wrap(HostKey::Store, key.expose())?);
    write(dir, FILE, UNFINISHED, &wrapped)
}

/// The same key sealed to headquarters, so that unsent records survive a host's key store that lost its own.
const SEALED: &str = "store-key.sealed";

/// Seals the key to headquarters beside the store, once for each seal key that is in use.
pub(crate) fn keep_for_headquarters(
    dir: &Path,
    host: &dyn HostKeys,
    store: StoreId,
    seal_key: &SealPublicKey,
) -> Result<(), PhoneError> {
    let kept = for_headquarters(dir).ok().flatten();
    if kept.is_some_and(|kept| kept.store == store && kept.seal_kid == seal_key.key_id()) {
        return Ok(());
    }
    let Some(key) = read(dir, host)? else {
        return Ok(());
    };
    let sealed =
        SealedStoreKey::seal(key.expose(), store, seal_key).map_err(PhoneError::Damaged)?;
    write(dir, SEALED, "store-key.sealed.new", &sealed.to_bytes())
}

/// What lies there for headquarters; `None` where there is none.
pub(crate) fn for_headquarters(dir: &Path) -> Result<Option<SealedStoreKey>, PhoneError> {
    let mut bytes = Vec::new();
    match File::open(dir.join(SEALED)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.and_then(|file| file.take(LIMIT).read_to_end(&mut bytes)),
    }
    .map_err(PhoneError::Disk)?;
    SealedStoreKey::read(&bytes)
        .map(Some)
        .map_err(PhoneError::Damaged)
}

/// Writes a small file whole or not at all.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    unfinished: &str,
    bytes: &[u8],
) -> Result<(), PhoneError> {
    let unfinished = dir.join(unfinished);
    File::create(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, dir.join(name)))
        .and_then(|()| sync_folder(dir))
        .map_err(disk)
}
