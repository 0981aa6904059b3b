//! Opening: what works, what is refused, and that nothing refused is ever touched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use rusqlite::Connection;
use tempfile::TempDir;
use testigo_sqlite::{
    DatabaseKey, Failure, Migration, OpenError, attach_reader, classify, open, open_or_create,
    open_reader, pages_verified,
};

const APPLICATION: u32 = 0x7E57_1601;
const MARKER: &str = "a marker that must not be readable in any file";
const MIGRATIONS: &[Migration] = &[
    Migration {
        sql: "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
              CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent ON DELETE CASCADE) STRICT;",
    },
    Migration { sql: "ALTER TABLE parent ADD COLUMN note TEXT" },
    // SQLite's way of changing a table: make it anew.
    Migration {
        sql: "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT NOT NULL) STRICT;
              INSERT INTO parent_new SELECT id, name, coalesce(note, '') FROM parent;
              DROP TABLE parent;
              ALTER TABLE parent_new RENAME TO parent;",
    },
];

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([0x42; 32])
}

fn open_all(path: &Path) -> Result<Connection, OpenError> {
    open_or_create(path, &key(), MIGRATIONS, APPLICATION)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    (folder, path)
}

/// Every file of the folder except `-shm`, which holds no data and is SQLite's to rebuild.
fn snapshot(folder: &TempDir) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect()
}

/// Asserts that both ways of opening fail and leave every byte as it was.
#[track_caller]
fn assert_refused_untouched(folder: &TempDir, path: &Path, expected: fn(&OpenError) -> bool) {
    let before = snapshot(folder);
    let error = open_all(path).expect_err("opened for writing");
    assert!(expected(&error), "{error:?}");
    let error = open_reader(path, &key(), APPLICATION).expect_err("opened for reading");
    assert!(expected(&error), "reader: {error:?}");
    assert_same_content(&before, &snapshot(folder));
}

/// An empty `-wal` may appear: it says nothing and loses nothing.
#[track_caller]
fn assert_same_content(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
    for name in before.keys().chain(after.keys()) {
        let bytes =
            |files: &BTreeMap<String, Vec<u8>>| files.get(name).cloned().unwrap_or_default();
        assert!(bytes(before) == bytes(after), "{name} was changed");
    }
}

fn text(db: &Connection, sql: &str) -> String {
    db.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0))
        .map(|value| match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .unwrap()
}

