//! The sealed form of attachments.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use testigo_wire::*;

/// What the attachment of `tests/vectors/blob-1.bin` says: a segment and a little more, so that both
/// kinds of segment are in it.
fn open_bytes() -> Vec<u8> {
    (0..BLOB_SEGMENT + 1000).map(|n| (n % 251) as u8).collect()
}

fn secret() -> BlobSecret {
    BlobSecret::from_bytes([0x5a; 32])
}

fn seal(open: &[u8]) -> (Vec<u8>, BlobRef) {
    let mut sealer = BlobSealer::new(&secret());
    let mut sealed = BLOB_HEADER.to_vec();
    let mut rest = open;
    while rest.len() > BLOB_SEGMENT {
        let segment;
        (segment, rest) = rest.split_at(BLOB_SEGMENT);
        sealed.extend(sealer.segment(segment).unwrap());
    }
    let (last, blob) = sealer.last(rest).unwrap();
    sealed.extend(last);
    (sealed, blob)
}

fn unseal(sealed: &[u8], secret: &BlobSecret) -> Result<Vec<u8>, WireError> {
    let (header, mut rest) = sealed.split_at(BLOB_HEADER.len().min(sealed.len()));
    let mut opener = BlobOpener::new(secret, header)?;
    let mut open = Vec::new();
    while rest.len() > SEALED_SEGMENT {
        let segment;
        (segment, rest) = rest.split_at(SEALED_SEGMENT);
        open.extend_from_slice(&opener.segment(segment)?);
    }
    open.extend_from_slice(&opener.last(rest)?);
    Ok(open)
}

#[test]
fn the_form_never_changes() {
    use sha2::{Digest, Sha256};
    let (sealed, blob) = seal(&open_bytes());
    let vector = include_bytes!("../../../tests/vectors/blob-1.bin");
    assert!(
        sealed == vector,
        "the first release's attachments would not open"
    );
    assert_eq!(blob.size, sealed.len() as u64);
    assert_eq!(blob.sha256, <[u8; 32]>::from(Sha256::digest(&sealed)));
    assert_eq!(unseal(&sealed, &secret()).unwrap(), open_bytes());
}

#[test]
fn sizes_at_the_edges() {
    for size in [
        0,
        1,
        BLOB_SEGMENT - 1,
        BLOB_SEGMENT,
        BLOB_SEGMENT + 1,
        3 * BLOB_SEGMENT,
    ] {
        let open = vec![7; size];
        let (sealed, blob) = seal(&open);
        assert_eq!(Some(blob.size), sealed_size(size as u64), "{size}");
        assert_eq!(unseal(&sealed, &secret()).unwrap(), open);
    }
    assert_eq!(sealed_size(u64::MAX), None);
}

#[test]
fn segments_cannot_be_dropped_swapped_or_cut_off() {
    let (sealed, _) = seal(&vec![7; 3 * BLOB_SEGMENT]);
    let at = |n: usize| BLOB_HEADER.len() + n * SEALED_SEGMENT;
    let without_first = [&sealed[..at(0)], &sealed[at(1)..]].concat();
    let swapped = [
        &sealed[..at(0)],
        &sealed[at(1)..at(2)],
        &sealed[at(0)..at(1)],
        &sealed[at(2)..],
    ];
    for bad in [
        &without_first,
        &swapped.concat(),
        &sealed[..at(2)],
        &sealed[..at(2) - 1],
    ] {
        assert!(matches!(
            unseal(bad, &secret()),
            Err(WireError::Sealed { .. })
        ));
    }
    let other = BlobSecret::from_bytes([1; 32]);
    assert!(matches!(
        unseal(&sealed, &other),
        Err(WireError::Sealed { .. })
    ));
    let mut later = sealed.clone();
    later[7] = 2;
    assert!(matches!(
        unseal(&later, &secret()),
        Err(WireError::Version { found: 2, .. })
    ));
    assert!(BlobSealer::new(&secret()).segment(b"short").is_err());
    assert!(
        BlobSealer::new(&secret())
            .last(&vec![0; BLOB_SEGMENT + 1])
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn one_changed_bit_is_found(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (mut sealed, _) = seal(&[3; 500]);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(unseal(&sealed, &secret()).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = unseal(&bytes, &secret());
    }
}
