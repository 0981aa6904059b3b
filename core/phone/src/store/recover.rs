//! A damaged store: what is readable is saved, the rest is kept beside it.

use super::{FILE, Store, UNFINISHED, schema, sync_folder};
use crate::PhoneError;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{DatabaseKey, OpenError, is_sound, open_reader, salvage, set_aside};

/// Who the phone is: without it nothing else of the store is of use to a phone.
const OWNER: &[&str] = &["device"];
/// Everything else, parents first.
const REST: &[&str] = &[
    "headquarters",
    "envelope",
    "history",
    "attachment",
    "setback",
    "sync",
];

/// What became of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where the damaged store is kept, with its logs. Nothing of it was deleted.
    pub aside: PathBuf,
    /// Records that are in the new store.
    pub records: u64,
    /// Places of the old store that could not be read; how much was there is not known.
    pub gaps: u64,
    /// Whether the phone is still the device that it was. If not, it must enrol anew, and what the old
    /// store held can only be got out by hand.
    pub same_device: bool,
}

impl Store {
    /// Whether a damaged store was set aside here once.
    pub(crate) fn has_aside(dir: &Path) -> bool {
        let aside = format!("{FILE}.aside-");
        let mut names = fs::read_dir(dir).into_iter().flatten().flatten();
        names.any(|entry| entry.file_name().to_string_lossy().starts_with(&aside))
    }

    pub(crate) fn recover(
        dir: &Path,
        key: &DatabaseKey,
        key_is_right: bool,
    ) -> Result<(Self, Recovered), PhoneError> {
        if !Self::exists(dir) {
            return Err(PhoneError::NoPhone);
        }
        let path = dir.join(FILE);
        match open_reader(&path, key, schema::APPLICATION_ID).map(drop) {
            Ok(()) if is_sound(&path, key)? => return Err(PhoneError::NotDamaged),
            Ok(()) => {}
            Err(OpenError::WrongKey) if key_is_right => {}
            Err(
                OpenError::Corrupt
                | OpenError::LogWithoutDatabase
                | OpenError::Missing
                | OpenError::Foreign { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
        // The new store first: a power cut at any moment leaves the old one, or both.
        let unfinished = dir.join(UNFINISHED);
        let copy = |tables| {
            let id = schema::APPLICATION_ID;
            salvage(
                &path,
                &unfinished,
                key,
                schema::MIGRATIONS,
                id,
                tables,
                |_| Ok(()),
            )
        };
        let owner = copy(OWNER)?;
        let same_device = owner.rows == 1;
        let mut gaps = owner.gaps;
        if same_device {
            gaps += copy(REST)?.gaps;
        }
        let aside = set_aside(&path).map_err(PhoneError::Disk)?;
        let store = match same_device {
            true => {
                fs::rename(&unfinished, &path)
                    .and_then(|()| sync_folder(dir))
                    .map_err(PhoneError::Disk)?;
                Self::open(dir, key)?
            }
            false => Self::create(dir, key)?,
        };
        let records = store.count()?;
        let recovered = Recovered {
            aside,
            records,
            gaps,
            same_device,
        };
        Ok((store, recovered))
    }

    fn count(&self) -> Result<u64, PhoneError> {
        let count = "SELECT count(*) FROM envelope";
        let count: i64 = self.db.query_row(count, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}
