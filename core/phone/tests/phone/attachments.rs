use crate::support::{FakeHq, TABLE, clock, deliver, key, run};
use std::io::Cursor;
use std::path::Path;
use testigo_phone::sync::{Method, NetworkFault, Response, Selection};
use testigo_phone::{AttachmentKind, Delivery, Phone, PhoneError, ReportInput, SealedFile};
use testigo_wire::*;

/// A file that no format reads, larger than a segment: it is kept as it is.
fn file() -> Vec<u8> {
    (0..200_000u32).map(|n| (n % 253) as u8).collect()
}

fn seal(phone: &Phone) -> SealedFile {
    phone
        .seal_file(Cursor::new(file()), AttachmentKind::Whole)
        .unwrap()
}

fn report(phone: &mut Phone, attachments: Vec<SealedFile>) {
    let input = ReportInput {
        code: 11,
        attachments,
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

fn open(sealed: &[u8], secret: &BlobSecret) -> Vec<u8> {
    let (header, mut rest) = sealed.split_at(BLOB_HEADER.len());
    let mut opener = BlobOpener::new(secret, header).unwrap();
    let mut out = Vec::new();
    while rest.len() > SEALED_SEGMENT {
        let (segment, tail) = rest.split_at(SEALED_SEGMENT);
        out.extend_from_slice(&opener.segment(segment).unwrap());
        rest = tail;
    }
    out.extend_from_slice(&opener.last(rest).unwrap());
    out
}

fn files_in(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("blobs")).map_or(0, Iterator::count)
}

#[test]
fn a_file_arrives_byte_for_byte_behind_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    assert_eq!(sealed.warnings, [Warning::METADATA_KEPT]);
    report(&mut phone, vec![sealed]);
    assert_eq!(phone.outbox().unwrap().attachments_queued, 1);
    let done = deliver(&mut phone, &mut hq);
    assert_eq!((done.delivered, done.attachments_delivered), (1, 1));
    assert_eq!((done.remaining, done.attachments_remaining), (0, 0));
    assert!(matches!(
        phone.history().unwrap()[0].delivery,
        Delivery::Delivered { .. }
    ));

    let attachment = &hq.kept[0].1.attachments[0];
    let upload = hq.blobs.uploads.values().next().unwrap();
    assert_eq!(upload.length, attachment.blob.size);
    assert!(open(&upload.bytes, &attachment.secret) == file());
    assert_eq!(attachment.size, file().len() as u64);
    // Nothing of it lies open on the phone or goes open on the wire.
    let needle = &file()[1000..1100];
    let on_disk = std::fs::read_dir(dir.path().join("blobs")).unwrap();
    for path in on_disk {
        let bytes = std::fs::read(path.unwrap().path()).unwrap();
        assert!(!bytes.windows(100).any(|window| window == needle));
    }
}

#[test]
fn delivered_is_not_said_while_a_file_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    let mut requests = 0;
    let report = run(&mut phone, Selection::Queued, |request| {
        requests += 1;
        match requests {
            1..=3 => Ok(hq.answer(request)),
            _ => Err(NetworkFault::Interrupted),
        }
    });
    assert!(report.failure.is_some());
    assert_eq!(report.attachments_remaining, 1);
    let outbox = phone.outbox().unwrap();
    assert_eq!((outbox.queued, outbox.delivered), (0, 0));
    assert!(matches!(
        phone.history().unwrap()[0].delivery,
        Delivery::Received {
            attachments_left: 1,
            ..
        }
    ));

    // Killed and started again, it goes on where the other side stands.
    drop(phone);
    let had = hq.blobs.uploads.values().next().unwrap().bytes.len();
    assert!(had > 0);
    hq.blobs.log.clear();
    let mut phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
    assert_eq!(hq.blobs.log[0].0, Method::Head);
    let sent: usize = hq.blobs.log.iter().map(|(_, bytes)| bytes).sum();
    let upload = hq.blobs.uploads.values().next().unwrap();
    assert_eq!(sent + had, upload.bytes.len());
}

#[test]
fn a_lost_last_reply_costs_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    run(&mut phone, Selection::Queued, |request| {
        let answer = hq.answer(request);
        match answer.blob_receipt {
            Some(_) => Err(NetworkFault::Interrupted),
            None => Ok(answer),
        }
    });
    assert_eq!(phone.outbox().unwrap().attachments_queued, 1);
    hq.blobs.log.clear();
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
    assert_eq!(hq.blobs.log, [(Method::Head, 0)]);
}

#[test]
fn an_upload_that_is_gone_begins_anew_and_a_forged_receipt_delivers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    let mut forger = FakeHq::new(90);
    let forged = run(&mut phone, Selection::Queued, |request| {
        let envelopes = request.url.ends_with("/v1/envelopes");
        Ok(if envelopes {
            hq.answer(request)
        } else {
            forger.answer(request)
        })
    });
    assert_eq!(forged.attachments_delivered, 0);
    assert_eq!(phone.outbox().unwrap().attachments_queued, 1);
    // Here nobody knows that upload: it is made again.
    assert_eq!(deliver(&mut phone, &mut hq).attachments_delivered, 1);
}

