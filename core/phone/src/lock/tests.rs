//! PINs, burning, duress and wiping on whole phones. What a PIN costs is made small here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../../tests/phone/support.rs"]
#[allow(dead_code, reason = "the tests of the whole crate share it")]
mod support;

use crate::sync::Selection;
use crate::{
    Content, DatabaseKey, Delivery, HostKey, HostKeys, HostKeysFault, Phone, PhoneError,
    ReportInput, Settings,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use support::{FakeHq, TurnedClock, clock, deliver, key, run};
use testigo_wire::{Code, Epoch, Keyset, Lane, NoticeStatus, ReceiptCode, Record};
use zeroize::Zeroizing;

const PIN: &str = "428619";
const DURESS: &str = "111222";

fn cheap(phone: &mut Phone) {
    let sql = "UPDATE lock SET memory_kib = 8, passes = 1";
    phone.store.write(|tx| Ok(tx.execute(sql, [])?)).unwrap();
}

fn report(code: u16, note: &str) -> ReportInput {
    ReportInput {
        code,
        note: Some(note.to_owned()),
        ..ReportInput::default()
    }
}

/// An enrolled phone with a PIN, still unlocked.
fn phone(hq: &FakeHq, dir: &Path) -> Phone {
    let mut phone = hq.phone(dir);
    cheap(&mut phone);
    phone.set_pin(PIN).unwrap();
    phone
}

fn open(dir: &Path) -> Phone {
    Phone::open(dir, &key(), clock()).unwrap()
}

fn note(content: &Option<Content>) -> Option<String> {
    match content.as_ref().map(|content| &content.record) {
        Some(Record::Report(report)) => report.note.clone(),
        _ => None,
    }
}

/// Number and note of each, newest first.
fn notes(phone: &Phone) -> Vec<(u64, Option<String>)> {
    let history = phone.history().unwrap();
    let notes = history
        .iter()
        .map(|item| (item.sequence, note(&item.content)));
    notes.collect()
}

fn some(n: u64, text: &str) -> (u64, Option<String>) {
    (n, Some(text.to_owned()))
}

#[test]
fn a_locked_phone_captures_and_sends_and_shows_nothing() {
    let mut hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut first = phone(&hq, dir.path());
    first.report(&report(21, "before")).unwrap();
    assert_eq!(notes(&first), [some(1, "before")]);
    first.lock();
    assert!(matches!(first.history(), Err(PhoneError::Locked)));
    drop(first);

    let mut phone = open(dir.path());
    assert!(phone.is_locked().unwrap());
    assert!(matches!(phone.history(), Err(PhoneError::Locked)));
    assert!(matches!(phone.parked(), Err(PhoneError::Locked)));
    phone.report(&report(22, "while locked")).unwrap();
    assert_eq!(phone.outbox().unwrap().queued, 2);
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone), [some(2, "while locked"), some(1, "before")]);
    phone.lock();
    let done = deliver(&mut phone, &mut hq);
    assert_eq!((done.delivered, phone.outbox().unwrap().delivered), (2, 2));
    assert!(matches!(phone.history(), Err(PhoneError::Locked)));
}

#[test]
fn with_the_stores_key_alone_nobody_reads_what_was_saved() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    phone.report(&report(21, "nobody reads this")).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let readable = |phone: &mut Phone| {
        let bytes: Vec<u8> = (phone.store)
            .write(|tx| {
                let mut bytes = Vec::new();
                let tables: Vec<String> = tx
                    .prepare(tables)?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                for table in tables {
                    let mut rows = tx.prepare(&format!("SELECT * FROM {table}"))?;
                    let columns = rows.column_count();
                    let mut rows = rows.query([])?;
                    while let Some(row) = rows.next()? {
                        for column in 0..columns {
                            if let Ok(part) = row.get_ref(column)?.as_bytes() {
                                bytes.extend_from_slice(part);
                            }
                        }
                    }
                }
                Ok(bytes)
            })
            .unwrap();
        let note = b"nobody reads this";
        bytes.windows(note.len()).any(|part| part == note)
    };
    assert!(!readable(&mut phone));
    // As it was before the sixth schema.
    let plain = "INSERT INTO history (sequence, body)
         VALUES (1, CAST('nobody reads this' AS BLOB))";
    phone.store.write(|tx| Ok(tx.execute(plain, [])?)).unwrap();
    assert!(readable(&mut phone), "the search finds what is there");
}

