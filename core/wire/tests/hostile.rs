//! Bytes from outside: round trips of anything, and no panic on anything.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use testigo_wire::*;

fn any_report() -> impl Strategy<Value = Report> {
    let time = || proptest::option::of((0i64..4_000_000_000_000, -720i32..720));
    let of = |t: Option<(i64, i32)>| t.and_then(|(ms, offset)| Time::from_millis(ms, offset));
    (
        any::<u16>(),
        any::<Option<String>>(),
        any::<Option<u32>>(),
        time(),
        time(),
        any::<Option<u32>>(),
    )
        .prop_map(
            move |(code, note, delay_minutes, started, ended, people)| Report {
                details: vec![],
                code: Code(code),
                note,
                delay_minutes,
                started: of(started),
                ended: of(ended),
                people,
            },
        )
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        any_report().prop_map(Record::Report),
        vec(vec(any::<u8>(), 0..300), 0..8).prop_map(|t| Record::Tally(TallyRecord::new(t))),
    ]
}

fn body(record: &Record, sequence: u64) -> Body {
    Body {
        record_id: RecordId([1; 16]),
        store_id: StoreId([2; 16]),
        sequence,
        lane: record.lane(),
        kind: record.kind(),
        table: None,
        claimed_at: None,
        saved_at: Time::from_millis(0, 0).unwrap(),
        monotonic_ms: 0,
        boot_id: BootId([3; 16]),
        last_hq_time: None,
        since_unlock_ms: None,
        attachments: vec![],
        warnings: vec![],
        record: record.to_bytes(),
    }
}

fn keyset() -> Keyset {
    let key = SigningKey::from_seed(&[1; 32]).verifying_key();
    Keyset {
        version: 1,
        election: ElectionId([4; 8]),
        issued_at: Time::from_millis(0, 0).unwrap(),
        root: key,
        seal: vec![SealSecretKey::from_bytes(&[2; 32]).public_key().unwrap()],
        receipt: vec![key],
        desk: vec![key],
        log: vec![],
        revoked: vec![],
        endpoints: vec![],
        pins: vec![],
    }
}

/// Feeds bytes to every decoder; only their not panicking counts here.
fn feed_all(bytes: &[u8]) {
    let keyset_root = RootId([0; 16]);
    let key = SigningKey::from_seed(&[1; 32]).verifying_key();
    let keyset = keyset();
    let _ = Envelope::parse(bytes);
    let _ = Enrolment::parse(bytes);
    let _ = Ask::parse(bytes);
    let _ = Receipt::from_kept(bytes);
    let _ = BlobReceipt::verify(bytes, &keyset);
    let _ = Notice::verify(bytes, &keyset);
    let _ = BlobOpener::new(&BlobSecret::from_bytes([5; 32]), bytes);
    let _ = Keyset::verify(bytes, keyset_root);
    let _ = ElectionPack::verify(bytes, &key);
    let _ = Reply::from_bytes(bytes);
    let _ = KeysetRequest::from_bytes(bytes).map(|request| request.pack());
    let _ = Body::from_padded(bytes);
    for kind in [1, 2, 3] {
        let _ = Record::from_bytes(Kind(kind), bytes);
    }
    let _ = cbor::first("item", bytes, 1000);
    let _ = Invitation::from_text(&String::from_utf8_lossy(bytes));
}

/// One good object of every kind, to be mutated.
fn samples() -> Vec<Vec<u8>> {
    let (root, seal) = (
        SigningKey::from_seed(&[1; 32]),
        SealSecretKey::from_bytes(&[2; 32]),
    );
    let election = ElectionId([4; 8]);
    let time = Time::from_millis(1_722_200_000_000, -240).unwrap();
    let report = Record::Report(Report::new(Code(11)));
    let receipt = Receipt::new(StoreId([2; 16]), Eid([3; 32]), time, ReceiptCode::ACCEPTED)
        .sign(&root)
        .unwrap();
    vec![
        Envelope::seal(
            &body(&report, 1),
            election,
            &seal.public_key().unwrap(),
            &root,
        )
        .unwrap()
        .as_bytes()
        .to_vec(),
        Enrolment::new(election, root.verifying_key(), StoreId([2; 16]))
            .sign(&root)
            .unwrap(),
        Reply {
            epoch: Epoch([1; 16]),
            keyset: 7,
            answers: vec![Answer::Receipt(receipt.clone())],
        }
        .to_bytes(),
        receipt,
        BlobReceipt::new(BlobRef {
            sha256: [6; 32],
            size: 7,
        })
        .sign(&root)
        .unwrap(),
        Ask::new(Epoch([1; 16]), 9).sign(&root).unwrap(),
        Notice::new(Eid([3; 32]), NoticeStatus::READ, false, time)
            .sign(&root)
            .unwrap(),
        body(&report, 1).to_padded().unwrap().to_vec(),
        report.to_bytes(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_record_comes_back_from_its_envelope(record in any_record(), sequence: u64) {
        let seal = SealSecretKey::from_bytes(&[2; 32]);
        let device = SigningKey::from_seed(&[3; 32]);
        let body = body(&record, sequence);
        let sent = Envelope::seal(&body, ElectionId([4; 8]), &seal.public_key().unwrap(), &device).unwrap();
        let got = Envelope::parse(sent.as_bytes()).unwrap().verify(&device.verifying_key()).unwrap();
        let opened = got.open(&seal).unwrap();
        prop_assert_eq!(&opened, &body);
        prop_assert_eq!(opened.record().unwrap(), record);
    }

    #[test]
    fn whatever_can_be_sealed_can_be_read(size in 60_000usize..66_000) {
        let seal = SealSecretKey::from_bytes(&[2; 32]);
        let device = SigningKey::from_seed(&[3; 32]);
        let record = Record::Tally(TallyRecord::new([vec![b'x'; size]]));
        let sent = Envelope::seal(&body(&record, 1), ElectionId([4; 8]), &seal.public_key().unwrap(), &device);
        if let Ok(sent) = sent {
            let got = Envelope::parse(sent.as_bytes()).unwrap().verify(&device.verifying_key()).unwrap();
            prop_assert_eq!(got.open(&seal).unwrap().record().unwrap(), record);
        } else {
            prop_assert!(size > 65_000, "{} bytes are refused", size);
        }
    }

    #[test]
    fn no_decoder_panics_on_any_bytes(bytes in vec(any::<u8>(), 0..2000)) {
        feed_all(&bytes);
    }

    #[test]
    fn no_decoder_panics_on_mutated_objects(
        which in 0usize..8, cut: u16, flips in vec((any::<u16>(), any::<u8>()), 0..6)
    ) {
        let mut bytes = samples().swap_remove(which);
        for (at, byte) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(usize::from(cut) % 8));
        feed_all(&bytes);
    }
}

#[test]
fn one_changed_bit_anywhere_is_never_the_same_envelope() {
    let device = SigningKey::from_seed(&[1; 32]).verifying_key();
    let good = samples().swap_remove(0);
    assert!(Envelope::parse(&good).unwrap().verify(&device).is_ok());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        let outcome = Envelope::parse(&bad).and_then(|e| e.verify(&device));
        assert!(outcome.is_err(), "bit changed in byte {at}");
    }
}
