//! Headquarters' keys change while the phone is out.

use crate::courier;
use crate::support::*;
use testigo_phone::sync::{Method, NetworkFault, Selection, SyncFailure, SyncReport};
use testigo_phone::{AttachmentKind, KeysetTaken, Phone, PhoneError, ReportInput};
use testigo_wire::*;

fn report(phone: &mut Phone, note: &str) {
    let input = ReportInput {
        code: 99,
        note: Some(note.to_owned()),
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

/// The root signs new keys and a new address, and headquarters use them.
fn rotate(hq: &mut FakeHq, version: u64) {
    hq.keyset_version = version;
    hq.seal = SealSecretKey::from_bytes(&[100 + version as u8; 32]);
    hq.receipt = SigningKey::from_seed(&[120 + version as u8; 32]);
    hq.published = hq.keyset(&["http://127.0.0.1:2"]);
}

/// Delivers, and says which requests were made, by method, port and path.
fn deliver_telling(phone: &mut Phone, hq: &mut FakeHq) -> (SyncReport, Vec<(Method, String)>) {
    let mut asked = Vec::new();
    let report = run(phone, Selection::Queued, |request| {
        let url = request.url.replace("http://127.0.0.1:", "");
        asked.push((request.method, url));
        Ok(hq.answer(request))
    });
    (report, asked)
}

#[test]
fn a_receipt_by_a_new_key_waits_for_the_keyset_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let old_seal = hq.seal.clone();
    let mut phone = hq.phone(dir.path());
    report(&mut phone, "before");
    rotate(&mut hq, 2);
    let new_seal = std::mem::replace(&mut hq.seal, old_seal);
    let (said, asked) = deliver_telling(&mut phone, &mut hq);
    assert_eq!((said.delivered, said.failure), (1, None));
    let expected = [
        (Method::Post, "1/v1/envelopes"),
        (Method::Get, "1/v1/keyset"),
        // At the new address, and the same bytes again: headquarters gave the same receipt.
        (Method::Post, "2/v1/envelopes"),
    ];
    let expected: Vec<_> = (expected.iter())
        .map(|(method, url)| (*method, (*url).to_owned()))
        .collect();
    assert_eq!(asked, expected);
    assert_eq!(hq.kept.len(), 1);
    assert_eq!(phone.trust().unwrap().keyset, 2);

    // What is saved from now on is sealed to the new key, and the new address is all that is asked.
    hq.seal = new_seal;
    report(&mut phone, "after");
    let (said, asked) = deliver_telling(&mut phone, &mut hq);
    assert_eq!((said.delivered, said.failure), (1, None));
    assert!(
        asked
            .iter()
            .all(|(method, url)| *method == Method::Post && url.starts_with('2')),
        "{asked:?}"
    );
}

#[test]
fn a_false_version_costs_one_request_and_changes_nothing() {
    let foreign = {
        let mut other = FakeHq::new(5);
        other.election = ElectionId([1; 8]);
        rotate(&mut other, 9);
        other.published
    };
    for published in [Vec::new(), b"<html>".to_vec(), foreign] {
        let dir = tempfile::tempdir().unwrap();
        let mut hq = FakeHq::new(1);
        let mut phone = hq.phone(dir.path());
        (hq.keyset_version, hq.published) = (999, published);
        report(&mut phone, "one");
        let (said, asked) = deliver_telling(&mut phone, &mut hq);
        assert_eq!((said.delivered, said.failure), (1, None));
        let questions = asked.iter().filter(|(method, _)| *method == Method::Get);
        assert_eq!(questions.count(), 1);
        assert_eq!(phone.trust().unwrap().keyset, 1);
    }
}

#[test]
fn a_receipt_by_a_key_that_no_keyset_names_delivers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, "one");
    let old_seal = hq.seal.clone();
    rotate(&mut hq, 2);
    (hq.seal, hq.published) = (old_seal, Vec::new());
    let (said, _) = deliver_telling(&mut phone, &mut hq);
    assert_eq!(said.failure, Some(SyncFailure::NotHeadquarters));
    assert_eq!(phone.outbox().unwrap().queued, 1);
}

