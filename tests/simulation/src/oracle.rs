//! What must be true once all is well: looked up in the stores themselves, not asked of the programs.

use crate::disk::Image;
use crate::headquarters::Headquarters;
use crate::phone::SimulatedPhone;
use crate::template::phone_key;
use crate::world::World;
use data_encoding::HEXLOWER;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{
    BLOB_HEADER, BlobOpener, BlobSecret, Eid, Keyset, Notice, Receipt, RootId, SEALED_SEGMENT,
};

/// `PRAGMA application_id` of ingest's database, and of the desk's.
const INGEST: u32 = u32::from_be_bytes(*b"TsHQ");
const DESK: u32 = u32::from_be_bytes(*b"TsHD");

/// A record as headquarters hold it.
struct Held {
    arrival: i64,
    eid: Eid,
    record_id: [u8; 16],
    content: Vec<u8>,
}

/// Checks everything; the first thing that is wrong is the failure.
pub fn check(world: &World) -> Result<(), String> {
    let phones: Vec<&SimulatedPhone> = world.phones.iter().collect();
    check_nodes(&world.hq, &phones)
}

fn open_hq(folder: &Path) -> Result<Connection, String> {
    let key = |name: &str| {
        let key = fs::read(folder.join("keys").join(name)).expect("headquarters' key");
        DatabaseKey::from_bytes(key.try_into().expect("32 bytes"))
    };
    let ingest = folder.join("hq.db");
    testigo_sqlite::open_reader(&folder.join("desk.db"), &key("database-desk.key"), DESK)
        .and_then(|db| {
            testigo_sqlite::attach_reader(&db, &ingest, &key("database.key"), "ingest", INGEST)?;
            Ok(db)
        })
        .map_err(|error| format!("headquarters' store: {error}"))
}

/// What headquarters hold: identities of envelopes, hashes of files.
#[derive(Clone, Default)]
pub struct Holdings {
    eids: HashSet<[u8; 32]>,
    files: HashSet<[u8; 32]>,
}

/// What headquarters hold now.
pub fn holdings(hq: &Headquarters) -> Result<Holdings, String> {
    let db = open_hq(&hq.folder)?;
    let all = |sql: &str| -> HashSet<[u8; 32]> {
        let mut query = db.prepare(sql).expect("headquarters' tables");
        let rows = query.query_map([], |row| row.get(0));
        rows.expect("headquarters' rows").flatten().collect()
    };
    Ok(Holdings {
        eids: all("SELECT eid FROM arrival"),
        files: all("SELECT sha256 FROM blob"),
    })
}

/// What a phone calls delivered, headquarters hold.
pub fn delivered_is_held(hq: &Headquarters, phone: &SimulatedPhone) -> Result<(), String> {
    let files = phone.delivered_files();
    if files.is_empty() {
        return Ok(());
    }
    let held = holdings(hq)?;
    match files.iter().all(|sha256| held.files.contains(sha256)) {
        true => Ok(()),
        false => Err("a file is called delivered and headquarters DO NOT HOLD it".to_owned()),
    }
}

/// Headquarters still hold all of this.
pub fn still_held(hq: &Headquarters, before: &Holdings) -> Result<(), String> {
    let now = holdings(hq)?;
    if !before.eids.is_subset(&now.eids) {
        return Err("an envelope that has a receipt IS GONE".to_owned());
    }
    for sha256 in &before.files {
        let path = hq.folder.join("blobs").join(HEXLOWER.encode(sha256));
        let whole = fs::read(path).is_ok_and(|bytes| Sha256::digest(bytes).as_slice() == sha256);
        if !whole || !now.files.contains(sha256) {
            return Err("a file that has a receipt IS GONE".to_owned());
        }
    }
    Ok(())
}

/// Checks these phones against headquarters that are stopped.
pub fn check_nodes(hq: &Headquarters, phones: &[&SimulatedPhone]) -> Result<(), String> {
    let folder = &hq.folder;
    let db = open_hq(folder)?;
    let held = held(&db)?;
    let keyset = keyset(&db, folder);
    let mut expected = 0;
    for (n, phone) in phones.iter().enumerate() {
        for truth in &phone.truths {
            let mut found = held
                .iter()
                .filter(|held| contains(&held.content, truth.marker.as_bytes()));
            let (first, second) = (found.next(), found.next());
            expected += usize::from(first.is_some());
            let at = || format!("phone {n}, record {}", truth.marker);
            match (first, truth.told) {
                (None, Some(_)) => return Err(format!("LOST: {}", at())),
                (None, None) => continue,
                (Some(_), _) if second.is_some() => return Err(format!("DOUBLED: {}", at())),
                (Some(held), Some(told)) if held.record_id != told.0 => {
                    return Err(format!("another record's name: {}", at()));
                }
                (Some(held), _) => {
                    files(&db, folder, held, &truth.files)
                        .map_err(|error| format!("{error}: {}", at()))?;
                }
            }
        }
        receipts(phone, &keyset, &held).map_err(|error| format!("phone {n}: {error}"))?;
        unreadable(&phone.folder)?;
    }
    if expected != held.len() {
        return Err(format!(
            "{} records at headquarters, {expected} were saved",
            held.len()
        ));
    }
    unreadable(folder)
}

