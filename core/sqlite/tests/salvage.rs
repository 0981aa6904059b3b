//! Damaged databases: what is readable is saved, what is not is told, and nothing is deleted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{
    DatabaseKey, Migration, OpenError, Salvaged, is_sound, open, open_or_create, replace,
    replacement_was_interrupted, salvage, set_aside,
};

const ID: u32 = 0x7E57_0002;
const PAGE: usize = 4096;
const ROWS: i64 = 80;
const OLD: &[Migration] = &[Migration {
    sql: "CREATE TABLE record (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
          CREATE TABLE note (n INTEGER PRIMARY KEY REFERENCES record (n), text TEXT) STRICT;
          CREATE INDEX by_text ON note (text, n);",
}];
const NEW: &[Migration] = &[
    OLD[0],
    Migration {
        sql: "ALTER TABLE record ADD COLUMN state INTEGER NOT NULL DEFAULT 7;",
    },
];
const TABLES: &[&str] = &["record", "note"];

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
    }
    db.execute_batch("COMMIT").unwrap();
    db.close().unwrap();
    path
}

fn saved(folder: &Path, damaged: &Path) -> (Salvaged, Connection) {
    let into = folder.join("new.db");
    let salvaged = salvage(damaged, &into, &key(), NEW, ID, TABLES, |_| Ok(())).unwrap();
    assert!(is_sound(&into, &key(), ID).unwrap());
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
    assert!(is_sound(&path, &key(), ID).unwrap());
    let (salvaged, db) = saved(folder.path(), &path);
    let whole = Salvaged {
        rows: 2 * ROWS as u64,
        gaps: 0,
    };
    assert_eq!(salvaged, whole);
    let states: i64 = db
        .query_row("SELECT sum(state) FROM record", [], |row| row.get(0))
        .unwrap();
    assert_eq!(states, 7 * ROWS);
}

/// The records that are not as they were written.
fn wrong(db: &Connection) -> i64 {
    db.query_row(
        "SELECT count(*) FROM record
         WHERE bytes IS NOT CAST(replace(hex(zeroblob(1000)), '00', char(n)) AS BLOB)",
        [],
        |row| row.get(0),
    )
    .unwrap()
}

#[test]
fn each_damaged_page_loses_what_lies_on_it_and_nothing_is_invented() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let sound = fs::read(&path).unwrap();
    let pages = sound.len() / PAGE;
    let mut lost = Vec::new();
    for page in 0..pages {
        let mut bytes = sound.clone();
        bytes[page * PAGE + 100] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(!is_sound(&path, &key(), ID).unwrap(), "page {page}");
        let again = tempfile::tempdir().unwrap();
        let (salvaged, db) = saved(again.path(), &path);
        assert!(salvaged.gaps > 0, "page {page}");
        assert_eq!(wrong(&db), 0, "page {page}");
        // Notes go with their records; all of them lie on one page.
        let records = ROWS - count(&db, "record");
        let notes = count(&db, "record") - count(&db, "note");
        assert!(
            notes == 0 || records == 0,
            "page {page}: {records}, {notes}"
        );
        lost.push(records);
        assert_eq!(
            fs::read(&path).unwrap(),
            bytes,
            "the damaged file was changed"
        );
    }
    // No page has room for more than three, and each is on one page and those in which it goes on.
    assert_eq!(lost.iter().max(), Some(&3), "{lost:?}");
    assert!(lost.iter().filter(|lost| **lost > 0).count() as i64 >= ROWS / 3);
}

#[test]
fn a_row_of_many_pages_comes_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let long: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    let db = open_or_create(&path, &key(), OLD, ID).unwrap();
    for length in [3_900, 3_990, 4_016, 20_000, long.len()] {
        db.execute("INSERT INTO record (bytes) VALUES (?1)", [&long[..length]])
            .unwrap();
    }
    db.close().unwrap();
    let (_, db) = saved(folder.path(), &path);
    let read = |n: i64| -> Vec<u8> {
        db.query_row("SELECT bytes FROM record WHERE n = ?1", [n], |row| {
            row.get(0)
        })
        .unwrap()
    };
    for (n, length) in (1..).zip([3_900, 3_990, 4_016, 20_000, long.len()]) {
        assert!(read(n) == long[..length], "{length}");
    }
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 200;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let again = tempfile::tempdir().unwrap();
    let (salvaged, db) = saved(again.path(), &path);
    assert_eq!(count(&db, "record"), 4);
    assert!(salvaged.gaps > 0);
}

