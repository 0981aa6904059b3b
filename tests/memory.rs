//! What stays in a phone's memory: after it was locked and after it was wiped, every byte of it is searched.
//!
//! The keys to search for are worked out here from the files as docs/lock.md tells, without the phone's code.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use argon2::{Algorithm, Argon2, Params, Version};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use support::{Process, Stage, TABLE, key_file, phone_database, phone_key, unwrapped};

const PIN: &str = "correct horse 428619";
const NOTE: &str = "the soldier at gate four has a scar";

/// What must not be found, by name.
type Secrets = Vec<(&'static str, Vec<u8>)>;

/// The store's key, and what the PIN opens.
fn secrets(home: &Path) -> (Secrets, Secrets) {
    let store_key = phone_key(home).to_vec();
    let db = phone_database(home);
    let (memory, passes, salt, slot): (u32, u32, Vec<u8>, Vec<u8>) = db
        .query_row(
            "SELECT memory_kib, passes, salt, first_slot FROM lock",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let seed: Vec<u8> = db
        .query_row("SELECT seed FROM device", [], |row| row.get(0))
        .unwrap();
    let mut pin_key = [0; 32];
    let params = Params::new(memory, passes, 1, Some(32)).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(PIN.as_bytes(), &salt, &mut pin_key)
        .unwrap();
    assert_eq!(slot[0], 1);
    let closed = unwrapped(&key_file(home, "unsafe-history-key"), &slot[1..], b"");
    let opened = unwrapped(&pin_key, &closed, b"testigo/1/pin");
    assert_eq!((opened.len(), &opened[..2]), (66, &[1, 0][..]));
    let of_pin = vec![
        ("the history's secret key", opened[34..].to_vec()),
        ("the harmless parts' secret key", opened[2..34].to_vec()),
        ("the PIN's key", pin_key.to_vec()),
        ("the PIN", PIN.as_bytes().to_vec()),
        ("the note", NOTE.as_bytes().to_vec()),
    ];
    let hex: String = store_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let of_store = vec![
        ("the store's key", store_key),
        ("the store's key, spelled", hex.into_bytes()),
        ("the device's seed", seed),
        (
            "the file of the store's key",
            key_file(home, "unsafe-key").to_vec(),
        ),
        (
            "the file of the history's key",
            key_file(home, "unsafe-history-key").to_vec(),
        ),
    ];
    (of_pin, of_store)
}

/// The names of what is found in a process's memory, each with how often and where.
fn found(process: &Process, secrets: &Secrets) -> Vec<(&'static str, Vec<String>)> {
    let id = process.id();
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{id}/mem")).unwrap();
    let mut found: Vec<_> = secrets
        .iter()
        .map(|(name, _)| (*name, Vec::new()))
        .collect();
    let mut searched = 0;
    for map in maps.lines() {
        let mut words = map.split_whitespace();
        let (range, access) = (words.next().unwrap(), words.next().unwrap());
        let place = words.last().unwrap_or_default();
        if !access.starts_with('r') || place.starts_with("[v") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_err() {
            continue;
        }
        searched += bytes.len();
        for ((_, secret), (_, places)) in secrets.iter().zip(&mut found) {
            let first = secret[0];
            let mut at = 0;
            while let Some(next) = bytes[at..].iter().position(|byte| *byte == first) {
                at += next;
                if bytes[at..].starts_with(secret) {
                    places.push(format!("{place}+{at:x}"));
                }
                at += 1;
            }
        }
    }
    assert!(searched > 1 << 20, "{searched} bytes are no process");
    found.retain(|(_, places)| !places.is_empty());
    found
}

#[test]
fn after_locking_and_after_wiping_memory_holds_neither_key_nor_note_nor_pin() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    // Typed in processes that are gone.
    phone.report(NOTE);
    phone
        .run_with_input(&["pin", "set"], format!("{PIN}\n").as_bytes())
        .done();
    let (of_pin, of_store) = secrets(&phone.home);

    let mut shell = phone.shell();
    let unlocked = shell.ask(&format!("unlock\n{PIN}"));
    assert_eq!(unlocked["done"], "unlocked");
    let shown = shell.ask("list");
    assert!(shown[0]["what"].as_str().unwrap().contains(NOTE));
    // The search finds what is there.
    let open: Vec<&str> = found(&shell, &of_pin)
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert!(open.contains(&"the history's secret key"), "{open:?}");

    assert_eq!(shell.ask("lock")["done"], "locked");
    assert_eq!(found(&shell, &of_pin), [], "after locking");
    // It still saves and sends.
    assert!(shell.ask("report 90")["saved"].is_u64());
    assert_eq!(found(&shell, &of_pin), [], "after saving while locked");
    let open: Vec<&str> = found(&shell, &of_store)
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert!(!open.is_empty(), "an open store has its key in memory");

    assert_eq!(shell.ask("wipe --yes")["wiped"], true);
    assert_eq!(found(&shell, &of_pin), [], "after wiping");
    assert_eq!(found(&shell, &of_store), [], "after wiping");
}
