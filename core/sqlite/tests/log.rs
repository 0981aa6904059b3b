//! Damaged write-ahead logs are told and what lies behind the damage is saved; torn ones are none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{
    DatabaseKey, Migration, OpenError, is_sound, open, open_or_create, open_reader, salvage,
};

const ID: u32 = 0x7E57_0003;
const HEADER: usize = 32;
const FRAME: usize = 24 + 4096;
const SECTOR: usize = 512;
const MIGRATIONS: &[Migration] = &[Migration {
    sql: "CREATE TABLE record (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
}];

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([7; 32])
}

fn insert(db: &Connection, n: i64, bytes: usize) {
    let row = (n, vec![n as u8; bytes]);
    db.execute("INSERT INTO record VALUES (?1, ?2)", row)
        .unwrap();
}

fn records(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM record", [], |row| row.get(0))
        .unwrap()
}

/// A database at `a.db` whose log was begun anew at least once; nothing brings it in any more.
fn begun_anew(folder: &Path) -> (Connection, PathBuf) {
    let path = folder.join("a.db");
    let db = open_or_create(&path, &key(), MIGRATIONS, ID).unwrap();
    db.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    for n in 1000..1020 {
        insert(&db, n, 1000);
    }
    db.execute_batch("DELETE FROM record; PRAGMA wal_checkpoint(RESTART)")
        .unwrap();
    (db, path)
}

/// What a log without its process leaves.
fn write(path: &Path, database: &[u8], log: &[u8]) {
    let _ = fs::remove_file(path.with_extension("db-shm"));
    fs::write(path, database).unwrap();
    fs::write(path.with_extension("db-wal"), log).unwrap();
}

fn read(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let log = fs::read(path.with_extension("db-wal")).unwrap();
    (fs::read(path).unwrap(), log)
}

/// The frames of the log's present run, and after each how many transactions are finished.
fn ends(log: &[u8]) -> Vec<usize> {
    let frames = log[HEADER..].chunks_exact(FRAME);
    let mut finished = 0;
    frames
        .take_while(|frame| frame[8..16] == log[16..24])
        .map(|frame| {
            finished += usize::from(frame[4..8] != [0; 4]);
            finished
        })
        .collect()
}

/// Rows that come back out of a damaged log, where it is told.
fn told_and_saved(path: &Path) -> Option<(i64, u64)> {
    let (database, log) = read(path);
    let opened = open(path, &key(), MIGRATIONS, ID);
    let reader = open_reader(path, &key(), ID);
    match opened {
        Ok(_) => {
            assert!(reader.is_ok());
            None
        }
        Err(error) => {
            assert!(matches!(error, OpenError::Corrupt), "{error:?}");
            assert!(matches!(reader, Err(OpenError::Corrupt)));
            assert!(!is_sound(path, &key(), ID).unwrap());
            assert!(read(path) == (database, log), "it was changed");
            let folder = tempfile::tempdir().unwrap();
            let into = folder.path().join("new.db");
            let tables = ["record"];
            let salvaged =
                salvage(path, &into, &key(), MIGRATIONS, ID, &tables, |_| Ok(())).unwrap();
            let db = open(&into, &key(), MIGRATIONS, ID).unwrap();
            Some((records(&db), salvaged.gaps))
        }
    }
}

