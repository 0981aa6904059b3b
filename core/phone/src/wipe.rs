//! Wiping: the keys first, then the files.
//!
//! A marker on the disk comes before all else: where wiping is interrupted, whoever opens the phone next goes on with
//! it. Once the keys are gone nothing that flash may still hold can be read.

use crate::error::disk;
use crate::store::sync_folder;
use crate::{HostKey, HostKeys, HostKeysFault, Phone, PhoneError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Wiping has begun here.
const MARKER: &str = "wiping";
/// How much of a file's beginning is written over: the whole of a wrapped key, and the salt of a store.
const BEGINNING: u64 = 4096;

/// What a wipe destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wiped {
    /// Records that headquarters had not signed for.
    pub undelivered_records: u64,
    /// Their files, and those of other records.
    pub undelivered_files: u64,
}

impl Phone {
    /// Destroys this phone: its keys in the host's key store first, then whatever is in its folder. Look at
    /// [`Phone::outbox`] before: what was not delivered is lost. Where it is interrupted, the next opening goes on.
    ///
    /// A host that keeps the store's key itself must destroy it, too.
    ///
    /// # Errors
    /// [`PhoneError::HostKeys`] where a key may still be there, [`PhoneError::Disk`] where a file is: the next opening
    /// tries again.
    pub fn wipe(&mut self) -> Result<Wiped, PhoneError> {
        // A store that cannot be read is no reason to keep it.
        let outbox = self.outbox().unwrap_or_default();
        self.opened = None;
        self.hq = None;
        let folder = self.store.folder().to_owned();
        let keys = destroy_keys(&folder, self.host.as_deref());
        self.store.let_go()?;
        remove_files(&folder, keys)?;
        Ok(Wiped {
            undelivered_records: outbox.queued + outbox.parked,
            undelivered_files: outbox.attachments_queued,
        })
    }

    /// The same for a phone that does not open, with no [`Phone`] open on it.
    ///
    /// # Errors
    /// As [`Phone::wipe`].
    pub fn wipe_folder(dir: &Path, host: Option<&dyn HostKeys>) -> Result<(), PhoneError> {
        let keys = destroy_keys(dir, host);
        remove_files(dir, keys)
    }

    /// Whether a wipe of this folder was begun and not finished: the next opening does that.
    pub fn is_being_wiped(dir: &Path) -> bool {
        dir.join(MARKER).exists()
    }

    /// Goes on with a wipe that was interrupted. Returns whether there was one.
    pub(crate) fn finish_wipe(dir: &Path, host: Option<&dyn HostKeys>) -> Result<bool, PhoneError> {
        let begun = Self::is_being_wiped(dir);
        if begun {
            Self::wipe_folder(dir, host)?;
        }
        Ok(begun)
    }
}

fn destroy_keys(dir: &Path, host: Option<&dyn HostKeys>) -> Result<(), HostKeysFault> {
    // On a disk without room for a name more, what follows is done all the same.
    let _ = File::create(dir.join(MARKER))
        .and_then(|file| file.sync_all())
        .and_then(|()| sync_folder(dir));
    let destroyed = HostKey::ALL.map(|key| host.map_or(Ok(()), |host| host.destroy(key)));
    destroyed.into_iter().collect()
}

fn remove_files(dir: &Path, keys: Result<(), HostKeysFault>) -> Result<(), PhoneError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(keys?),
        entries => entries.map_err(disk)?,
    };
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_ours(name))
        .collect();
    // Wrapped keys first.
    names.sort_by_key(|name| (!name.starts_with(crate::store_key::FILE), name.clone()));
    let mut failed = None;
    for name in names {
        let path = dir.join(name);
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => write_over(&path).and_then(|()| fs::remove_file(&path)),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => failed = Some(error),
            _ => {}
        }
    }
    sync_folder(dir).map_err(disk)?;
    if let Some(error) = failed {
        return Err(disk(error));
    }
    keys?;
    match fs::remove_file(dir.join(MARKER)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk(error)),
        _ => sync_folder(dir).map_err(disk),
    }
}

/// Whether a name in the folder is of the phone's making.
fn is_ours(name: &str) -> bool {
    name.starts_with("phone.db")
        || name.starts_with(crate::store_key::FILE)
        || matches!(name, "blobs" | "reserve")
}

/// Writes over the beginning of a file, durably.
fn write_over(path: &Path) -> io::Result<()> {
    let length = fs::metadata(path)?.len().min(BEGINNING);
    let mut noise = vec![0; usize::try_from(length).unwrap_or(0)];
    // Without randomness zeros do as well.
    let _ = getrandom::fill(&mut noise);
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&noise)?;
    file.sync_all()
}