#[test]
fn a_pin_is_set_changed_and_removed() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = hq.phone(dir.path());
    cheap(&mut phone);
    phone.report(&report(21, "a note")).unwrap();
    assert!(!phone.is_locked().unwrap());
    phone.unlock("anything").unwrap();
    phone.lock();
    assert_eq!(notes(&phone).len(), 1, "without a PIN nothing is locked");
    for bad in ["12345", "", "12\n456", &"9".repeat(65)] {
        assert!(matches!(
            phone.set_pin(bad),
            Err(PhoneError::Input { field: "pin", .. })
        ));
    }
    assert!(matches!(
        phone.change_pin(PIN, DURESS),
        Err(PhoneError::Input { .. })
    ));
    phone.set_pin(PIN).unwrap();
    assert!(matches!(phone.set_pin(PIN), Err(PhoneError::Input { .. })));
    assert!(matches!(
        phone.change_pin("000000", "777777"),
        Err(PhoneError::WrongPin { .. })
    ));
    phone.change_pin(PIN, "777777").unwrap();
    drop(phone);
    let mut phone = open(dir.path());
    assert!(matches!(
        phone.unlock(PIN),
        Err(PhoneError::WrongPin { .. })
    ));
    phone.unlock("777777").unwrap();
    assert_eq!(notes(&phone), [some(1, "a note")]);
    assert!(matches!(
        phone.remove_pin(PIN),
        Err(PhoneError::WrongPin { .. })
    ));
    phone.remove_pin("777777").unwrap();
    assert_eq!(notes(&open(dir.path())), [some(1, "a note")]);
}

fn wrong(phone: &mut Phone) -> u64 {
    match phone.unlock("000000") {
        Err(PhoneError::WrongPin { wait_ms, .. }) => wait_ms,
        other => panic!("{other:?}"),
    }
}

fn too_soon(phone: &mut Phone, pin: &str) -> u64 {
    match phone.unlock(pin) {
        Err(PhoneError::TooSoon { wait_ms }) => wait_ms,
        other => panic!("{other:?}"),
    }
}

#[test]
fn waits_after_wrong_pins_outlast_restarts_and_set_clocks() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    drop(phone(&hq, dir.path()));
    let clock = TurnedClock::default();
    let open = || Phone::open(dir.path(), &key(), Box::new(clock.clone())).unwrap();
    let mut phone = open();
    assert_eq!(
        [wrong(&mut phone), wrong(&mut phone), wrong(&mut phone)],
        [0; 3]
    );
    assert_eq!(wrong(&mut phone), 30_000);
    clock.pass(10_000);
    assert_eq!(too_soon(&mut phone, PIN), 20_000);
    // Another process, and whoever sets the clock forward or back.
    let mut phone = open();
    clock.turn(0, 1_000_000_000);
    assert_eq!(too_soon(&mut phone, PIN), 20_000);
    clock.turn(0, -2_000_000_000);
    assert_eq!(too_soon(&mut phone, "000000"), 20_000);
    // Another start of the phone: the wait begins anew.
    clock.turn(1, 0);
    let mut phone = open();
    assert_eq!(too_soon(&mut phone, PIN), 30_000);
    clock.pass(30_000);
    // What came too soon did not count.
    assert_eq!(wrong(&mut phone), 60_000);
    clock.pass(60_000);
    phone.unlock(PIN).unwrap();
    assert_eq!(wrong(&mut phone), 0, "the right one ends the count");
}

