use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::Path;
use testigo_sqlite::DatabaseKey;

/// One of headquarters' databases, opened with its key in their folder.
fn database(data: &Path, name: &str, key: &str, id: &[u8; 4]) -> Connection {
    let key = key_file(&data.join("keys"), key);
    let id = u32::from_be_bytes(*id);
    testigo_sqlite::open_reader(&data.join(name), &DatabaseKey::from_bytes(key), id).unwrap()
}

/// Every value of all tables of ingest's database: texts, blobs, and numbers as eight bytes, big-endian. With each value,
/// its table's name.
pub fn ingest_values(data: &Path) -> Vec<(String, Vec<u8>)> {
    values(&database(data, "hq.db", "database.key", b"TsHQ"), None)
}

/// The same of the desk's.
pub fn desk_values(data: &Path) -> Vec<(String, Vec<u8>)> {
    let desk = database(data, "desk.db", "database-desk.key", b"TsHD");
    values(&desk, None)
}

/// The key of a terminal phone's store, with the files in its folder in hand.
pub fn phone_key(home: &Path) -> [u8; 32] {
    let wrapped = std::fs::read(home.join("store-key")).unwrap();
    let key = key_file(home, "unsafe-key");
    unwrapped(&key, &wrapped, b"").try_into().unwrap()
}

/// One of a terminal phone's key files.
pub fn key_file(home: &Path, name: &str) -> [u8; 32] {
    std::fs::read(home.join(name)).unwrap().try_into().unwrap()
}

/// What a key wraps: nonce (12 bytes), then ChaCha20-Poly1305 (docs/lock.md).
pub fn unwrapped(key: &[u8; 32], wrapped: &[u8], aad: &[u8]) -> Vec<u8> {
    let (nonce, msg) = wrapped.split_at(12);
    let nonce: [u8; 12] = nonce.try_into().unwrap();
    ChaCha20Poly1305::new(key.into())
        .decrypt(&nonce.into(), Payload { msg, aad })
        .unwrap()
}

/// A terminal phone's store, opened with that key.
pub fn phone_database(home: &Path) -> Connection {
    let key = DatabaseKey::from_bytes(phone_key(home));
    let id = u32::from_be_bytes(*b"Tphn");
    testigo_sqlite::open_reader(&home.join("phone.db"), &key, id).unwrap()
}

/// Every value of these tables, or of all of them.
pub fn values(database: &Connection, tables: Option<&[&str]>) -> Vec<(String, Vec<u8>)> {
    let names: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut values = Vec::new();
    for name in names {
        if tables.is_some_and(|tables| !tables.contains(&name.as_str())) {
            continue;
        }
        let mut rows = database
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let value = match row.get_ref(column).unwrap() {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                    ValueRef::Integer(n) => n.to_be_bytes().to_vec(),
                    _ => continue,
                };
                values.push((name.clone(), value));
            }
        }
    }
    values
}