fn schema(db: &Connection) -> Vec<(String, String, Option<String>)> {
    db.prepare("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// A closed database with a few pages of rows: the bytes of its file.
fn filled(path: &Path) -> Vec<u8> {
    let db = open_all(path).unwrap();
    for id in 0..200 {
        db.execute(
            "INSERT INTO parent VALUES (?1, ?2, ?3)",
            (id, MARKER, MARKER),
        )
        .unwrap();
    }
    drop(db);
    fs::read(path).unwrap()
}

#[test]
fn the_provider_is_ours_and_the_format_is_sqlcipher_4() {
    let (_folder, path) = folder();
    let db = open_all(&path).unwrap();
    assert_eq!(text(&db, "PRAGMA cipher_provider"), "rustcrypto");
    assert!(text(&db, "PRAGMA cipher_provider_version").starts_with("testigo-sqlite "));
    assert_eq!(text(&db, "PRAGMA cipher"), "aes-256-cbc");
    // The layout of `provider.rs`'s table is that of this release: compare `struct sqlcipher_provider` in
    // the new `sqlcipher.h` before changing the number here.
    let version = text(&db, "PRAGMA cipher_version");
    assert!(version.starts_with("4.19.0"), "{version}");
}

#[test]
fn every_promised_pragma_is_set() {
    let (_folder, path) = folder();
    let db = open_all(&path).unwrap();
    let expected = [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("fullfsync", "1"),
        ("foreign_keys", "1"),
        ("secure_delete", "1"),
        ("busy_timeout", "5000"),
        ("temp_store", "2"),
        ("trusted_schema", "0"),
        ("cell_size_check", "1"),
        ("user_version", "3"),
        ("application_id", "2119636481"),
    ];
    for (pragma, value) in expected {
        assert_eq!(text(&db, &format!("PRAGMA {pragma}")), value, "{pragma}");
    }
}

#[test]
fn rows_survive_closing_and_opening() {
    let (_folder, path) = folder();
    filled(&path);
    let db = open_all(&path).unwrap();
    assert_eq!(
        text(&db, "SELECT count(*) FROM parent WHERE id < 200"),
        "200"
    );
    assert_eq!(text(&db, "SELECT name FROM parent WHERE id = 7"), MARKER);
    assert_eq!(text(&db, "PRAGMA integrity_check"), "ok");
    let mut findings = db.prepare("PRAGMA cipher_integrity_check").unwrap();
    assert!(findings.query([]).unwrap().next().unwrap().is_none());
}

#[test]
fn nothing_is_readable_in_the_files() {
    let (folder, path) = folder();
    let db = open_all(&path).unwrap();
    db.execute("INSERT INTO parent VALUES (1, ?1, ?1)", [MARKER])
        .unwrap();
    let open = snapshot(&folder);
    assert!(open.contains_key("test.db-wal"));
    drop(db);
    for files in [open, snapshot(&folder)] {
        for (name, bytes) in files {
            for needle in [MARKER.as_bytes(), b"CREATE TABLE", b"SQLite format 3"] {
                assert!(
                    !bytes.windows(needle.len()).any(|window| window == needle),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_reader_reads_and_cannot_write() {
    let (_folder, path) = folder();
    let writer = open_all(&path).unwrap();
    writer
        .execute("INSERT INTO parent VALUES (1, ?1, '')", [MARKER])
        .unwrap();
    let reader = open_reader(&path, &key(), APPLICATION).unwrap();
    assert_eq!(text(&reader, "SELECT name FROM parent"), MARKER);
    assert!(reader.execute("DELETE FROM parent", []).is_err());
    reader.execute_batch("PRAGMA query_only = OFF").unwrap();
    assert!(reader.execute("DELETE FROM parent", []).is_err());
    drop(writer);
    assert_eq!(text(&reader, "SELECT count(*) FROM parent"), "1");
    drop(reader);
    let reader = open_reader(&path, &key(), APPLICATION).unwrap();
    assert_eq!(text(&reader, "SELECT name FROM parent"), MARKER);
}

#[test]
fn opening_what_must_be_there_makes_no_database() {
    let (folder, path) = folder();
    let opened = || open(&path, &key(), MIGRATIONS, APPLICATION);
    assert!(matches!(opened(), Err(OpenError::Missing)));
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    fs::write(&path, "").unwrap();
    assert!(matches!(opened(), Err(OpenError::Missing)));
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    drop(open_or_create(&path, &key(), MIGRATIONS, APPLICATION).unwrap());
    opened().unwrap();
}

#[test]
fn a_file_that_ends_inside_a_page_is_damaged_and_stays_as_it_is() {
    let (_folder, path) = folder();
    let db = open_or_create(&path, &key(), MIGRATIONS, APPLICATION).unwrap();
    drop(db);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(
        open(&path, &key(), MIGRATIONS, APPLICATION),
        Err(OpenError::Corrupt)
    ));
    assert!(matches!(
        open_reader(&path, &key(), APPLICATION),
        Err(OpenError::Corrupt)
    ));
    assert!(fs::read(&path).unwrap() == whole[..whole.len() - 1]);
}

#[test]
fn a_reader_makes_no_database() {
    let (folder, path) = folder();
    assert!(matches!(
        open_reader(&path, &key(), APPLICATION),
        Err(OpenError::Missing)
    ));
    fs::write(&path, "").unwrap();
    assert!(matches!(
        open_reader(&path, &key(), APPLICATION),
        Err(OpenError::Missing)
    ));
    assert_eq!(
        snapshot(&folder),
        BTreeMap::from([("test.db".to_owned(), Vec::new())])
    );
    open_or_create(&path, &key(), &[], APPLICATION).unwrap();
    open_reader(&path, &key(), APPLICATION).unwrap();
}

#[test]
fn an_empty_file_becomes_a_database() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    open_all(&path).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 0);
}

#[test]
fn a_path_is_only_ever_a_path() {
    for name in [
        ":memory:",
        "file:other.db?mode=memory",
        "a name with spaces and 'quotes' %20.db",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        open_all(&path).unwrap();
        assert!(path.exists(), "{name}");
    }
    assert!(matches!(open_all(Path::new("")), Err(OpenError::Io(_))));
}

#[test]
fn a_missing_folder_is_an_error() {
    let (_folder, path) = folder();
    assert!(matches!(
        open_all(&path.join("deeper.db")),
        Err(OpenError::Sqlite(_))
    ));
}

#[test]
fn a_wrong_key_is_refused() {
    let (folder, path) = folder();
    drop(
        open_or_create(
            &path,
            &DatabaseKey::from_bytes([1; 32]),
            MIGRATIONS,
            APPLICATION,
        )
        .unwrap(),
    );
    assert_refused_untouched(&folder, &path, |error| matches!(error, OpenError::WrongKey));
    open_or_create(
        &path,
        &DatabaseKey::from_bytes([1; 32]),
        MIGRATIONS,
        APPLICATION,
    )
    .unwrap();
}

#[test]
fn a_wrong_key_leaves_a_pending_log_alone() {
    let (source, path) = folder();
    let db = open_or_create(
        &path,
        &DatabaseKey::from_bytes([1; 32]),
        MIGRATIONS,
        APPLICATION,
    )
    .unwrap();
    db.execute("INSERT INTO parent VALUES (1, ?1, '')", [MARKER])
        .unwrap();
    // As after a power cut: the log is there, its writer is not.
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in snapshot(&source) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    let path = copy.path().join("test.db");
    assert_refused_untouched(&copy, &path, |error| matches!(error, OpenError::WrongKey));
    let db = open_or_create(
        &path,
        &DatabaseKey::from_bytes([1; 32]),
        MIGRATIONS,
        APPLICATION,
    )
    .unwrap();
    assert_eq!(text(&db, "SELECT name FROM parent"), MARKER);
}

#[test]
fn a_truncated_file_is_refused_at_every_length() {
    let (folder, path) = folder();
    let whole = filled(&path);
    assert!(whole.len() >= 5 * 4096);
    let lengths = (1..100)
        .chain([
            511, 512, 513, 1023, 1024, 2048, 4000, 4095, 4096, 4097, 6000, 8191, 8192, 8193,
        ])
        .chain([12_288, whole.len() - 4096]);
    for length in lengths {
        fs::write(&path, &whole[..length]).unwrap();
        assert_refused_untouched(&folder, &path, |error| {
            matches!(error, OpenError::WrongKey | OpenError::Corrupt)
        });
    }
    fs::write(&path, &whole).unwrap();
    open_all(&path).unwrap();
}

#[test]
fn damage_behind_the_first_page_is_found_when_it_is_read() {
    let (_folder, path) = folder();
    let whole = filled(&path);
    for page in 1..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096 + 1000] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let failure = open_all(&path).map_or_else(
            |error| matches!(error, OpenError::Corrupt),
            |db| {
                let read = db.query_row("SELECT sum(length(name)) FROM parent", [], |_| Ok(()));
                let other = db.query_row("SELECT count(*) FROM child", [], |_| Ok(()));
                [read, other]
                    .into_iter()
                    .any(|result| result.is_err_and(|error| classify(&error) == Failure::Corrupt))
            },
        );
        assert!(failure, "page {}", page + 1);
        assert!(fs::read(&path).unwrap() == damaged);
    }
}

#[test]
fn damage_is_known_even_where_sqlcipher_reads_zeros() {
    let (_folder, path) = folder();
    let value = "7".repeat(60_000);
    let db = open_all(&path).unwrap();
    db.execute("INSERT INTO parent VALUES (1, ?1, '')", [&value])
        .unwrap();
    assert!(pages_verified(&db).unwrap());
    drop(db);
    let whole = fs::read(&path).unwrap();
    let mut read_as_zeros = 0;
    for page in 1..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096 + 500] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let Ok(db) = open_all(&path) else { continue };
        match db.query_row("SELECT name FROM parent", [], |row| row.get::<_, String>(0)) {
            Ok(read) if read == value => assert!(pages_verified(&db).unwrap()),
            Ok(_) => {
                read_as_zeros += 1;
                assert!(!pages_verified(&db).unwrap());
                let error = db.execute("DELETE FROM parent", []).unwrap_err();
                assert_eq!(classify(&error), Failure::Corrupt);
            }
            Err(error) => assert_eq!(classify(&error), Failure::Corrupt),
        }
    }
    // Should a later SQLCipher report this by itself, `pages_verified` can go.
    assert_eq!(read_as_zeros, 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_not_opened_for_writing() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    filled(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    // The superuser may write it all the same.
    if fs::OpenOptions::new().write(true).open(&path).is_err() {
        let error = open_all(&path).unwrap_err();
        assert!(matches!(error, OpenError::Sqlite(_)), "{error:?}");
    }
    open_reader(&path, &key(), APPLICATION).unwrap();
}

#[test]
fn foreign_files_are_refused() {
    let contents: [&[u8]; 5] = [
        b"x",
        b"dear diary",
        &[b'a'; 5000],
        &[0; 4096],
        b"SQLite format 3\0",
    ];
    for content in contents {
        let (folder, path) = folder();
        fs::write(&path, content).unwrap();
        assert_refused_untouched(&folder, &path, |error| matches!(error, OpenError::WrongKey));
    }
}

#[test]
fn plain_sqlite_files_are_refused_with_whatever_lies_beside_them() {
    for mode in ["DELETE", "WAL"] {
        let (source, path) = folder();
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!(
            "PRAGMA journal_mode = {mode};
             CREATE TABLE plain (text TEXT);
             INSERT INTO plain WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100)
             SELECT hex(randomblob(2000)) FROM n;"
        ))
        .unwrap();
        // A transaction that is under way and already written out in part.
        db.execute_batch(
            "PRAGMA cache_size = 1; BEGIN; UPDATE plain SET text = hex(randomblob(2000));",
        )
        .unwrap();
        let files = snapshot(&source);
        let beside = if mode == "WAL" {
            "test.db-wal"
        } else {
            "test.db-journal"
        };
        assert!(!files[beside].is_empty());
        let copy = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(copy.path().join(name), bytes).unwrap();
        }
        let path = copy.path().join("test.db");
        assert_refused_untouched(&copy, &path, |error| matches!(error, OpenError::WrongKey));
    }
}