#[test]
fn a_pin_counts_as_wrong_before_it_is_looked_at() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    // So dear that there is not the memory for it: the attempt ends before an answer.
    let dear = "UPDATE lock SET memory_kib = 4294967295";
    phone.store.write(|tx| Ok(tx.execute(dear, [])?)).unwrap();
    for _ in 0..3 {
        assert!(matches!(phone.unlock(PIN), Err(PhoneError::OutOfMemory)));
    }
    cheap(&mut phone);
    assert_eq!(wrong(&mut phone), 30_000);
}

#[test]
fn the_phone_is_wiped_after_so_many_wrong_pins_where_chosen() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    phone.report(&report(21, "a note")).unwrap();
    let settings = |wipe_after| Settings {
        burn: true,
        wipe_after,
    };
    assert!(matches!(
        phone.set_settings(settings(Some(2))),
        Err(PhoneError::Input { .. })
    ));
    phone.set_settings(settings(Some(3))).unwrap();
    let left = |phone: &mut Phone| match phone.unlock("000000") {
        Err(PhoneError::WrongPin {
            left_before_wipe, ..
        }) => left_before_wipe,
        other => panic!("{other:?}"),
    };
    assert_eq!((left(&mut phone), left(&mut phone)), (Some(2), Some(1)));
    assert!(matches!(phone.unlock("000000"), Err(PhoneError::Wiped)));
    assert!(phone.report(&report(21, "after")).is_err());
    assert!(phone.history().is_err());
    drop(phone);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(matches!(
        Phone::open(dir.path(), &key(), clock()),
        Err(PhoneError::NoPhone)
    ));
}

#[test]
fn what_can_be_read_burns_at_the_receipt_unless_kept() {
    let mut hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = hq.phone(dir.path());
    let mut kept = phone.settings().unwrap();
    assert_eq!((kept.burn, kept.wipe_after), (true, None));
    phone.report(&report(21, "one")).unwrap();
    deliver(&mut phone, &mut hq);
    let line = phone.history().unwrap().remove(0);
    assert_eq!((line.sequence, line.content), (1, None));
    assert!(matches!(line.delivery, Delivery::Delivered { .. }));
    // The sealed original stays until it is safe: restored headquarters get it again.
    hq.epoch = Epoch([2; 16]);
    hq.receipts.clear();
    phone.report(&report(21, "two")).unwrap();
    deliver(&mut phone, &mut hq);
    deliver(&mut phone, &mut hq);
    assert_eq!(notes(&phone), [(2, None), (1, None)]);
    assert_eq!(hq.kept.len(), 3, "the first of them again");

    kept.burn = false;
    phone.set_settings(kept).unwrap();
    phone.report(&report(21, "three")).unwrap();
    hq.answer_code = ReceiptCode::ACCEPTED;
    deliver(&mut phone, &mut hq);
    assert_eq!(notes(&phone)[0], some(3, "three"));
    // What headquarters refuse stays, for a person decides about it.
    hq.answer_code = ReceiptCode::WRONG_ELECTION;
    phone.report(&report(21, "four")).unwrap();
    deliver(&mut phone, &mut hq);
    kept.burn = true;
    phone.set_settings(kept).unwrap();
    assert_eq!(
        notes(&phone),
        [some(4, "four"), (3, None), (2, None), (1, None)]
    );
    assert_eq!(
        note(&phone.parked().unwrap()[0].content),
        Some("four".into())
    );
    assert_eq!(notes(&open(dir.path())).len(), 4);
}