#[test]
fn what_is_in_the_log_alone_counts_also_behind_a_damaged_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let db = open_or_create(&path, &key(), OLD, ID).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    for n in 1..=ROWS {
        db.execute(
            "INSERT INTO record VALUES (?1, ?2)",
            (n, vec![n as u8; 1000]),
        )
        .unwrap();
    }
    db.execute("DELETE FROM record WHERE n = 7", []).unwrap();
    // As a power cut leaves it: the log was never brought in.
    let copy = folder.path().join("b.db");
    let log = fs::read(folder.path().join("a.db-wal")).unwrap();
    fs::copy(&path, &copy).unwrap();
    let write_log = |bytes: &[u8]| fs::write(folder.path().join("b.db-wal"), bytes).unwrap();
    write_log(&log);
    let of_copy = || {
        let again = tempfile::tempdir().unwrap();
        let (salvaged, db) = saved(again.path(), &copy);
        (salvaged, count(&db, "record"), wrong(&db))
    };
    let whole = Salvaged { rows: 79, gaps: 0 };
    assert_eq!(of_copy(), (whole, 79, 0));
    // The database itself, and with it the salt, is in the log, too.
    let first = fs::read(&copy).unwrap();
    fs::write(&copy, b"something else").unwrap();
    assert!(!is_sound(&copy, &key(), ID).unwrap());
    assert_eq!(of_copy().1, 79);
    fs::write(&copy, &first).unwrap();
    // Frames of 4,120 bytes behind a header of 32.
    let frames = log.len() / 4_120;
    let mut lost = Vec::new();
    for frame in (0..frames).step_by(7) {
        let mut damaged = log.clone();
        damaged[32 + frame * 4_120 + 700] ^= 1;
        write_log(&damaged);
        let (_, records, wrong) = of_copy();
        assert_eq!(wrong, 0, "frame {frame}");
        lost.push(79 - records);
    }
    assert!(lost.iter().all(|lost| *lost <= 3), "{lost:?}");
    // What was not finished never was.
    write_log(&log[..log.len() - 10]);
    let (_, records, wrong) = of_copy();
    assert_eq!((records, wrong), (80, 0));
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
    // As many as there were, one of them cut.
    let missing = bytes.len() / PAGE - bytes.len() / 2 / PAGE;
    assert!(salvaged.gaps >= missing as u64, "{salvaged:?}");
    assert!(count(&db, "record") > ROWS / 4);
}

#[test]
fn another_key_opens_nothing_and_is_one_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let other = DatabaseKey::from_bytes([8; 32]);
    assert!(matches!(
        is_sound(&path, &other, ID),
        Err(OpenError::WrongKey)
    ));
    let into = folder.path().join("new.db");
    let salvaged = salvage(&path, &into, &other, NEW, ID, TABLES, |_| Ok(())).unwrap();
    assert_eq!(salvaged, Salvaged { rows: 0, gaps: 1 });
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

#[test]
fn a_replacement_that_was_interrupted_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, new) = (folder.path().join("a.db"), folder.path().join("a.new"));
    fs::write(&path, [1]).unwrap();
    fs::write(&new, [2]).unwrap();
    assert!(!replacement_was_interrupted(&path, &new));
    let log = folder.path().join("a.db-wal");
    for n in 1..=2 {
        // A power cut behind the first step.
        let aside = folder.path().join(format!("a.db.aside-{n}"));
        fs::rename(&path, &aside).unwrap();
        fs::write(&log, [3]).unwrap();
        assert!(replacement_was_interrupted(&path, &new));
        assert_eq!(replace(&path, &new).unwrap(), aside);
        assert!(!replacement_was_interrupted(&path, &new));
        assert_eq!(fs::read(&path).unwrap(), [2]);
        assert!(!log.exists() && !new.exists());
        fs::write(&new, [2]).unwrap();
    }
}
