//! The phone's encrypted store: what is saved lives here and nowhere else.

mod attachments;
mod courier;
mod history;
mod lock;
mod notices;
mod outbox;
mod recover;
mod reserve;
mod schema;
mod sync;

pub(crate) use attachments::DueFile;
pub(crate) use history::{HistoryKeys, Part, aad};
pub(crate) use lock::LockRow;
pub use recover::Recovered;
pub(crate) use reserve::is_full;
pub(crate) use sync::LastPass;

use crate::{Delivery, PhoneError};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use testigo_sqlite::{DatabaseKey, OpenError};
use testigo_wire::{
    Body, Deferral, Eid, Envelope, Epoch, Lane, Notice, Receipt, RootId, SigningKey, StoreId, Time,
    WireError,
};
use zeroize::Zeroizing;

const FILE: &str = "phone.db";
/// A store that is being made; once it is whole it gets its name, so that what has the name is whole.
const UNFINISHED: &str = "phone.db.new";
/// Pages in the log from which on they go into the database.
const LOG_PAGES: u32 = 256;

/// The open store.
pub(crate) struct Store {
    db: Connection,
    folder: PathBuf,
    /// The reserve was given up and is not whole again.
    gave_room: Cell<bool>,
}

/// Who this phone is.
pub(crate) struct Device {
    seed: Zeroizing<[u8; 32]>,
    pub store_id: StoreId,
    pub last_hq_time: Option<Time>,
}

/// Which headquarters it belongs to, as signed bytes.
pub(crate) struct Headquarters {
    pub root: RootId,
    pub keyset: Vec<u8>,
    pub pack: Option<Vec<u8>>,
    pub assigned_table: Option<String>,
    pub enrolment: Vec<u8>,
    pub enrolment_receipt: Option<Vec<u8>>,
}

/// A row of the outbox on its way.
pub(crate) struct Row {
    pub sequence: i64,
    pub lane: Lane,
    pub bytes: Vec<u8>,
}

/// What the outbox knows of one saved record.
pub(crate) struct Kept {
    pub sequence: i64,
    /// Nobody but its witness is to see that it is there.
    pub quiet: bool,
    /// The readable copy, and what a duress PIN shows of it; neither where there is none, or none any more.
    pub whole: Option<Vec<u8>>,
    pub harmless: Option<Vec<u8>>,
    pub state: i64,
    pub receipt: Option<Vec<u8>>,
    /// Attachments that headquarters has not signed for.
    pub files_left: u64,
    pub notice: Option<Vec<u8>>,
    pub safe: bool,
    /// Why headquarters has not taken it, where it said so.
    pub deferral: Option<Deferral>,
}

/// What verified receipts changed, of what is shown.
#[derive(Default)]
pub(crate) struct Settled {
    /// Records that headquarters has, as the phone did not know.
    pub received: u64,
    /// Records that headquarters refused.
    pub parked: u64,
    /// Receipts of what was settled before.
    pub known: u64,
}

impl Settled {
    /// Notes a receipt for a record.
    pub(crate) fn take(
        &mut self,
        tx: &Transaction<'_>,
        receipt: &Receipt,
        bytes: &[u8],
    ) -> Result<(), PhoneError> {
        match (
            Store::settle(tx, receipt, bytes)?,
            receipt.code.is_refusal(),
        ) {
            (Some(quiet), false) => self.received += u64::from(!quiet),
            (Some(quiet), true) => self.parked += u64::from(!quiet),
            (None, _) => self.known += 1,
        }
        Ok(())
    }
}

impl Device {
    /// What the device's key is made of.
    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The device's key. It is worked out anew each time, which costs as much as a signature.
    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed)
    }
}