#[test]
fn where_headquarters_want_no_history_there_is_none() {
    let mut hq = FakeHq::new(1);
    hq.no_history = true;
    let dir = tempfile::tempdir().unwrap();
    let mut phone = hq.phone(dir.path());
    phone.report(&report(21, "a note")).unwrap();
    phone.report(&report(90, "all well")).unwrap();
    assert_eq!(notes(&phone), [(2, None), (1, None)]);
    let rows = "SELECT (SELECT count(*) FROM sealed_history) + (SELECT count(*) FROM history)";
    let rows: i64 = (phone.store)
        .write(|tx| Ok(tx.query_row(rows, [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(rows, 0);
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 2);
    assert_eq!(hq.kept.len(), 2);
}

#[test]
fn what_earlier_releases_left_readable_is_sealed_or_burns_at_the_first_opening() {
    let mut hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = hq.phone(dir.path());
    phone.report(&report(21, "delivered")).unwrap();
    deliver(&mut phone, &mut hq);
    phone.report(&report(22, "waits")).unwrap();
    phone.report(&report(90, "all well")).unwrap();
    deliver_nothing(&mut phone, &mut hq);
    let bodies: Vec<(i64, Vec<u8>)> = {
        let shown = phone.shown().unwrap();
        let store = phone.store.device().unwrap().store_id;
        let kept = phone.store.history().unwrap();
        (kept.iter())
            .filter_map(|kept| {
                let body = super::read_copy(&shown, store, kept)?;
                Some((kept.sequence, body.to_bytes()))
            })
            .collect()
    };
    assert_eq!(bodies.len(), 2);
    // As the fifth schema had it.
    let delivered = hq.kept[0].1.to_bytes();
    (phone.store)
        .write(|tx| {
            tx.execute_batch("DELETE FROM sealed_history; DELETE FROM lock;")?;
            for (sequence, body) in bodies.iter().chain([&(1, delivered)]) {
                let sql = "INSERT INTO history (sequence, body) VALUES (?1, ?2)";
                tx.execute(sql, rusqlite::params![sequence, body])?;
            }
            Ok(())
        })
        .unwrap();
    drop(phone);
    let mut phone = open(dir.path());
    assert_eq!(
        notes(&phone),
        [some(3, "all well"), some(2, "waits"), (1, None)]
    );
    let left = "SELECT count(*) FROM history";
    let left: i64 = (phone.store)
        .write(|tx| Ok(tx.query_row(left, [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(left, 0);
    cheap(&mut phone);
    phone.set_pin(PIN).unwrap();
    phone.set_duress_pin(PIN, DURESS, false).unwrap();
    phone.unlock(DURESS).unwrap();
    assert_eq!(notes(&phone), [some(3, "all well"), (2, None), (1, None)]);
}

/// A pass without a network.
fn deliver_nothing(phone: &mut Phone, _: &mut FakeHq) {
    let fault = crate::sync::NetworkFault::Unreachable;
    run(phone, Selection::Queued, |_| Err(fault));
}

#[test]
fn a_duress_pin_shows_check_ins_only_and_calls_for_help_unseen() {
    let mut hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    phone.report(&report(32, "soldiers")).unwrap();
    phone.report(&report(90, "all well")).unwrap();
    phone
        .hand_over(&crate::HandoverInput {
            table: None,
            from: "witness-7".into(),
            to: "boat-2".into(),
            at: None,
            place: Some("the jetty".into()),
            attachments: Vec::new(),
        })
        .unwrap();
    assert!(matches!(
        phone.set_duress_pin(PIN, PIN, true),
        Err(PhoneError::Input { .. })
    ));
    assert!(matches!(
        phone.set_duress_pin("000000", DURESS, true),
        Err(PhoneError::WrongPin { .. })
    ));
    phone.set_duress_pin(PIN, DURESS, true).unwrap();
    assert!(matches!(
        phone.change_pin(PIN, DURESS),
        Err(PhoneError::Input { .. })
    ));
    drop(phone);

    let mut phone = open(dir.path());
    let before = (
        phone.outbox().unwrap(),
        phone.progress(crate::sync::Link::Unmetered).unwrap(),
    );
    phone.unlock(DURESS).unwrap();
    // Who had a sheet, and where, is no check-in.
    assert_eq!(notes(&phone), [(3, None), some(2, "all well"), (1, None)]);
    // Locked, unlocked or opened anew: neither counts nor lanes tell of the call for help.
    let now = (
        phone.outbox().unwrap(),
        phone.progress(crate::sync::Link::Unmetered).unwrap(),
    );
    assert_eq!(now, before);
    // What whoever looks on saw being saved is there.
    phone.report(&report(21, "harmless power cut")).unwrap();
    assert_eq!(notes(&phone)[0], some(5, "harmless power cut"));
    // Nor can it be carried away, written out, proved or tried again by its number.
    let count = |phone: &Phone| {
        let mut file = Vec::new();
        let load = crate::Load::Records;
        let bundled = phone.bundle(Selection::Queued, load, &mut file).unwrap();
        bundled.unwrap().records
    };
    let out = dir.path().join("out");
    for locked in [false, true] {
        if locked {
            phone.lock();
        }
        assert_eq!(count(&phone), 4);
        assert!(phone.proof(4).unwrap().is_none());
        assert!(matches!(
            phone.export(4, &out),
            Err(PhoneError::Input {
                field: "sequence",
                ..
            })
        ));
        assert!(phone.retry(4).is_err());
    }
    phone.unlock(PIN).unwrap();
    assert_eq!(count(&phone), 5);
    phone.unlock(DURESS).unwrap();
    // Both times that the duress PIN was given.
    let alarms = phone.store.quiet_ones().unwrap();
    assert_eq!(alarms.into_iter().collect::<Vec<_>>(), [4, 6]);
    let done = deliver(&mut phone, &mut hq);
    assert_eq!(
        (done.delivered, done.remaining, done.danger_waits),
        (4, 0, false)
    );
    assert_eq!(phone.outbox().unwrap().delivered, 4);
    let first = &hq.kept[0].1;
    assert_eq!(first.lane, Lane::DANGER);
    let Record::Report(alarm) = first.record().unwrap() else {
        panic!("no report");
    };
    assert_eq!(alarm.code, Code::DURESS);
    hq.notice(hq.kept[0].0, NoticeStatus::COUNTED, false, 1);
    assert_eq!(deliver(&mut phone, &mut hq).notices, 0);
    assert_eq!(notes(&phone).len(), 4);
    // Its witness sees them.
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone).len(), 6);
    // A call for help that waits alone is not carried: that there is something to carry would tell of it.
    phone.lock();
    phone.unlock(DURESS).unwrap();
    assert_eq!(phone.store.quiet_ones().unwrap().len(), 3);
    let mut file = Vec::new();
    let bundled = phone.bundle(Selection::Queued, crate::Load::Records, &mut file);
    assert!(bundled.unwrap().is_none() && file.is_empty());
}

#[test]
fn whoever_has_the_duress_pin_cannot_try_others_by_changing_it() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    phone.report(&report(32, "soldiers")).unwrap();
    phone.set_duress_pin(PIN, DURESS, false).unwrap();
    // As any other one, and what it shows then stays the same.
    phone.change_pin(DURESS, PIN).unwrap();
    assert_eq!(notes(&phone), [(1, None)]);
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone), [(1, None)]);
    drop(phone);
    let mut phone = open(dir.path());
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone), [(1, None)]);
    phone.change_pin(PIN, DURESS).unwrap();
    // The PIN itself was not touched.
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone), [some(1, "soldiers")]);
}

