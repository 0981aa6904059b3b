//! The outbox under failure: addresses, rows that are not taken, the budget, what is parked, progress.

use crate::support::*;
use std::io::Cursor;
use testigo_phone::sync::{
    Budget, Held, Link, Method, NetworkFault, Response, Selection, Step, SyncFailure, SyncPass,
    SyncReport,
};
use testigo_phone::{AttachmentKind, Delivery, Phone, PhoneError, ReportInput};
use testigo_wire::*;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn report(phone: &mut Phone, code: u16) {
    report_with(phone, code, 0);
}

/// A report with a whole file of so many bytes; 0 for none.
fn report_with(phone: &mut Phone, code: u16, bytes: usize) {
    let file = (bytes > 0).then(|| {
        let content = Cursor::new(vec![code as u8; bytes]);
        phone.seal_file(content, AttachmentKind::Whole).unwrap()
    });
    let input = ReportInput {
        code,
        attachments: file.into_iter().collect(),
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

fn phone_at(hq: &FakeHq, dir: &std::path::Path, clock: &TurnedClock, endpoints: &[&str]) -> Phone {
    let mut phone = Phone::create(dir, &key(), Box::new(clock.clone())).unwrap();
    phone
        .enrol(&hq.invitation(), &hq.keyset(endpoints), None)
        .unwrap();
    phone
}

fn metered(phone: &mut Phone, hq: &mut FakeHq) -> SyncReport {
    let pass = SyncPass::new(Selection::Queued).over(Link::Metered);
    drive(phone, pass, |request| Ok(hq.answer(request)))
}

#[test]
fn the_address_that_works_is_remembered_and_tried_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let portal = Response {
        status: 200,
        media_type: "text/html".into(),
        ..Response::default()
    };
    let liar = Response {
        status: 200,
        media_type: Reply::MEDIA_TYPE.into(),
        body: b"<html>".to_vec(),
        ..Response::default()
    };
    let proxy = Response {
        status: 503,
        media_type: "text/html".into(),
        ..Response::default()
    };
    let faults = [
        Err(NetworkFault::Unreachable),
        Ok(portal),
        Ok(liar),
        Ok(proxy),
    ];
    let addresses = [
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        "http://127.0.0.1:3",
        "http://127.0.0.1:4",
        "http://127.0.0.1:5",
    ];
    let mut phone = phone_at(&hq, dir.path(), &clock, &addresses);
    report(&mut phone, 11);
    let mut asked = Vec::new();
    let mut faults = faults.into_iter();
    let pass = run(&mut phone, Selection::Queued, |request| {
        asked.push(request.url.clone());
        faults.next().unwrap_or_else(|| Ok(hq.answer(request)))
    });
    assert_eq!((pass.delivered, pass.failure), (1, None));
    assert_eq!(asked.len(), 5, "{asked:?}");

    // The next process asks the one that answered, and from there the others in their order.
    drop(phone);
    let mut phone = Phone::open(dir.path(), &key(), Box::new(clock)).unwrap();
    report(&mut phone, 11);
    let mut asked = Vec::new();
    run(&mut phone, Selection::Queued, |request| {
        asked.push(request.url.chars().nth(17).unwrap());
        Err(NetworkFault::Timeout)
    });
    assert_eq!(asked, ['5', '1', '2', '3', '4']);
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
}

#[test]
fn headquarters_that_ask_to_wait_are_not_asked_at_another_address() {
    let dir = tempfile::tempdir().unwrap();
    let hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(
        &hq,
        dir.path(),
        &clock,
        &["http://127.0.0.1:1", "http://127.0.0.1:2"],
    );
    report(&mut phone, 11);
    let busy = |_: &_| {
        Ok(Response {
            status: 503,
            media_type: "application/problem+json".into(),
            retry_after_s: Some(200),
            ..Response::default()
        })
    };
    let pass = run(&mut phone, Selection::Queued, busy);
    assert_eq!(pass.requests, 1);
    assert_eq!(pass.next_attempt_ms, Some(200_000));
    // For a witness in danger nobody waits so long.
    report(&mut phone, 35);
    let pass = run(&mut phone, Selection::Queued, busy);
    assert!(pass.next_attempt_ms.unwrap() <= MINUTE);
}

#[test]
fn no_network_counts_against_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report_with(&mut phone, 11, 40_000);
    for fault in [NetworkFault::Unreachable, NetworkFault::Timeout].repeat(20) {
        let pass = run(&mut phone, Selection::Queued, |_| Err(fault));
        assert_eq!(pass.held, Held::default());
    }
    let done = deliver(&mut phone, &mut hq);
    assert_eq!((done.delivered, done.attachments_delivered), (1, 1));
}

