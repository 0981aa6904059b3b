//! The Rust side of `tests/sqlcipher_interop.py`: writes or reads a file for another SQLCipher.
//!
//! ```sh
//! cargo run -p testigo-sqlite --example interop -- write key /tmp/a.db
//! cargo run -p testigo-sqlite --example interop -- read passphrase /tmp/b.db
//! ```

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use rusqlite::Connection;
use testigo_sqlite::{DatabaseKey, Migration, open_or_create, open_reader};

// The same values stand in `tests/sqlcipher_interop.py`.
const KEY: [u8; 32] = [0x5A; 32];
const PASSPHRASE: &str = "correct horse battery staple";
const APPLICATION: u32 = 0x7E57_0001;
const ROWS: i64 = 100;
const MIGRATIONS: &[Migration] = &[Migration {
    sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
}];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["write", "key", path] => write_with_key(Path::new(path)),
        ["read", "key", path] => read_with_key(Path::new(path)),
        ["write", "passphrase", path] => write_with_passphrase(Path::new(path)),
        ["read", "passphrase", path] => read_with_passphrase(Path::new(path)),
        _ => Err("usage: interop write|read key|passphrase PATH".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a program")]
            {
                eprintln!("interop: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn write_with_key(path: &Path) -> Result<(), Box<dyn Error>> {
    fill(&open_or_create(
        path,
        &DatabaseKey::from_bytes(KEY),
        MIGRATIONS,
        APPLICATION,
    )?)
}

fn read_with_key(path: &Path) -> Result<(), Box<dyn Error>> {
    check(&open_reader(
        path,
        &DatabaseKey::from_bytes(KEY),
        APPLICATION,
    )?)?;
    check(&open_or_create(
        path,
        &DatabaseKey::from_bytes(KEY),
        MIGRATIONS,
        APPLICATION,
    )?)
}

/// A passphrase goes through PBKDF2 (256,000 rounds), which `testigo_sqlite::open` never uses.
fn with_passphrase(path: &Path) -> Result<Connection, Box<dyn Error>> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "key", PASSPHRASE)?;
    Ok(db)
}

fn write_with_passphrase(path: &Path) -> Result<(), Box<dyn Error>> {
    let db = with_passphrase(path)?;
    for migration in MIGRATIONS {
        db.execute_batch(migration.sql)?;
    }
    fill(&db)
}

fn read_with_passphrase(path: &Path) -> Result<(), Box<dyn Error>> {
    check(&with_passphrase(path)?)
}

/// Long enough to need overflow pages now and then.
fn text(id: i64) -> String {
    format!("row {id} ").repeat(usize::try_from(id).unwrap_or(0) * 10)
}

fn fill(db: &Connection) -> Result<(), Box<dyn Error>> {
    for id in 1..=ROWS {
        db.execute("INSERT INTO note VALUES (?1, ?2)", (id, text(id)))?;
    }
    Ok(())
}

fn check(db: &Connection) -> Result<(), Box<dyn Error>> {
    let count: i64 = db.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?;
    if count != ROWS {
        return Err(format!("{count} rows instead of {ROWS}").into());
    }
    for id in 1..=ROWS {
        let found: String = db.query_row("SELECT text FROM note WHERE id = ?1", [id], |row| {
            row.get(0)
        })?;
        if found != text(id) {
            return Err(format!("row {id} differs").into());
        }
    }
    let mut findings = db.prepare("PRAGMA cipher_integrity_check")?;
    if let Some(row) = findings.query([])?.next()? {
        return Err(row.get::<_, String>(0)?.into());
    }
    Ok(())
}
