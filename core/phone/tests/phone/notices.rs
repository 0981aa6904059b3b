//! What the desk says reaches the phone whatever is lost on the way, and what is safe leaves the phone.

use crate::support::*;
use std::io::Cursor;
use std::path::Path;
use testigo_phone::sync::{NetworkFault, Request, Selection};
use testigo_phone::{AttachmentKind, Delivery, Phone, PhoneError, ReportInput};
use testigo_wire::{Ask, Eid, Envelope, Epoch, MAX_ENVELOPE, NoticeStatus, ReceiptCode, cbor};

fn report(phone: &mut Phone, files: usize) {
    let attachments = (0..files)
        .map(|_| {
            let file = Cursor::new(vec![7; 100_000]);
            phone.seal_file(file, AttachmentKind::Whole).unwrap()
        })
        .collect();
    let input = ReportInput {
        code: 11,
        attachments,
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

fn statuses(phone: &Phone) -> Vec<Option<NoticeStatus>> {
    let mut history = phone.history().unwrap();
    history.reverse();
    let status = |line: &testigo_phone::HistoryView| line.notice.as_ref().map(|n| n.status);
    history.iter().map(status).collect()
}

fn safe(phone: &Phone) -> Vec<bool> {
    let mut history = phone.history().unwrap();
    history.reverse();
    history.iter().map(|line| line.safe).collect()
}

fn eid(hq: &FakeHq, n: usize) -> Eid {
    hq.kept[n].0
}

fn envelopes_in(request: &Request) -> usize {
    let mut rest = request.body.as_slice();
    let mut envelopes = 0;
    while !rest.is_empty() {
        let (item, tail) = cbor::first("item", rest, MAX_ENVELOPE).unwrap();
        rest = tail;
        envelopes += usize::from(Envelope::parse(item).is_ok());
    }
    envelopes
}

fn sealed_files(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("blobs")).map_or(0, Iterator::count)
}

/// A phone with two delivered reports, of which the desk has said nothing yet.
fn two_delivered(dir: &Path) -> (FakeHq, Phone) {
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir);
    report(&mut phone, 0);
    report(&mut phone, 0);
    deliver(&mut phone, &mut hq);
    (hq, phone)
}

#[test]
fn a_lost_reply_loses_no_notice_and_whoever_is_told_asks_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hq, mut phone) = two_delivered(dir.path());
    let (first, second) = (eid(&hq, 0), eid(&hq, 1));
    hq.notice(first, NoticeStatus::READ, false, 1);
    hq.notice(second, NoticeStatus::COUNTED, false, 1);

    // Headquarters answers, and the answer is lost.
    let lost = run(&mut phone, Selection::Queued, |request| {
        assert_eq!(envelopes_in(request), 0);
        hq.answer(request);
        Err(NetworkFault::Interrupted)
    });
    assert_eq!(lost.notices, 0);
    assert_eq!(statuses(&phone), [None, None]);
    let told = deliver(&mut phone, &mut hq);
    assert_eq!((told.requests, told.notices), (1, 2));
    // Nothing is left to send, and the desk may have more to say.
    assert!(told.next_attempt_ms.is_some());
    assert_eq!(
        statuses(&phone),
        [Some(NoticeStatus::READ), Some(NoticeStatus::COUNTED)]
    );
    let after: Vec<u64> = hq.asks.iter().map(|ask| ask.after).collect();
    assert_eq!(after, [0, 0]);

    let contact = phone.outbox().unwrap().last_contact;
    assert!(contact.is_some());
    // A later word replaces an earlier one; one that comes twice or late changes nothing.
    hq.notice(second, NoticeStatus::CONFLICT, false, 3);
    hq.notice(second, NoticeStatus::COUNTED, false, 2);
    assert_eq!(deliver(&mut phone, &mut hq).notices, 1);
    assert_eq!(statuses(&phone)[1], Some(NoticeStatus::CONFLICT));
    assert_eq!(hq.asks.last().unwrap().after, 2);
    assert!(
        phone.outbox().unwrap().last_contact > contact,
        "the desk's word is a contact, too"
    );

    hq.notice(first, NoticeStatus::READ, true, 4);
    hq.notice(second, NoticeStatus::CONFLICT, true, 4);
    deliver(&mut phone, &mut hq);
    assert_eq!(safe(&phone), [true, true]);
    // Everything is safe: there is nothing to ask about any more.
    let idle = deliver(&mut phone, &mut hq);
    assert_eq!((idle.requests, idle.next_attempt_ms), (0, None));
    // What is sent anyway takes the question along.
    report(&mut phone, 0);
    assert_eq!(deliver(&mut phone, &mut hq).requests, 1);
    assert_eq!(hq.asks.last().unwrap().after, 6);
}

#[test]
fn more_notices_than_one_reply_carries_come_in_one_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let many = 2 * Ask::MAX_NOTICES + 2;
    for _ in 0..many {
        report(&mut phone, 0);
    }
    deliver(&mut phone, &mut hq);
    for n in 0..many {
        let eid = eid(&hq, n);
        hq.notice(eid, NoticeStatus::READ, false, 1);
    }
    let told = deliver(&mut phone, &mut hq);
    assert_eq!((told.notices, told.requests), (many as u64, 3));
}