/// Answers everything, but defers what has this sequence number.
fn deferring(
    hq: &mut FakeHq,
    phone_sequence: u64,
    request: &testigo_phone::sync::Request,
) -> Response {
    let mut response = hq.answer(request);
    if !request.url.ends_with("/v1/envelopes") {
        return response;
    }
    let Some(eid) = (hq.kept.iter())
        .find(|(_, body)| body.sequence == phone_sequence)
        .map(|(eid, _)| *eid)
    else {
        return response;
    };
    let mut reply = Reply::from_bytes(&response.body).unwrap();
    let receipt = hq.receipts.get(&eid).cloned();
    for answer in &mut reply.answers {
        if matches!(answer, Answer::Receipt(bytes) if Some(&*bytes) == receipt.as_ref()) {
            *answer = Answer::Deferred {
                eid,
                deferral: Deferral::SIGNATURE,
            };
        }
    }
    response.body = reply.to_bytes();
    response
}

#[test]
fn a_record_that_is_not_taken_waits_apart_and_blocks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    for _ in 0..3 {
        report(&mut phone, 11);
    }
    let pass = |phone: &mut Phone, hq: &mut FakeHq| {
        run(phone, Selection::Queued, |r| Ok(deferring(hq, 2, r)))
    };
    // The first time is the link's fault; from the second on it waits, and nothing is asked meanwhile.
    let first = pass(&mut phone, &mut hq);
    assert_eq!((first.delivered, first.remaining), (2, 1));
    assert_eq!(first.held, Held::default());
    let second = pass(&mut phone, &mut hq);
    assert_eq!((second.requests, second.held.records), (1, 1));
    let due = second.held.due_in_ms.unwrap();
    assert!((1..=30_000).contains(&due), "{due}");
    assert_eq!(second.next_attempt_ms, Some(due));
    let progress = phone.progress(Link::Unmetered).unwrap();
    assert_eq!(progress.code(), "held-back");
    // It says why, of the one that it is true of.
    assert_eq!(progress.deferrals, [Deferral::SIGNATURE]);
    let why: Vec<_> = (phone.history().unwrap().iter())
        .map(|record| record.deferral)
        .collect();
    assert_eq!(why, [None, Some(Deferral::SIGNATURE), None]);
    // But what the desk has to say of the others.
    let asked = pass(&mut phone, &mut hq);
    assert_eq!((asked.requests, asked.remaining), (1, 1));
    assert_eq!(asked.bytes_sent, padding::REQUEST_FLOOR as u64);
    // What is saved now goes at once, past the one that waits.
    report(&mut phone, 11);
    assert_eq!(pass(&mut phone, &mut hq).delivered, 1);

    // Tried again when its time has come, by whatever process, and ever more rarely; never given up.
    let mut last = 0;
    for _ in 0..20 {
        clock.pass(
            phone
                .progress(Link::Unmetered)
                .unwrap()
                .next_attempt_ms
                .unwrap(),
        );
        clock.pass(HOUR);
        drop(phone);
        phone = Phone::open(dir.path(), &key(), Box::new(clock.clone())).unwrap();
        let again = pass(&mut phone, &mut hq);
        assert_eq!(again.requests, 1);
        last = again.held.due_in_ms.unwrap();
        assert!(last <= HOUR);
    }
    assert!(last >= HOUR * 3 / 4, "{last}");
    // A person may be quicker, and so is whoever sends everything.
    phone.retry(2).unwrap();
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
    assert_eq!(phone.outbox().unwrap().delivered, 4);
    let progress = phone.progress(Link::Unmetered).unwrap();
    assert_eq!(progress.deferrals, []);
    assert!(
        phone
            .history()
            .unwrap()
            .iter()
            .all(|r| r.deferral.is_none())
    );
}

