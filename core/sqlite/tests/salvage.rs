//! Damaged databases: what is readable is saved, what is not is told, and nothing is deleted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{
    DatabaseKey, Migration, OpenError, Salvaged, is_sound, open, open_or_create, salvage, set_aside,
};

const ID: u32 = 0x7E57_0002;
const PAGE: usize = 4096;
const ROWS: i64 = 80;
const OLD: &[Migration] = &[Migration {
    sql: "CREATE TABLE record (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
          CREATE TABLE note (n INTEGER PRIMARY KEY REFERENCES record (n), text TEXT) STRICT;
          CREATE TABLE tag (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;",
}];
const NEW: &[Migration] = &[
    OLD[0],
    Migration {
        sql: "ALTER TABLE record ADD COLUMN state INTEGER NOT NULL DEFAULT 7;",
    },
];
const TABLES: &[&str] = &["record", "note", "tag"];

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([9; 32])
}

/// A database of records of 1,000 bytes each.
fn filled(folder: &Path) -> PathBuf {
    let path = folder.join("a.db");
    let db = open_or_create(&path, &key(), OLD, ID).unwrap();
    db.execute_batch("BEGIN").unwrap();
    for n in 1..=ROWS {
        let bytes = vec![n as u8; 1000];
        db.execute("INSERT INTO record VALUES (?1, ?2)", (n, bytes))
            .unwrap();
        db.execute("INSERT INTO note VALUES (?1, 'x')", [n])
            .unwrap();
        db.execute("INSERT INTO tag VALUES (?1, 1)", [n]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    db.close().unwrap();
    path
}

fn saved(folder: &Path, damaged: &Path) -> (Salvaged, Connection) {
    let into = folder.join("new.db");
    let salvaged = salvage(damaged, &into, &key(), NEW, ID, TABLES, |_| Ok(())).unwrap();
    assert!(is_sound(&into, &key()).unwrap());
    (salvaged, open(&into, &key(), NEW, ID).unwrap())
}

fn count(db: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    db.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_sound_one_is_copied_whole_with_the_newer_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    assert!(is_sound(&path, &key()).unwrap());
    let (salvaged, db) = saved(folder.path(), &path);
    let whole = Salvaged {
        rows: 3 * ROWS as u64,
        gaps: 0,
    };
    assert_eq!(salvaged, whole);
    let states: i64 = db
        .query_row("SELECT sum(state) FROM record", [], |row| row.get(0))
        .unwrap();
    assert_eq!(states, 7 * ROWS);
}

#[test]
fn around_each_damaged_page_the_rest_is_saved_and_nothing_is_invented() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let sound = fs::read(&path).unwrap();
    let pages = sound.len() / PAGE;
    let mut most_lost = 0;
    for page in 1..pages {
        let mut bytes = sound.clone();
        bytes[page * PAGE + 100] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(!is_sound(&path, &key()).unwrap(), "page {page}");
        let again = tempfile::tempdir().unwrap();
        let (salvaged, db) = saved(again.path(), &path);
        assert!(salvaged.gaps > 0, "page {page}");
        let wrong: i64 = db
            .query_row(
                "SELECT count(*) FROM record
                 WHERE bytes IS NOT CAST(replace(hex(zeroblob(1000)), '00', char(n)) AS BLOB)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(wrong, 0, "page {page}");
        let lost = ROWS - count(&db, "record");
        // Roots lead to all of their table; other pages to a few rows.
        if lost < ROWS {
            most_lost = most_lost.max(lost);
        }
        assert!(count(&db, "note") <= count(&db, "record"));
        assert_eq!(
            fs::read(&path).unwrap(),
            bytes,
            "the damaged file was changed"
        );
    }
    assert!((1..=8).contains(&most_lost), "{most_lost}");
}

#[test]
fn a_file_cut_short_gives_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2 + 77]).unwrap();
    assert!(matches!(
        open(&path, &key(), OLD, ID),
        Err(OpenError::Corrupt)
    ));
    let (salvaged, db) = saved(folder.path(), &path);
    assert!(salvaged.gaps > 0);
    assert!(count(&db, "record") > ROWS / 4);
}

#[test]
fn another_key_opens_nothing_and_is_one_gap_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let other = DatabaseKey::from_bytes([8; 32]);
    assert!(matches!(is_sound(&path, &other), Err(OpenError::WrongKey)));
    let into = folder.path().join("new.db");
    let salvaged = salvage(&path, &into, &other, NEW, ID, TABLES, |_| Ok(())).unwrap();
    assert_eq!(salvaged, Salvaged { rows: 0, gaps: 3 });
}

#[test]
fn what_is_set_aside_keeps_its_logs_and_its_predecessors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let name = |text: &str| folder.path().join(text);
    for n in 1..=2 {
        fs::write(&path, [n]).unwrap();
        fs::write(name("a.db-wal"), [n + 10]).unwrap();
        let aside = set_aside(&path).unwrap();
        assert_eq!(aside, name(&format!("a.db.aside-{n}")));
    }
    // Interrupted between the two: the log joins its database.
    fs::write(name("a.db.aside-3"), [3]).unwrap();
    fs::write(name("a.db-wal"), [13]).unwrap();
    assert_eq!(set_aside(&path).unwrap(), name("a.db.aside-3"));
    for n in 1..=3 {
        assert_eq!(fs::read(name(&format!("a.db.aside-{n}"))).unwrap(), [n]);
        assert_eq!(
            fs::read(name(&format!("a.db.aside-{n}-wal"))).unwrap(),
            [n + 10]
        );
    }
    assert!(!path.exists() && !name("a.db-wal").exists());
}
