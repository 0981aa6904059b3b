//! The terminal phone's stand-in for a phone's key store. **Unsafe**: whoever has the folder has the
//! key. It exists so that the core can be tried without a phone.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use testigo_phone::{DatabaseKey, Phone, PhoneError};

const FILE: &str = "unsafe-key";

/// Makes a key where there is none yet; an existing one is taken as it is, for a phone whose making
/// was interrupted.
pub fn create(home: &Path) -> Result<DatabaseKey, Failure> {
    Phone::make_folder(home).map_err(Failure::file(home))?;
    let path = home.join(FILE);
    if path.exists() || Phone::exists(home) {
        return read(home);
    }
    let key = DatabaseKey::random().map_err(PhoneError::from)?;
    // Beside it first: a key that was cut off would look like one.
    let unfinished = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // The file is the key store here, so it is what may see the bytes.
    (options.open(&unfinished))
        .and_then(|mut file| file.write_all(key.expose()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(Failure::file(&path))?;
    Ok(key)
}

/// Reads the key.
pub fn read(home: &Path) -> Result<DatabaseKey, Failure> {
    let path = home.join(FILE);
    if !path.exists() && !Phone::exists(home) {
        return Err(PhoneError::NoPhone.into());
    }
    if !path.exists() {
        return Err(Failure::said(
            format!(
                "{}: falta la llave de este teléfono; recupere el archivo. No se tocó nada.",
                path.display()
            ),
            format!(
                "{}: this phone's key is missing; restore the file. Nothing was touched.",
                path.display()
            ),
        ));
    }
    let mut bytes = Vec::with_capacity(33);
    File::open(&path)
        .and_then(|file| file.take(33).read_to_end(&mut bytes))
        .map_err(Failure::file(&path))?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| {
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
    })?;
    Ok(DatabaseKey::from_bytes(key))
}
