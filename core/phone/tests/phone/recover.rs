//! A damaged store: the witness goes on, with what could be saved, and the rest is kept.

use crate::support::{FakeHq, clock, deliver, key};
use std::fs;
use std::path::Path;
use testigo_phone::{DatabaseKey, Phone, PhoneError, ReportInput};

const PAGE: usize = 4096;

fn filled(hq: &FakeHq, dir: &Path, records: usize) {
    let mut phone = hq.phone(dir);
    for n in 0..records {
        let report = ReportInput {
            code: 99,
            note: Some(format!("number {n}")),
            ..ReportInput::default()
        };
        phone.report(&report).unwrap();
    }
}

/// Changes a byte in every page from this one on.
fn damage(dir: &Path, pages: impl Iterator<Item = usize>) {
    let path = dir.join("phone.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in pages {
        if let Some(byte) = bytes.get_mut(page * PAGE + 77) {
            *byte ^= 1;
        }
    }
    fs::write(path, bytes).unwrap();
}

fn recover(dir: &Path) -> Result<(Phone, testigo_phone::Recovered), PhoneError> {
    Phone::recover(dir, &key(), clock(), false)
}

#[test]
fn behind_each_damaged_page_the_rest_is_saved_sealed_and_delivered() {
    let mut hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    filled(&hq, &dir, 60);
    let before = fs::read(dir.join("phone.db")).unwrap();
    let (mut another_device, mut enrolled_again) = (0, 0);
    for page in 0..before.len() / PAGE {
        for name in ["phone.db-wal", "phone.db-shm"] {
            let _ = fs::remove_file(dir.join(name));
        }
        fs::write(dir.join("phone.db"), &before).unwrap();
        damage(&dir, page..=page);
        let (mut phone, recovered) = recover(&dir).unwrap();
        assert!(recovered.gaps > 0, "page {page}");
        assert!(recovered.aside.exists());
        // A page has room for a few.
        assert!(
            (57..=60).contains(&recovered.records),
            "page {page}: {recovered:?}"
        );
        if !recovered.same_device {
            // This stand-in for headquarters knows one device only.
            another_device += 1;
            assert!(!phone.outbox().unwrap().enrolled);
            assert_eq!(phone.history().unwrap().len(), 60);
            continue;
        }
        if !phone.outbox().unwrap().enrolled {
            // Headquarters' keys lay on the damaged page: the witness enrols again.
            enrolled_again += 1;
            let keyset = hq.keyset(&["http://127.0.0.1:1"]);
            phone.enrol(&hq.invitation(), &keyset, None).unwrap();
        }
        let report = deliver(&mut phone, &mut hq);
        assert_eq!(
            report.delivered, recovered.records,
            "page {page}: {report:?}"
        );
    }
    assert_eq!(another_device, 1);
    assert!(enrolled_again <= 3, "{enrolled_again}");
}

#[test]
fn what_a_power_cut_interrupted_is_finished() {
    let hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    filled(&hq, &dir, 3);
    let (store, aside) = (dir.join("phone.db"), dir.join("phone.db.aside-1"));
    fs::copy(&store, dir.join("phone.db.new")).unwrap();
    fs::rename(&store, &aside).unwrap();
    let (phone, recovered) = recover(&dir).unwrap();
    assert_eq!(recovered.aside, aside);
    assert!(recovered.same_device);
    assert_eq!((recovered.records, phone.history().unwrap().len()), (3, 3));
}

#[test]
fn a_sound_store_and_one_of_another_key_are_left_as_they_are() {
    let hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    assert!(matches!(recover(&dir), Err(PhoneError::NoPhone)));
    filled(&hq, &dir, 2);
    let before = fs::read(dir.join("phone.db")).unwrap();
    assert!(matches!(recover(&dir), Err(PhoneError::NotDamaged)));
    let other = DatabaseKey::from_bytes([1; 32]);
    let wrong = Phone::recover(&dir, &other, clock(), false).err().unwrap();
    assert_eq!(wrong.code(), "wrong-key");
    assert_eq!(fs::read(dir.join("phone.db")).unwrap(), before);
    assert_eq!(
        Phone::open(&dir, &key(), clock())
            .unwrap()
            .history()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn where_nothing_can_be_read_a_new_phone_begins_and_the_old_one_is_kept() {
    let hq = FakeHq::new(1);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("phone");
    filled(&hq, &dir, 3);
    // Its first bytes are the salt, without which no page can be verified.
    let mut bytes = fs::read(dir.join("phone.db")).unwrap();
    bytes[3] ^= 1;
    fs::write(dir.join("phone.db"), &bytes).unwrap();
    let damaged = fs::read(dir.join("phone.db")).unwrap();
    assert!(recover(&dir).is_err());
    let (mut phone, recovered) = Phone::recover(&dir, &key(), clock(), true).unwrap();
    assert!(!recovered.same_device);
    assert_eq!(recovered.records, 0);
    assert_eq!(fs::read(&recovered.aside).unwrap(), damaged);
    let keyset = hq.keyset(&["http://127.0.0.1:1"]);
    phone.enrol(&hq.invitation(), &keyset, None).unwrap();
    let report = ReportInput {
        code: 90,
        ..ReportInput::default()
    };
    phone.report(&report).unwrap();
}
