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
    let file = &imported.json()["files"][0];
    assert_eq!(
        (&file["enrolments"], &file["attachments"]),
        (&1.into(), &2.into())
    );
    let held = stage.hq.held();
    let notes = held.notes();
    assert_eq!(notes, ["soldiers inside", "the door was closed"]);
    assert_eq!(held.total(), 368);
    // The photograph, as staff opens it, and its small picture.
    let opened = stage.path("opened.jpg");
    stage.hq.run(&["blob", "1", "--out", text(&opened)]).done();
    assert!(image::open(&opened).is_ok());

    let taken = take(&phone, &receipts);
    assert_eq!(
        (&taken["received"], &taken["files"]),
        (&3.into(), &2.into()),
        "{taken}"
    );
    assert_eq!(states(&phone), ["delivered"; 3]);
    assert_eq!(phone.queued(), 0);
    let again = take(&phone, &receipts);
    assert_eq!(
        (&again["received"], &again["files"], &again["known"]),
        (&0.into(), &0.into(), &3.into())
    );
    let nothing = stage.path("nothing");
    let nothing_left = phone.run(&["bundle", "--out", text(&nothing)]).done();
    assert!(nothing_left.json()["file"].is_null());
    assert!(!nothing.exists());
    assert_eq!(stage.proxy.begun(), 0, "there was no network");

    // With one, nothing goes again.
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], 0, "{synced}");
    assert_eq!(stage.hq.held().notes(), notes);
}

#[test]
fn files_that_were_left_out_wait_for_the_next_bundle_or_a_network() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report_with("with a picture", &photograph(&stage));
    let small = stage.path("small");
    let made = phone
        .run(&["bundle", "--out", text(&small), "--no-files"])
        .done()
        .json();
    assert_eq!(
        (&made["files"], &made["files_left_out"]),
        (&0.into(), &2.into())
    );
    let receipts = stage.path("receipts");
    import(&stage, &[&small], Some(&receipts)).done();
    take(&phone, &receipts);
    assert_eq!(states(&phone), ["received"], "its files are missing");
    let rest = bundle(&stage, &phone, "rest");
    let imported = import(&stage, &[&rest], Some(&stage.path("more"))).done();
    let file = &imported.json()["files"][0];
    assert_eq!((&file["new"], &file["attachments"]), (&0.into(), &2.into()));
    let again = import(&stage, &[&rest], None).done();
    assert_eq!(again.json()["files"][0]["attachments_known"], 2);
    take(&phone, &stage.path("more"));
    assert_eq!(states(&phone), ["delivered"]);
}

#[test]
fn another_phone_carries_a_bundle_and_cannot_tell_what_is_in_it() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let carrier = stage.phone("carrier", OTHER_TABLE);
    phone.report_with("from the village", &photograph(&stage));
    phone.tally(SHEET);
    let carried = bundle(&stage, &phone, "bundle");
    let said = carrier.run(&["carry", text(&carried)]).done();
    assert!(said.json()["carried"][0]["sequence"].is_u64());
    let sealed = std::fs::read(&carried).unwrap();
    let left = contents(&carrier.home);
    assert!(left.values().all(|file| !has(file, b"testigo-bundle")));
    assert!(left.values().all(|file| !has(file, &sealed[23..55])));

    carrier.sync_all_well();
    let held = stage.hq.held();
    assert_eq!(held.notes(), ["from the village"]);
    assert_eq!(held.total(), 368);
    // The witness's own phone hears of it as soon as it has a network, and nothing is doubled.
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], 2, "{synced}");
    assert_eq!(states(&phone), ["delivered"; 2]);
    assert_eq!(stage.hq.held(), held);

    // What is no bundle is named, and one that is for others is carried all the same: nobody here can tell.
    let photo = photograph(&stage);
    let refused = carrier.run(&["carry", text(&photo)]).exited(1).json();
    assert!(refused["carried"][0]["error"].is_string());
    let elsewhere = Stage::new();
    let other = elsewhere.phone("phone", TABLE);
    other.report("elsewhere");
    let foreign = bundle(&elsewhere, &other, "foreign");
    carrier.run(&["carry", text(&foreign)]).done();
    carrier.sync_all_well();
    assert_eq!(stage.hq.held(), held);
    assert_eq!(states(&carrier), ["delivered"; 2]);
}

#[test]
fn a_few_reports_go_as_a_series_of_codes() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("by codes");
    phone.report("by codes, too");
    let folder = stage.path("codes");
    let made = phone
        .run(&["bundle", "--codes", text(&folder)])
        .done()
        .json();
    assert_eq!(made["records"], 2);
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pictures.sort();
    pictures.reverse();
    assert_eq!(made["codes"], pictures.len());
    // One is missing: it is named, and nothing is taken.
    let named: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    let refused = import(&stage, &named[1..], None).exited(1).json();
    let sentence = refused["files"][0]["error"]["sentence"].as_str().unwrap();
    assert!(sentence.contains(&pictures.len().to_string()), "{sentence}");
    let imported = import(&stage, &named, None).done();
    assert_eq!(counts(&imported), [(2, 0)]);
    assert_eq!(stage.hq.held().notes(), ["by codes", "by codes, too"]);

    // Another phone takes them, too.
    let carrier = stage.phone("carrier", OTHER_TABLE);
    let mut arguments = vec!["carry"];
    arguments.extend(named.iter().map(|path| text(path)));
    carrier.run(&arguments).done();
    carrier.sync_all_well();
    assert_eq!(stage.hq.held().notes().len(), 2);

    // Too many for codes: said, with what to do instead.
    for n in 0..40 {
        phone.report(&format!("number {n}"));
    }
    let many = stage.path("many");
    phone.run(&["bundle", "--codes", text(&many)]).exited(2);
    assert!(!many.exists());
}