#[test]
fn a_log_without_its_database_is_not_erased() {
    let (source, path) = folder();
    let db = open_all(&path).unwrap();
    db.execute("INSERT INTO parent VALUES (1, ?1, '')", [MARKER])
        .unwrap();
    let log = snapshot(&source)["test.db-wal"].clone();
    assert!(!log.is_empty());
    for database in [None, Some("")] {
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("test.db");
        fs::write(copy.path().join("test.db-wal"), &log).unwrap();
        if let Some(content) = database {
            fs::write(&path, content).unwrap();
        }
        assert_refused_untouched(&copy, &path, |error| {
            matches!(error, OpenError::LogWithoutDatabase)
        });
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let (folder, path) = folder();
    let newer = [
        MIGRATIONS,
        &[Migration {
            sql: "CREATE TABLE future (x INTEGER) STRICT",
        }],
    ]
    .concat();
    drop(open_or_create(&path, &key(), &newer, APPLICATION).unwrap());
    let before = snapshot(&folder);
    let error = open_all(&path).unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 4, known: 3 }),
        "{error:?}"
    );
    assert!(error.to_string().contains("update the app"));
    assert_same_content(&before, &snapshot(&folder));
    open_or_create(&path, &key(), &newer, APPLICATION).unwrap();
}

#[test]
fn another_application_is_refused() {
    let (folder, path) = folder();
    drop(open_or_create(&path, &key(), MIGRATIONS, 99).unwrap());
    assert_refused_untouched(&folder, &path, |error| {
        matches!(
            error,
            OpenError::Foreign {
                found: 99,
                expected: APPLICATION
            }
        )
    });
}

