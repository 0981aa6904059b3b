//! Every serialized form: a snapshot of its bytes, and that it comes back as it went.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use testigo_wire::*;

fn time() -> Time {
    Time::from_rfc3339("2024-07-28T21:14:03.250-04:00").unwrap()
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn seal_key() -> SealSecretKey {
    SealSecretKey::from_bytes(&[9; 32])
}

fn report() -> Report {
    Report {
        code: Code(21),
        note: Some("Se fue la luz".into()),
        delay_minutes: Some(95),
        started: Some(time()),
        ended: Time::from_millis(time().millis() + 3_600_000, -240),
        details: vec![],
        people: Some(40),
    }
}

fn tally() -> TallyRecord {
    TallyRecord::new([b"201301006.01.1.0001!140,7!0!0".to_vec(), vec![0xff, 0x00]])
}

fn body(record: &Record) -> Body {
    Body {
        record_id: RecordId([1; 16]),
        store_id: StoreId([2; 16]),
        sequence: 7,
        lane: record.lane(),
        kind: record.kind(),
        table: Some(TableId::new("201301006.01").unwrap()),
        claimed_at: Some(time()),
        saved_at: time(),
        monotonic_ms: 86_400_000,
        boot_id: BootId([3; 16]),
        last_hq_time: Some(time()),
        since_unlock_ms: Some(1500),
        attachments: vec![],
        warnings: vec![Warning::CLOCK_BEHIND, Warning(700)],
        record: record.to_bytes(),
    }
}

fn keyset() -> Keyset {
    Keyset {
        version: 3,
        election: ElectionId([4; 8]),
        issued_at: time(),
        root: key(1).verifying_key(),
        seal: vec![seal_key().public_key().unwrap()],
        receipt: vec![key(2).verifying_key()],
        desk: vec![key(3).verifying_key()],
        log: vec![],
        revoked: vec![KeyId([5; 8])],
        endpoints: vec!["https://hq.example".into()],
        pins: vec![[6; 32].into()],
    }
}

fn pack() -> ElectionPack {
    ElectionPack {
        date: "2024-07-28".into(),
        time_zone: "America/Caracas".into(),
        candidates: vec![Candidate {
            code: "EG".into(),
            name: "Edmundo González".into(),
        }],
        slots: vec![Slot {
            party: "MUD".into(),
            candidate: "EG".into(),
        }],
        tables: vec![PollingTable::in_areas(
            TableId::new("201301006.01").unwrap(),
            535,
            ["Yaracuy", "Manuel Monge", "Yumare"],
        )],
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    }
}

/// The bytes in CBOR diagnostic notation (RFC 8949, section 8), so that a reviewer can read them.
fn diagnostic(bytes: &[u8]) -> String {
    minicbor::display(bytes).to_string()
}

#[test]
fn records() {
    let handover = Handover {
        what: Handover::SHEET,
        from: Some(Pseudonym::new("witness-1").unwrap()),
        to: Some(Pseudonym::new(" boat-2 ").unwrap()),
        at: Some(time()),
        place: Some("the jetty".into()),
    };
    for record in [
        Record::Report(report()),
        Record::Tally(tally()),
        Record::Handover(handover),
        Record::Typed(TypedTally {
            table: TableId::new("201301006.01").unwrap(),
            votes: vec![140, 0, 7],
            blank: None,
            null: Some(3),
            total: Some(150),
            printed_hash: Some("9f86d081".into()),
            machine_code: None,
        }),
    ] {
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(record.kind(), &bytes).unwrap(), record);
        insta::assert_snapshot!(diagnostic(&bytes));
    }
}

#[test]
fn a_report_with_details() {
    let detail = |name: &str, value: &str| Detail {
        name: name.into(),
        value: value.into(),
    };
    let report = Report {
        details: vec![detail("hour", "10:00"), detail("voters", "212")],
        ..Report::new(Code(90))
    };
    let record = Record::Report(report);
    let bytes = record.to_bytes();
    assert_eq!(Record::from_bytes(record.kind(), &bytes).unwrap(), record);
    insta::assert_snapshot!(diagnostic(&bytes));
}

#[test]
fn a_record_of_a_newer_phone_is_carried_as_it_came() {
    let bytes = b"\xa1\x01\x63new".to_vec();
    let record = Record::from_bytes(Kind(900), &bytes).unwrap();
    assert_eq!(record.kind(), Kind(900));
    assert_eq!(record.to_bytes(), bytes);

    let newer_report = b"\xa2\x00\x18\x63\x18\x2a\x01";
    let Record::Report(report) = Record::from_bytes(Kind::REPORT, newer_report).unwrap() else {
        unreachable!()
    };
    assert_eq!(report.code, Code(99));
}

#[test]
fn body_and_its_padding() {
    let body = body(&Record::Report(report()));
    let bytes = body.to_padded().unwrap();
    assert_eq!(bytes.len(), 256);
    assert_eq!(Body::from_padded(&bytes).unwrap(), body);
    insta::assert_snapshot!(diagnostic(cbor::first("body", &bytes, 1 << 16).unwrap().0));

    let mut dirty = bytes.to_vec();
    dirty[255] = 1;
    assert!(Body::from_padded(&dirty).is_err());
    assert!(Body::from_padded(&bytes[..250]).is_err());
}