impl Store {
    /// Makes a new store with a fresh device key; an existing one is left as it is.
    pub(crate) fn create(dir: &Path, key: &DatabaseKey) -> Result<Self, PhoneError> {
        let path = dir.join(FILE);
        if Self::exists(dir) {
            return Err(PhoneError::PhoneExists);
        }
        make_folder(dir).map_err(|error| folder_refused(dir, &error))?;
        let unfinished = dir.join(UNFINISHED);
        let mut store = Self {
            db: testigo_sqlite::open_or_create(
                &unfinished,
                key,
                schema::MIGRATIONS,
                schema::APPLICATION_ID,
            )?,
            folder: dir.to_owned(),
            gave_room: false.into(),
        };
        let (seed, store_id) = (SigningKey::random()?.seed(), StoreId::random()?);
        store.write(|tx| {
            // One that an interrupted making left there has nothing saved under it and is taken on.
            tx.execute(
                "INSERT INTO device (id, seed, store_id) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
                params![seed.as_slice(), store_id.0],
            )?;
            Ok(())
        })?;
        // Closing brings the write-ahead log into the file; only then may the file be moved.
        testigo_sqlite::finish(store.db)?;
        std::fs::rename(&unfinished, &path)
            .and_then(|()| sync_folder(dir))
            .map_err(OpenError::Io)?;
        Self::open(dir, key)
    }

    /// Whether a store is there, or what is left of one: its log alone may hold what was saved last.
    pub(crate) fn exists(dir: &Path) -> bool {
        ["", "-wal", "-journal"]
            .iter()
            .any(|suffix| dir.join(format!("{FILE}{suffix}")).exists())
    }

    /// Opens the store that is there.
    pub(crate) fn open(dir: &Path, key: &DatabaseKey) -> Result<Self, PhoneError> {
        let path = dir.join(FILE);
        if !Self::exists(dir) {
            return Err(PhoneError::NoPhone);
        }
        let open = || testigo_sqlite::open(&path, key, schema::MIGRATIONS, schema::APPLICATION_ID);
        let mut gave_room = false;
        let db = match open() {
            Err(OpenError::DiskFull) if reserve::give_up(dir) => {
                gave_room = true;
                open()?
            }
            opened => opened?,
        };
        // What is in the log has no room in the database yet: it must not become more than the reserve has.
        db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        let store = Self {
            db,
            folder: dir.to_owned(),
            gave_room: gave_room.into(),
        };
        if !store.keep_reserve() {
            store.spare_the_log()?;
        }
        if store.lock_has_pin()? {
            store.wipe_memory();
        }
        Ok(store)
    }

    /// From now on what SQLite gives back is written over first, as the program's own allocator does. It locks and
    /// unlocks memory at every turn, which doubles what the store costs: without a PIN nothing is gained by it, for
    /// whoever has the phone reads what it keeps.
    pub(crate) fn wipe_memory(&self) {
        let wipes = "PRAGMA cipher_memory_security = ON";
        let _ = self.db.query_row(wipes, [], |_| Ok(())).optional();
    }

    /// Closes the store, and its key is forgotten; nothing can be saved or read any more.
    pub(crate) fn let_go(&mut self) -> Result<(), PhoneError> {
        self.db = Connection::open_in_memory()?;
        Ok(())
    }

