//! Opening: look before touching, key, verification, pragmas, migrations.

use std::ffi::{OsString, c_int};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, TransactionBehavior, ffi};

use crate::error::{Failure, OpenError, classify};
use crate::key::DatabaseKey;
use crate::log::Log;
use crate::page_keys::PAGE;
use crate::pages;
use crate::provider;

/// The schema of a connection's own database.
const MAIN: &str = "main";

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A page, and so the size of a database that is just being made.
const PAGE_BYTES: u64 = PAGE as u64;

/// A third is needed only where the log is begun anew between two of them.
const LOOKS_AT_THE_LOG: u32 = 10;

/// One step of a schema. Its place in the list is its version: the first leads from 0 to 1. A step that
/// has shipped is never changed.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// One or more statements, without `BEGIN` and `COMMIT`: each step runs in a transaction of its own.
    pub sql: &'static str,
}

/// Opens an existing database for reading and writing and runs the migrations that it does not have yet.
///
/// It never makes one: where a file was taken away or cut to nothing, a new and empty database in its
/// place would hide that everything is gone. The connection is that of [`open_or_create`].
///
/// # Errors
/// [`OpenError`]; [`OpenError::Missing`] when there is no database.
pub fn open(
    path: &Path,
    key: &DatabaseKey,
    migrations: &[Migration],
    application_id: u32,
) -> Result<Connection, OpenError> {
    connect(path, key, migrations, application_id, false)
}

/// Opens the database at `path` as [`open`] does, and makes it if there is none.
///
/// The connection has WAL, `synchronous=FULL`, `fullfsync`, `foreign_keys`, `secure_delete`,
/// `temp_store=MEMORY`, `cell_size_check`, no `trusted_schema` and a busy timeout of 5 s. Several
/// processes may open at once: each migration runs once. While migrations run, foreign keys are not
/// enforced (rebuilding a table would delete the rows that refer to it); they are checked before each
/// commit instead.
///
/// Damage behind the first page shows only when it is read: see [`classify`](crate::classify) and
/// [`pages_verified`](crate::pages_verified). `PRAGMA cipher_integrity_check` reads the whole file. A damaged
/// write-ahead log is told here, unless only its last transaction is damaged: that looks like a power cut's.
///
/// # Errors
/// [`OpenError`]; the file is then as it was before, apart from migrations that were already committed.
pub fn open_or_create(
    path: &Path,
    key: &DatabaseKey,
    migrations: &[Migration],
    application_id: u32,
) -> Result<Connection, OpenError> {
    connect(path, key, migrations, application_id, true)
}

fn connect(
    path: &Path,
    key: &DatabaseKey,
    migrations: &[Migration],
    application_id: u32,
    create: bool,
) -> Result<Connection, OpenError> {
    let path = std::path::absolute(path)?;
    refuse_what_sqlite_would_erase(&path)?;
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if size(&path)? == 0 {
        return Err(OpenError::Missing);
    }
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    let mut db = keyed(&path, key, flags)?;
    if db.is_readonly(MAIN_DB)? {
        return Err(refused(
            ffi::SQLITE_READONLY,
            "the file may not be written".to_owned(),
        ));
    }
    let state = State::read(&*db.transaction()?, MAIN)?;
    refuse_a_damaged_log(&path)?;
    if state.is_new() && !create {
        return Err(OpenError::Missing);
    }
    state.check(known, application_id)?;
    refuse_a_cut_page(&path)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    switch_to_wal(&db)?;
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = OFF;",
    )?;
    if state.is_new() || state.version < known {
        migrate(&mut db, migrations, known, application_id)?;
    }
    db.execute_batch("PRAGMA foreign_keys = ON;")?;
    Ok(db)
}