#[test]
fn a_database_under_our_key_without_our_mark_is_refused() {
    let (folder, path) = folder();
    let db = open_or_create(&path, &key(), &[], 0).unwrap();
    db.execute_batch("CREATE TABLE theirs (x INTEGER)").unwrap();
    drop(db);
    assert_refused_untouched(&folder, &path, |error| {
        matches!(
            error,
            OpenError::Foreign {
                found: 0,
                expected: APPLICATION
            }
        )
    });
}

#[test]
fn every_older_schema_becomes_the_fresh_one_and_keeps_its_rows() {
    let (_fresh_folder, fresh_path) = folder();
    let fresh = schema(&open_all(&fresh_path).unwrap());
    for known in 0..MIGRATIONS.len() {
        let (_folder, path) = folder();
        let db = open_or_create(&path, &key(), &MIGRATIONS[..known], APPLICATION).unwrap();
        if known > 0 {
            db.execute_batch(
                "INSERT INTO parent (id, name) VALUES (1, 'kept'); INSERT INTO child VALUES (1);",
            )
            .unwrap();
        }
        drop(db);
        let db = open_all(&path).unwrap();
        assert_eq!(schema(&db), fresh, "from {known}");
        let rows = if known > 0 { "1" } else { "0" };
        assert_eq!(text(&db, "SELECT count(*) FROM parent"), rows);
        // Rebuilding `parent` must not have cascaded into `child`.
        assert_eq!(text(&db, "SELECT count(*) FROM child"), rows);
    }
}

