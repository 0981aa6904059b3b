//! Headquarters' embedded databases, ingest's and the desk's: the only place that speaks SQL
//! (`docs/adr/0006-two-databases.md`).

mod belief;
mod blobs;
mod copy;
mod custody;
mod decisions;
mod desk;
mod desk_schema;
mod ingest;
mod notices;
mod recover;
mod renew;
mod schema;
mod split;
mod views;

#[cfg(test)]
mod tests;

pub(crate) use blobs::{Begun, Brought, NamedFile, Upload};
pub(crate) use decisions::{Decided, DecisionRow, DeviceRow, Note, WaitingRow};
pub(crate) use desk::{Finding, Opened, Unopened};
pub(crate) use ingest::{Incoming, Keys, device, keep_enrolment, keep_envelope, receipt};
pub(crate) use notices::{Pen, notices};
pub(crate) use recover::{is_desk_sound, is_sound, salvage, salvage_desk};
pub(crate) use split::{name_desk, remove as remove_database};
pub use views::DeviceState;
pub(crate) use views::{IncidentRow, ReadingRow, Snapshot};

use crate::HqError;
use crate::capabilities::KnownCapability;
use crate::keys::Folder;
use notices::Owed;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use schema::{APPLICATION_ID, MIGRATIONS};
use std::path::Path;
use testigo_sqlite::{DatabaseKey, OpenError};
use testigo_wire::{ElectionId, Epoch, KeyId, RootId, TableId, VerifyingKey};

/// Who a headquarters is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub election: ElectionId,
    pub root: RootId,
    pub epoch: Epoch,
}

/// Ingest's database, to write in.
pub(crate) struct Store(Connection);

/// The desk's database to write in, ingest's beside it to read (as the schema `ingest`), and ingest's own connection. No
/// transaction ever writes both files: a power cut could keep one half of it.
pub(crate) struct DeskStore {
    desk: Connection,
    /// Last, so that its log is brought into the file when all are gone.
    ingest: Store,
    owed: Owed,
}

/// A connection that only reads: both databases, or one alone.
pub(crate) struct Reader(Connection);

fn fault(path: &Path) -> impl FnOnce(OpenError) -> HqError {
    move |source| HqError::Database {
        path: path.to_owned(),
        source,
    }
}

impl Store {
    /// Opens ingest's database. Where an earlier release kept the desk's tables in it they are moved first.
    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        split::split(folder)?;
        Self::open_file(&folder.database(), &folder.load_database()?)
    }

    /// Opens one that lies anywhere and that the desk's tables have left.
    pub(crate) fn open_file(path: &Path, key: &DatabaseKey) -> Result<Self, HqError> {
        testigo_sqlite::open(path, key, MIGRATIONS, APPLICATION_ID)
            .map(Self)
            .map_err(fault(path))
    }

    /// Closes it, so that all of it is in the one file.
    pub(crate) fn close(self, path: &Path) -> Result<(), HqError> {
        testigo_sqlite::finish(self.0).map_err(fault(path))
    }
}

impl DeskStore {
    /// Makes the databases of new headquarters; their keys are there.
    pub(crate) fn create(folder: &Folder, identity: &Identity) -> Result<(), HqError> {
        let (path, key) = (folder.desk_database(), folder.load_desk_database()?);
        begin(&path, &key)?;
        let (path, key) = (folder.database(), folder.load_database()?);
        let db = testigo_sqlite::open_or_create(&path, &key, MIGRATIONS, APPLICATION_ID)
            .map_err(fault(&path))?;
        db.execute(
            "INSERT INTO identity (one, election, root, epoch) VALUES (1, ?1, ?2, ?3)",
            params![identity.election.0, identity.root.0, identity.epoch.0],
        )?;
        Ok(())
    }

    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        let mut ingest = Store::open(folder)?;
        let (path, key) = (folder.desk_database(), folder.load_desk_database()?);
        let desk = testigo_sqlite::open(
            &path,
            &key,
            desk_schema::MIGRATIONS,
            desk_schema::APPLICATION_ID,
        )
        .map_err(fault(&path))?;
        attach_ingest(&desk, folder)?;
        desk.execute_batch(desk_schema::VIEWS)?;
        let epoch = Epoch::random().map_err(HqError::keys)?;
        ingest.number_behind(&desk, epoch)?;
        Ok(Self {
            desk,
            ingest,
            owed: Owed::default(),
        })
    }

    /// Ingest's database.
    pub(crate) fn ingest(&mut self) -> &mut Store {
        &mut self.ingest
    }

    /// A transaction on the desk's database, which holds its write lock from its beginning; ingest's is read as it is then.
    fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.desk
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }

    /// Keeps the public halves of capabilities, and where their witnesses were sent.
    pub(crate) fn add_capabilities(&mut self, known: &[KnownCapability]) -> rusqlite::Result<()> {
        // They are valid once ingest has them: by then the desk knows where to.
        let tx = self.begin()?;
        for known in known {
            assign(&tx, known)?;
        }
        tx.commit()?;
        let tx = self.ingest.begin()?;
        for known in known {
            add_capability(&tx, known)?;
        }
        tx.commit()
    }

    /// The rights to enrol, but those of which the name alone is left.
    pub(crate) fn capabilities(&self) -> rusqlite::Result<Vec<KnownCapability>> {
        let mut query = self.desk.prepare(
            "SELECT c.public_key, a.table_id, c.created_at, c.kid
             FROM capability c LEFT JOIN assignment a ON a.capability = c.kid",
        )?;
        let mut rows = query.query([])?;
        let mut known = Vec::new();
        while let Some(row) = rows.next()? {
            let table: Option<String> = row.get(1)?;
            let key = VerifyingKey::from_bytes(&row.get(0)?).ok();
            let kid = KeyId(row.get(3)?);
            if let Some(key) = key.filter(|key| key.key_id() == kid) {
                known.push(KnownCapability {
                    key,
                    table: table.and_then(|table| TableId::new(&table).ok()),
                    created_at: row.get(2)?,
                });
            }
        }
        Ok(known)
    }
}

