//! A bundle and the receipts that come back, against a headquarters made of the wire format alone.

use crate::support::*;
use testigo_phone::sync::{Method, Request, Selection};
use testigo_phone::{Bundled, Delivery, Load, Phone, PhoneError, ReportInput};
use testigo_wire::*;

fn report(phone: &mut Phone) {
    let input = ReportInput {
        code: 11,
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

pub fn bundle(phone: &Phone, selection: Selection) -> Option<(Bundled, Vec<u8>)> {
    let mut file = Vec::new();
    let bundled = phone
        .bundle(selection, Load::RecordsAndFiles, &mut file)
        .unwrap();
    assert_eq!(bundled.is_some(), !file.is_empty());
    Some((bundled?, file))
}

/// What headquarters answer to a bundle, and for whom.
pub struct Letter {
    to: BlobSecret,
    pub reply: Reply,
}

impl Letter {
    pub fn file(&self) -> Vec<u8> {
        let mut post = ReturnPost::default();
        post.add(&self.to, &self.reply).unwrap();
        post.to_bytes().to_vec()
    }
}

/// Headquarters take a bundle in.
pub fn answer(hq: &mut FakeHq, file: &[u8]) -> Letter {
    let bundle = Bundle::open(file, &hq.seal).unwrap();
    let mut body = Vec::new();
    let mut to = None;
    for item in bundle.items() {
        match BundleItem::read(item) {
            BundleItem::Signed(item) => body.extend_from_slice(item),
            BundleItem::Return(secret) => to = Some(secret),
            BundleItem::Piece { .. } => {}
        }
    }
    let request = Request {
        method: Method::Post,
        url: "http://127.0.0.1:1/v1/envelopes".into(),
        headers: Vec::new(),
        body,
    };
    let reply = Reply::from_bytes(&hq.answer(&request).body).unwrap();
    Letter {
        to: to.unwrap(),
        reply,
    }
}

/// The same; the file of receipts.
fn import(hq: &mut FakeHq, file: &[u8]) -> Vec<u8> {
    answer(hq, file).file()
}

/// Newest first.
fn states(phone: &Phone) -> Vec<&'static str> {
    let state = |delivery: &Delivery| match delivery {
        Delivery::Queued => "queued",
        Delivery::Received { .. } => "received",
        Delivery::Delivered { .. } => "delivered",
        Delivery::Parked { .. } => "parked",
    };
    let history = phone.history().unwrap();
    history.iter().map(|item| state(&item.delivery)).collect()
}

#[test]
fn what_is_carried_waits_until_its_receipt_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let enrolment = bundle(&phone, Selection::Queued).unwrap();
    assert_eq!(enrolment.0.records, 0, "the enrolment alone");
    report(&mut phone);
    report(&mut phone);
    let (bundled, file) = bundle(&phone, Selection::Queued).unwrap();
    assert_eq!((bundled.records, bundled.left_out), (2, 0));
    assert_eq!(bundled.bytes, file.len() as u64);
    let receipts = import(&mut hq, &file);
    assert_eq!(hq.kept.len(), 2);
    assert_eq!(states(&phone), ["queued", "queued"]);

    let taken = phone.import_receipts(&receipts).unwrap();
    assert_eq!((taken.received, taken.known), (2, 0));
    assert_eq!(states(&phone), ["delivered", "delivered"]);
    assert!(phone.outbox().unwrap().enrolment_delivered);
    assert_eq!(bundle(&phone, Selection::Queued), None);
    // All that is not safe goes again where somebody asks for it, and is the same.
    let (all, file) = bundle(&phone, Selection::Everything).unwrap();
    assert_eq!(all.records, 2);
    let again = answer(&mut hq, &file);
    assert_ne!(again.file(), receipts, "sealed anew");
    let taken = phone.import_receipts(&again.file()).unwrap();
    assert_eq!((taken.received, taken.known), (0, 2));
    assert_eq!(hq.kept.len(), 2);
    let eid = hq.kept[0].0;
    hq.notice(eid, NoticeStatus::READ, true, 0);
    deliver(&mut phone, &mut hq);
    let (all, _) = bundle(&phone, Selection::Everything).unwrap();
    assert_eq!(all.records, 1, "what is safe stays");
}

#[test]
fn a_refusal_parks_and_a_phone_that_has_not_enrolled_carries_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(&dir.path().join("a"));
    report(&mut phone);
    let (_, file) = bundle(&phone, Selection::Queued).unwrap();
    hq.answer_code = ReceiptCode::WRONG_ELECTION;
    let receipts = import(&mut hq, &file);
    let taken = phone.import_receipts(&receipts).unwrap();
    assert_eq!((taken.received, taken.parked), (0, 1));
    assert_eq!(states(&phone), ["parked"]);

    let mut new = Phone::create(&dir.path().join("b"), &key(), clock()).unwrap();
    let mut out = Vec::new();
    let refused = new.bundle(Selection::Queued, Load::Records, &mut out);
    assert!(matches!(refused, Err(PhoneError::NotEnrolled)));
    assert!(matches!(
        new.import_receipts(&receipts),
        Err(PhoneError::NotEnrolled)
    ));
    assert!(out.is_empty());
}