#[test]
fn what_is_saved_in_the_middle_of_a_photograph_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    let mut pass = testigo_phone::sync::SyncPass::new(Selection::Queued);
    let mut order = Vec::new();
    loop {
        match pass.step(&mut phone).unwrap() {
            testigo_phone::sync::Step::Done(_) => break,
            testigo_phone::sync::Step::Send(request) => {
                order.push((request.method, request.url.ends_with("/v1/envelopes")));
                let answer = hq.answer(&request);
                pass.reply(&mut phone, Ok(answer)).unwrap();
                if order.len() == 3 {
                    // A witness is detained while the photograph is half there.
                    let input = ReportInput {
                        code: 35,
                        ..ReportInput::default()
                    };
                    phone.report(&input).unwrap();
                }
            }
        }
    }
    assert_eq!(order[0], (Method::Post, true));
    assert_eq!(order[2], (Method::Patch, false));
    assert_eq!(order[3], (Method::Post, true), "{order:?}");
    assert!(order.len() > 4);
    assert_eq!(phone.outbox().unwrap().delivered, 2);
}

#[test]
fn a_server_that_never_gets_further_does_not_hold_the_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    let report = run(&mut phone, Selection::Queued, |request| {
        Ok(match request.method {
            Method::Patch => Response {
                status: 409,
                ..Response::default()
            },
            _ => hq.answer(request),
        })
    });
    assert_eq!(report.failure, None);
    assert_eq!(report.attachments_remaining, 1);
}

#[test]
fn a_file_that_cannot_be_read_or_is_gone_costs_nothing_else() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    impl std::io::Seek for Broken {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(1000)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let broken = phone.seal_file(Broken, AttachmentKind::Whole);
    assert!(matches!(broken, Err(PhoneError::File(_))), "{broken:?}");
    assert_eq!(files_in(dir.path()), 0);

    let gone = seal(&phone);
    std::fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    let input = ReportInput {
        code: 11,
        attachments: vec![gone],
        ..ReportInput::default()
    };
    assert!(matches!(phone.report(&input), Err(PhoneError::File(_))));
    assert!(phone.history().unwrap().is_empty());

    // One that goes missing later is told, and holds back no other.
    let (first, second) = (seal(&phone), seal(&phone));
    let name = first.blob().sha256;
    report(&mut phone, vec![first]);
    report(&mut phone, vec![second]);
    let name = name
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    std::fs::remove_file(dir.path().join("blobs").join(name)).unwrap();
    let done = deliver(&mut phone, &mut hq);
    assert_eq!((done.delivered, done.attachments_delivered), (2, 1));
    assert_eq!(done.attachments_missing, 1);
    assert_eq!(phone.outbox().unwrap().delivered, 1);
}

#[test]
fn orphans_go_after_a_day_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let (kept, _orphan) = (seal(&phone), seal(&phone));
    report(&mut phone, vec![kept]);
    std::fs::write(dir.path().join("blobs/half.new"), b"half").unwrap();
    drop(phone);
    drop(Phone::open(dir.path(), &key(), clock()).unwrap());
    assert_eq!(files_in(dir.path()), 3);
    let two_days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 86_400);
    for entry in std::fs::read_dir(dir.path().join("blobs")).unwrap() {
        let file = std::fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        file.set_modified(two_days_ago).unwrap();
    }
    let phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    assert_eq!(files_in(dir.path()), 1);
    assert_eq!(phone.outbox().unwrap().attachments_queued, 1);
}

#[test]
fn a_restored_headquarters_gets_again_what_is_not_safe() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(10);
    let mut phone = hq.phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed]);
    report(&mut phone, vec![]);
    deliver(&mut phone, &mut hq);
    // The desk says that the second one is safe; the notice comes with the next reply.
    let safe = hq.kept[1].0;
    let at = Time::from_rfc3339("2024-07-28T23:30:00Z").unwrap();
    let notice = Notice::new(safe, NoticeStatus::READ, true, at)
        .sign(&hq.desk())
        .unwrap();
    report(&mut phone, vec![]);
    run(&mut phone, Selection::Queued, |request| {
        let mut response = hq.answer(request);
        let mut reply = Reply::from_bytes(&response.body).unwrap();
        reply.answers.push(Answer::Notice {
            number: 1,
            notice: notice.clone(),
        });
        // One that another key signed changes nothing.
        let forged = Notice::new(hq.kept[0].0, NoticeStatus::READ, true, at)
            .sign(&hq.receipt)
            .unwrap();
        reply.answers.push(Answer::Notice {
            number: 2,
            notice: forged,
        });
        response.body = reply.to_bytes();
        Ok(response)
    });

    // A restored one has lost all of it and has another epoch.
    let mut restored = FakeHq::new(10);
    restored.epoch = Epoch([2; 16]);
    report(&mut phone, vec![]);
    let done = deliver(&mut phone, &mut restored);
    assert_eq!(done.remaining, 0, "{done:?}");
    assert_eq!(done.attachments_delivered, 1);
    let held: Vec<u64> = restored
        .kept
        .iter()
        .map(|(_, body)| body.sequence)
        .collect();
    assert!(!held.contains(&2), "what is safe goes again: {held:?}");
    let mut sorted = held.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, [1, 3, 4], "{held:?}");
    assert_eq!(phone.outbox().unwrap().delivered, 4);
    assert!(
        hq.kept
            .iter()
            .all(|(_, body)| body.table.as_ref().unwrap().as_str() == TABLE)
    );
}

#[test]
fn a_sealed_file_goes_with_one_record_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(10).phone(dir.path());
    let sealed = seal(&phone);
    report(&mut phone, vec![sealed.clone()]);
    let again = phone.report(&ReportInput {
        code: 11,
        attachments: vec![sealed],
        ..ReportInput::default()
    });
    assert!(
        matches!(
            &again,
            Err(PhoneError::Input {
                field: "attachments",
                ..
            })
        ),
        "{again:?}"
    );
    assert_eq!(phone.history().unwrap().len(), 1);
}