#[test]
fn what_no_pin_can_be_does_not_count_as_a_wrong_one() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    let settings = phone.settings().unwrap();
    (phone.set_settings(Settings {
        wipe_after: Some(3),
        ..settings
    }))
    .unwrap();
    for pin in ["", "12345", "", "\u{1b}[A\u{1b}[A"] {
        assert!(matches!(
            phone.unlock(pin),
            Err(PhoneError::Input { field: "pin", .. })
        ));
    }
    phone.unlock(PIN).unwrap();
}

#[test]
fn nobody_loosens_what_a_pin_guards_without_it() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    let strict = Settings {
        burn: true,
        wipe_after: Some(5),
    };
    phone.set_settings(strict).unwrap();
    phone.lock();
    let loose = Settings {
        burn: false,
        wipe_after: None,
    };
    assert!(matches!(phone.set_settings(loose), Err(PhoneError::Locked)));
    assert_eq!(phone.settings().unwrap(), strict);
    phone.unlock(PIN).unwrap();
    phone.set_settings(loose).unwrap();
    assert_eq!(phone.settings().unwrap(), loose);
}

#[test]
fn whoever_has_the_duress_pin_meets_the_same_words_and_changes_only_what_he_sees() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(&hq, dir.path());
    phone.report(&report(32, "soldiers")).unwrap();
    phone.set_duress_pin(PIN, DURESS, false).unwrap();
    phone.change_pin(DURESS, "333444").unwrap();
    assert_eq!(notes(&phone), [(1, None)]);
    assert!(matches!(
        phone.unlock(DURESS),
        Err(PhoneError::WrongPin { wait_ms: 0, .. })
    ));
    phone.unlock(PIN).unwrap();
    assert_eq!(notes(&phone), [some(1, "soldiers")]);
    // Nobody can tell whether there is another PIN: taking it away takes whatever there is.
    phone.remove_duress_pin(PIN).unwrap();
    assert!(matches!(
        phone.unlock("333444"),
        Err(PhoneError::WrongPin { .. })
    ));
    phone.remove_duress_pin(PIN).unwrap();
    phone.set_duress_pin(PIN, DURESS, false).unwrap();
    phone.remove_pin(DURESS).unwrap();
    assert!(!phone.has_pin().unwrap());
    assert_eq!(notes(&open(dir.path())), [(1, None)]);
}