    /// The phone's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts something new on the disk, as [`Store::write`] does, but never into the reserve.
    pub(crate) fn save<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, PhoneError>,
    ) -> Result<T, PhoneError> {
        self.keep_reserve();
        self.write(work)
    }

    /// Notes what became of something saved, as [`Store::write`] does, where nothing else helps with the room
    /// of the reserve: then the work is done twice, the first time for nothing.
    pub(crate) fn note<T>(
        &mut self,
        mut work: impl FnMut(&Transaction<'_>) -> Result<T, PhoneError>,
    ) -> Result<T, PhoneError> {
        match self.write(&mut work) {
            Err(PhoneError::StorageFull) if self.use_reserve()? => self.write(work),
            done => done,
        }
    }

    /// One transaction that takes the write lock at its start and is durable when this returns.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, PhoneError>,
    ) -> Result<T, PhoneError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        Ok(value)
    }

    pub(crate) fn device(&self) -> Result<Device, PhoneError> {
        self.db
            .prepare_cached("SELECT seed, store_id, hq_millis, hq_offset_minutes FROM device")?
            .query_row([], |row| {
                let hq: Option<i64> = row.get(2)?;
                let offset: Option<i32> = row.get(3)?;
                Ok(Device {
                    seed: Zeroizing::new(row.get(0)?),
                    store_id: StoreId(row.get(1)?),
                    last_hq_time: hq.and_then(|ms| Time::from_millis(ms, offset.unwrap_or(0))),
                })
            })
            .optional()?
            .ok_or(PhoneError::NoPhone)
    }

    pub(crate) fn headquarters(&self) -> Result<Option<Headquarters>, PhoneError> {
        let row = self.db.query_row(
            "SELECT root, keyset, pack, assigned_table, enrolment, enrolment_receipt
             FROM headquarters",
            [],
            |row| {
                Ok(Headquarters {
                    root: RootId(row.get(0)?),
                    keyset: row.get(1)?,
                    pack: row.get(2)?,
                    assigned_table: row.get(3)?,
                    enrolment: row.get(4)?,
                    enrolment_receipt: row.get(5)?,
                })
            },
        );
        Ok(row.optional()?)
    }

    /// Enrols, or enrols anew with the same headquarters where they do not know the earlier code.
    pub(crate) fn keep_headquarters(&mut self, hq: &Headquarters) -> Result<(), PhoneError> {
        let unknown_code = Deferral::UNKNOWN_CAPABILITY.0;
        self.write(|tx| {
            let rows = tx.execute(
                "INSERT INTO headquarters (id, root, keyset, pack, assigned_table, enrolment)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET assigned_table = excluded.assigned_table,
                     enrolment = excluded.enrolment, enrolment_receipt = NULL
                 WHERE root = excluded.root
                   AND EXISTS (SELECT 1 FROM deferral WHERE sequence = ?6 AND code = ?7)",
                params![
                    hq.root.0,
                    hq.keyset,
                    hq.pack,
                    hq.assigned_table,
                    hq.enrolment,
                    sync::ENROLMENT,
                    unknown_code,
                ],
            )?;
            if rows == 0 {
                return Err(PhoneError::AlreadyEnrolled);
            }
            Self::defer_enrolment(tx, None)
        })
    }

    /// Notes a verified receipt; where it changed anything, returns whether that is of a quiet record.
    fn settle(
        tx: &Transaction<'_>,
        receipt: &Receipt,
        bytes: &[u8],
    ) -> Result<Option<bool>, PhoneError> {
        let state = if receipt.code.is_refusal() { 2 } else { 1 };
        let changed = tx
            .prepare_cached(
                "UPDATE envelope SET state = ?1, receipt = ?2 WHERE eid = ?3 AND state = 0
                 RETURNING quiet",
            )?
            .query_row(params![state, bytes, receipt.eid.0], |row| row.get(0))
            .optional()?;
        Self::burn(tx, receipt.eid)?;
        Self::taken(tx, receipt.eid)?;
        Self::settle_contact(tx, receipt.received_at)?;
        Ok(changed)
    }

    /// Notes a time that headquarters signed.
    pub(crate) fn settle_contact(tx: &Transaction<'_>, at: Time) -> Result<(), PhoneError> {
        tx.execute(
            "UPDATE device SET hq_millis = ?1, hq_offset_minutes = ?2
             WHERE hq_millis IS NULL OR hq_millis < ?1",
            params![at.millis(), at.offset_minutes()],
        )?;
        Ok(())
    }

    /// Notes what became of the enrolment; `None` has it sent again.
    pub(crate) fn settle_enrolment(
        tx: &Transaction<'_>,
        receipt: Option<&[u8]>,
    ) -> Result<(), PhoneError> {
        tx.execute("UPDATE headquarters SET enrolment_receipt = ?1", [receipt])?;
        Self::defer_enrolment(tx, None)
    }

    /// Notes which run of headquarters' store answered. Where it is another than before, that store was
    /// restored from a backup: whatever is not safe waits again. Returns whether it was another.
    pub(crate) fn settle_epoch(tx: &Transaction<'_>, epoch: Epoch) -> Result<bool, PhoneError> {
        let known: Option<[u8; 16]> =
            tx.query_row("SELECT epoch FROM headquarters", [], |row| row.get(0))?;
        if known == Some(epoch.0) {
            return Ok(false);
        }
        tx.execute("UPDATE headquarters SET epoch = ?1, heard = 0", [epoch.0])?;
        if known.is_none() {
            return Ok(false);
        }
        tx.execute(
            "UPDATE attachment SET receipt = NULL, upload = NULL
             WHERE sequence IN (SELECT sequence FROM envelope WHERE state = 1 AND safe = 0)",
            [],
        )?;
        tx.execute(
            "UPDATE envelope SET state = 0, receipt = NULL WHERE state = 1 AND safe = 0",
            [],
        )?;
        tx.execute("DELETE FROM setback", [])?;
        tx.execute("DELETE FROM deferral", [])?;
        tx.execute("UPDATE headquarters SET enrolment_receipt = NULL", [])?;
        Ok(true)
    }

    /// The latest sequence number given; 0 before the first.
    pub(crate) fn last_sequence(&self) -> Result<i64, PhoneError> {
        Ok(self
            .db
            .query_row("SELECT last_sequence FROM device", [], |row| row.get(0))?)
    }
}

