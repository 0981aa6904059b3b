//! A damaged database of headquarters.

use super::ingest::keep_device;
use super::schema::{APPLICATION_ID, ENROLMENT, MIGRATIONS};
use super::{Store, fault};
use crate::HqError;
use crate::hex;
use rusqlite::{Transaction, params};
use std::collections::BTreeSet;
use std::path::Path;
use testigo_sqlite::{DatabaseKey, OpenError, Salvaged, open_reader};
use testigo_wire::{Enrolment, Epoch};

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
    testigo_sqlite::salvage(
        path,
        new,
        key,
        MIGRATIONS,
        APPLICATION_ID,
        TABLES,
        find_devices,
    )
    .map_err(fault(path))
}

/// Devices that were lost, out of the enrolments that were kept: without its device no envelope can be kept. A
/// capability that was lost is a row of that name whose key signs nothing: its phones go on, and no other can be
/// enrolled under it.
fn find_devices(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    // The enrolment may be lost and the device not: then its first envelope stands for it.
    tx.execute(
        "UPDATE OR IGNORE device SET enrolment = (SELECT min(id) FROM arrival WHERE device = kid)
         WHERE enrolment NOT IN (SELECT id FROM arrival)",
        [],
    )?;
    let mut query = tx.prepare("SELECT id, bytes, received_at FROM arrival WHERE kind = ?1")?;
    let mut rows = query.query([ENROLMENT])?;
    while let Some(row) = rows.next()? {
        let bytes: Option<Vec<u8>> = row.get(1)?;
        // Its signature was checked before it was kept.
        if let Some(Ok(enrolment)) = bytes.map(|bytes| Enrolment::parse(&bytes)) {
            let capability = enrolment.capability();
            tx.execute(
                "INSERT OR IGNORE INTO capability (kid, public_key, created_at) VALUES (?1, zeroblob(32), ?2)",
                params![capability.0, row.get::<_, i64>(2)?],
            )?;
            keep_device(tx, &enrolment.from_kept(), capability, row.get(0)?)?;
        }
    }
    Ok(())
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