#[test]
fn rows_and_slots_look_the_same_with_and_without_a_duress_pin() {
    let hq = FakeHq::new(1);
    let sizes = |duress: bool, code| {
        let dir = tempfile::tempdir().unwrap();
        let mut phone = phone(&hq, dir.path());
        if duress {
            phone.set_duress_pin(PIN, DURESS, true).unwrap();
        }
        phone.report(&report(code, "a note")).unwrap();
        let sql = "SELECT length(whole), length(harmless), length(first_slot), length(second_slot),
                has_pin, tries FROM sealed_history, lock";
        let row = |row: &rusqlite::Row<'_>| (0..6).map(|at| row.get::<_, i64>(at)).collect();
        (phone.store)
            .write(|tx| Ok(tx.query_row(sql, [], row)?))
            .unwrap()
    };
    let first: Vec<i64> = sizes(false, 32);
    assert_eq!(first[0], first[1]);
    assert_eq!(first[2], first[3]);
    for (duress, code) in [(true, 32), (false, 90), (true, 90)] {
        assert_eq!(sizes(duress, code), first);
    }
}

/// A key store in memory; keys are told apart by their number.
#[derive(Default)]
struct Keystore {
    keys: Mutex<BTreeMap<HostKey, u8>>,
    broken: Mutex<bool>,
    /// A folder, and whether the store was there each time that a key was destroyed.
    watched: Mutex<Option<(PathBuf, Vec<bool>)>>,
}

impl HostKeys for Keystore {
    fn wrap(&self, key: HostKey, secret: &[u8]) -> Result<Vec<u8>, HostKeysFault> {
        let mask = *self.keys.lock().unwrap().entry(key).or_insert(0x5a);
        Ok(secret.iter().map(|byte| byte ^ mask).collect())
    }

