//! What travels: signed objects, opened bodies, replies, bundles.

use testigo_wire::{
    Ask, BlobOpener, BlobReceipt, BlobSecret, Body, Bundle, BundleItem, ElectionId, ElectionPack,
    Enrolment, Envelope, Keyset, KeysetRequest, Kind, Notice, Receipt, Record, Reply, ReturnPost,
    SealSecretKey, SealedStoreKey, SigningKey, Statement, Time, cbor, open_whole,
};

pub fn key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub fn seal() -> SealSecretKey {
    SealSecretKey::from_bytes(&[2; 32])
}

/// A keyset whose every key is known.
pub fn keyset() -> Keyset {
    let signing = key().verifying_key();
    Keyset {
        version: 1,
        election: ElectionId([4; 8]),
        issued_at: Time::from_millis(0, 0).unwrap(),
        root: signing,
        seal: vec![seal().public_key().unwrap()],
        receipt: vec![signing],
        desk: vec![signing],
        log: vec![],
        revoked: vec![],
        endpoints: vec!["https://hq.example".into()],
        pins: vec![],
    }
}

/// Signed objects, as anyone may send them.
pub fn signed(bytes: &[u8]) {
    let (keyset, public) = (keyset(), key().verifying_key());
    if let Ok(envelope) = Envelope::parse(bytes)
        && let Ok(envelope) = envelope.verify(&public)
    {
        let _ = envelope.open(&seal());
    }
    let _ = Enrolment::parse(bytes).map(|enrolment| enrolment.verify(&public));
    let _ = Ask::parse(bytes).map(|ask| ask.verify(&public));
    let _ = Receipt::from_kept(bytes);
    let _ = Notice::from_kept(bytes);
    let _ = BlobReceipt::verify(bytes, &keyset);
    let _ = Statement::verify_all(bytes, &keyset);
    let _ = Keyset::named_root(bytes);
    let _ = Keyset::verify(bytes, testigo_wire::RootId::of(&public));
    let _ = ElectionPack::read_unsigned(bytes);
    let _ = KeysetRequest::from_bytes(bytes).map(|request| request.pack());
    let _ = SealedStoreKey::read(bytes).map(|sealed| sealed.open(&seal()));
    let _ = cbor::check("item", bytes, 1 << 16);
}

/// What lies inside a seal, whose maker may be anyone who has a key.
pub fn bodies(bytes: &[u8]) {
    let _ = Body::from_padded(bytes).map(|body| body.record());
    let _ = Body::from_bytes(bytes).map(|body| body.record());
    for kind in [
        Kind::REPORT,
        Kind::TALLY,
        Kind::HANDOVER,
        Kind::TYPED,
        Kind(900),
    ] {
        if let Ok(record) = Record::from_bytes(kind, bytes) {
            // One encoding of each: what was read is what is written again, but for fields of newer programs.
            let again = record.to_bytes();
            assert_eq!(Record::from_bytes(kind, &again).unwrap(), record);
        }
    }
}

/// What headquarters answer, and what a statement's file holds.
pub fn replies(bytes: &[u8]) {
    if let Ok(reply) = Reply::from_bytes(bytes) {
        let again = Reply::from_bytes(&reply.to_bytes()).unwrap();
        assert_eq!(again.epoch, reply.epoch);
    }
}

/// What couriers bring, in both directions, and sealed files.
pub fn bundles(bytes: &[u8]) {
    let secret = BlobSecret::from_bytes([5; 32]);
    let _ = Bundle::seal_kid(bytes);
    if let Ok(bundle) = Bundle::open(bytes, &seal()) {
        for item in bundle.items() {
            let _ = BundleItem::read(item);
        }
    }
    if let item @ (BundleItem::Piece { .. } | BundleItem::Return(_)) = BundleItem::read(bytes)
        && let Ok(again) = item.to_bytes()
    {
        assert_eq!(BundleItem::read(&again), item);
    }
    let _ = ReturnPost::open(bytes, &secret);
    let _ = BlobOpener::new(&secret, bytes);
    let _ = open_whole(&secret, bytes);
}
