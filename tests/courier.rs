//! A phone without any network: what it saved goes by hand in a sealed file, and receipts come back as another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Ended, OTHER_TABLE, Phone, Process, SHEET, Stage, TABLE, contents};
use testigo_wire::*;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What the phone saved goes into this file.
fn bundle(stage: &Stage, phone: &Phone, name: &str) -> PathBuf {
    let out = stage.path(name);
    let made = phone.run(&["bundle", "--out", text(&out)]).done().json();
    let size = std::fs::metadata(&out).unwrap().len();
    assert_eq!(made["bytes"], size, "{made}");
    out
}

/// Headquarters take these files in, while they serve.
fn import(stage: &Stage, files: &[&Path], receipts: Option<&Path>) -> Ended {
    let mut arguments = vec!["import"];
    arguments.extend(files.iter().map(|file| text(file)));
    if let Some(path) = receipts {
        arguments.extend(["--receipts", text(path)]);
    }
    stage.hq.run(&arguments)
}

/// `(new, known)` of each file.
fn counts(ended: &Ended) -> Vec<(u64, u64)> {
    let json = ended.json();
    let files = json["files"].as_array().unwrap();
    (files.iter())
        .map(|file| {
            let count = |name: &str| file[name].as_u64().unwrap_or_else(|| panic!("{file}"));
            (count("new"), count("known"))
        })
        .collect()
}

fn take(phone: &Phone, receipts: &Path) -> Value {
    phone.run(&["receipts", text(receipts)]).done().json()
}

fn states(phone: &Phone) -> Vec<String> {
    (phone.history().into_iter())
        .map(|(_, state)| state)
        .collect()
}

fn photograph(stage: &Stage) -> PathBuf {
    let picture = RgbImage::from_fn(400, 300, |x, y| {
        Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, (x ^ y) as u8])
    });
    let path = stage.path("photo.jpg");
    picture.save_with_format(&path, ImageFormat::Jpeg).unwrap();
    path
}

/// What lies in a bundle, opened with headquarters' key.
fn inside(stage: &Stage, bundle: &Path) -> Vec<Vec<u8>> {
    let key = std::fs::read(stage.hq.data().join("keys/seal.key")).unwrap();
    let key = SealSecretKey::from_bytes(&key.try_into().unwrap());
    let bundle = Bundle::open(&std::fs::read(bundle).unwrap(), &key).unwrap();
    bundle.items().map(<[u8]>::to_vec).collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_was_saved_without_a_network_arrives_by_hand_and_its_receipts_come_back() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report_with("the door was closed", &photograph(&stage));
    phone.tally(SHEET);
    phone.report("soldiers inside");
    let before = states(&phone);
    assert_eq!(before, ["queued"; 3]);

    let carried = bundle(&stage, &phone, "bundle");
    assert_eq!(states(&phone), before, "a bundle changes nothing");
    let receipts = stage.path("receipts");
    let imported = import(&stage, &[&carried], Some(&receipts)).done();
    assert_eq!(counts(&imported), [(3, 0)]);
    assert_eq!(imported.json()["files"][0]["enrolments"], 1);
    let held = stage.hq.held();
    let notes = held.notes();
    assert_eq!(notes, ["soldiers inside", "the door was closed"]);
    assert_eq!(held.total(), 368);

    let taken = take(&phone, &receipts);
    assert_eq!(taken["received"], 3, "{taken}");
    // A receipt of the envelope says nothing of its photograph.
    assert_eq!(states(&phone), ["received", "delivered", "delivered"]);
    assert_eq!(phone.queued(), 0);
    let again = take(&phone, &receipts);
    assert_eq!(
        (&again["received"], &again["known"]),
        (&0.into(), &3.into())
    );
    assert_eq!(states(&phone), ["received", "delivered", "delivered"]);
    let nothing = stage.path("nothing");
    let nothing_left = phone.run(&["bundle", "--out", text(&nothing)]).done();
    assert!(nothing_left.json()["file"].is_null());
    assert!(!nothing.exists());
    assert_eq!(stage.proxy.begun(), 0, "there was no network");

    // With one, the photographs follow and no record goes again.
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], 0, "{synced}");
    assert_eq!(states(&phone), ["delivered"; 3]);
    assert_eq!(stage.hq.held().notes(), notes);
}

