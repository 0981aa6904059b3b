//! Room that is kept for delivering: on a full disk a file is given up for it.
//!
//! SQLite needs room even to open (the index of its log has 32 KiB), and more to note what was delivered.
//! Without it a witness whose phone is full could neither read nor send what is saved. Captures never use it.

use super::Store;
use crate::PhoneError;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The file's name, in the phone's folder.
const FILE: &str = "reserve";
/// Its bytes: a request has at most 256 KiB of envelopes, and noting its receipts writes their pages to the
/// log; burning their readable copies writes up to twice as much, for freed pages are zeroed. The rest is for the
/// log's index, and for the database to grow by the receipts.
const BYTES: usize = 1024 * 1024;

/// Makes the reserve where it is not whole. Where there is no room for that, what fits stays if it is its own room
/// that is taken `back`; otherwise what room there is goes to what a witness saves. Returns whether it is whole.
fn keep(folder: &Path, back: bool) -> bool {
    let path = folder.join(FILE);
    let there = fs::metadata(&path).map_or(0, |file| file.len());
    let missing = BYTES.saturating_sub(usize::try_from(there).unwrap_or(BYTES));
    if missing == 0 {
        return true;
    }
    let mut bytes = vec![0; missing];
    // Zeros would take no room where a file system compresses.
    if getrandom::fill(&mut bytes).is_err() {
        return true;
    }
    let Ok(mut file) = OpenOptions::new().append(true).create(true).open(&path) else {
        return true;
    };
    match file.write_all(&bytes).and_then(|()| file.sync_all()) {
        Err(error) if is_full(error.kind()) => {
            if !back {
                let _ = file.set_len(there);
            }
            false
        }
        _ => true,
    }
}

/// Gives it up. Returns whether there was anything to give.
pub(super) fn give_up(folder: &Path) -> bool {
    fs::remove_file(folder.join(FILE)).is_ok()
}

pub(crate) fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

impl Store {
    /// Has the reserve whole, where there is room. Returns whether it is.
    pub(crate) fn keep_reserve(&self) -> bool {
        let whole = keep(&self.folder, self.gave_room.get());
        self.gave_room.set(self.gave_room.get() && !whole);
        whole
    }

    /// Gives the room of the reserve to what is to be noted. Returns whether there was any.
    pub(super) fn use_reserve(&self) -> Result<bool, PhoneError> {
        let given = give_up(&self.folder);
        if given {
            self.gave_room.set(true);
            self.spare_the_log()?;
        }
        Ok(given)
    }

    /// From now on what is noted leaves the log for the database at once, so that the log begins anew and does
    /// not use up the room.
    pub(super) fn spare_the_log(&self) -> Result<(), PhoneError> {
        self.db.pragma_update(None, "wal_autocheckpoint", 1)?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use testigo_sqlite::DatabaseKey;

    #[test]
    fn it_is_made_with_the_phone_and_made_whole_again() {
        let folder = tempfile::tempdir().unwrap();
        let key = DatabaseKey::from_bytes([7; 32]);
        let length = || fs::metadata(folder.path().join(FILE)).unwrap().len();
        let store = Store::create(folder.path(), &key).unwrap();
        assert_eq!(length(), BYTES as u64);
        assert!(store.use_reserve().unwrap());
        assert!(!store.use_reserve().unwrap());
        assert!(store.keep_reserve());
        assert_eq!(length(), BYTES as u64);
        // Whatever became of it.
        fs::write(folder.path().join(FILE), [1; 9]).unwrap();
        drop(store);
        Store::open(folder.path(), &key).unwrap();
        assert_eq!(length(), BYTES as u64);
    }
}