#[test]
fn a_code_that_headquarters_does_not_know_is_named_until_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 11);
    let synced = run(&mut phone, Selection::Queued, |request| {
        let mut response = hq.answer(request);
        let mut reply = Reply::from_bytes(&response.body).unwrap();
        // The enrolment, and behind it the record.
        let (enrolment, rest) = cbor::first("item", &request.body, MAX_ENVELOPE).unwrap();
        let (record, _) = cbor::first("item", rest, MAX_ENVELOPE).unwrap();
        let answers = [
            (enrolment, Deferral::UNKNOWN_CAPABILITY),
            (record, Deferral::UNKNOWN_DEVICE),
        ];
        reply.answers = answers
            .map(|(item, deferral)| Answer::Deferred {
                eid: Eid::of(item),
                deferral,
            })
            .to_vec();
        response.body = reply.to_bytes();
        Ok(response)
    });
    assert_eq!(synced.delivered, 0);
    // Another process tells it, too.
    drop(phone);
    let mut phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    let progress = phone.progress(Link::Unmetered).unwrap();
    assert_eq!(progress.code(), "not-taken");
    assert_eq!(progress.deferrals, [Deferral::UNKNOWN_CAPABILITY]);
    let record = phone.history().unwrap().remove(0);
    assert_eq!(record.deferral, Some(Deferral::UNKNOWN_CAPABILITY));
    for language in [Language::Es, Language::En, Language::Pt] {
        let said = progress.sentences(language);
        let why = Deferral::UNKNOWN_CAPABILITY.sentence(language);
        assert!(said.contains(&why), "{said:?}");
    }
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
    let progress = phone.progress(Link::Unmetered).unwrap();
    assert_eq!(progress.deferrals, []);
}

#[test]
fn an_answer_that_is_not_signed_lets_no_request_grow() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    deliver(&mut phone, &mut hq);
    for _ in 0..30 {
        report(&mut phone, 11);
    }
    // The first request takes too long, so the next one is small; then somebody else answers for ever.
    let mut sizes = Vec::new();
    let epoch = testigo_wire::Epoch([9; 16]);
    let pass = run(&mut phone, Selection::Queued, |request| {
        sizes.push(request.body.len());
        if sizes.len() == 1 {
            return Err(NetworkFault::Timeout);
        }
        let mut answers = Vec::new();
        let mut rest = request.body.as_slice();
        while !rest.is_empty() {
            let (item, tail) = cbor::first("item", rest, MAX_ENVELOPE).unwrap();
            let (eid, deferral) = (Eid::of(item), Deferral::OVER_QUOTA);
            answers.push(Answer::Deferred { eid, deferral });
            rest = tail;
        }
        Ok(Response {
            status: 200,
            media_type: Reply::MEDIA_TYPE.into(),
            body: Reply {
                epoch,
                keyset: 0,
                answers,
            }
            .to_bytes(),
            ..Response::default()
        })
    });
    assert_eq!(pass.delivered, 0);
    assert!(sizes.len() > 2, "{sizes:?}");
    assert!(sizes[1..].iter().all(|size| *size < 8_192), "{sizes:?}");
}