/// Makes an empty database of the desk; what is there already stays.
fn begin(path: &Path, key: &DatabaseKey) -> Result<Connection, HqError> {
    testigo_sqlite::open_or_create(
        path,
        key,
        desk_schema::MIGRATIONS,
        desk_schema::APPLICATION_ID,
    )
    .map_err(fault(path))
}

/// Begins an empty database for the desk, under a new key where there is none.
pub(crate) fn begin_desk(folder: &Folder) -> Result<(), HqError> {
    let desk = begin(&folder.desk_database(), &folder.desk_database_key_or_new()?)?;
    testigo_sqlite::finish(desk).map_err(fault(&folder.desk_database()))
}

fn attach_ingest(desk: &Connection, folder: &Folder) -> Result<(), HqError> {
    let (path, key) = (folder.database(), folder.load_database()?);
    testigo_sqlite::attach_reader(desk, &path, &key, "ingest", APPLICATION_ID).map_err(fault(&path))
}

fn add_capability(db: &Connection, known: &KnownCapability) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO capability (kid, public_key, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![
            known.key.key_id().0,
            known.key.to_bytes(),
            known.created_at,
        ],
    )
    .map(drop)
}

fn assign(db: &Connection, known: &KnownCapability) -> rusqlite::Result<()> {
    let Some(table) = &known.table else {
        return Ok(());
    };
    db.execute(
        "INSERT INTO assignment (capability, table_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![known.key.key_id().0, table.as_str()],
    )
    .map(drop)
}

impl Reader {
    /// Both databases. Whatever the desk's says of an envelope, ingest's has it: the desk's is read first, and reads
    /// what is on ingest's disk already.
    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        if !folder.desk_database().exists() {
            drop(Store::open(folder)?);
        }
        let reader = Self::open_both(folder)?;
        let version = |schema| {
            (reader.0)
                .pragma_query_value(Some(schema), "user_version", |row| row.get::<_, usize>(0))
        };
        if version("main")? >= desk_schema::MIGRATIONS.len()
            && version("ingest")? >= MIGRATIONS.len()
        {
            return Ok(reader);
        }
        // An older release made it: who writes brings it up to date.
        drop((reader, DeskStore::open(folder)?));
        Self::open_both(folder)
    }

    fn open_both(folder: &Folder) -> Result<Self, HqError> {
        let reader = Self::of_desk(&folder.desk_database(), &folder.load_desk_database()?)?;
        attach_ingest(&reader.0, folder)?;
        // The file is open to be read only; this takes back that not even views can be made.
        reader.0.execute_batch("PRAGMA query_only = OFF;")?;
        reader.0.execute_batch(desk_schema::VIEWS)?;
        reader.0.execute_batch("PRAGMA query_only = ON;")?;
        Ok(reader)
    }

    /// Ingest's database alone, wherever it lies.
    pub(crate) fn of_ingest(path: &Path, key: &DatabaseKey) -> Result<Self, HqError> {
        testigo_sqlite::open_reader(path, key, APPLICATION_ID)
            .map(Self)
            .map_err(fault(path))
    }

    /// Whether the desk's tables have left this database of ingest's.
    pub(crate) fn has_split(&self) -> rusqlite::Result<bool> {
        let version: usize = self
            .0
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(version > schema::BEFORE_SPLIT)
    }

    /// The desk's database alone, wherever it lies.
    pub(crate) fn of_desk(path: &Path, key: &DatabaseKey) -> Result<Self, HqError> {
        testigo_sqlite::open_reader(path, key, desk_schema::APPLICATION_ID)
            .map(Self)
            .map_err(fault(path))
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
