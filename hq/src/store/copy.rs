//! Copies of the store, and what is known of them.

use super::schema::ENVELOPE;
use super::{Reader, Store, fault, remove_database};
use crate::HqError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::params;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use testigo_sqlite::{DatabaseKey, every_page_verifies};
use testigo_wire::{BlobRef, Eid, Epoch, Time};

/// Pages that are copied between two reports of progress: 4 MiB.
const PAGES: std::ffi::c_int = 1024;
/// How long it waits where a page is locked.
const PAUSE: Duration = Duration::from_millis(20);

impl Reader {
    /// Copies this one database as it is at one moment to `path`, encrypted under its own `key`, durably and as
    /// one plain file; whatever was there is replaced. Writers go on meanwhile.
    pub(crate) fn copy_to(
        &self,
        path: &Path,
        key: &DatabaseKey,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), HqError> {
        remove_database(path)?;
        let id = (self.0)
            .pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))?
            .cast_unsigned();
        let mut copy = testigo_sqlite::open_or_create(path, key, &[], id).map_err(fault(path))?;
        let to_plain = |copy: &rusqlite::Connection| {
            copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
                row.get::<_, String>(0)
            })
        };
        to_plain(&copy)?;
        {
            // One read transaction: the copy is of one moment, however long it takes.
            let moment = self.0.unchecked_transaction()?;
            moment.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
            let backup = Backup::new(&self.0, &mut copy)?;
            loop {
                match backup.step(PAGES)? {
                    StepResult::Done => break,
                    StepResult::More => {
                        let now = backup.progress();
                        let of = u64::from(now.pagecount.unsigned_abs());
                        progress(of - u64::from(now.remaining.unsigned_abs()), of);
                    }
                    _ => std::thread::sleep(PAUSE),
                }
            }
        }
        // The copied header says what the source has.
        to_plain(&copy)?;
        copy.close().map_err(|(_, error)| error)?;
        std::fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(HqError::file(path))
    }

    /// Pages of this one database.
    pub(crate) fn page_count(&self) -> rusqlite::Result<u64> {
        let count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        (self.0.pragma_query_value(None, "page_count", count)).map(i64::unsigned_abs)
    }

    /// Whether every page is authentic and this one database sound.
    pub(crate) fn is_sound(&self) -> rusqlite::Result<bool> {
        let authentic = every_page_verifies(&self.0)?;
        let sound: String = self
            .0
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok(authentic && sound == "ok")
    }

    /// Attachments that are held.
    pub(crate) fn held_blobs(&self) -> rusqlite::Result<Vec<BlobRef>> {
        self.0
            .prepare("SELECT sha256, size FROM blob ORDER BY sha256")?
            .query_map([], |row| {
                Ok(BlobRef {
                    sha256: row.get(0)?,
                    size: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            })?
            .collect()
    }

    /// How many records are kept.
    pub(crate) fn record_count(&self) -> rusqlite::Result<u64> {
        self.0.query_row(
            "SELECT count(*) FROM arrival WHERE kind = ?1 AND bytes IS NOT NULL",
            [ENVELOPE],
            |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()),
        )
    }

    /// Shows each record's identity, bytes and the attachments that it names.
    pub(crate) fn each_record(
        &self,
        mut show: impl FnMut(Eid, &[u8], &[[u8; 32]]),
    ) -> rusqlite::Result<()> {
        let mut records = self.0.prepare(
            "SELECT id, eid, bytes FROM arrival WHERE kind = ?1 AND bytes IS NOT NULL ORDER BY id",
        )?;
        let mut names = self
            .0
            .prepare("SELECT sha256 FROM named_blob WHERE arrival = ?1")?;
        let mut rows = records.query([ENVELOPE])?;
        while let Some(row) = rows.next()? {
            let blobs: Vec<[u8; 32]> = names
                .query_map([row.get::<_, i64>(0)?], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let bytes: Vec<u8> = row.get(2)?;
            show(Eid(row.get(1)?), &bytes, &blobs);
        }
        Ok(())
    }
}

impl Store {
    /// Marks records as safe; returns how many were not before.
    pub(crate) fn mark_safe(&mut self, eids: &[Eid]) -> rusqlite::Result<u64> {
        let tx = self.begin()?;
        let mut marked = 0;
        {
            let mut insert = tx.prepare(
                "INSERT INTO safe (arrival)
                 SELECT id FROM arrival WHERE eid = ?1 AND bytes IS NOT NULL
                 ON CONFLICT DO NOTHING",
            )?;
            for eid in eids {
                marked += insert.execute([eid.0])?;
            }
        }
        tx.commit()?;
        Ok(marked as u64)
    }

    /// Notes that a copy was confirmed.
    pub(crate) fn keep_copy(
        &self,
        sha256: &[u8; 32],
        made_at: Time,
        confirmed_at: Time,
    ) -> rusqlite::Result<()> {
        self.0
            .execute(
                "INSERT INTO copy (sha256, made_at, confirmed_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sha256) DO UPDATE SET confirmed_at = ?3",
                params![sha256, made_at.millis(), confirmed_at.millis()],
            )
            .map(drop)
    }

    /// Begins a new run of a store that came out of a backup: what was on its way is gone, and of the
    /// attachments only these are held.
    pub(crate) fn begin_again(
        &mut self,
        epoch: Epoch,
        held: &BTreeSet<[u8; 32]>,
    ) -> Result<(), HqError> {
        let tx = self.begin()?;
        tx.execute("UPDATE identity SET epoch = ?1", [epoch.0])?;
        tx.execute("DELETE FROM upload", [])?;
        let known: Vec<[u8; 32]> = tx
            .prepare("SELECT sha256 FROM blob")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for sha256 in known.iter().filter(|sha256| !held.contains(*sha256)) {
            tx.execute("DELETE FROM blob WHERE sha256 = ?1", [sha256])?;
        }
        tx.commit()?;
        Ok(())
    }
}