#[test]
fn a_files_receipt_by_a_new_key_waits_for_the_keyset_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let file = std::io::Cursor::new(vec![7; 20_000]);
    let sealed = phone.seal_file(file, AttachmentKind::Whole).unwrap();
    let input = ReportInput {
        code: 99,
        attachments: vec![sealed],
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
    run(&mut phone, Selection::Queued, |request| {
        match request.url.ends_with("/v1/envelopes") {
            true => Ok(hq.answer(request)),
            false => Err(NetworkFault::Interrupted),
        }
    });
    rotate(&mut hq, 2);
    // No reply says so: the receipt's own key does.
    hq.keyset_version = 0;
    let (said, asked) = deliver_telling(&mut phone, &mut hq);
    assert_eq!((said.attachments_delivered, said.failure), (1, None));
    let questions = asked.iter().filter(|(method, _)| *method == Method::Get);
    assert_eq!(questions.count(), 1, "{asked:?}");
    assert_eq!(phone.trust().unwrap().keyset, 2);
}

#[test]
fn a_courier_brings_new_keys_with_the_receipts() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, "one");
    let (_, file) = courier::bundle(&phone, Selection::Queued).unwrap();
    let old_seal = hq.seal.clone();
    rotate(&mut hq, 2);
    hq.seal = old_seal;
    let mut letter = courier::answer(&mut hq, &file);
    let taken = phone.import_receipts(&letter.file()).unwrap();
    assert_eq!((taken.keyset, taken.unverified), (None, 2));
    let keyset = Answer::Keyset(hq.published.clone());
    letter.reply.answers.insert(0, keyset);
    let taken = phone.import_receipts(&letter.file()).unwrap();
    assert_eq!((taken.keyset, taken.received), (Some(2), 1));
    assert_eq!(taken.unverified, 0);
}

#[test]
fn versions_only_rise() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let words = phone.trust().unwrap().words(Language::En);
    assert_eq!(words.split(' ').count(), 6);
    let first = hq.keyset(&["http://127.0.0.1:1"]);
    assert_eq!(phone.take_keyset(&first).unwrap(), KeysetTaken::Known(1));
    rotate(&mut hq, 2);
    let second = hq.published.clone();
    assert_eq!(phone.take_keyset(&second).unwrap(), KeysetTaken::Newer(2));
    assert_eq!(phone.take_keyset(&second).unwrap(), KeysetTaken::Known(2));
    assert_eq!(
        phone.take_keyset(&first).unwrap(),
        KeysetTaken::Older { found: 1, held: 2 }
    );
    let same_version = hq.keyset(&["http://127.0.0.1:3"]);
    let mut other = FakeHq::new(1);
    other.election = ElectionId([7; 8]);
    rotate(&mut other, 3);
    let mut foreign = FakeHq::new(9);
    foreign.election = ElectionId([1; 8]);
    rotate(&mut foreign, 3);
    for refused in [same_version, other.published, foreign.published] {
        assert!(matches!(
            phone.take_keyset(&refused),
            Err(PhoneError::OtherHeadquarters(_))
        ));
    }
    rotate(&mut hq, 3);
    let mut damaged = hq.published.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(phone.take_keyset(&damaged).is_err());
    assert!(matches!(
        phone.take_keyset(b"x"),
        Err(PhoneError::Damaged(_))
    ));

    // It is on the disk.
    drop(phone);
    let mut phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    let trust = phone.trust().unwrap();
    assert_eq!((trust.keyset, trust.words(Language::En)), (2, words));
    // It may skip one.
    rotate(&mut hq, 7);
    assert_eq!(
        phone.take_keyset(&hq.published).unwrap(),
        KeysetTaken::Newer(7)
    );

    let mut new = Phone::create(&dir.path().join("new"), &key(), clock()).unwrap();
    assert_eq!(new.trust(), None);
    assert!(matches!(
        new.take_keyset(&second),
        Err(PhoneError::NotEnrolled)
    ));
}
