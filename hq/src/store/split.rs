//! Headquarters of earlier releases had one database: the desk's tables move out of it into one of their own, under a
//! key of its own.

use super::desk_schema::APPLICATION_ID as APPLICATION_ID_OF_DESK;
use super::schema::{APPLICATION_ID, BEFORE_SPLIT, MIGRATIONS};
use super::{attach_ingest, begin, fault};
use crate::HqError;
use crate::capabilities;
use crate::keys::{Folder, sync_folder};
use rusqlite::{Connection, TransactionBehavior};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use testigo_sqlite::{DatabaseKey, OpenError};

/// Into the desk's own tables, whose columns stand here as they are.
const TAKE: &str = "
INSERT INTO assignment SELECT kid, assigned_table FROM ingest.capability WHERE assigned_table IS NOT NULL;
INSERT INTO opened
    SELECT o.arrival, o.outcome, o.record_id, o.table_id, o.claimed_at, o.saved_at, o.content, o.copy_of, n.status
    FROM ingest.opened o LEFT JOIN ingest.notice n ON n.arrival = o.arrival;
INSERT INTO flag SELECT arrival, code FROM ingest.flag;
INSERT INTO reading SELECT arrival, table_id, slots, null_votes, vouch FROM ingest.reading;
INSERT INTO reading_text SELECT arrival, n, text FROM ingest.reading_text;
INSERT INTO reading_votes SELECT arrival, candidate, votes FROM ingest.reading_votes;
INSERT INTO incident SELECT arrival, code, note, delay_minutes, started, ended, people FROM ingest.incident;
INSERT INTO handover SELECT arrival, what, giver, taker, at, place FROM ingest.handover;
INSERT INTO attachment SELECT id, arrival, sha256, secret, lane, media_type, size FROM ingest.attachment;
INSERT INTO brought SELECT attachment, opened_at, outcome, records, files FROM ingest.brought;
INSERT INTO decision
    SELECT id, decided_at, what, device, capability, arrival, since, table_id, decided_by, why FROM ingest.decision;
";

/// Moves what is the desk's out of ingest's database; does nothing where that is done.
///
/// The desk's database gets its name last: where it has it, all of this is done, and nothing that can be read is left in
/// ingest's, in its log or in `capabilities`. Whatever interrupts it, the next call begins again or goes on. Ingest's write
/// lock keeps others off meanwhile.
pub(super) fn split(folder: &Folder) -> Result<(), HqError> {
    if folder.desk_database().exists() {
        return Ok(());
    }
    let (path, key) = (folder.database(), folder.load_database()?);
    let before = MIGRATIONS.get(..BEFORE_SPLIT).unwrap_or_default();
    let mut ingest = match testigo_sqlite::open(&path, &key, before, APPLICATION_ID) {
        Err(OpenError::Newer { .. }) => {
            testigo_sqlite::open(&path, &key, MIGRATIONS, APPLICATION_ID)
        }
        opened => opened,
    }
    .map_err(fault(&path))?;
    let new = unnamed(folder);
    take(&mut ingest, folder, &new)?;
    if !new.exists() {
        // Another process has finished it, this is ingest alone, or the desk's was lost.
        return Ok(());
    }
    // The log still has pages as they were.
    testigo_sqlite::bring_in_log(&ingest).map_err(fault(&path))?;
    name_desk(folder)?;
    tracing::warn!(
        "what the desk reads lies in desk.db now, under a key of its own, keys/database-desk.key: make another `keys backup`"
    );
    Ok(())
}

/// Gives the desk's database its name, where ingest's has let go of the desk's rows and it does not have it yet.
pub(crate) fn name_desk(folder: &Folder) -> Result<(), HqError> {
    let to = folder.desk_database();
    match fs::rename(unnamed(folder), &to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => {
            renamed.map_err(HqError::file(&to))?;
            to.parent().map_or(Ok(()), sync_folder)
        }
    }
}

/// The desk's database before it has its name.
fn unnamed(folder: &Folder) -> PathBuf {
    folder.desk_database().with_extension("split")
}

/// Copies the desk's rows into the new database, durably; only then ingest's lets go of them.
fn take(ingest: &mut Connection, folder: &Folder, new: &Path) -> Result<(), HqError> {
    // As migrations run: tables that others refer to are made anew.
    ingest.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let tx = ingest.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if tx.pragma_query_value(None, "user_version", |row| row.get::<_, usize>(0))? != BEFORE_SPLIT {
        return Ok(());
    }
    let key = folder.desk_database_key_or_new()?;
    remove(new)?;
    let mut desk = begin(new, &key)?;
    attach_ingest(&desk, folder)?;
    // One envelope is a copy of another one, which may stand behind it.
    desk.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let taking = desk.transaction()?;
    taking.execute_batch(TAKE)?;
    taking.commit()?;
    testigo_sqlite::finish(desk).map_err(fault(new))?;
    (File::open(new).and_then(|file| file.sync_all())).map_err(HqError::file(new))?;
    new.parent().map_or(Ok(()), sync_folder)?;
    all_taken(&tx, new, &key)?;
    capabilities::seal_anew(folder)?;
    tx.execute_batch("CREATE TABLE taken_by_desk (n INTEGER) STRICT;")?;
    if let Some(step) = MIGRATIONS.get(BEFORE_SPLIT) {
        tx.execute_batch(step.sql)?;
    }
    tx.pragma_update(None, "user_version", BEFORE_SPLIT + 1)?;
    Ok(tx.commit()?)
}

/// The last look before ingest's lets go: the file by itself, without a log, has every row that was to be taken.
fn all_taken(ingest: &Connection, new: &Path, key: &DatabaseKey) -> Result<(), HqError> {
    let mut log = OsString::from(new);
    log.push("-wal");
    let rows = |db: &Connection, assigned: &str| -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM opened) + (SELECT count(*) FROM decision)
                 + (SELECT count(*) FROM flag) + (SELECT count(*) FROM attachment)
                 + (SELECT count(*) FROM {assigned})"
        );
        db.query_row(&sql, [], |row| row.get(0))
    };
    let there = fs::metadata(&log).map_or(0, |log| log.len()) == 0
        && testigo_sqlite::is_sound(new, key, APPLICATION_ID_OF_DESK).map_err(fault(new))?
        && rows(&begin(new, key)?, "assignment")?
            == rows(ingest, "capability WHERE assigned_table IS NOT NULL")?;
    match there {
        true => Ok(()),
        false => Err(fault(new)(OpenError::Corrupt)),
    }
}

/// Removes a database that is of no use, with its logs.
pub(crate) fn remove(path: &Path) -> Result<(), HqError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(path);
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(HqError::file(Path::new(&name))(error));
            }
            _ => {}
        }
    }
    Ok(())
}