#[test]
fn a_failing_migration_is_undone_whole() {
    let failing: [&'static str; 3] = [
        "CREATE TABLE half (x INTEGER) STRICT; CREATE TABLE half (x INTEGER) STRICT;",
        "CREATE TABLE half (x INTEGER) STRICT; INSERT INTO child VALUES (12345);",
        "CREATE TABLE half (x INTEGER) STRICT; not a statement;",
    ];
    for sql in failing {
        let (_folder, path) = folder();
        drop(open_all(&path).unwrap());
        let with_failure = [MIGRATIONS, &[Migration { sql }]].concat();
        let error = open_or_create(&path, &key(), &with_failure, APPLICATION).unwrap_err();
        assert!(
            matches!(error, OpenError::Migration { to: 4, .. }),
            "{error:?}"
        );
        let db = open_all(&path).unwrap();
        assert_eq!(
            text(
                &db,
                "SELECT count(*) FROM sqlite_master WHERE name = 'half'"
            ),
            "0"
        );
        assert_eq!(text(&db, "SELECT count(*) FROM child"), "0");
    }
}

#[test]
fn many_open_and_migrate_at_once_and_each_step_runs_once() {
    // Not idempotent: a step that ran twice would fail or show in the sum.
    const STEPS: &[Migration] = &[
        Migration {
            sql: "CREATE TABLE run (step INTEGER NOT NULL) STRICT; INSERT INTO run VALUES (1);",
        },
        Migration {
            sql: "INSERT INTO run VALUES (10)",
        },
        Migration {
            sql: "INSERT INTO run VALUES (100)",
        },
    ];
    for round in 0..20 {
        let (_folder, path) = folder();
        let threads = 2 + round % 3;
        let start = Barrier::new(threads);
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let db = open_or_create(&path, &key(), STEPS, APPLICATION).unwrap();
                        text(&db, "SELECT sum(step) FROM run")
                    })
                })
                .collect();
            for opener in openers {
                assert_eq!(opener.join().unwrap(), "111");
            }
        });
    }
}