#[test]
fn twice_overlapping_by_two_couriers_and_beside_a_sync_changes_nothing() {
    let stage = Stage::new();
    let (phone, other) = (
        stage.phone("phone", TABLE),
        stage.phone("other", OTHER_TABLE),
    );
    phone.report("one");
    let first = bundle(&stage, &phone, "first");
    phone.report("two");
    let second = bundle(&stage, &phone, "second");
    other.report("three");
    let third = bundle(&stage, &other, "third");
    let same = bundle(&stage, &phone, "same");
    assert_ne!(
        std::fs::read(&second).unwrap(),
        std::fs::read(&same).unwrap()
    );

    let receipts = stage.path("receipts");
    let files: [&Path; 4] = [&first, &second, &third, &first];
    let imported = import(&stage, &files, Some(&receipts)).done();
    assert_eq!(counts(&imported), [(1, 0), (1, 1), (1, 0), (0, 1)]);
    let held = stage.hq.held();
    assert_eq!(held.notes(), ["one", "three", "two"]);

    // Each phone takes what is its own.
    assert_eq!(take(&phone, &receipts)["received"], 2);
    assert_eq!(take(&other, &receipts)["received"], 1);
    assert_eq!(states(&other), ["delivered"]);

    // Receipts are never written over something, and nothing is taken in then.
    let four = phone.report("four");
    let fourth = bundle(&stage, &phone, "fourth");
    let kept = std::fs::read(&receipts).unwrap();
    import(&stage, &[&fourth], Some(&receipts)).exited(2);
    assert_eq!(std::fs::read(&receipts).unwrap(), kept);
    assert_eq!(stage.hq.held(), held);

    // Two couriers at once, and the phone itself has a network again.
    phone.report("five");
    let fifth = bundle(&stage, &phone, "fifth");
    let start = |file: &Path| {
        let arguments = ["hq", "--data", stage.hq.path(), "import", text(file)];
        Process::start(&arguments)
    };
    let mut couriers = [start(&fourth), start(&fifth)];
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], 2, "{synced}");
    for courier in &mut couriers {
        let said = courier.json();
        assert!(said["files"][0]["error"].is_null(), "{said}");
        assert_eq!(said["files"][0]["deferred"], Value::Array(vec![]), "{said}");
    }
    let held = stage.hq.held();
    assert_eq!(held.notes(), ["five", "four", "one", "three", "two"]);
    assert_eq!(four.sequence, 3);
    let again = import(
        &stage,
        &[&first, &second, &third, &same, &fourth, &fifth],
        None,
    )
    .done();
    let known: u64 = counts(&again).iter().map(|(_, known)| known).sum();
    assert_eq!(known, 1 + 2 + 1 + 2 + 1 + 2);
    assert_eq!(stage.hq.held(), held);
}

#[test]
fn a_damaged_or_cut_off_bundle_takes_nothing_in_and_is_named() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    let good = bundle(&stage, &phone, "bundle");
    let bytes = std::fs::read(&good).unwrap();
    let mut files = Vec::new();
    let mut put = |name: String, bytes: &[u8]| {
        let path = stage.path(&name);
        std::fs::write(&path, bytes).unwrap();
        files.push(path);
    };
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        put(format!("damaged-{at}"), &damaged);
        put(format!("cut-{at}"), &bytes[..at]);
    }
    put("longer".into(), &[&bytes[..], b"\0"].concat());
    // A bundle for other headquarters, a picture, nothing there at all.
    let elsewhere = Stage::new();
    let other = elsewhere.phone("phone", TABLE);
    other.report("elsewhere");
    put(
        "other".into(),
        &std::fs::read(bundle(&elsewhere, &other, "b")).unwrap(),
    );
    put("photo".into(), &std::fs::read(photograph(&stage)).unwrap());
    files.push(stage.path("missing"));

    let before = stage.hq.held();
    let receipts = stage.path("receipts");
    let named: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let refused = import(&stage, &named, Some(&receipts)).exited(1).json();
    for (document, file) in refused["files"].as_array().unwrap().iter().zip(&files) {
        assert_eq!(document["file"], text(file));
        let code = document["error"]["code"].as_str();
        let code = code.unwrap_or_else(|| panic!("{document}"));
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = match name.split('-').next().unwrap() {
            "missing" => "file-unreadable",
            "other" => "other-headquarters",
            "photo" => "not-a-bundle",
            "longer" => "damaged",
            _ => {
                let codes = ["damaged", "not-a-bundle", "newer", "other-headquarters"];
                assert!(codes.contains(&code), "{document}");
                code
            }
        };
        assert_eq!(code, expected, "{document}");
    }
    assert_eq!(refused["receipts"], 0);
    assert_eq!(stage.hq.held(), before);
    // No receipt, nothing received.
    assert_eq!(take(&phone, &receipts)["received"], 0);
    assert_eq!(states(&phone), ["queued"]);
    // The whole one among damaged ones is taken.
    let mixed = import(&stage, &[&files[0], &good, &files[3]], None).exited(1);
    assert_eq!(mixed.json()["files"][1]["new"], 1);
    assert_eq!(stage.hq.held().notes(), ["one"]);
}