/// Opens an existing database for reading only: never makes one, never migrates, and SQLite refuses every
/// write.
///
/// # Errors
/// [`OpenError`]; [`OpenError::Missing`] when there is no database.
pub fn open_reader(
    path: &Path,
    key: &DatabaseKey,
    application_id: u32,
) -> Result<Connection, OpenError> {
    let path = std::path::absolute(path)?;
    refuse_what_sqlite_would_erase(&path)?;
    if size(&path)? == 0 {
        return Err(OpenError::Missing);
    }
    let mut db = keyed(&path, key, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let state = State::read(&*db.transaction()?, MAIN)?;
    refuse_a_damaged_log(&path)?;
    if state.is_new() {
        return Err(OpenError::Missing);
    }
    state.check(u32::MAX, application_id)?;
    refuse_a_cut_page(&path)?;
    db.execute_batch("PRAGMA query_only = ON;")?;
    Ok(db)
}

/// Attaches an existing database to an open connection under the schema's name `name`, for reading only: no transaction of
/// this connection can ever write both. Names of tables without a schema are found in it, too, where no other has them.
///
/// # Errors
/// As [`open_reader`]; the connection is of no more use then.
pub fn attach_reader(
    db: &Connection,
    path: &Path,
    key: &DatabaseKey,
    name: &str,
    application_id: u32,
) -> Result<(), OpenError> {
    let path = std::path::absolute(path)?;
    refuse_what_sqlite_would_erase(&path)?;
    if size(&path)? == 0 {
        return Err(OpenError::Missing);
    }
    let spelling = key.sqlcipher_spelling();
    db.execute(
        "ATTACH DATABASE ?1 AS ?2 KEY ?3",
        rusqlite::params![read_only_uri(&path), name, spelling.as_slice()],
    )?;
    let state = State::read(db, name)?;
    refuse_a_damaged_log(&path)?;
    if state.is_new() {
        return Err(OpenError::Missing);
    }
    state.check(u32::MAX, application_id)?;
    refuse_a_cut_page(&path)
}

/// A path as SQLite reads it where it is told how to open it (<https://www.sqlite.org/uri.html>).
fn read_only_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    if cfg!(windows) {
        // A drive stands behind a third slash.
        uri.push_str("///");
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b':' | b'-' | b'.' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?mode=ro"
}

/// Refuses three situations in which SQLite itself would erase or change what we cannot judge.
///
/// Only sizes are looked at. Reading the file here would be wrong: closing it drops every POSIX lock
/// that this process's other connections hold on it (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
/// The order matters too, as another process may be making the database: the file has its first page
/// before the log has content, and loses its rollback journal before it has a second page.
fn refuse_what_sqlite_would_erase(path: &Path) -> Result<(), OpenError> {
    let log = size(&beside(path, "-wal"))?;
    let database = size(path)?;
    let journal = size(&beside(path, "-journal"))?;
    if database == 0 && log > 0 {
        return Err(OpenError::LogWithoutDatabase);
    }
    // SQLite takes a file of one byte for an empty one (`unixFileSize` in os_unix.c) and would
    // write over it.
    if database == 1 {
        return Err(OpenError::WrongKey);
    }
    // Ours have a rollback journal only while the first page of a new file is written. Any other would
    // be played back into a file of which we do not know yet whose it is.
    if database > PAGE_BYTES && journal > 0 {
        return Err(OpenError::WrongKey);
    }
    Ok(())
}

/// Refuses a file that ends inside a page, where no log can restore it: SQLite would fill the rest with
/// zeros and tell only once that page is read.
fn refuse_a_cut_page(path: &Path) -> Result<(), OpenError> {
    if size(path)?.is_multiple_of(PAGE_BYTES) || size(&beside(path, "-wal"))? > 0 {
        return Ok(());
    }
    Err(OpenError::Corrupt)
}

/// Refuses a log in which transactions lie behind something damaged: SQLite would not see them, and the next
/// writer would write over them.
///
/// Only now, as the key is known to be right and nothing is written yet. Another process may write the log while
/// it is read: what is damaged looks the same to a second look, for a frame is not touched again before the log is
/// begun anew, with other salts, once others are written behind it.
///
/// Unlike the database (see above), the log may be read with other means than SQLite's: it locks the database and
/// the `-shm`, never the `-wal` (`noLock` in `unixOpen`, os_unix.c), so that closing it here drops no lock.
fn refuse_a_damaged_log(path: &Path) -> Result<(), OpenError> {
    let mut before = None;
    for _ in 0..LOOKS_AT_THE_LOG {
        let log = pages::open(&beside(path, "-wal"))?;
        match log.and_then(|log| Log::read(&log).damage) {
            None => return Ok(()),
            seen if seen == before => return Err(OpenError::Corrupt),
            seen => before = seen,
        }
    }
    Err(OpenError::Busy)
}

/// The size of a file in bytes; 0 when there is none.
fn size(path: &Path) -> Result<u64, OpenError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Opens the file and gives it the key. Nothing is read yet, so nothing is verified yet.
pub(crate) fn keyed(
    path: &Path,
    key: &DatabaseKey,
    flags: OpenFlags,
) -> Result<Connection, OpenError> {
    provider::make_ready();
    let db = Connection::open_with_flags(
        path,
        flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    // Parsing a statement costs more than running most of ours.
    db.set_prepared_statement_cache_capacity(64);
    provider::set_key(&db, key)?;
    let found = match db.query_row("PRAGMA cipher_provider", [], |row| row.get::<_, String>(0)) {
        Ok(found) => found,
        Err(rusqlite::Error::QueryReturnedNoRows) => String::new(),
        Err(error) => return Err(error.into()),
    };
    if found.as_bytes() != provider::NAME.to_bytes() {
        return Err(OpenError::Provider { found });
    }
    // Until the key is verified, closing must not write a foreign log into a foreign database.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Otherwise a kept statement is parsed anew for each new value that a plan might depend on.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.execute_batch(
        "PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )?;
    Ok(db)
}

/// What a database says of itself. Reading it verifies the key.
struct State {
    objects: u32,
    application_id: u32,
    version: u32,
}

impl State {
    /// To be called in a transaction where another process's migration must not come between.
    fn read(db: &Connection, schema: &str) -> Result<Self, OpenError> {
        let objects = format!("SELECT count(*) FROM \"{schema}\".sqlite_master");
        Ok(Self {
            objects: db.query_row(&objects, [], |row| row.get(0))?,
            application_id: header_field(db, schema, "application_id")?,
            version: header_field(db, schema, "user_version")?,
        })
    }

    fn is_new(&self) -> bool {
        self.objects == 0 && self.application_id == 0 && self.version == 0
    }

    fn check(&self, known: u32, application_id: u32) -> Result<(), OpenError> {
        if self.is_new() {
            return Ok(());
        }
        if self.application_id != application_id {
            return Err(OpenError::Foreign {
                found: self.application_id,
                expected: application_id,
            });
        }
        if self.version > known {
            return Err(OpenError::Newer {
                found: self.version,
                known,
            });
        }
        Ok(())
    }
}

/// Both fields are 32 bits of the file's header, which SQLite shows as signed numbers.
fn header_field(db: &Connection, schema: &str, pragma: &str) -> Result<u32, OpenError> {
    Ok(db
        .pragma_query_value(Some(schema), pragma, |row| row.get::<_, i32>(0))?
        .cast_unsigned())
}

/// What SQLite lets pass and we do not.
fn refused(code: c_int, reason: String) -> OpenError {
    OpenError::Sqlite(rusqlite::Error::SqliteFailure(
        ffi::Error::new(code),
        Some(reason),
    ))
}

/// SQLite answers "busy" at once, without waiting, when two connections switch a new file at the same time.
fn switch_to_wal(db: &Connection) -> Result<(), OpenError> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        let mode =
            db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let reason = format!("journal mode stays {mode}: no write-ahead log here");
                return Err(refused(ffi::SQLITE_CANTOPEN, reason));
            }
            Err(error) if classify(&error) == Failure::Busy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs what is missing, one transaction each. The state is read again inside each: another process may
/// have come first.
fn migrate(
    db: &mut Connection,
    migrations: &[Migration],
    known: u32,
    application_id: u32,
) -> Result<(), OpenError> {
    loop {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let state = State::read(&transaction, MAIN)?;
        state.check(known, application_id)?;
        let next = usize::try_from(state.version)
            .ok()
            .and_then(|version| migrations.get(version));
        if next.is_none() && !state.is_new() {
            return Ok(());
        }
        transaction.pragma_update(None, "application_id", application_id.cast_signed())?;
        if let Some(migration) = next {
            let to = state.version.saturating_add(1);
            let run = || {
                transaction.execute_batch(migration.sql)?;
                check_foreign_keys(&transaction)?;
                transaction.pragma_update(None, "user_version", to)
            };
            run().map_err(|error| match classify(&error) {
                Failure::Other => OpenError::Migration { to, source: error },
                _ => error.into(),
            })?;
        }
        transaction.commit()?;
        if migrations.is_empty() {
            return Ok(());
        }
    }
}

fn check_foreign_keys(db: &Connection) -> rusqlite::Result<()> {
    let broken = db.query_row("PRAGMA foreign_key_check", [], |row| {
        row.get::<_, String>(0)
    });
    match broken {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        Err(error) => Err(error),
        Ok(table) => Err(rusqlite::Error::SqliteFailure(
            ffi::Error {
                code: ErrorCode::ConstraintViolation,
                extended_code: ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
            },
            Some(format!("rows of {table} refer to rows that do not exist")),
        )),
    }
}