#[test]
fn what_is_safe_leaves_the_phone_and_never_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 2);
    report(&mut phone, 1);
    let done = deliver(&mut phone, &mut hq);
    assert_eq!(done.attachments_delivered, 3);
    let (first, second) = (eid(&hq, 0), eid(&hq, 1));
    hq.notice(first, NoticeStatus::READ, false, 1);
    deliver(&mut phone, &mut hq);
    assert_eq!(sealed_files(dir.path()), 3);

    hq.notice(first, NoticeStatus::READ, true, 2);
    deliver(&mut phone, &mut hq);
    assert_eq!(safe(&phone), [true, false]);
    assert_eq!(sealed_files(dir.path()), 1);
    // The row, its receipt and its notice stay; the bytes are sent no more, not even with everything.
    let line = phone.history().unwrap().pop().unwrap();
    assert!(matches!(line.delivery, Delivery::Delivered { .. }));
    assert_eq!(line.notice.unwrap().eid, first);
    let mut sent = 0;
    run(&mut phone, Selection::Everything, |request| {
        sent += envelopes_in(request);
        Ok(hq.answer(request))
    });
    assert_eq!(sent, 1);
    // What is gone is not carried elsewhere as an empty envelope.
    let export = phone.export(1, &dir.path().join("out"));
    assert!(matches!(export, Err(PhoneError::Input { .. })));
    assert!(!dir.path().join("out").exists());

    // A file that a crash left behind goes when the phone is opened.
    hq.notice(second, NoticeStatus::READ, true, 2);
    let left = std::fs::read_dir(dir.path().join("blobs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    deliver(&mut phone, &mut hq);
    assert_eq!(sealed_files(dir.path()), 0);
    std::fs::write(left, b"left").unwrap();
    drop(phone);
    let phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    assert_eq!(sealed_files(dir.path()), 0);
    assert_eq!(safe(&phone), [true, true]);
}

#[test]
fn a_record_said_to_be_safe_stays_until_it_and_its_files_are_receipted() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 1);
    // The record goes, its file does not.
    run(&mut phone, Selection::Queued, |request| {
        if request.url.ends_with("/v1/envelopes") {
            Ok(hq.answer(request))
        } else {
            Err(NetworkFault::Interrupted)
        }
    });
    let first = eid(&hq, 0);
    hq.notice(first, NoticeStatus::READ, true, 1);
    run(&mut phone, Selection::Queued, |request| {
        if request.url.ends_with("/v1/envelopes") {
            Ok(hq.answer(request))
        } else {
            Err(NetworkFault::Interrupted)
        }
    });
    assert_eq!(safe(&phone), [true]);
    assert_eq!(sealed_files(dir.path()), 1);
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
    assert_eq!(sealed_files(dir.path()), 0);
}

#[test]
fn a_phone_that_only_asks_hears_that_headquarters_were_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hq, mut phone) = two_delivered(dir.path());
    let (first, second) = (eid(&hq, 0), eid(&hq, 1));
    hq.notice(first, NoticeStatus::READ, true, 1);
    hq.notice(second, NoticeStatus::READ, false, 1);
    deliver(&mut phone, &mut hq);

    // The backup was made before the second one came, and knows the phone.
    hq.kept.pop();
    hq.receipts.remove(&second);
    hq.epoch = Epoch([2; 16]);
    hq.notices.pop();
    let again = deliver(&mut phone, &mut hq);
    assert_eq!((again.delivered, again.remaining), (1, 0), "{again:?}");
    assert_eq!(eid(&hq, 1), second);
    assert_eq!(hq.kept.len(), 2);
    // The numbers of the other run mean nothing in this one.
    let asked = hq.asks.last().unwrap();
    assert_eq!((asked.epoch, asked.after), (hq.epoch, 0));
    hq.notice(second, NoticeStatus::READ, true, 2);
    deliver(&mut phone, &mut hq);
    assert_eq!(safe(&phone), [true, true]);
}

#[test]
fn a_false_epoch_without_a_receipt_requeues_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 0);
    deliver(&mut phone, &mut hq);
    let mut requests = 0;
    run(&mut phone, Selection::Queued, |_| {
        requests += 1;
        assert!(requests < 10, "it asks for ever");
        Ok(testigo_phone::sync::Response {
            status: 200,
            media_type: testigo_wire::Reply::MEDIA_TYPE.into(),
            body: testigo_wire::Reply {
                epoch: Epoch([9; 16]),
                keyset: 0,
                answers: vec![],
            }
            .to_bytes(),
            ..Default::default()
        })
    });
    assert_eq!(phone.outbox().unwrap().queued, 0);
    // The true one is introduced again and has all.
    let done = deliver(&mut phone, &mut hq);
    assert_eq!(done.remaining, 0);
    assert_eq!(hq.kept.len(), 1);
}

#[test]
fn what_is_parked_is_not_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 0);
    hq.answer_code = ReceiptCode::WRONG_ELECTION;
    deliver(&mut phone, &mut hq);
    assert_eq!(deliver(&mut phone, &mut hq).requests, 0);
}