    fn unwrap(&self, key: HostKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysFault> {
        let mask = *self
            .keys
            .lock()
            .unwrap()
            .get(&key)
            .ok_or(HostKeysFault::Gone)?;
        Ok(Zeroizing::new(
            wrapped.iter().map(|byte| byte ^ mask).collect(),
        ))
    }

    fn destroy(&self, key: HostKey) -> Result<(), HostKeysFault> {
        if *self.broken.lock().unwrap() {
            return Err(HostKeysFault::Unavailable);
        }
        self.keys.lock().unwrap().remove(&key);
        if let Some((folder, seen)) = self.watched.lock().unwrap().as_mut() {
            seen.push(folder.join("phone.db").exists() && folder.join("store-key").exists());
        }
        Ok(())
    }
}

fn enrolled_under(hq: &FakeHq, dir: &Path, host: &Arc<Keystore>) -> Phone {
    let mut phone = Phone::create_under(dir, host.clone(), clock()).unwrap();
    let keyset = hq.keyset(&["http://127.0.0.1:1"]);
    phone
        .enrol(&hq.invitation(), &keyset, Some(&hq.pack()))
        .unwrap();
    cheap(&mut phone);
    phone
}

#[test]
fn a_phone_rests_under_the_hosts_keys() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let host = Arc::new(Keystore::default());
    let open = || Phone::open_under(dir.path(), host.clone(), clock());
    assert!(matches!(open(), Err(PhoneError::NoPhone)));
    let mut phone = enrolled_under(&hq, dir.path(), &host);
    assert!(Phone::has_wrapped_key(dir.path()));
    phone.report(&report(21, "a note")).unwrap();
    assert!(matches!(
        Phone::create_under(dir.path(), host.clone(), clock()),
        Err(PhoneError::PhoneExists)
    ));
    drop(phone);
    assert_eq!(notes(&open().unwrap()), [some(1, "a note")]);
    // The history's key alone is gone: saving and sending go on.
    host.destroy(HostKey::History).unwrap();
    let mut phone = open().unwrap();
    assert!(matches!(
        phone.history(),
        Err(PhoneError::HostKeys(HostKeysFault::Gone))
    ));
    phone.report(&report(21, "another")).unwrap();
    assert_eq!(phone.outbox().unwrap().queued, 2);
    drop(phone);
    host.destroy(HostKey::Store).unwrap();
    assert!(matches!(
        open(),
        Err(PhoneError::HostKeys(HostKeysFault::Gone))
    ));
}

#[test]
fn headquarters_can_open_a_store_whose_hosts_key_is_lost() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let host = Arc::new(Keystore::default());
    let mut phone = enrolled_under(&hq, dir.path(), &host);
    phone.report(&report(21, "unsent")).unwrap();
    let store = phone.store.device().unwrap().store_id;
    drop(phone);
    host.destroy(HostKey::Store).unwrap();
    let sealed = Phone::key_for_headquarters(dir.path()).unwrap().unwrap();
    assert_eq!(sealed.store, store);
    assert_eq!(sealed.seal_kid, hq.seal.public_key().unwrap().key_id());
    let key = DatabaseKey::from_bytes(*sealed.open(&hq.seal).unwrap());
    let phone = Phone::open(dir.path(), &key, clock()).unwrap();
    assert_eq!(phone.outbox().unwrap().queued, 1);
    // What only its witness may read stays closed.
    assert!(matches!(
        phone.history(),
        Err(PhoneError::HostKeys(HostKeysFault::Gone))
    ));
}

#[test]
fn a_phone_whose_host_kept_its_key_is_put_under_a_key_store() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let host = Arc::new(Keystore::default());
    hq.phone(dir.path()).report(&report(21, "a note")).unwrap();
    Phone::keep_key_under(dir.path(), &key(), host.as_ref()).unwrap();
    let mut phone = Phone::open_under(dir.path(), host.clone(), clock()).unwrap();
    assert_eq!(notes(&phone), [some(1, "a note")]);
    // From the first PIN on what opens its history is wrapped, too.
    cheap(&mut phone);
    phone.set_pin(PIN).unwrap();
    phone.lock();
    host.destroy(HostKey::History).unwrap();
    assert!(matches!(
        phone.unlock(PIN),
        Err(PhoneError::HostKeys(HostKeysFault::Gone))
    ));
}

