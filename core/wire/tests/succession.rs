//! Keysets that change: which takes the place of which, and what headquarters ask the root to sign.
#![allow(clippy::unwrap_used, reason = "tests")]

use testigo_wire::{
    Candidate, ElectionId, ElectionPack, KeyId, Keyset, KeysetRequest, Language, RootId,
    SealPublicKey, SealSecretKey, SigningKey, Slot, Succession, Time, WireError,
};

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn seal(n: u8) -> SealPublicKey {
    SealSecretKey::from_bytes(&[n; 32]).public_key().unwrap()
}

fn root() -> RootId {
    RootId::of(&key(1).verifying_key())
}

fn keyset(version: u64) -> Keyset {
    Keyset {
        version,
        election: ElectionId([4; 8]),
        issued_at: Time::from_rfc3339("2024-07-28T06:00:00-04:00").unwrap(),
        root: key(1).verifying_key(),
        seal: vec![seal(9)],
        receipt: vec![key(2).verifying_key()],
        desk: vec![key(3).verifying_key()],
        log: vec![],
        revoked: vec![KeyId([5; 8])],
        endpoints: vec!["https://hq.example".into()],
        pins: vec![],
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
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    }
}

#[test]
fn only_a_later_keyset_of_the_same_root_and_election_takes_the_place_of_one() {
    let held = keyset(3);
    let bytes = held.sign(&key(1)).unwrap();
    let of = |other: &Keyset, by: u8| held.succession(&bytes, &other.sign(&key(by)).unwrap());
    assert_eq!(of(&held, 1).unwrap(), Succession::Same);
    let newer = keyset(4);
    assert_eq!(
        of(&newer, 1).unwrap(),
        Succession::Newer(Box::new(newer.clone()))
    );
    // It may skip numbers: a phone may have missed some.
    assert!(matches!(
        of(&keyset(u64::MAX), 1).unwrap(),
        Succession::Newer(_)
    ));
    assert_eq!(of(&keyset(2), 1).unwrap(), Succession::Older(2));
    let mut changed = keyset(3);
    changed.revoked.clear();
    assert_eq!(of(&changed, 1).unwrap(), Succession::Conflict);
    for version in [2, 3, 4] {
        let mut elsewhere = keyset(version);
        elsewhere.election = ElectionId([7; 8]);
        assert_eq!(of(&elsewhere, 1).unwrap(), Succession::OtherElection);
        let mut foreign = keyset(version);
        foreign.root = key(6).verifying_key();
        assert!(matches!(of(&foreign, 6), Err(WireError::Signature { .. })));
    }
    // The right root named, and another's signature: one changed byte of what it signed.
    let mut forged = newer.sign(&key(1)).unwrap();
    let last = forged.last_mut().unwrap();
    *last ^= 1;
    assert!(matches!(
        held.succession(&bytes, &forged),
        Err(WireError::Signature { .. })
    ));
    assert!(held.succession(&bytes, b"").is_err());
}

#[test]
fn a_request_says_what_the_root_is_to_sign_and_what_it_changes() {
    let mut first = KeysetRequest::first(&pack(), root()).unwrap();
    first.seal.push(seal(9));
    first.receipt.push(key(2).verifying_key());
    first.desk.push(key(3).verifying_key());
    first.endpoints.push("https://hq.example".into());
    let bytes = first.to_bytes();
    let read = KeysetRequest::from_bytes(&bytes).unwrap();
    assert_eq!(read, first);
    assert_eq!(read.pack().unwrap(), Some(pack()));
    assert_eq!(read.previous(), None);
    insta::assert_snapshot!(
        "request",
        format!(
            "{}\n{}",
            read.words(Language::En),
            data_encoding::HEXLOWER.encode(&bytes).replace(
                &data_encoding::HEXLOWER.encode(&seal(9).to_bytes()),
                "(seal key)"
            )
        )
    );

    let signed = keyset(3).sign(&key(1)).unwrap();
    let mut following = KeysetRequest::following(&signed).unwrap();
    assert_eq!(following.previous(), Some(signed.as_slice()));
    assert_eq!(following.pack().unwrap(), None);
    let unchanged = following.to_keyset(&key(1), 3, keyset(3).issued_at);
    assert_eq!(unchanged, keyset(3));
    for n in 10..13 {
        following.replace_seal_key(seal(n));
    }
    assert_eq!(following.seal, [seal(12), seal(11)]);
    let read = KeysetRequest::from_bytes(&following.to_bytes()).unwrap();
    assert_eq!(read, following);
    assert_ne!(read.words(Language::Es), first.words(Language::Es));
}

#[test]
fn what_is_no_request_is_told_apart() {
    assert!(KeysetRequest::from_bytes(b"").is_err());
    assert!(KeysetRequest::from_bytes(&keyset(3).sign(&key(1)).unwrap()).is_err());
    let without_keys = KeysetRequest::first(&pack(), root()).unwrap();
    assert!(KeysetRequest::from_bytes(&without_keys.to_bytes()).is_err());
    assert!(KeysetRequest::following(b"\xa0").is_err());
    let mut elsewhere = KeysetRequest::following(&keyset(3).sign(&key(1)).unwrap()).unwrap();
    elsewhere.election = ElectionId([7; 8]);
    assert_eq!(elsewhere.pack().unwrap(), None);
    let mut other = KeysetRequest::first(&pack(), root()).unwrap();
    other.election = ElectionId([7; 8]);
    assert!(other.pack().is_err());
}
