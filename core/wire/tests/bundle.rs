//! The courier's bundle.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use testigo_wire::*;

fn hq() -> SealSecretKey {
    SealSecretKey::from_bytes(&[9; 32])
}

/// An item of this many bytes: a byte string.
fn item(fill: u8, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    minicbor::Encoder::new(&mut bytes)
        .bytes(&vec![fill; len])
        .unwrap();
    bytes
}

fn seal(items: &[Vec<u8>]) -> Vec<u8> {
    let secret = BlobSecret::random().unwrap();
    let (mut sealer, mut file) = BundleSealer::new(&hq().public_key().unwrap(), &secret).unwrap();
    for item in items {
        file.extend(sealer.add(item).unwrap());
    }
    file.extend(sealer.finish().unwrap());
    file
}

fn open(file: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let bundle = Bundle::open(file, &hq())?;
    let items: Vec<_> = bundle.items().map(<[u8]>::to_vec).collect();
    assert_eq!(items.len(), bundle.len());
    assert_eq!(items.is_empty(), bundle.is_empty());
    Ok(items)
}

/// An enrolment and an envelope, as any phone makes them.
fn sent() -> Vec<Vec<u8>> {
    let device = SigningKey::from_seed(&[3; 32]);
    let election = ElectionId([4; 8]);
    let record = Record::Report(Report::new(Code(11)));
    let body = Body {
        record_id: RecordId([1; 16]),
        store_id: StoreId([2; 16]),
        sequence: 1,
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
    };
    let envelope = Envelope::seal(&body, election, &hq().public_key().unwrap(), &device).unwrap();
    vec![
        Enrolment::new(election, device.verifying_key(), StoreId([2; 16]))
            .sign(&SigningKey::from_seed(&[5; 32]))
            .unwrap(),
        envelope.as_bytes().to_vec(),
    ]
}

#[test]
fn a_bundle_of_the_first_release_still_opens() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/bundle-1.bin"
    );
    let file = std::fs::read(path).unwrap();
    let items = open(&file).unwrap();
    assert_eq!(items.len(), 2);
    let device = SigningKey::from_seed(&[3; 32]).verifying_key();
    let enrolment = Enrolment::parse(&items[0]).unwrap();
    let capability = SigningKey::from_seed(&[5; 32]).verifying_key();
    assert_eq!(enrolment.verify(&capability).unwrap().device, device);
    let envelope = Envelope::parse(&items[1]).unwrap().verify(&device).unwrap();
    let record = envelope.open(&hq()).unwrap().record().unwrap();
    assert_eq!(record, Record::Report(Report::new(Code(11))));
    // What stands in clear, and where the rest begins.
    assert_eq!(&file[..15], b"testigo-bundle\x01");
    assert_eq!(file[15..23], hq().public_key().unwrap().key_id().0);
    assert_eq!(&file[23 + 1120 + 48..][..8], b"testigo\x01");
    assert_eq!(file.len(), 1191 + 8 + 4096 + 16);
}

#[test]
fn what_goes_in_comes_out_and_only_the_size_class_shows() {
    let sizes = [0, 1, 100, 2_000, 65_533, 70_000];
    let items: Vec<_> = (1..).zip(sizes).map(|(n, size)| item(n, size)).collect();
    assert_eq!(open(&seal(&items)).unwrap(), items);
    assert!(open(&seal(&[])).unwrap().is_empty());

    let file = |bytes: usize| seal(&[item(1, bytes)]).len();
    let class = |open: u64| 1191 + sealed_size(open).unwrap() as usize;
    // Three bytes of head and these.
    for (bytes, open) in [
        (1, 4096),
        (4093, 4096),
        (4094, 8192),
        (40_000, 65_536),
        (65_533, 65_536),
        (65_540, 131_072),
    ] {
        assert_eq!(file(bytes), class(open), "{bytes}");
    }
    let many = vec![item(1, 60_000); 20];
    assert_eq!(seal(&many).len(), class(2 << 20));
    assert_eq!(open(&seal(&many)).unwrap(), many);
    // Sealed twice it is another file, with nothing in common behind what stands in clear.
    let (one, other) = (seal(&sent()), seal(&sent()));
    assert_eq!(one[..23], other[..23]);
    let same = (one.iter().skip(23).zip(other.iter().skip(23))).filter(|(a, b)| a == b);
    assert!(same.count() < one.len() / 50);
}

#[test]
fn one_changed_byte_anywhere_and_any_cut_is_found() {
    let good = seal(&sent());
    assert!(open(&good).is_ok());
    for at in (0..good.len()).step_by(7).chain(0..40) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(open(&bad).is_err(), "byte {at}");
        assert!(open(&good[..at]).is_err(), "cut at {at}");
    }
    assert!(open(&[good.as_slice(), b"\0"].concat()).is_err());
    let other = SealSecretKey::from_bytes(&[8; 32]);
    assert!(matches!(
        Bundle::open(&good, &other),
        Err(WireError::Sealed { what: "bundle" })
    ));
    let mut later = good.clone();
    later[14] = 2;
    assert!(matches!(
        open(&later),
        Err(WireError::Version { found: 2, .. })
    ));
}

/// A file as a phone that is not ours may make it: any sequence at all.
fn hostile(plain: &[u8]) -> Vec<u8> {
    let secret = BlobSecret::from_bytes([7; 32]);
    let (_, mut file) = BundleSealer::new(&hq().public_key().unwrap(), &secret).unwrap();
    let mut sealer = BlobSealer::new(&secret);
    let mut rest = plain;
    while rest.len() > BLOB_SEGMENT {
        let segment;
        (segment, rest) = rest.split_at(BLOB_SEGMENT);
        file.extend(sealer.segment(segment).unwrap());
    }
    file.extend(sealer.last(rest).unwrap().0);
    file
}

#[test]
fn what_is_sealed_well_and_is_no_sequence_is_refused() {
    let padded = |start: &[u8], len: usize| {
        let mut plain = start.to_vec();
        plain.resize(len, 0);
        hostile(&plain)
    };
    assert!(open(&padded(b"\x01", 4096)).is_ok());
    for (start, len) in [
        (&b"\xff"[..], 4096),
        (b"\x01\0\x01", 4096),
        (b"\x01", 4095),
        (b"\x01", 8192),
        (b"", 0),
    ] {
        assert!(open(&padded(start, len)).is_err(), "{start:?} in {len}");
    }
    let swarm = vec![1; MAX_BUNDLE_ITEMS + 1];
    assert!(matches!(
        open(&padded(&swarm, 131_072)),
        Err(WireError::TooLarge { .. })
    ));
    let secret = BlobSecret::from_bytes([7; 32]);
    let (mut sealer, _) = BundleSealer::new(&hq().public_key().unwrap(), &secret).unwrap();
    assert!(sealer.add(b"\x01\x01").is_err());
    assert!(sealer.has_room(MAX_BUNDLE) && !sealer.has_room(MAX_BUNDLE + 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..6000), clear: bool, sealed: bool) {
        let file = match (clear, sealed) {
            (_, true) => hostile(&bytes),
            (true, _) => [&seal(&[])[..1199], &bytes].concat(),
            _ => bytes,
        };
        let _ = open(&file);
        let _ = Bundle::seal_kid(&file);
    }

    #[test]
    fn any_items_come_back(sizes in vec(0usize..30_000, 0..12)) {
        let items: Vec<_> = (1..).zip(sizes).map(|(n, size)| item(n, size)).collect();
        prop_assert_eq!(open(&seal(&items)).unwrap(), items);
    }
}