#[test]
fn an_answer_that_says_nothing_of_what_was_sent_is_not_headquarters() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    deliver(&mut phone, &mut hq);
    report(&mut phone, 11);
    let epoch = testigo_wire::Epoch([9; 16]);
    let pass = run(&mut phone, Selection::Queued, |_| {
        let answers = Vec::new();
        Ok(Response {
            status: 200,
            media_type: Reply::MEDIA_TYPE.into(),
            body: Reply {
                epoch,
                keyset: 0,
                answers,
            }
            .to_bytes(),
            ..Response::default()
        })
    });
    assert_eq!(pass.failure, Some(SyncFailure::NotHeadquarters));
    assert_eq!(pass.remaining, 1);
    assert!(pass.next_attempt_ms.is_some());
}

#[test]
fn no_jump_of_a_clock_holds_a_row_for_good() {
    for (boot, wall) in [(1, -400 * 24), (1, 400 * 24), (2, -400 * 24), (2, 400 * 24)] {
        let dir = tempfile::tempdir().unwrap();
        let mut hq = FakeHq::new(1);
        let clock = TurnedClock::default();
        let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
        report(&mut phone, 11);
        for _ in 0..12 {
            run(&mut phone, Selection::Everything, |r| {
                Ok(deferring(&mut hq, 1, r))
            });
        }
        assert_eq!(deliver(&mut phone, &mut hq).requests, 0);
        clock.turn(boot, wall * HOUR as i64);
        // After an hour of the phone's life, or at once where the clocks cannot tell.
        clock.pass(HOUR);
        assert_eq!(
            deliver(&mut phone, &mut hq).delivered,
            1,
            "boot {boot}, {wall} h"
        );
    }
}

#[test]
fn a_witness_in_danger_is_tried_in_every_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 35);
    for _ in 0..10 {
        let pass = run(&mut phone, Selection::Queued, |r| {
            Ok(deferring(&mut hq, 1, r))
        });
        assert_eq!((pass.requests, pass.held.records), (1, 0));
        assert!(pass.next_attempt_ms.unwrap() <= MINUTE);
    }
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
}

#[test]
fn a_file_that_is_not_taken_waits_apart_and_the_others_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    report_with(&mut phone, 11, 40_000);
    report_with(&mut phone, 12, 50_000);
    let refused = |hq: &mut FakeHq, request: &testigo_phone::sync::Request| {
        let length = request
            .headers
            .iter()
            .find(|(name, _)| *name == "Upload-Length");
        match length {
            Some((_, length)) if length.parse::<u64>().unwrap() < 45_000 => Response {
                status: 413,
                media_type: "application/problem+json".into(),
                ..Response::default()
            },
            _ => hq.answer(request),
        }
    };
    let mut requests = Vec::new();
    for _ in 0..4 {
        let pass = run(&mut phone, Selection::Queued, |r| Ok(refused(&mut hq, r)));
        assert_eq!(pass.failure, None);
        requests.push((pass.requests, pass.attachments_delivered, pass.held.files));
    }
    // Taken: the records and the other file; asked once more; then not before its time. Each pass asks what
    // the desk has to say, too.
    assert_eq!(requests[0].1, 1);
    assert_eq!(requests[1..], [(2, 0, 1), (1, 0, 1), (1, 0, 1)]);
    clock.pass(MINUTE);
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
    assert_eq!(phone.outbox().unwrap().delivered, 2);
}

#[test]
fn headquarters_that_do_not_know_the_phone_are_not_sent_everything_in_vain() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    for _ in 0..200 {
        report(&mut phone, 11);
    }
    let pass = run(&mut phone, Selection::Queued, |request| {
        hq.device = None;
        let mut response = hq.answer(request);
        let mut reply = Reply::from_bytes(&response.body).unwrap();
        for answer in &mut reply.answers {
            *answer = Answer::Deferred {
                eid: match answer {
                    Answer::Receipt(bytes) => Receipt::from_kept(bytes).unwrap().eid,
                    Answer::Deferred { eid, .. } => *eid,
                    _ => unreachable!(),
                },
                deferral: Deferral::UNKNOWN_DEVICE,
            };
        }
        response.body = reply.to_bytes();
        hq.kept.clear();
        hq.receipts.clear();
        Ok(response)
    });
    assert_eq!((pass.requests, pass.remaining), (1, 200));
    assert_eq!(pass.held, Held::default());
    assert!(pass.next_attempt_ms.is_some());
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 200);
}