fn attachment() -> Attachment {
    Attachment {
        blob: BlobRef {
            sha256: [7; 32],
            size: 2_000_024,
        },
        secret: BlobSecret::from_bytes([8; 32]),
        lane: Lane::PHOTO,
        media_type: "image/jpeg".into(),
        size: 1_999_500,
    }
}

#[test]
fn a_body_with_attachments() {
    let mut body = body(&Record::Report(report()));
    body.attachments = vec![attachment()];
    let bytes = body.to_bytes();
    assert_eq!(Body::from_bytes(&bytes).unwrap(), body);
    insta::assert_snapshot!(diagnostic(&bytes));

    let device = key(2);
    let envelope = Envelope::seal(
        &body,
        ElectionId([4; 8]),
        &seal_key().public_key().unwrap(),
        &device,
    )
    .unwrap();
    assert_eq!(envelope.blobs(), [attachment().blob]);
    // The hash in clear is bound to what is sealed: nobody can put another in its place.
    let swapped: Vec<u8> = envelope.as_bytes().to_vec();
    let at = swapped.windows(32).position(|w| w == [7; 32]).unwrap();
    let mut swapped = swapped;
    swapped[at] = 9;
    let unverified = Envelope::parse(&swapped).unwrap();
    assert!(unverified.verify(&device.verifying_key()).is_err());
}

#[test]
fn a_secret_cannot_be_printed() {
    assert!(!format!("{:?}", attachment()).contains("8, 8"));
}

#[test]
fn size_classes() {
    for (len, class) in [(0, 256), (256, 256), (257, 512), (1025, 2048), (2049, 4096)] {
        assert_eq!(padded_len(len), Some(class));
    }
    assert_eq!(padded_len(65_536), Some(65_536));
    assert_eq!(padded_len(65_537), None);
    let mut body = body(&Record::Report(report()));
    body.record = vec![0; 65_536];
    assert!(matches!(body.to_padded(), Err(WireError::TooLarge { .. })));
}

/// Sealing draws fresh randomness, so the form is pinned by an envelope made once and opened ever after.
const ENVELOPE: &str = include_str!("../../../tests/vectors/envelope-1.hex");

#[test]
fn an_envelope_of_the_first_release_still_opens() {
    let bytes = data_encoding::HEXLOWER
        .decode(ENVELOPE.replace(char::is_whitespace, "").as_bytes())
        .unwrap();
    let envelope = Envelope::parse(&bytes)
        .unwrap()
        .verify(&key(8).verifying_key())
        .unwrap();
    assert_eq!(envelope.as_bytes(), bytes);
    assert_eq!(
        envelope.open(&seal_key()).unwrap(),
        body(&Record::Tally(tally()))
    );
    assert!(matches!(
        envelope.open(&SealSecretKey::from_bytes(&[8; 32])),
        Err(WireError::Sealed { .. })
    ));
    let other = Envelope::parse(&bytes)
        .unwrap()
        .verify(&key(7).verifying_key());
    assert!(matches!(other, Err(WireError::Signature { .. })));
    insta::assert_snapshot!(diagnostic(&bytes));
}

#[test]
fn an_envelope_goes_and_comes_back_and_is_small() {
    let seal = seal_key().public_key().unwrap();
    let body = body(&Record::Tally(tally()));
    let envelope = Envelope::seal(&body, ElectionId([4; 8]), &seal, &key(8)).unwrap();
    let back = Envelope::parse(envelope.as_bytes()).unwrap();
    assert_eq!(back.device(), key(8).verifying_key().key_id());
    assert_eq!(back.verify(&key(8).verifying_key()).unwrap(), envelope);
    assert_eq!(envelope.open(&seal_key()).unwrap(), body);
    assert!(
        envelope.as_bytes().len() <= 1700,
        "{}",
        envelope.as_bytes().len()
    );
    assert_eq!(envelope.eid(), Eid::of(envelope.as_bytes()));
}

#[test]
fn enrolment() {
    let enrolment = Enrolment::new(ElectionId([4; 8]), key(8).verifying_key(), StoreId([2; 16]));
    let bytes = enrolment.sign(&key(5)).unwrap();
    let parsed = Enrolment::parse(&bytes).unwrap();
    assert_eq!(parsed.capability(), key(5).verifying_key().key_id());
    assert_eq!(parsed.verify(&key(5).verifying_key()).unwrap(), enrolment);
    insta::assert_snapshot!(diagnostic(&bytes));
}