/// Ingest's database and its log have nothing of the desk's any more.
pub fn ingest_is_sealed(folder: &Path) -> Result<(), String> {
    let db = open_hq(folder)?;
    let left: i64 = db
        .query_row(
            "SELECT count(*) FROM ingest.sqlite_schema
             WHERE name IN ('opened', 'incident', 'reading', 'handover', 'attachment', 'decision')",
            [],
            |row| row.get(0),
        )
        .expect("ingest's tables");
    match left {
        0 => Ok(()),
        _ => Err("ingest's database HAS THE DESK'S TABLES".to_owned()),
    }
}

fn held(db: &Connection) -> Result<Vec<Held>, String> {
    let mut query = db
        .prepare(
            "SELECT a.id, a.eid, o.record_id, o.content
             FROM arrival a LEFT JOIN opened o ON o.arrival = a.id WHERE a.kind = 1",
        )
        .expect("headquarters' tables");
    let rows = query.query_map([], |row| {
        Ok(Held {
            arrival: row.get(0)?,
            eid: Eid(row.get(1)?),
            record_id: row.get(2)?,
            content: row.get(3)?,
        })
    });
    rows.expect("headquarters' rows")
        .collect::<Result<_, _>>()
        .map_err(|error| format!("a record that the desk has not opened: {error}"))
}

fn keyset(db: &Connection, folder: &Path) -> Keyset {
    let root: [u8; 16] = db
        .query_row("SELECT root FROM identity", [], |row| row.get(0))
        .expect("headquarters' identity");
    let bytes = fs::read(folder.join("public/keyset.cose")).expect("the keyset");
    Keyset::verify(&bytes, RootId(root)).expect("the keyset")
}

/// The record's files are there byte for byte.
fn files(db: &Connection, folder: &Path, held: &Held, files: &[Vec<u8>]) -> Result<(), String> {
    let mut query = db
        .prepare_cached("SELECT sha256, secret FROM attachment WHERE arrival = ?1 ORDER BY id")
        .expect("headquarters' tables");
    let rows = query
        .query_map([held.arrival], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                BlobSecret::from_bytes(row.get(1)?),
            ))
        })
        .expect("headquarters' rows");
    let there: Vec<_> = rows.flatten().collect();
    if there.len() != files.len() {
        return Err(format!(
            "{} files named, {} were saved",
            there.len(),
            files.len()
        ));
    }
    for ((sha256, secret), file) in there.iter().zip(files) {
        let path = folder.join("blobs").join(HEXLOWER.encode(sha256));
        let sealed = fs::read(path).map_err(|_| "a FILE IS MISSING at headquarters".to_owned())?;
        if open(secret, &sealed).as_deref() != Some(file) {
            return Err("a file has OTHER BYTES".to_owned());
        }
    }
    Ok(())
}

fn open(secret: &BlobSecret, sealed: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = sealed.split_at_checked(BLOB_HEADER.len())?;
    let mut opener = BlobOpener::new(secret, header).ok()?;
    let mut bytes = Vec::new();
    while rest.len() > SEALED_SEGMENT {
        let (segment, behind) = rest.split_at(SEALED_SEGMENT);
        bytes.extend_from_slice(&opener.segment(segment).ok()?);
        rest = behind;
    }
    bytes.extend_from_slice(&opener.last(rest).ok()?);
    Some(bytes)
}

/// Every receipt verifies, and headquarters hold what it is for.
fn receipts(phone: &SimulatedPhone, keyset: &Keyset, held: &[Held]) -> Result<(), String> {
    let held: HashMap<Eid, ()> = held.iter().map(|held| (held.eid, ())).collect();
    for (eid, bytes) in phone.receipts() {
        let receipt = Receipt::verify(&bytes, keyset)
            .map_err(|error| format!("a RECEIPT DOES NOT VERIFY: {error}"))?;
        if receipt.eid != eid {
            return Err("a receipt for something else".to_owned());
        }
        if !held.contains_key(&eid) {
            return Err("a receipt for what headquarters DO NOT HOLD".to_owned());
        }
    }
    for (eid, notice) in phone.notices() {
        let bytes = notice.ok_or("the desk's word on a record DID NOT ARRIVE")?;
        let notice = Notice::verify(&bytes, keyset)
            .map_err(|error| format!("a NOTICE DOES NOT VERIFY: {error}"))?;
        if notice.eid != eid {
            return Err("a notice about something else".to_owned());
        }
    }
    Ok(())
}

/// Nothing that was put in can be read from a disk without keys.
fn unreadable(folder: &Path) -> Result<(), String> {
    for (path, bytes) in Image::read(folder).files {
        // A marker goes on with a number; five bytes alone come up by chance in so much ciphertext.
        let readable = memchr::memmem::find_iter(&bytes, b"MARK-")
            .filter_map(|at| bytes.get(at..(at + 24).min(bytes.len())))
            .find(|found| found.get(5).is_some_and(u8::is_ascii_digit));
        if let Some(found) = readable {
            let found = found.escape_ascii();
            return Err(format!("READABLE: {} has {found}", path.display()));
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(bytes, text).is_some()
}

/// The phones' stores are sound from the first page to the last.
pub fn check_stores(world: &World) -> Result<(), String> {
    for (n, phone) in world.phones.iter().enumerate() {
        match testigo_sqlite::is_sound(
            &phone.folder.join("phone.db"),
            &phone_key(),
            crate::phone::APPLICATION_ID,
        ) {
            Ok(true) => {}
            Ok(false) => return Err(format!("phone {n}: its store is DAMAGED")),
            Err(error) => return Err(format!("phone {n}: {error}")),
        }
    }
    Ok(())
}