#[test]
fn no_damage_of_the_receipts_delivers_anything() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone);
    let (_, file) = bundle(&phone, Selection::Queued).unwrap();
    let letter = answer(&mut hq, &file);
    let good = letter.file();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        for bytes in [&bad[..], &good[..at]] {
            if let Ok(taken) = phone.import_receipts(bytes) {
                assert_eq!((taken.received, taken.parked), (0, 0), "byte {at}");
                assert!(!taken.for_this_phone);
            }
        }
    }
    assert_eq!(states(&phone), ["queued"]);

    // Somebody who knew what the letter is sealed under could still not sign.
    let stranger = SigningKey::from_seed(&[1; 32]);
    let forged = Letter {
        to: letter.to.clone(),
        reply: Reply {
            answers: (letter.reply.answers.iter())
                .map(|answer| match answer {
                    Answer::Receipt(bytes) => {
                        let receipt = Receipt::from_kept(bytes).unwrap();
                        Answer::Receipt(receipt.sign(&stranger).unwrap())
                    }
                    other => other.clone(),
                })
                .collect(),
            ..letter.reply.clone()
        },
    };
    let taken = phone.import_receipts(&forged.file()).unwrap();
    assert_eq!((taken.received, taken.unverified), (0, 2));
    assert_eq!(states(&phone), ["queued"]);
    assert_eq!(phone.import_receipts(&good).unwrap().received, 1);

    // Those of a phone that is not this one are passed over.
    let other = tempfile::tempdir().unwrap();
    let mut second = hq.phone(other.path());
    report(&mut second);
    let taken = second.import_receipts(&good).unwrap();
    assert_eq!(taken, testigo_phone::ReceiptsTaken::default());
    assert_eq!(states(&second), ["queued"]);
}

#[test]
fn receipts_from_before_headquarters_came_back_from_a_backup_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone);
    let (_, file) = bundle(&phone, Selection::Queued).unwrap();
    let letter = answer(&mut hq, &file);
    let old = letter.file();
    phone.import_receipts(&old).unwrap();
    assert_eq!(states(&phone), ["delivered"]);

    // They lost the record, and say so by their run's name in a younger file.
    let at = |minute: i64| {
        let millis = time("2024-07-28T23:00:00Z").millis() + minute * 60_000;
        Time::from_millis(millis, 0).unwrap()
    };
    let mut restored = FakeHq::new(1);
    restored.epoch = Epoch([2; 16]);
    let enrolled = Bundle::open(&file, &hq.seal).unwrap();
    let enrolment = enrolled.items().next().unwrap();
    let store = Enrolment::parse(enrolment).unwrap().kept().store_id;
    let signed = Receipt::new(store, Eid::of(enrolment), at(60), ReceiptCode::ACCEPTED)
        .sign(&restored.receipt)
        .unwrap();
    let younger = Letter {
        to: letter.to,
        reply: Reply {
            epoch: restored.epoch,
            keyset: 0,
            answers: vec![Answer::Receipt(signed)],
        },
    };
    let taken = phone.import_receipts(&younger.file()).unwrap();
    assert!(!taken.outdated);
    assert_eq!(states(&phone), ["queued"], "it goes again");

    // A courier who comes late with the earlier file delivers nothing by it.
    let taken = phone.import_receipts(&old).unwrap();
    assert!(taken.outdated);
    assert_eq!((taken.received, states(&phone)), (0, vec!["queued"]));
    let (_, file) = bundle(&phone, Selection::Queued).unwrap();
    let receipts = import(&mut restored, &file);
    assert_eq!(restored.kept.len(), 1);
    assert_eq!(phone.import_receipts(&receipts).unwrap().received, 1);
}

#[test]
fn what_has_no_room_goes_with_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let mut saved = 0;
    while phone.outbox().unwrap().queued_bytes <= MAX_BUNDLE as u64 {
        let tally = testigo_phone::TallyInput {
            texts: vec![vec![b'x'; 60_000]],
            ..Default::default()
        };
        phone.tally(&tally).unwrap();
        saved += 1;
    }
    let (bundled, file) = bundle(&phone, Selection::Queued).unwrap();
    assert_eq!(bundled.records + bundled.left_out, saved);
    assert!(bundled.left_out > 0, "{bundled:?}");
    let receipts = import(&mut hq, &file);
    let taken = phone.import_receipts(&receipts).unwrap();
    assert_eq!(taken.received, bundled.records);
    let (rest, _) = bundle(&phone, Selection::Queued).unwrap();
    assert_eq!((rest.records, rest.left_out), (bundled.left_out, 0));
}