#[test]
fn each_damaged_field_of_a_log_is_told_and_what_is_behind_it_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (db, path) = begun_anew(folder.path());
    // Of one page, of two, and of several.
    let rows = 14;
    for n in 1..=rows {
        insert(&db, n, if n % 5 == 0 { 9000 } else { 1200 });
    }
    let (database, log) = read(&path);
    let copy = folder.path().join("b.db");
    write(&copy, &database, &log);
    assert_eq!(told_and_saved(&copy), None);
    let ends = ends(&log);
    let last = *ends.last().unwrap();
    assert_eq!(last, rows as usize);
    // Number, size, salts, code, page.
    let mut places = vec![0, 4, 9, 13, 17, 24];
    for frame in 0..ends.len() {
        places.extend(
            [3, 0, 7, 4, 10, 15, 16, 22, 24, 700, 4119].map(|at| HEADER + frame * FRAME + at),
        );
    }
    for place in places {
        let mut damaged = log.clone();
        damaged[place] ^= 0x15;
        write(&copy, &database, &damaged);
        let told = told_and_saved(&copy);
        let (frame, at) = match place.checked_sub(HEADER) {
            Some(behind) => (behind / FRAME, behind % FRAME),
            None => (0, 0),
        };
        let of_last = place >= HEADER && frame > 0 && ends[frame - 1] == last - 1;
        if of_last {
            // As a power cut leaves it, before it was called saved: nobody can tell the two apart.
            assert_eq!(told, None, "{place}");
            continue;
        }
        let (saved, gaps) = told.unwrap_or_else(|| panic!("not told: frame {frame}, {at}"));
        if at < 24 {
            assert_eq!((saved, gaps), (rows, 0), "frame {frame}, {at}");
        } else {
            assert!(saved >= rows - 3, "frame {frame}, {at}: {saved}");
            assert!(saved == rows || gaps > 0, "frame {frame}, {at}");
        }
    }
}

#[test]
fn a_log_of_one_transaction_without_its_header_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (db, path) = begun_anew(folder.path());
    insert(&db, 1, 100);
    let (database, log) = read(&path);
    let copy = folder.path().join("b.db");
    for place in 0..HEADER {
        let mut damaged = log.clone();
        damaged[place] ^= 1;
        write(&copy, &database, &damaged);
        assert_eq!(told_and_saved(&copy), Some((1, 0)), "{place}");
    }
}

#[test]
fn a_torn_end_is_never_called_damaged() {
    let mut seed = 88_172_645_463_325_252u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let folder = tempfile::tempdir().unwrap();
    let (db, path) = begun_anew(folder.path());
    let copy = folder.path().join("b.db");
    for n in 1..=40 {
        let (database, before) = read(&path);
        insert(&db, n, if n % 4 == 0 { 12_000 } else { 900 });
        let (_, after) = read(&path);
        let mut old = before.clone();
        old.resize(after.len(), 0);
        // A log that is begun anew has its header on the disk before the first frame.
        old[..HEADER].copy_from_slice(&after[..HEADER]);
        let sectors: Vec<usize> = (0..after.len().div_ceil(SECTOR))
            .map(|sector| sector * SECTOR)
            .filter(|at| {
                let part = *at..after.len().min(at + SECTOR);
                old[part.clone()] != after[part]
            })
            .collect();
        for _ in 0..25 {
            let (keep, mut torn) = (random(), old.clone());
            let most = keep % 8;
            for at in &sectors {
                if random() % 8 <= most {
                    let part = *at..after.len().min(at + SECTOR);
                    torn[part.clone()].copy_from_slice(&after[part]);
                }
            }
            write(&copy, &database, &torn);
            let opened = open(&copy, &key(), MIGRATIONS, ID).unwrap();
            assert!(records(&opened) >= n - 1, "{n}");
            // The log goes on behind what was never finished, and that is no damage either.
            insert(&opened, 5000, 10);
            let (database, log) = read(&copy);
            drop(opened);
            write(&copy, &database, &log);
            let again = open(&copy, &key(), MIGRATIONS, ID).unwrap();
            assert!(records(&again) >= n, "{n}");
        }
    }
}

#[test]
fn a_log_that_is_being_written_is_never_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (db, path) = begun_anew(folder.path());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                open_reader(&path, &key(), ID).unwrap();
            }
        });
        // Begun anew time and again, also behind what was taken back.
        for n in 0..300 {
            insert(&db, n, 2000);
            if n % 7 == 0 {
                db.execute_batch("BEGIN; PRAGMA cache_size = 2").unwrap();
                for more in 0..20 {
                    insert(&db, 10_000 + more, 2000);
                }
                db.execute_batch("ROLLBACK").unwrap();
            }
            if n % 10 == 0 {
                db.execute_batch("PRAGMA wal_checkpoint(RESTART)").unwrap();
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
