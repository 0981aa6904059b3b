//! Damaged databases of headquarters.

use super::blobs::keep_names;
use super::ingest::keep_device;
use super::schema::{APPLICATION_ID, BEFORE_SPLIT, ENROLMENT, ENVELOPE, MIGRATIONS};
use super::{Identity, Store, add_capability, assign, desk_schema, fault};
use crate::HqError;
use crate::capabilities::KnownCapability;
use crate::keys::Folder;
use rusqlite::{Transaction, params};
use std::path::Path;
use testigo_sqlite::{DatabaseKey, OpenError, Salvaged};
use testigo_wire::{BlobRef, Enrolment, Envelope, TableId};

/// What cannot be found out anew. The names of attachments follow from envelopes, and the desk's findings from both.
const TABLES: &[&str] = &[
    "identity",
    "capability",
    "arrival",
    "device",
    "blob",
    "copy",
    "safe",
    "decision",
];
/// The same of the desk's.
const DESK_TABLES: &[&str] = &["assignment", "decision"];

/// Whether ingest's database can be read from the first to the last page.
pub(crate) fn is_sound(path: &Path, key: &DatabaseKey) -> Result<bool, OpenError> {
    testigo_sqlite::is_sound(path, key, APPLICATION_ID)
}

/// The same of the desk's.
pub(crate) fn is_desk_sound(path: &Path, key: &DatabaseKey) -> Result<bool, OpenError> {
    testigo_sqlite::is_sound(path, key, desk_schema::APPLICATION_ID)
}

/// Copies what can be read of ingest's database into one at `new`, which is of `identity` where the old one does not say
/// of whom. Where the desk's rows lie in it still, as in earlier releases, so they do in the new one.
pub(crate) fn salvage(
    folder: &Folder,
    new: &Path,
    key: &DatabaseKey,
    identity: &Identity,
    capabilities: &[KnownCapability],
) -> Result<Salvaged, HqError> {
    let path = folder.database();
    let split = folder.desk_database().exists();
    let find_more = |tx: &Transaction<'_>| {
        tx.execute(
            "INSERT OR IGNORE INTO identity (one, election, root, epoch) VALUES (1, ?1, ?2, ?3)",
            params![identity.election.0, identity.root.0, identity.epoch.0],
        )?;
        for known in capabilities {
            add_capability(tx, known)?;
            if !split {
                tx.execute(
                    "UPDATE capability SET assigned_table = ?2 WHERE kid = ?1",
                    params![
                        known.key.key_id().0,
                        known.table.as_ref().map(TableId::as_str)
                    ],
                )?;
            }
        }
        find_devices(tx)?;
        find_names(tx)
    };
    let migrations = match split {
        true => MIGRATIONS,
        false => MIGRATIONS.get(..BEFORE_SPLIT).unwrap_or_default(),
    };
    // The new one has no table of decisions where they are the desk's.
    let tables: Vec<&str> = (TABLES.iter().copied())
        .filter(|table| !split || *table != "decision")
        .collect();
    testigo_sqlite::salvage(
        &path,
        new,
        key,
        migrations,
        APPLICATION_ID,
        &tables,
        find_more,
    )
    .map_err(fault(&path))
}

/// Copies what can be read of the desk's database into one at `new`: what people decided, and where witnesses were sent.
/// It opens every envelope anew.
pub(crate) fn salvage_desk(
    folder: &Folder,
    new: &Path,
    key: &DatabaseKey,
    capabilities: &[KnownCapability],
) -> Result<Salvaged, HqError> {
    let path = folder.desk_database();
    let find_more = |tx: &Transaction<'_>| {
        for known in capabilities {
            assign(tx, known)?;
        }
        Ok(())
    };
    testigo_sqlite::salvage(
        &path,
        new,
        key,
        desk_schema::MIGRATIONS,
        desk_schema::APPLICATION_ID,
        DESK_TABLES,
        find_more,
    )
    .map_err(fault(&path))
}

impl Store {
    /// A database that [`salvage`] made.
    pub(crate) fn open_salvaged(
        folder: &Folder,
        path: &Path,
        key: &DatabaseKey,
    ) -> Result<Self, HqError> {
        let migrations = match folder.desk_database().exists() {
            true => MIGRATIONS,
            false => MIGRATIONS.get(..BEFORE_SPLIT).unwrap_or_default(),
        };
        testigo_sqlite::open(path, key, migrations, APPLICATION_ID)
            .map(Self)
            .map_err(fault(path))
    }
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
            keep_device(tx, &enrolment.kept(), capability, row.get(0)?)?;
        }
    }
    Ok(())
}

/// Names of attachments, which envelopes have in clear.
fn find_names(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut query = tx.prepare("SELECT id, bytes FROM arrival WHERE kind = ?1")?;
    let mut rows = query.query([ENVELOPE])?;
    while let Some(row) = rows.next()? {
        let bytes: Option<Vec<u8>> = row.get(1)?;
        // The signature was checked before it was kept.
        if let Some(Ok(envelope)) = bytes.map(|bytes| Envelope::parse(&bytes)) {
            keep_names(tx, row.get(0)?, envelope.blobs())?;
        }
    }
    Ok(())
}

/// An attachment that should be here one day, or is.
pub(crate) struct File {
    pub blob: BlobRef,
    /// When the first record arrived that names it, in milliseconds since the Unix epoch.
    pub named_at: i64,
    /// Whether it was received whole.
    pub held: bool,
}

impl Store {
    /// The attachments that envelopes name or that are held.
    pub(crate) fn files(&self) -> rusqlite::Result<Vec<File>> {
        self.0
            .prepare(
                "SELECT sha256, size,
                        (SELECT min(a.received_at) FROM named_blob n JOIN arrival a ON a.id = n.arrival
                         WHERE n.sha256 = f.sha256 AND n.size = f.size),
                        EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = f.sha256 AND b.size = f.size)
                 FROM (SELECT sha256, size FROM named_blob UNION SELECT sha256, size FROM blob) f",
            )?
            .query_map([], |row| {
                Ok(File {
                    blob: BlobRef {
                        sha256: row.get(0)?,
                        size: row.get::<_, i64>(1)?.unsigned_abs(),
                    },
                    named_at: row.get::<_, Option<i64>>(2)?.unwrap_or(0),
                    held: row.get(3)?,
                })
            })?
            .collect()
    }
}