#[test]
fn the_budget_holds_back_files_and_never_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    assert_eq!(phone.budget().unwrap(), Budget::default());
    let limit = 300_000;
    phone
        .set_budget(&Budget {
            bytes_a_day: Some(limit),
            photos_on_metered: true,
        })
        .unwrap();
    report_with(&mut phone, 11, 1_000_000);
    let first = metered(&mut phone, &mut hq);
    assert_eq!((first.delivered, first.attachments_remaining), (1, 1));
    assert_eq!(first.held.over_budget, 1);
    assert!(first.bytes_sent <= limit, "{}", first.bytes_sent);
    assert_eq!(phone.spent_bytes().unwrap(), first.bytes_sent);
    assert_eq!(first.held.due_in_ms, Some(24 * HOUR));
    let said = phone
        .progress(Link::Metered)
        .unwrap()
        .sentences(Language::Pt);
    assert!(
        said.iter().any(|line| line.contains("limite diário")),
        "{said:?}"
    );

    // Spent for good today, in every process; records go all the same, and are counted.
    drop(phone);
    let mut phone = Phone::open(dir.path(), &key(), Box::new(clock.clone())).unwrap();
    report_with(&mut phone, 10, 20_000);
    let second = metered(&mut phone, &mut hq);
    assert_eq!((second.delivered, second.attachments_remaining), (1, 2));
    assert!(phone.spent_bytes().unwrap() > first.bytes_sent);

    // Tomorrow there is more, and it goes on where it was; elsewhere nothing is counted.
    clock.pass(24 * HOUR);
    let third = metered(&mut phone, &mut hq);
    assert!(third.bytes_sent > 0 && third.bytes_sent <= limit);
    let spent = phone.spent_bytes().unwrap();
    let done = deliver(&mut phone, &mut hq);
    assert_eq!(
        (done.attachments_delivered, done.held),
        (2, Held::default())
    );
    assert_eq!(phone.spent_bytes().unwrap(), spent);
    let sent: usize = (hq.blobs.log.iter()).map(|(_, bytes)| bytes).sum();
    let sealed: usize = hq
        .blobs
        .uploads
        .values()
        .map(|upload| upload.bytes.len())
        .sum();
    assert_eq!(sent, sealed, "no byte went twice");
}

#[test]
fn photographs_wait_for_a_free_link_where_the_person_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let budget = Budget {
        bytes_a_day: None,
        photos_on_metered: false,
    };
    phone.set_budget(&budget).unwrap();
    let small = phone
        .seal_file(Cursor::new(vec![7; 900]), AttachmentKind::Thumbnail)
        .unwrap();
    let whole = phone
        .seal_file(Cursor::new(vec![7; 90_000]), AttachmentKind::Whole)
        .unwrap();
    let input = ReportInput {
        code: 11,
        attachments: vec![small, whole],
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
    let pass = metered(&mut phone, &mut hq);
    assert_eq!((pass.delivered, pass.attachments_delivered), (1, 1));
    assert_eq!(pass.held.unmetered_only, 1);
    // For the desk's word only.
    let wait = pass.next_attempt_ms.unwrap();
    assert!((10 * MINUTE..=15 * MINUTE).contains(&wait), "{wait}");
    assert!(matches!(
        phone.history().unwrap()[0].delivery,
        Delivery::Received { .. }
    ));
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
}