/// Makes a folder that nobody but its owner looks into; one that is there keeps its permissions.
pub(crate) fn make_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

pub(crate) fn folder_refused(dir: &Path, error: &std::io::Error) -> PhoneError {
    let dir = dir.display();
    PhoneError::input(
        "directory",
        format!("{dir} no se puede crear ({error})"),
        format!("{dir} cannot be made ({error})"),
        format!("{dir} não pode ser criado ({error})"),
    )
}

/// Makes a rename inside a folder durable.
pub(crate) fn sync_folder(dir: &Path) -> std::io::Result<()> {
    // Windows cannot open a folder as a file and needs no such step.
    if cfg!(windows) {
        return Ok(());
    }
    std::fs::File::open(dir)?.sync_all()
}

/// Allocates the next sequence number inside a capture's transaction.
pub(crate) fn next_sequence(tx: &Transaction<'_>) -> Result<u64, PhoneError> {
    let next: i64 = tx.query_row(
        "UPDATE device SET last_sequence = last_sequence + 1 RETURNING last_sequence",
        [],
        |row| row.get(0),
    )?;
    Ok(next.unsigned_abs())
}

/// Puts a sealed record into the store.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    envelope: &Envelope,
    body: &Body,
    quiet: bool,
) -> Result<(), PhoneError> {
    let sequence = i64::try_from(body.sequence).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO envelope (sequence, eid, lane, bytes, quiet) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            sequence,
            envelope.eid().0,
            body.lane.0,
            envelope.as_bytes(),
            quiet
        ],
    )?;
    attachments::insert(tx, sequence, &body.attachments)
}

impl Kept {
    /// What became of it; its receipt was verified before it was kept.
    pub(crate) fn delivery(&self) -> Result<Delivery, WireError> {
        let Some(receipt) = &self.receipt else {
            return Ok(Delivery::Queued);
        };
        let receipt = Receipt::from_kept(receipt)?;
        Ok(match self.state {
            1 if self.files_left > 0 => Delivery::Received {
                received_at: receipt.received_at,
                attachments_left: self.files_left,
            },
            1 => Delivery::Delivered {
                received_at: receipt.received_at,
            },
            _ => Delivery::Parked { code: receipt.code },
        })
    }
}

impl Kept {
    /// The desk's latest word; it was verified before it was kept.
    pub(crate) fn notice(&self) -> Result<Option<Notice>, WireError> {
        self.notice.as_deref().map(Notice::from_kept).transpose()
    }
}

/// Identity of the enrolment, by which its receipt is told from others.
pub(crate) fn enrolment_eid(hq: &Headquarters) -> Eid {
    Eid::of(&hq.enrolment)
}
