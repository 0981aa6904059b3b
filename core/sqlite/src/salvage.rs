//! What can be saved of a damaged database, and where the rest is kept.

use crate::error::{OpenError, every_page_verifies};
use crate::key::DatabaseKey;
use crate::open::beside;
use crate::pages::Pages;
use crate::record::Row;
use crate::shape::{Column, Shape, columns, shape_of, shapes};
use crate::{Migration, open_or_create, open_reader};
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params_from_iter};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What was saved of a damaged database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Rows that were read whole and are in the new database.
    pub rows: u64,
    /// Places where rows could not be read, or refer to such: how many there were is not known.
    pub gaps: u64,
}

/// Whether every page of a database can be read and verified, and its tables and indices agree.
///
/// # Errors
/// [`OpenError::WrongKey`] where no page of it verifies under this key, [`OpenError::Missing`] where there is
/// nothing; others where it is not ours to judge or cannot be opened at all.
pub fn is_sound(path: &Path, key: &DatabaseKey, application_id: u32) -> Result<bool, OpenError> {
    let sound = open_reader(path, key, application_id).and_then(|db| {
        let tables: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok(tables == "ok" && every_page_verifies(&db)?)
    });
    match sound {
        Err(OpenError::Corrupt) => Ok(false),
        // SQLCipher judges by the first page alone.
        Err(OpenError::WrongKey | OpenError::LogWithoutDatabase) => match Pages::open(path, key)? {
            Some(_) => Ok(false),
            None => Err(OpenError::WrongKey),
        },
        sound => sound,
    }
}

/// Copies what can be read of a damaged database's `tables` into the database at `into`, which is made if there
/// is none; there, a row of the same key is replaced. The damaged file is not changed, and its log counts.
///
/// Each page is read by itself, so that a damaged one takes along no more than the rows that lie on it. Its
/// table is told by its rows' shape in any version of the schema; rows that might be of several tables, and
/// tables WITHOUT ROWID, are left behind. A column that rows do not have gets its default.
///
/// Once all is copied, `find_more` may make rows out of others; then whatever still refers to nothing is removed.
///
/// # Errors
/// [`OpenError`] where the new database cannot be made or written; then it may hold a part, and the same
/// call goes on. A damaged database of which no page can be read is one gap.
pub fn salvage(
    damaged: &Path,
    into: &Path,
    key: &DatabaseKey,
    migrations: &[Migration],
    application_id: u32,
    tables: &[&str],
    find_more: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Salvaged, OpenError> {
    let mut new = open_or_create(into, key, migrations, application_id)?;
    let mut salvaged = Salvaged::default();
    new.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let transaction = new.transaction()?;
    let shapes = shapes(migrations)?;
    let mut now = BTreeMap::new();
    for table in tables {
        now.insert((*table).to_owned(), columns(&transaction, table)?);
    }
    match Pages::open(damaged, key)? {
        Some(pages) => {
            for (rows, gaps) in pages.leaves() {
                salvaged.gaps += gaps;
                let count = rows.len() as u64;
                match shape_of(&shapes, &rows) {
                    Some(shapes) => {
                        let kept = keep(&transaction, &now, &shapes, rows)?;
                        salvaged.rows += kept.rows;
                        salvaged.gaps += kept.gaps;
                    }
                    None => salvaged.gaps += count,
                }
            }
        }
        None => salvaged.gaps += 1,
    }
    find_more(&transaction)?;
    loop {
        let lost = without_parent(&transaction)?;
        if lost.is_empty() {
            break;
        }
        for (table, number) in lost {
            let sql = format!("DELETE FROM {table} WHERE rowid = ?1");
            let removed = transaction.execute(&sql, [number])?;
            salvaged.rows = salvaged.rows.saturating_sub(removed as u64);
            salvaged.gaps += 1;
        }
    }
    transaction.commit()?;
    // Closing brings the write-ahead log into the file; only then may the file be moved.
    finish(new)?;
    Ok(salvaged)
}

/// Brings the write-ahead log into the file, and leaves nothing in the log.
///
/// # Errors
/// [`OpenError::Busy`] where another connection is in the way; others where the disk fails.
pub fn bring_in_log(db: &Connection) -> Result<(), OpenError> {
    match db.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| row.get(0))? {
        true => Err(OpenError::Busy),
        false => Ok(()),
    }
}

