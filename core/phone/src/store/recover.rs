//! A damaged store: what is readable is saved, the rest is kept beside it.

use super::{FILE, Store, UNFINISHED, schema};
use crate::PhoneError;
use rusqlite::{OptionalExtension, Transaction, params};
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{
    DatabaseKey, OpenError, is_sound, replace, replacement_was_interrupted, salvage,
};
use testigo_wire::{Body, Enrolment, Envelope, Lane, SigningKey, StoreId};

/// What cannot be found out anew. How often headquarters did not take something is not worth keeping.
const TABLES: &[&str] = &[
    "device",
    "headquarters",
    "envelope",
    "history",
    "sealed_history",
    "lock",
    "attachment",
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
    /// Whether the phone is still the device that it was. If not, it must enrol anew; then what it saved before
    /// is sent as it is, signed by the device that it was.
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
        let (path, unfinished) = (dir.join(FILE), dir.join(UNFINISHED));
        let (mut gaps, mut same_device) = (0, true);
        let interrupted = replacement_was_interrupted(&path, &unfinished);
        if !interrupted {
            if !Self::exists(dir) {
                return Err(PhoneError::NoPhone);
            }
            match is_sound(&path, key, schema::APPLICATION_ID) {
                Ok(true) => return Err(PhoneError::NotDamaged),
                Ok(false) => {}
                Err(OpenError::WrongKey) if key_is_right => {}
                Err(OpenError::Missing | OpenError::Foreign { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            // The new store first: a power cut at any moment leaves the old one, or both.
            let (seed, store_id) = (SigningKey::random()?.seed(), StoreId::random()?);
            let salvaged = salvage(
                &path,
                &unfinished,
                key,
                schema::MIGRATIONS,
                schema::APPLICATION_ID,
                TABLES,
                |tx| {
                    same_device = !begin_device(tx, &seed, store_id)?;
                    find_files(tx)
                },
            );
            gaps = salvaged?.gaps;
        }
        let aside = replace(&path, &unfinished).map_err(PhoneError::Disk)?;
        let store = Self::open(dir, key)?;
        if interrupted {
            same_device = store.headquarters()?.is_some();
        }
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

/// Where its row was lost the phone becomes a new device, which must enrol anew, of the same store: so receipts for
/// what the lost one signed are still its own. Returns whether it was lost.
fn begin_device(tx: &Transaction<'_>, seed: &[u8; 32], new: StoreId) -> rusqlite::Result<bool> {
    if tx.prepare("SELECT 1 FROM device")?.exists([])? {
        // Later numbers may have been given than the row that was saved knows.
        tx.execute(
            "UPDATE device SET last_sequence =
                 max(last_sequence, (SELECT coalesce(max(sequence), 0) FROM envelope))",
            [],
        )?;
        return Ok(false);
    }
    let enrolment: Option<Vec<u8>> = tx
        .query_row("SELECT enrolment FROM headquarters", [], |row| row.get(0))
        .optional()?;
    let enrolment = enrolment.and_then(|bytes| Enrolment::parse(&bytes).ok());
    let store_id = enrolment.map_or(new, |enrolment| enrolment.kept().store_id);
    tx.execute(
        "INSERT INTO device (id, seed, store_id, last_sequence)
         VALUES (1, ?1, ?2, (SELECT coalesce(max(sequence), 0) FROM envelope))",
        params![seed, store_id.0],
    )?;
    tx.execute("DELETE FROM headquarters", [])?;
    Ok(true)
}

/// Rows of sealed files that were lost, as an earlier release's readable copy names them, or at least the envelope:
/// what that does not tell goes last.
fn find_files(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut query = tx.prepare(
        "SELECT sequence, bytes, body FROM envelope LEFT JOIN history USING (sequence)
         WHERE length(bytes) > 0",
    )?;
    let mut insert = tx.prepare(
        "INSERT OR IGNORE INTO attachment (sha256, sequence, lane, size, token)
         VALUES (?1, ?2, ?3, ?4, randomblob(16))",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        let (bytes, body): (Vec<u8>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        let body = body.and_then(|body| Body::from_bytes(&body).ok());
        let files = body.map(|body| body.attachments).unwrap_or_default();
        let named = Envelope::parse(&bytes).map(|envelope| envelope.blobs().to_vec());
        for blob in named.unwrap_or_default() {
            let file = files.iter().find(|file| file.blob == blob);
            let lane = file.map_or(Lane::PHOTO, |file| file.lane).0;
            let size = i64::try_from(blob.size).unwrap_or(i64::MAX);
            insert.execute(params![blob.sha256, sequence, lane, size])?;
        }
    }
    Ok(())
}
