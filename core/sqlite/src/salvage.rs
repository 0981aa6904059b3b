//! What can be saved of a damaged database, and where the rest is kept.

use crate::error::{OpenError, classify, every_page_verifies, pages_verified};
use crate::key::DatabaseKey;
use crate::open::{beside, keyed};
use crate::{Failure, Migration, open_or_create};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params_from_iter};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How far behind an unreadable row the next readable one is looked for.
const GAP: i64 = 1 << 20;

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
/// [`OpenError`] where it cannot be opened at all.
pub fn is_sound(path: &Path, key: &DatabaseKey) -> Result<bool, OpenError> {
    let db = reader(path, key)?;
    let authentic = every_page_verifies(&db)?;
    let tables = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    match tables {
        Ok(tables) => Ok(authentic && tables == "ok"),
        Err(error) if classify(&error) == Failure::Corrupt => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Copies what can be read of a damaged database's `tables`, in this order, into the database at `into`,
/// which is made if there is none; there, a row of the same key is replaced. The damaged file is not
/// changed. A column that the damaged database does not have gets its default. Where the list of tables itself
/// is damaged, SQLCipher reads nothing.
///
/// Once all is copied, `find_parents` may make rows anew that others refer to and that were lost; then whatever
/// still refers to nothing is removed.
///
/// # Errors
/// [`OpenError`] where the new database cannot be made or written; then it may hold a part, and the same
/// call goes on. A damaged database that cannot be opened at all is one gap.
pub fn salvage(
    damaged: &Path,
    into: &Path,
    key: &DatabaseKey,
    migrations: &[Migration],
    application_id: u32,
    tables: &[&str],
    find_parents: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Salvaged, OpenError> {
    let mut new = open_or_create(into, key, migrations, application_id)?;
    let mut salvaged = Salvaged::default();
    new.execute_batch("PRAGMA foreign_keys = OFF;")?;
    let transaction = new.transaction()?;
    for table in tables {
        match Damaged::new(damaged, key, &transaction, table) {
            Ok(old) => old.copy(&transaction, &mut salvaged)?,
            Err(_) => salvaged.gaps += 1,
        }
    }
    find_parents(&transaction)?;
    while let Some((table, row)) = without_parent(&transaction)? {
        let removed = match row {
            Some(row) => {
                let sql = format!("DELETE FROM {table} WHERE rowid = ?1");
                transaction.execute(&sql, [row])?
            }
            None => transaction.execute(&format!("DELETE FROM {table}"), [])?,
        };
        salvaged.rows = salvaged.rows.saturating_sub(removed as u64);
        salvaged.gaps += 1;
    }
    transaction.commit()?;
    // Closing brings the write-ahead log into the file; only then may the file be moved.
    new.close().map_err(|(_, error)| error)?;
    Ok(salvaged)
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
    let mut names = (1u32..).map(|n| beside(path, &format!(".aside-{n}")));
    let aside = names.find(free).unwrap_or_else(|| beside(path, ".aside"));
    // The database first: without it, what is left of it is never taken for a whole one.
    for part in there {
        fs::rename(beside(path, part), beside(&aside, part))?;
    }
    if let Some(folder) = path.parent().filter(|_| !cfg!(windows)) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(aside)
}

/// A connection that reads and leaves the file as it is, also where it ends inside a page.
fn reader(path: &Path, key: &DatabaseKey) -> Result<Connection, OpenError> {
    let db = keyed(path, key, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Otherwise a file that is shorter than it says is refused as a whole (`lockBtree` in btree.c).
    db.execute_batch("PRAGMA writable_schema = ON;")?;
    db.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(db)
}

/// A row that refers to one that is not there: its table, and its number where it has one.
fn without_parent(db: &Connection) -> rusqlite::Result<Option<(String, Option<i64>)>> {
    db.query_row("PRAGMA foreign_key_check", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .optional()
}

/// One table of a damaged database.
struct Damaged<'a> {
    path: &'a Path,
    key: &'a DatabaseKey,
    db: Connection,
    table: &'a str,
    columns: Vec<String>,
    numbered: bool,
}

/// What became of reading a row.
enum Read {
    Row(i64, Vec<Value>),
    None,
    Unreadable,
}

impl<'a> Damaged<'a> {
    fn new(
        path: &'a Path,
        key: &'a DatabaseKey,
        new: &Connection,
        table: &'a str,
    ) -> Result<Self, OpenError> {
        let db = reader(path, key)?;
        let there = columns(&db, table)?;
        let columns = columns(new, table)?;
        let numbered = db.query_row(
            "SELECT NOT wr FROM pragma_table_list WHERE name = ?1",
            [table],
            |row| row.get(0),
        )?;
        Ok(Self {
            path,
            key,
            db,
            table,
            columns: (columns.into_iter())
                .filter(|column| there.contains(column))
                .collect(),
            numbered,
        })
    }

    fn copy(mut self, new: &Connection, salvaged: &mut Salvaged) -> Result<(), OpenError> {
        let names = self.columns.join(", ");
        let places = vec!["?"; self.columns.len()].join(", ");
        let table = self.table;
        let mut insert = new.prepare(&format!(
            "INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})"
        ))?;
        let mut keep = |row: Vec<Value>, salvaged: &mut Salvaged| match insert
            .execute(params_from_iter(row))
        {
            Ok(_) => {
                salvaged.rows += 1;
                Ok(())
            }
            // Damage that no page's code shows, such as an older program's: not worth a row that breaks
            // the rules of all others.
            Err(error) if is_about_the_row(&error) => {
                salvaged.gaps += 1;
                Ok(())
            }
            Err(error) => Err(OpenError::from(error)),
        };
        if !self.numbered {
            let (rows, whole) = self.all()?;
            for row in rows {
                keep(row, salvaged)?;
            }
            salvaged.gaps += u64::from(!whole);
            return Ok(());
        }
        let mut last = 0;
        loop {
            match self.read("rowid > ?1 ORDER BY rowid LIMIT 1", last)? {
                Read::Row(number, row) => {
                    keep(row, salvaged)?;
                    last = number;
                }
                Read::None => return Ok(()),
                Read::Unreadable => {
                    salvaged.gaps += 1;
                    let behind = self.behind(last)?;
                    let Some((number, _)) = behind.last() else {
                        return Ok(());
                    };
                    last = *number;
                    for (_, row) in behind {
                        keep(row, salvaged)?;
                    }
                }
            }
        }
    }

    /// Readable rows behind a gap, looked for further and further away and then back towards it: each
    /// number leads to its own page. What lies between two gaps close to each other may be missed.
    fn behind(&mut self, last: i64) -> Result<Vec<(i64, Vec<Value>)>, OpenError> {
        let mut rows = Vec::new();
        let mut step = 1;
        while step <= GAP && rows.is_empty() {
            match self.read(
                "rowid >= ?1 ORDER BY rowid LIMIT 1",
                last.saturating_add(step),
            )? {
                Read::Row(number, row) => rows.push((number, row)),
                Read::None => return Ok(rows),
                Read::Unreadable => step *= 2,
            }
        }
        while let Some((first, _)) = rows.first()
            && let Read::Row(number, row) =
                self.read("rowid < ?1 ORDER BY rowid DESC LIMIT 1", *first)?
            && number > last
        {
            rows.insert(0, (number, row));
        }
        Ok(rows)
    }

    fn read(&mut self, which: &str, number: i64) -> Result<Read, OpenError> {
        // A long value comes filled with zeros where its last page is damaged.
        match self.row(which, number) {
            Ok(read) if pages_verified(&self.db).unwrap_or(false) => Ok(read),
            _ => {
                // A connection does not forget what it once failed to verify.
                self.db = reader(self.path, self.key)?;
                Ok(Read::Unreadable)
            }
        }
    }

    fn row(&self, which: &str, number: i64) -> rusqlite::Result<Read> {
        let (names, table) = (self.columns.join(", "), self.table);
        let count = self.columns.len();
        let sql = format!("SELECT {names}, rowid FROM {table} WHERE {which}");
        let mut query = self.db.prepare_cached(&sql)?;
        let found = query.query_row([number], |row| Ok((row.get(count)?, values(row, count)?)));
        Ok(match found.optional()? {
            Some((number, row)) => Read::Row(number, row),
            None => Read::None,
        })
    }

    /// The rows of a table without numbers, up to the first that cannot be read.
    fn all(&self) -> Result<(Vec<Vec<Value>>, bool), OpenError> {
        let (names, table) = (self.columns.join(", "), self.table);
        let mut query = self.db.prepare(&format!("SELECT {names} FROM {table}"))?;
        let mut found = query.query([])?;
        let mut rows = Vec::new();
        loop {
            match found.next() {
                Ok(Some(row)) => rows.push(values(row, self.columns.len())?),
                Ok(None) => return Ok((rows, pages_verified(&self.db).unwrap_or(false))),
                Err(_) => return Ok((rows, false)),
            }
        }
    }
}

fn is_about_the_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch};
    matches!(
        error.sqlite_error_code(),
        Some(ConstraintViolation | TypeMismatch)
    )
}

fn values(row: &Row<'_>, count: usize) -> rusqlite::Result<Vec<Value>> {
    (0..count).map(|n| row.get(n)).collect()
}

fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}