#[test]
fn receipts_that_headquarters_did_not_sign_count_for_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    let carried = bundle(&stage, &phone, "bundle");
    let receipts = stage.path("receipts");
    import(&stage, &[&carried], Some(&receipts)).done();
    let good = std::fs::read(&receipts).unwrap();
    let reply = Reply::from_bytes(&good).unwrap();
    let stranger = SigningKey::from_seed(&[1; 32]);
    let answers = (reply.answers.iter())
        .map(|answer| {
            let Answer::Receipt(bytes) = answer else {
                panic!("{answer:?}");
            };
            let receipt = Receipt::from_kept(bytes).unwrap();
            Answer::Receipt(receipt.sign(&stranger).unwrap())
        })
        .collect();
    let forged = Reply { answers, ..reply }.to_bytes();
    let path = stage.path("forged");
    std::fs::write(&path, forged).unwrap();
    let said = phone.run(&["receipts", text(&path)]).exited(1).json();
    assert_eq!(
        (&said["received"], &said["unverified"]),
        (&0.into(), &2.into())
    );
    for bytes in [&b""[..], b"<html>", &good[..good.len() - 1]] {
        std::fs::write(&path, bytes).unwrap();
        phone.run(&["receipts", text(&path)]).exited(2);
    }
    assert_eq!(states(&phone), ["queued"]);
    assert_eq!(take(&phone, &receipts)["received"], 1);
}

#[test]
fn a_carrier_finds_nothing_of_the_phone_in_a_bundle() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("soldiers at the door");
    phone.tally(SHEET);
    phone.report_with("with a picture", &photograph(&stage));
    let carried = bundle(&stage, &phone, "bundle");
    let bytes = std::fs::read(&carried).unwrap();
    let mut secrets: Vec<(&str, Vec<u8>)> = vec![
        ("note", b"soldiers".to_vec()),
        ("note", b"with a picture".to_vec()),
        ("table", TABLE.as_bytes().to_vec()),
        ("text of a code", SHEET.as_bytes()[20..40].to_vec()),
        ("type", b"testigo.e".to_vec()),
    ];
    let items = inside(&stage, &carried);
    assert_eq!(items.len(), 4);
    let enrolment = Enrolment::parse(&items[0]).unwrap();
    secrets.push(("capability", enrolment.capability().0.to_vec()));
    let enrolment = enrolment.kept();
    secrets.push(("device key", enrolment.device.to_bytes().to_vec()));
    secrets.push(("device", enrolment.device.key_id().0.to_vec()));
    secrets.push(("store", enrolment.store_id.0.to_vec()));
    secrets.push(("election", enrolment.election.0.to_vec()));
    for item in &items[1..] {
        let envelope = Envelope::parse(item)
            .unwrap()
            .verify(&enrolment.device)
            .unwrap();
        secrets.push(("eid", envelope.eid().0.to_vec()));
        secrets.push(("envelope", item[..24].to_vec()));
        for blob in envelope.blobs() {
            secrets.push(("name of a file", blob.sha256[..16].to_vec()));
        }
    }
    // They would be found: the open sequence has those that travel in clear inside it.
    let open = items.concat();
    assert!(has(&open, &enrolment.store_id.0) && has(&open, b"testigo.e"));
    for (what, secret) in secrets {
        assert!(!has(&bytes, &secret), "{what} can be read");
    }
    // Only its size class shows: one more small report changes nothing of it.
    let size = bytes.len();
    phone.report("one more");
    let more = std::fs::read(bundle(&stage, &phone, "more")).unwrap();
    assert_eq!(more.len(), size);
    assert_eq!(more[..23], bytes[..23]);
    // Nothing of it is left beside the phone's store.
    let left = contents(&phone.home);
    assert!(left.values().all(|file| !has(file, b"testigo-bundle")));
}
