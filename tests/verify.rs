//! What headquarters signed is verified by anyone, without a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::path::Path;
use support::{Ended, Headquarters, Phone, Stage, TABLE, run};
use testigo_wire::{MAX_ENVELOPE, cbor};

fn verify(file: &Path, keyset: &Path, more: &[&str]) -> Ended {
    let (file, keyset) = (file.to_str().unwrap(), keyset.to_str().unwrap());
    let arguments = ["verify", "receipt", file, "--keyset", keyset];
    run(&[&arguments, more].concat())
}

fn exported(phone: &Phone, stage: &Stage, sequence: u64) -> (std::path::PathBuf, String, String) {
    let out = stage.path(&format!("receipt {sequence}"));
    let envelope = stage.path(&format!("envelope {sequence}"));
    let envelope = envelope.to_str().unwrap().to_owned();
    let sequence = sequence.to_string();
    let done = phone
        .run(&[
            "receipt",
            &sequence,
            "--out",
            out.to_str().unwrap(),
            "--envelope",
            &envelope,
        ])
        .done();
    (out, envelope, done.text("/eid"))
}

#[test]
fn receipts_of_a_record_and_its_files_and_notices_are_verified_by_anyone() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let file = stage.path("file.bin");
    std::fs::write(&file, vec![7; 40_000]).unwrap();
    phone
        .run(&[
            "report",
            "99",
            "--note",
            "x",
            "--attach",
            file.to_str().unwrap(),
        ])
        .done();
    let nothing = stage.path("nothing");
    phone
        .run(&["receipt", "1", "--out", nothing.to_str().unwrap()])
        .exited(2);
    phone.report("another");
    phone.sync_all_well();
    stage.hq.held();
    phone.sync_all_well();
    let (out, envelope, eid) = exported(&phone, &stage, 1);
    let keyset = stage.hq.public().join("keyset.cose");
    let root = stage.hq.root();

    let all = verify(&out, &keyset, &["--root", &root, "--envelope", &envelope])
        .done()
        .json();
    let kinds: Vec<&str> = (all["statements"].as_array().unwrap().iter())
        .map(|statement| statement["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["receipt", "blob receipt", "notice"]);
    assert_eq!(all["statements"][0]["eid"], eid);
    verify(&out, &keyset, &[]).done();
    verify(&out, &keyset, &["--eid", &eid]).done();

    // Of another record, under another root, by another keyset: not verified.
    let (_, other_envelope, other_eid) = exported(&phone, &stage, 2);
    verify(&out, &keyset, &["--eid", &other_eid]).exited(1);
    let other = verify(&out, &keyset, &["--envelope", &other_envelope])
        .exited(1)
        .json();
    assert!((other["statements"].as_array().unwrap().iter()).all(|s| s["verified"] == false));
    verify(&out, &keyset, &["--root", &"0".repeat(32)]).exited(1);
    let others = Headquarters::init(stage.path("others"), "http://127.0.0.1:1");
    verify(&out, &others.public().join("keyset.cose"), &[]).exited(1);
    verify(&out, &keyset, &["--envelope", out.to_str().unwrap()]).exited(1);
    verify(&out, &keyset, &["--eid", "xyz"]).exited(2);
    verify(&nothing, &keyset, &[]).exited(2);

    // One bit of any of them.
    let bytes = std::fs::read(&out).unwrap();
    let mut at = 0;
    let mut rest = bytes.as_slice();
    let mut statements = 0;
    while !rest.is_empty() {
        let (item, tail) = cbor::first("item", rest, MAX_ENVELOPE).unwrap();
        statements += 1;
        // The signature's last byte, and one of the payload.
        for place in [at + item.len() - 1, at + item.len() - 70] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let path = stage.path("changed");
            std::fs::write(&path, changed).unwrap();
            let said = verify(&path, &keyset, &[]).exited(1).json();
            assert_eq!(said["verified"], false);
        }
        at += item.len();
        rest = tail;
    }
    assert_eq!(statements, 3);
    for garbage in [&b""[..], b"\xff\xff", b"<html>"] {
        let path = stage.path("garbage");
        std::fs::write(&path, garbage).unwrap();
        verify(&path, &keyset, &[]).exited(1);
    }
}
