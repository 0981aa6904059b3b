//! What can go wrong, and what to do about it.

use rusqlite::{Connection, ErrorCode, ffi};

/// Why a database was not opened. The file is as it was before; nothing is ever deleted for it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The first page does not verify under this key. SQLCipher cannot tell a wrong key from a file that
    /// is not ours or whose beginning is damaged.
    #[error(
        "wrong key, or not one of our databases, or its beginning is damaged (SQLCipher cannot tell \
         which): try the right key; if this is the right key, move the file aside, keep it, and report it"
    )]
    WrongKey,
    /// The key is right, but the content is damaged or part of it is missing.
    #[error("the database is damaged: move the file and its -wal aside, keep both, and report it")]
    Corrupt,
    /// The database file is missing or empty, and yet its write-ahead log has content. SQLite would start
    /// a new database and erase the log, in which the latest transactions may be.
    #[error(
        "the database file is missing or empty but its -wal has content: put the database file back, \
         or move the -wal aside and keep it"
    )]
    LogWithoutDatabase,
    /// There is no database at this path; a reader makes none.
    #[error("there is no database here yet: open it for writing first")]
    Missing,
    /// The database has been migrated by a newer version of this program.
    #[error(
        "the database was written by a newer version (schema {found}, this program knows {known}): \
         update the app"
    )]
    Newer {
        /// `user_version` of the file.
        found: u32,
        /// How many migrations this program knows.
        known: u32,
    },
    /// The key fits, but the database belongs to another application.
    #[error(
        "the database belongs to another application (id {found:#010x}, expected {expected:#010x}): \
         check the path"
    )]
    Foreign {
        /// `application_id` of the file.
        found: u32,
        /// The one asked for.
        expected: u32,
    },
    /// This build encrypts with another cryptographic provider than ours.
    #[error(
        "built with SQLCipher provider {found:?} instead of \"rustcrypto\": build from inside the \
         repository, so that its .cargo/config.toml applies"
    )]
    Provider {
        /// What `PRAGMA cipher_provider` answered; empty for SQLite without encryption.
        found: String,
    },
    /// No space left for the database or its log.
    #[error("no space left on the device: free some and try again")]
    DiskFull,
    /// Another connection held the database for longer than the busy timeout.
    #[error("another connection holds the database: try again")]
    Busy,
    /// A migration failed and was rolled back.
    #[error(
        "the update of the database to schema {to} failed and was undone: keep the file and report this"
    )]
    Migration {
        /// The `user_version` that was not reached.
        to: u32,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The path cannot be used or looked at.
    #[error(
        "the path of the database cannot be used: check that its folder exists and may be read"
    )]
    Io(#[from] std::io::Error),
    /// Anything else SQLite refused, such as a file or folder that may not be written.
    #[error(
        "SQLite could not open the database: check that its file and folder exist and may be written"
    )]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match (error.sqlite_error_code(), classify(&error)) {
            (Some(ErrorCode::NotADatabase), _) => Self::WrongKey,
            (_, Failure::Corrupt) => Self::Corrupt,
            (_, Failure::DiskFull) => Self::DiskFull,
            (_, Failure::Busy) => Self::Busy,
            (_, Failure::Other) => Self::Sqlite(error),
        }
    }
}

/// What a failed statement on an open database means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No space left: tell the person to free some; nothing was lost, try again.
    DiskFull,
    /// Another connection held the database for too long: try again.
    Busy,
    /// The file is damaged: close it, move it and its `-wal` aside, keep both, report.
    Corrupt,
    /// Anything else: a wrong statement, a broken constraint, a failing device.
    Other,
}

/// Sorts an error of a later statement by what the caller can do about it.
///
/// SQLCipher makes a connection read-only once a page does not verify, so "attempt to write a readonly
/// database" on a connection of [`open`](crate::open) means [`Failure::Corrupt`] too.
pub fn classify(error: &rusqlite::Error) -> Failure {
    let Some(error) = error.sqlite_error() else {
        return Failure::Other;
    };
    match (error.extended_code, error.code) {
        (ffi::SQLITE_READONLY, _) => Failure::Corrupt,
        // The log's index could not grow: what SQLite answers when the disk is full at that moment.
        (ffi::SQLITE_IOERR_SHMSIZE, _) => Failure::DiskFull,
        (_, ErrorCode::DiskFull) => Failure::DiskFull,
        (_, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Busy,
        (_, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Failure::Corrupt,
        _ => Failure::Other,
    }
}

/// Whether every page that this connection has read so far was authentic.
///
/// Ask after reading values that may be longer than a page (4,096 bytes): when the last page of such a
/// value is damaged, SQLCipher 4.19 fills it with zeros and the statement succeeds. After `false`, act
/// as for [`Failure::Corrupt`] and trust nothing read since the last `true`.
///
/// # Errors
/// What SQLite says when it cannot even answer.
pub fn pages_verified(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("PRAGMA cipher_status", [], |row| {
        Ok(row.get::<_, String>(0)? == "1")
    })
}

/// Reads the whole file: whether every page of it is authentic.
///
/// # Errors
/// What SQLite says when it cannot even answer.
pub fn every_page_verifies(db: &Connection) -> rusqlite::Result<bool> {
    Ok(!db.prepare("PRAGMA cipher_integrity_check")?.exists([])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_asks_for_an_action_is_known() {
        let codes = [
            (ffi::SQLITE_FULL, Failure::DiskFull),
            (ffi::SQLITE_IOERR_SHMSIZE, Failure::DiskFull),
            (ffi::SQLITE_BUSY, Failure::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Failure::Busy),
            (ffi::SQLITE_LOCKED, Failure::Busy),
            (ffi::SQLITE_CORRUPT, Failure::Corrupt),
            (ffi::SQLITE_CORRUPT_INDEX, Failure::Corrupt),
            (ffi::SQLITE_NOTADB, Failure::Corrupt),
            (ffi::SQLITE_READONLY, Failure::Corrupt),
            (ffi::SQLITE_READONLY_DBMOVED, Failure::Other),
            (ffi::SQLITE_IOERR, Failure::Other),
            (ffi::SQLITE_CONSTRAINT, Failure::Other),
        ];
        for (code, expected) in codes {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(classify(&error), expected, "{code}");
        }
        assert_eq!(
            classify(&rusqlite::Error::QueryReturnedNoRows),
            Failure::Other
        );
    }
}
