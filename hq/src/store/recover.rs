//! A damaged database of headquarters.

use super::schema::{APPLICATION_ID, MIGRATIONS};
use super::{Store, fault};
use crate::HqError;
use crate::hex;
use std::collections::BTreeSet;
use std::path::Path;
use testigo_sqlite::{DatabaseKey, OpenError, Salvaged, open_reader};
use testigo_wire::Epoch;

/// What cannot be found out anew, parents first. The desk's findings follow from it.
const TABLES: &[&str] = &[
    "identity",
    "capability",
    "arrival",
    "device",
    "named_blob",
    "blob",
    "copy",
    "safe",
];

/// Whether the database can be read from the first to the last page.
pub(crate) fn is_sound(path: &Path, key: &DatabaseKey) -> Result<bool, OpenError> {
    drop(open_reader(path, key, APPLICATION_ID)?);
    testigo_sqlite::is_sound(path, key)
}

/// Copies what can be read into a database at `new`.
pub(crate) fn salvage(path: &Path, new: &Path, key: &DatabaseKey) -> Result<Salvaged, HqError> {
    testigo_sqlite::salvage(path, new, key, MIGRATIONS, APPLICATION_ID, TABLES).map_err(fault(path))
}

impl Store {
    /// Opens a database that lies anywhere.
    pub(crate) fn open_file(path: &Path, key: &DatabaseKey) -> Result<Self, HqError> {
        testigo_sqlite::open(path, key, MIGRATIONS, APPLICATION_ID)
            .map(Self)
            .map_err(fault(path))
    }

    /// Whether it says whose it is.
    pub(crate) fn has_identity(&self) -> rusqlite::Result<bool> {
        self.0.prepare("SELECT 1 FROM identity")?.exists([])
    }

    /// Begins a new run in which the attachments of this folder are held.
    pub(crate) fn begin_again_with_files(
        &mut self,
        epoch: Epoch,
        blobs: &Path,
    ) -> Result<(), HqError> {
        let entries = std::fs::read_dir(blobs).into_iter().flatten().flatten();
        let held: BTreeSet<[u8; 32]> = entries
            .filter_map(|entry| hex::bytes(entry.file_name().to_str()?))
            .collect();
        self.begin_again(epoch, &held)
    }

    /// Closes it, so that all of it is in the one file.
    pub(crate) fn close(self) -> Result<(), HqError> {
        self.0.close().map_err(|(_, error)| error.into())
    }
}