/// Brings the write-ahead log into the file and closes it: only then may the file be moved. Closing alone does so as well,
/// and says nothing where it could not, as on a full disk.
///
/// # Errors
/// As [`bring_in_log`]. The file is of no use without its log.
pub fn finish(db: Connection) -> Result<(), OpenError> {
    bring_in_log(&db)?;
    db.close().map_err(|(_, error)| error.into())
}

/// Moves a database with its logs aside, durably; nothing of it is deleted. Returns its new name: the first
/// of `NAME.aside-1`, `-2`, ... that is free.
///
/// # Errors
/// Where a file cannot be renamed. The same call goes on.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let parts = ["", "-wal", "-journal"];
    let there: Vec<&str> = (parts.into_iter())
        .filter(|part| beside(path, part).exists())
        .collect();
    let free = |aside: &PathBuf| there.iter().all(|part| !beside(aside, part).exists());
    let names = || (1u32..).map(|n| beside(path, &format!(".aside-{n}")));
    // Where the database is gone already its logs follow it, for this was interrupted between the two.
    let latest = names().take_while(|aside| aside.exists()).last();
    let aside = latest
        .filter(|latest| !path.exists() && free(latest))
        .or_else(|| names().find(free))
        .unwrap_or_else(|| beside(path, ".aside"));
    // The database first: without it, what is left of it is never taken for a whole one.
    for part in there {
        fs::rename(beside(path, part), beside(&aside, part))?;
    }
    sync_folder_of(path)?;
    Ok(aside)
}

/// Puts the finished database at `new` in the place of a damaged one, which is set aside with its logs under the
/// name that is returned. Where it is interrupted [`replacement_was_interrupted`] tells, and the same call goes on.
///
/// # Errors
/// Where a file cannot be renamed.
pub fn replace(path: &Path, new: &Path) -> io::Result<PathBuf> {
    let aside = set_aside(path)?;
    fs::rename(new, path)?;
    sync_folder_of(path)?;
    Ok(aside)
}

/// Whether a damaged database was set aside and the one that [`replace`] was to put in its place was not.
pub fn replacement_was_interrupted(path: &Path, new: &Path) -> bool {
    !path.exists() && new.exists() && beside(path, ".aside-1").exists()
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file and needs no such step.
    match path.parent().filter(|_| !cfg!(windows)) {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Rows that refer to ones that are not there: their tables and numbers.
fn without_parent(db: &Connection) -> rusqlite::Result<BTreeSet<(String, i64)>> {
    db.prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Keeps the rows of one page, where their table is one of those in `tables`.
fn keep(
    db: &Connection,
    tables: &BTreeMap<String, Vec<Column>>,
    shapes: &[&Shape],
    rows: Vec<Row>,
) -> Result<Salvaged, OpenError> {
    let mut kept = Salvaged::default();
    for (shape, (number, values)) in shapes.iter().zip(rows) {
        let Some(columns) = tables.get(&shape.table) else {
            continue;
        };
        let there = |name: &str| columns.iter().any(|column| column.name == name);
        let (names, values): (Vec<&str>, Vec<Value>) = (shape.columns.iter().zip(values))
            .filter(|(column, _)| there(&column.name))
            .map(|(column, value)| match column.is_number {
                true => (column.name.as_str(), Value::Integer(number)),
                false => (column.name.as_str(), value),
            })
            .unzip();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "INSERT OR REPLACE INTO {} ({}) VALUES ({places})",
            shape.table,
            names.join(", ")
        );
        match db.prepare_cached(&sql)?.execute(params_from_iter(values)) {
            Ok(_) => kept.rows += 1,
            // Damage that no page's code shows, such as an older program's: not worth a row that breaks
            // the rules of all others.
            Err(error) if is_about_the_row(&error) => kept.gaps += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(kept)
}

fn is_about_the_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch};
    matches!(
        error.sqlite_error_code(),
        Some(ConstraintViolation | TypeMismatch)
    )
}