#[test]
fn receipt_and_reply() {
    let receipt = Receipt::new(
        StoreId([2; 16]),
        Eid([7; 32]),
        time(),
        ReceiptCode::ACCEPTED,
    );
    let bytes = receipt.sign(&key(2)).unwrap();
    assert_eq!(Receipt::verify(&bytes, &keyset()).unwrap(), receipt);
    insta::assert_snapshot!("receipt", diagnostic(&bytes));

    assert_eq!(Receipt::from_kept(&bytes).unwrap(), receipt);
    let forged = receipt.sign(&key(6)).unwrap();
    assert!(matches!(
        Receipt::verify(&forged, &keyset()),
        Err(WireError::Signature { .. })
    ));

    let reply = Reply {
        epoch: Epoch([8; 16]),
        keyset: 0,
        answers: vec![
            Answer::Receipt(bytes),
            Answer::Deferred {
                eid: Eid([9; 32]),
                deferral: Deferral::UNKNOWN_DEVICE,
            },
            Answer::Notice {
                number: 300,
                notice: vec![0x42, 1, 2],
            },
        ],
    };
    assert_eq!(Reply::from_bytes(&reply.to_bytes()).unwrap(), reply);
    insta::assert_snapshot!("reply", data_encoding::HEXLOWER.encode(&reply.to_bytes()));
    assert!(Reply::from_bytes(b"<html>").is_err());
    assert!(Reply::from_bytes(b"").is_err());
}

#[test]
fn blob_receipt_and_notice() {
    let keyset = keyset();
    let receipt = BlobReceipt::new(attachment().blob);
    let bytes = receipt.sign(&key(2)).unwrap();
    assert_eq!(BlobReceipt::verify(&bytes, &keyset).unwrap(), receipt);
    assert!(Receipt::verify(&bytes, &keyset).is_err());
    insta::assert_snapshot!("blob_receipt", diagnostic(&bytes));

    let notice = Notice::new(Eid([7; 32]), NoticeStatus::COUNTED, true, time());
    let bytes = notice.sign(&key(3)).unwrap();
    assert_eq!(Notice::verify(&bytes, &keyset).unwrap(), notice);
    assert_eq!(Notice::from_kept(&bytes).unwrap(), notice);
    // Ingest's key cannot speak for the desk, nor the desk's for ingest.
    assert!(Notice::verify(&notice.sign(&key(2)).unwrap(), &keyset).is_err());
    assert!(BlobReceipt::verify(&receipt.sign(&key(3)).unwrap(), &keyset).is_err());
    insta::assert_snapshot!("notice", diagnostic(&bytes));
}

#[test]
fn an_answer_that_only_a_newer_phone_knows_is_passed_over() {
    let mut bytes = Reply {
        epoch: Epoch([8; 16]),
        keyset: 0,
        answers: vec![],
    }
    .to_bytes();
    bytes.extend(b"\x82\x18\x63\x61x");
    assert_eq!(
        Reply::from_bytes(&bytes).unwrap().answers,
        [Answer::Unknown]
    );
}

#[test]
fn ask() {
    let ask = Ask::new(Epoch([8; 16]), u64::MAX);
    let bytes = ask.sign(&key(8)).unwrap();
    let parsed = Ask::parse(&bytes).unwrap();
    assert_eq!(parsed.device(), key(8).verifying_key().key_id());
    assert_eq!(parsed.eid(), Eid::of(&bytes));
    assert_eq!(parsed.verify(&key(8).verifying_key()).unwrap(), ask);
    assert!(parsed.verify(&key(7).verifying_key()).is_err());
    assert!(Envelope::parse(&bytes).is_err() && Enrolment::parse(&bytes).is_err());
    insta::assert_snapshot!("ask", diagnostic(&bytes));
}

#[test]
fn keyset_and_pack() {
    let keyset = keyset();
    let bytes = keyset.sign(&key(1)).unwrap();
    let root = RootId::of(&key(1).verifying_key());
    assert_eq!(Keyset::verify(&bytes, root).unwrap(), keyset);
    assert!(Keyset::verify(&bytes, RootId([0; 16])).is_err());
    assert!(keyset.sign(&key(2)).is_err());
    insta::assert_snapshot!("keyset", diagnostic(&bytes));

    let pack = pack();
    let bytes = pack.sign(&key(1)).unwrap();
    assert_eq!(
        ElectionPack::verify(&bytes, &key(1).verifying_key()).unwrap(),
        pack
    );
    assert!(ElectionPack::verify(&bytes, &key(2).verifying_key()).is_err());
    insta::assert_snapshot!("pack", diagnostic(&bytes));
}

#[test]
fn a_pack_that_contradicts_itself_is_refused() {
    let mut twice = pack();
    twice.tables.push(twice.tables[0].clone());
    assert!(twice.sign(&key(1)).is_err());
    let mut stray = pack();
    stray.slots[0].candidate = "XX".into();
    assert!(stray.sign(&key(1)).is_err());
}

#[test]
fn one_kind_never_passes_for_another() {
    let receipt = Receipt::new(
        StoreId([2; 16]),
        Eid([7; 32]),
        time(),
        ReceiptCode::ACCEPTED,
    )
    .sign(&key(1))
    .unwrap();
    assert!(Envelope::parse(&receipt).is_err());
    assert!(Enrolment::parse(&receipt).is_err());
    assert!(ElectionPack::verify(&receipt, &key(1).verifying_key()).is_err());
    let pack = pack().sign(&key(1)).unwrap();
    assert!(Receipt::verify(&pack, &keyset()).is_err());
}