#[test]
fn wiping_destroys_keys_first_then_files_and_goes_on_where_it_was_interrupted() {
    let hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    let host = Arc::new(Keystore::default());
    let mut phone = enrolled_under(&hq, &dir, &host);
    let file = std::io::Cursor::new(b"a picture of nothing".to_vec());
    let file = phone.seal_file(file, crate::AttachmentKind::Whole).unwrap();
    let with_file = ReportInput {
        attachments: vec![file],
        ..report(21, "a note")
    };
    phone.report(&with_file).unwrap();
    fs::write(dir.join("of somebody else"), "stays").unwrap();
    // The key store does not answer: everything else goes, and the next opening tries again.
    *host.broken.lock().unwrap() = true;
    assert!(matches!(
        phone.wipe(),
        Err(PhoneError::HostKeys(HostKeysFault::Unavailable))
    ));
    drop(phone);
    let names = || {
        let names = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["of somebody else", "wiping"]);
    assert!(Phone::is_being_wiped(&dir));
    let open = || Phone::open_under(&dir, host.clone(), clock());
    assert!(matches!(
        open(),
        Err(PhoneError::HostKeys(HostKeysFault::Unavailable))
    ));
    *host.broken.lock().unwrap() = false;
    assert!(matches!(open(), Err(PhoneError::Wiped)));
    assert!(matches!(open(), Err(PhoneError::NoPhone)));
    assert_eq!(names(), ["of somebody else"]);
    assert!(host.keys.lock().unwrap().is_empty());

    // Interrupted behind the marker, before anything else: the next opening does it all.
    drop(enrolled_under(&hq, &dir, &host));
    fs::write(dir.join("wiping"), "").unwrap();
    assert!(matches!(open(), Err(PhoneError::Wiped)));
    assert_eq!(names(), ["of somebody else"]);
    assert!(host.keys.lock().unwrap().is_empty());
    // The folder may have a new phone.
    drop(enrolled_under(&hq, &dir, &host));
    *host.watched.lock().unwrap() = Some((dir.clone(), Vec::new()));
    assert!(open().unwrap().wipe().is_ok());
    let seen = host.watched.lock().unwrap().take().unwrap().1;
    assert_eq!(seen, [true, true], "keys go before any file");
}

#[test]
fn what_opens_the_store_for_headquarters_is_sealed_to_the_seal_key_in_use() {
    let hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let host = Arc::new(Keystore::default());
    let mut phone = enrolled_under(&hq, dir.path(), &host);
    let sealed_to = || {
        let sealed = Phone::key_for_headquarters(dir.path()).unwrap();
        sealed.unwrap().seal_kid
    };
    let first = sealed_to();
    let other = FakeHq::new(2).seal.public_key().unwrap();
    let mut keyset = Keyset::verify(
        &hq.keyset(&["http://127.0.0.1:1"]),
        phone.trust().unwrap().root,
    )
    .unwrap();
    keyset.version += 1;
    keyset.seal.insert(0, other.clone());
    let signed = keyset.sign(&hq.root).unwrap();
    phone.take_keyset(&signed).unwrap();
    assert_ne!(first, other.key_id());
    assert_eq!(sealed_to(), other.key_id());
}

#[test]
fn what_a_wipe_removes_is_written_over_before() {
    let hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    let host = Arc::new(Keystore::default());
    let mut phone = enrolled_under(&hq, &dir, &host);
    // Another name of the same file shows what stands on the disk once the first name is gone.
    let names = ["store-key", "store-key.sealed", "phone.db"];
    let other = |name: &str| folder.path().join(format!("{name}.other"));
    let beginning = |name: &str| {
        let bytes = std::fs::read(other(name)).unwrap();
        bytes.into_iter().take(4096).collect::<Vec<u8>>()
    };
    for name in names {
        std::fs::hard_link(dir.join(name), other(name)).unwrap();
    }
    let before = names.map(beginning);
    phone.wipe().unwrap();
    for (name, before) in names.into_iter().zip(before) {
        assert!(!dir.join(name).exists());
        let after = beginning(name);
        assert_eq!(after.len(), before.len());
        // Whatever is the same by chance: of 32 bytes in a row it is none.
        assert!(
            (after.windows(32).zip(before.windows(32))).all(|(a, b)| a != b),
            "{name}"
        );
    }
}

#[test]
fn wiping_tells_what_was_not_delivered() {
    let mut hq = FakeHq::new(1);
    let dir = tempfile::tempdir().unwrap();
    let mut phone = hq.phone(dir.path());
    phone.report(&report(21, "one")).unwrap();
    deliver(&mut phone, &mut hq);
    phone.report(&report(21, "two")).unwrap();
    let wiped = phone.wipe().unwrap();
    assert_eq!((wiped.undelivered_records, wiped.undelivered_files), (1, 0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let other = DatabaseKey::from_bytes([9; 32]);
    assert!(matches!(
        Phone::open(dir.path(), &other, clock()),
        Err(PhoneError::NoPhone)
    ));
}