#[test]
fn a_full_disk_is_told_from_other_failures() {
    let (_folder, path) = folder();
    let db = open_all(&path).unwrap();
    let pages = text(&db, "PRAGMA page_count");
    db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        .unwrap();
    let large = "x".repeat(100_000);
    let error = db
        .execute("INSERT INTO parent VALUES (1, ?1, '')", [&large])
        .unwrap_err();
    assert_eq!(classify(&error), Failure::DiskFull);
    let error = db
        .execute("INSERT INTO nowhere VALUES (1)", [])
        .unwrap_err();
    assert_eq!(classify(&error), Failure::Other);
}

#[test]
fn a_held_lock_is_told_from_other_failures() {
    let (_folder, path) = folder();
    let holder = open_all(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let db = open_all(&path).unwrap();
    db.busy_timeout(std::time::Duration::ZERO).unwrap();
    let error = db
        .execute("INSERT INTO parent VALUES (1, '', '')", [])
        .unwrap_err();
    assert_eq!(classify(&error), Failure::Busy);
}

#[test]
fn an_attached_database_is_read_beside_the_own_one_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    // What stands for something in a URI is a name like others.
    let other = folder.path().join("a 50% ?mode=rw#\u{f1}.db");
    let other_key = DatabaseKey::from_bytes([0x43; 32]);
    let writer = open_or_create(&other, &other_key, MIGRATIONS, APPLICATION + 1).unwrap();
    writer
        .execute(
            "INSERT INTO parent (id, name, note) VALUES (7, 'seven', '')",
            [],
        )
        .unwrap();
    let own = Migration {
        sql: "CREATE TABLE own (parent INTEGER NOT NULL) STRICT;",
    };
    let path = folder.path().join("own.db");
    let mut db = open_or_create(&path, &key(), &[own], APPLICATION).unwrap();
    attach_reader(&db, &other, &other_key, "other", APPLICATION + 1).unwrap();
    db.execute("INSERT INTO own VALUES (7)", []).unwrap();
    let name = "SELECT name FROM own JOIN parent ON parent.id = own.parent";
    let read = |db: &Connection| db.query_row(name, [], |row| row.get::<_, String>(0));
    assert_eq!(read(&db).unwrap(), "seven");
    assert!(
        db.execute("INSERT INTO parent VALUES (8, 'eight', '')", [])
            .is_err()
    );
    // Who holds the write lock of the one keeps nobody from writing the other.
    let transaction = db
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    writer
        .execute("UPDATE parent SET name = 'VII'", [])
        .unwrap();
    transaction
        .execute("INSERT INTO own VALUES (9)", [])
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(read(&db).unwrap(), "VII");

    let attach = |path: &Path, key: &DatabaseKey, id| {
        let db = open_reader(&folder.path().join("own.db"), &self::key(), APPLICATION).unwrap();
        attach_reader(&db, path, key, "other", id)
    };
    attach(&other, &other_key, APPLICATION + 1).unwrap();
    let wrong = attach(&other, &key(), APPLICATION + 1);
    assert!(matches!(wrong, Err(OpenError::WrongKey)), "{wrong:?}");
    let foreign = attach(&other, &other_key, APPLICATION);
    assert!(
        matches!(foreign, Err(OpenError::Foreign { .. })),
        "{foreign:?}"
    );
    let none = folder.path().join("none.db");
    let missing = attach(&none, &other_key, APPLICATION + 1);
    assert!(matches!(missing, Err(OpenError::Missing)), "{missing:?}");
    assert!(!none.exists());
}
