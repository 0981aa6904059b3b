//! Headquarters' embedded database: the only place that speaks SQL.

mod blobs;
mod copy;
mod custody;
mod decisions;
mod desk;
mod ingest;
mod notices;
mod recover;
mod renew;
mod schema;
mod views;

pub(crate) use blobs::{Begun, Brought, NamedFile, Upload};
pub(crate) use decisions::{Decided, DecisionRow, DeviceRow, Note, WaitingRow};
pub(crate) use desk::{Finding, Opened, Unopened};
pub(crate) use ingest::{Incoming, Keys, device, keep_enrolment, keep_envelope, receipt};
pub(crate) use notices::{Pen, notices};
pub(crate) use recover::{is_sound, salvage};
pub use views::DeviceState;
pub(crate) use views::{IncidentRow, ReadingRow, Snapshot};

use crate::HqError;
use crate::capabilities::KnownCapability;
use crate::keys::Folder;
use rusqlite::{Connection, OptionalExtension, params};
use schema::{APPLICATION_ID, MIGRATIONS};
use std::path::Path;
use testigo_sqlite::{DatabaseKey, OpenError};
use testigo_wire::{ElectionId, Epoch, RootId, TableId};

/// Who a headquarters is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub election: ElectionId,
    pub root: RootId,
    pub epoch: Epoch,
}

/// A connection that writes.
pub(crate) struct Store(Connection);

/// A connection that only reads.
pub(crate) struct Reader(Connection);

fn fault(path: &Path) -> impl FnOnce(OpenError) -> HqError {
    move |source| HqError::Database {
        path: path.to_owned(),
        source,
    }
}

impl Store {
    /// Makes the database of new headquarters.
    pub(crate) fn create(
        path: &Path,
        key: &DatabaseKey,
        identity: &Identity,
    ) -> Result<(), HqError> {
        let db = testigo_sqlite::open_or_create(path, key, MIGRATIONS, APPLICATION_ID)
            .map_err(fault(path))?;
        db.execute(
            "INSERT INTO identity (one, election, root, epoch) VALUES (1, ?1, ?2, ?3)",
            params![identity.election.0, identity.root.0, identity.epoch.0],
        )?;
        Ok(())
    }

    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        Self::open_file(&folder.database(), &folder.load_database()?)
    }

    /// Keeps the public halves of capabilities, all or none.
    pub(crate) fn add_capabilities(&mut self, known: &[KnownCapability]) -> rusqlite::Result<()> {
        let tx = self.begin()?;
        for known in known {
            add_capability(&tx, known)?;
        }
        tx.commit()
    }
}

fn add_capability(db: &Connection, known: &KnownCapability) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO capability (kid, public_key, assigned_table, created_at)
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![
            known.key.key_id().0,
            known.key.to_bytes(),
            known.table.as_ref().map(TableId::as_str),
            known.created_at,
        ],
    )
    .map(drop)
}

impl Reader {
    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        let (path, key) = (folder.database(), folder.load_database()?);
        let reader = Self::open_file(&path, &key)?;
        let version =
            (reader.0).pragma_query_value(None, "user_version", |row| row.get::<_, usize>(0))?;
        if version >= MIGRATIONS.len() {
            return Ok(reader);
        }
        // An older release made it: who writes brings it up to date.
        drop((reader, Store::open(folder)?));
        Self::open_file(&path, &key)
    }

    pub(crate) fn identity(&self) -> rusqlite::Result<Option<Identity>> {
        self.0
            .query_row("SELECT election, root, epoch FROM identity", [], |row| {
                Ok(Identity {
                    election: ElectionId(row.get(0)?),
                    root: RootId(row.get(1)?),
                    epoch: Epoch(row.get(2)?),
                })
            })
            .optional()
    }
}
