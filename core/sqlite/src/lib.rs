//! Opens an encrypted SQLite database: key first, pragmas, migrations.
//!
//! The file format is SQLCipher 4's (AES-256-CBC and HMAC-SHA512 for every page). SQLCipher's
//! cryptographic functions come from RustCrypto instead of OpenSSL, through SQLCipher's own hook; see
//! `docs/adr/0001-sqlcipher-on-rustcrypto.md`.
//!
//! What cannot be opened is never deleted and never overwritten: the caller gets an [`OpenError`] whose
//! sentence says what to do.
//!
//! ```
//! use testigo_sqlite::{DatabaseKey, Migration, open_or_create};
//!
//! const MIGRATIONS: &[Migration] = &[Migration { sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT" }];
//!
//! let folder = tempfile::tempdir()?;
//! let key = DatabaseKey::random()?;
//! let db = open_or_create(&folder.path().join("notes.db"), &key, MIGRATIONS, 0x7E57_0001)?;
//! db.execute("INSERT INTO note VALUES (?1)", ["seen"])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod key;
mod log;
mod open;
mod page_keys;
mod pages;
mod provider;
mod record;
mod salvage;
mod shape;

pub use error::{Failure, OpenError, classify, every_page_verifies, pages_verified};
pub use key::{DatabaseKey, NoRandomness};
pub use open::{Migration, attach_reader, open, open_or_create, open_reader};
pub use salvage::{
    Salvaged, bring_in_log, finish, is_sound, replace, replacement_was_interrupted, salvage,
    set_aside,
};