#[test]
fn what_is_parked_is_retried_or_exported_by_a_person() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report_with(&mut phone, 11, 100_000);
    hq.answer_code = ReceiptCode::WRONG_ELECTION;
    assert_eq!(deliver(&mut phone, &mut hq).parked, 1);
    let parked = phone.parked().unwrap();
    assert_eq!((parked.len(), parked[0].sequence), (1, 1));
    assert_eq!(parked[0].code, ReceiptCode::WRONG_ELECTION);
    assert!(matches!(phone.retry(9), Err(PhoneError::Input { .. })));
    assert!(matches!(
        phone.export(9, &dir.path().join("x")),
        Err(PhoneError::Input { .. })
    ));

    let out = dir.path().join("out");
    let exported = phone.export(1, &out).unwrap();
    assert_eq!((exported.files, exported.missing), (1, 0));
    // Any headquarters takes it in from the folder alone.
    let mut other = FakeHq::new(1);
    let mut body = std::fs::read(out.join("enrolment.cose")).unwrap();
    body.extend(std::fs::read(out.join("envelope.cose")).unwrap());
    other.answer(&testigo_phone::sync::Request {
        method: Method::Post,
        url: "http://127.0.0.1:1/v1/envelopes".into(),
        headers: vec![],
        body,
    });
    let (_, body) = &other.kept[0];
    let name = hex(&body.attachments[0].blob.sha256);
    let sealed = std::fs::read(out.join("blobs").join(&name)).unwrap();
    assert_eq!(sealed.len() as u64, body.attachments[0].blob.size);
    let names: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // Nothing is written over, and what is missing is told.
    assert!(matches!(
        phone.export(1, &out),
        Err(PhoneError::Input { .. })
    ));
    std::fs::remove_file(dir.path().join("blobs").join(&name)).unwrap();
    let without = phone.export(1, &dir.path().join("out2")).unwrap();
    assert_eq!((without.files, without.missing), (0, 1));
    std::fs::copy(
        out.join("blobs").join(&name),
        dir.path().join("blobs").join(&name),
    )
    .unwrap();

    hq.answer_code = ReceiptCode::ACCEPTED;
    hq.receipts.clear();
    phone.retry(1).unwrap();
    assert_eq!(phone.parked().unwrap(), []);
    let done = deliver(&mut phone, &mut hq);
    assert_eq!((done.delivered, done.attachments_delivered), (1, 1));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn progress_tells_what_is_left_why_it_failed_and_when_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    report(&mut phone, 35);
    report(&mut phone, 11);
    report_with(&mut phone, 11, 200_000);
    let idle = phone.progress(Link::Unmetered).unwrap();
    let lanes: Vec<_> = idle
        .lanes
        .iter()
        .map(|left| (left.lane, left.records, left.files))
        .collect();
    assert_eq!(
        lanes,
        [
            (Lane::DANGER, 1, 0),
            (Lane::INCIDENT, 2, 0),
            (Lane::PHOTO, 0, 1)
        ]
    );
    let outbox = phone.outbox().unwrap();
    assert_eq!(
        idle.bytes_left(),
        outbox.queued_bytes + outbox.attachment_bytes
    );
    assert_eq!((idle.code(), idle.next_attempt_ms), ("waiting", Some(0)));

    run(&mut phone, Selection::Queued, |_| {
        Err(NetworkFault::Timeout)
    });
    drop(phone);
    // Another process knows why, and when it goes on.
    let mut phone = Phone::open(dir.path(), &key(), Box::new(clock.clone())).unwrap();
    let failed = phone.progress(Link::Unmetered).unwrap();
    assert_eq!(
        failed.failure,
        Some(SyncFailure::NoNetwork(NetworkFault::Timeout))
    );
    let wait = failed.next_attempt_ms.unwrap();
    assert!((11_000..=15_000).contains(&wait), "{wait}");
    clock.pass(wait);
    assert_eq!(
        phone.progress(Link::Unmetered).unwrap().next_attempt_ms,
        Some(0)
    );

    let mut pass = SyncPass::new(Selection::Queued).with_seed(7);
    let mut left = vec![];
    loop {
        let step = pass.step(&mut phone).unwrap();
        let progress = pass.progress(&phone).unwrap();
        left.push(progress.bytes_left());
        let Step::Send(request) = step else { break };
        assert_eq!(
            (progress.code(), progress.failure.clone()),
            ("sending", None)
        );
        if progress.bytes_sent > 0 {
            assert!(progress.bytes_per_second.is_some());
        }
        clock.pass(1_000);
        pass.reply(&mut phone, Ok(hq.answer(&request))).unwrap();
    }
    assert!(left.is_sorted_by(|a, b| a >= b), "{left:?}");
    assert!(left.len() > 4 && left.last() == Some(&0), "{left:?}");
    let done = phone.progress(Link::Unmetered).unwrap();
    assert_eq!((done.code(), done.failure.clone()), ("delivered", None));
    assert_eq!(done.next_attempt_ms, None);
    assert!(done.last_contact.is_some());
    let [es, en, pt] = [Language::Es, Language::En, Language::Pt].map(|l| done.sentences(l));
    assert!(es != en && es != pt && en != pt);
}