#[test]
fn hand_overs_make_a_chain_of_custody() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let courier = stage.phone("courier", OTHER_TABLE);
    let empty = stage.hq.run(&["custody"]).done();
    assert_eq!(empty.json()["handovers"], Value::Array(vec![]));
    let hand = |phone: &Phone, from: &str, to: &str, at: &str| {
        phone.run(&[
            "handover",
            "--from",
            from,
            "--to",
            to,
            "--table",
            TABLE,
            "--at",
            at,
            "--place",
            "the jetty",
        ])
    };
    hand(&courier, "boat-2", "office", "2024-07-29T05:10:00-04:00").done();
    hand(&phone, "witness-7", "boat-2", "2024-07-28T21:30:00-04:00").done();
    // Neither a telephone nor an identity number fits.
    for name in ["04141234567", "V-12345678", "María José", ""] {
        let refused = hand(&phone, name, "boat-2", "2024-07-28T21:30:00-04:00").exited(2);
        assert!(refused.err.contains("from"), "{refused:?}");
    }
    phone.sync_all_well();
    courier.sync_all_well();
    let chain = stage.hq.run(&["custody", "--table", TABLE]).done().json();
    let links = chain["handovers"].as_array().unwrap();
    let names: Vec<_> = (links.iter())
        .map(|link| (link["from"].as_str().unwrap(), link["to"].as_str().unwrap()))
        .collect();
    assert_eq!(names, [("witness-7", "boat-2"), ("boat-2", "office")]);
    assert_eq!(links[0]["place"], "the jetty");
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
    let taken = phone.run(&["receipts", text(&receipts)]).exited(1).json();
    assert_eq!(taken["for_this_phone"], false);
    assert_eq!(states(&phone), ["queued"]);
    // The whole one among damaged ones is taken.
    let mixed = import(&stage, &[&files[0], &good, &files[3]], None).exited(1);
    assert_eq!(mixed.json()["files"][1]["new"], 1);
    assert_eq!(stage.hq.held().notes(), ["one"]);
}

#[test]
fn receipts_tell_their_carrier_nothing_and_count_for_their_phone_alone() {
    let stage = Stage::new();
    let (phone, other) = (
        stage.phone("phone", TABLE),
        stage.phone("other", OTHER_TABLE),
    );
    phone.report("one");
    other.report("two");
    let carried = bundle(&stage, &phone, "bundle");
    let second = bundle(&stage, &other, "second");
    let receipts = stage.path("receipts");
    import(&stage, &[&carried, &second], Some(&receipts)).done();
    let good = std::fs::read(&receipts).unwrap();
    let items = inside(&stage, &carried);
    let store = Enrolment::parse(&items[0]).unwrap().kept().store_id;
    for secret in [&store.0[..], &Eid::of(&items[2]).0, b"testigo.receipt"] {
        assert!(!has(&good, secret));
    }
    let path = stage.path("forged");
    for bytes in [&b""[..], b"<html>", &good[..good.len() - 1]] {
        std::fs::write(&path, bytes).unwrap();
        phone.run(&["receipts", text(&path)]).exited(2);
    }
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&path, damaged).unwrap();
    // Its own letter is the first one; the damaged one is the other's.
    phone.run(&["receipts", text(&path)]).done();
    other.run(&["receipts", text(&path)]).exited(1);
    assert_eq!(states(&other), ["queued"]);
    assert_eq!(take(&other, &receipts)["received"], 1);
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
    let BundleItem::Return(secret) = BundleItem::read(&items[1]) else {
        panic!("{:?}", items[1]);
    };
    secrets.push(("secret for receipts", secret.expose().to_vec()));
    let enrolment = Enrolment::parse(&items[0]).unwrap();
    secrets.push(("capability", enrolment.capability().0.to_vec()));
    let enrolment = enrolment.kept();
    secrets.push(("device key", enrolment.device.to_bytes().to_vec()));
    secrets.push(("device", enrolment.device.key_id().0.to_vec()));
    secrets.push(("store", enrolment.store_id.0.to_vec()));
    secrets.push(("election", enrolment.election.0.to_vec()));
    let mut records = 0;
    for item in &items[2..] {
        if let BundleItem::Piece { bytes, .. } = BundleItem::read(item) {
            secrets.push(("sealed file", bytes[..16].to_vec()));
            continue;
        }
        records += 1;
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
    assert_eq!(records, 3);
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