#[test]
fn a_link_that_never_carries_the_whole_carries_the_parts() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    for fault in [NetworkFault::Interrupted, NetworkFault::Timeout] {
        for _ in 0..40 {
            report(&mut phone, 11);
        }
        let mut broken = 0;
        let pass = run(&mut phone, Selection::Queued, |request| {
            if request.body.len() > 20_000 {
                broken += 1;
                return Err(fault);
            }
            Ok(hq.answer(request))
        });
        assert_eq!((pass.delivered, pass.failure), (40, None));
        assert!((1..10).contains(&broken), "{broken}");
    }
}

#[test]
fn every_address_is_tried_before_the_parts_are_and_no_network_ends_the_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let addresses = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
    let mut phone = phone_at(&hq, dir.path(), &clock, &addresses);
    for _ in 0..40 {
        report(&mut phone, 11);
    }
    // A black hole everywhere: once with all, once with little.
    let mut asked = Vec::new();
    let pass = run(&mut phone, Selection::Queued, |request| {
        asked.push((request.url.chars().nth(17).unwrap(), request.body.len()));
        Err(NetworkFault::Timeout)
    });
    assert_eq!(
        pass.failure,
        Some(SyncFailure::NoNetwork(NetworkFault::Timeout))
    );
    let addresses: String = asked.iter().map(|(address, _)| address).collect();
    assert_eq!(addresses, "1212");
    assert!(asked[1].1 > 20_000 && asked[2].1 < 6_000, "{asked:?}");
    // A black hole at the first only: the second is asked at once, for all.
    let mut asked = Vec::new();
    let pass = run(&mut phone, Selection::Queued, |request| {
        asked.push(request.body.len());
        match request.url.chars().nth(17) {
            Some('1') => Err(NetworkFault::Timeout),
            _ => Ok(hq.answer(request)),
        }
    });
    assert_eq!((pass.delivered, pass.failure), (40, None));
    assert_eq!(asked[0], asked[1]);
}

#[test]
fn attempts_that_reach_nobody_cost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let clock = TurnedClock::default();
    let mut phone = phone_at(&hq, dir.path(), &clock, &["http://127.0.0.1:1"]);
    let budget = Budget {
        bytes_a_day: Some(100_000),
        photos_on_metered: true,
    };
    phone.set_budget(&budget).unwrap();
    for _ in 0..30 {
        report(&mut phone, 11);
    }
    report_with(&mut phone, 11, 20_000);
    for fault in [
        NetworkFault::Unreachable,
        NetworkFault::Tls,
        NetworkFault::UnsafeAddress,
        NetworkFault::WrongPin,
    ] {
        let pass = SyncPass::new(Selection::Queued).over(Link::Metered);
        let pass = drive(&mut phone, pass, |_| Err(fault));
        assert_eq!((pass.requests, pass.bytes_sent), (1, 0));
    }
    let pass = metered(&mut phone, &mut hq);
    assert_eq!((pass.delivered, pass.held), (31, Held::default()));
}
