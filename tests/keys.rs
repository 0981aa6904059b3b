//! Keys that are lost, seized or changed while phones are out, and addresses that move: drills with real processes.
//! What is queued still arrives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{
    OTHER_SHEET, OTHER_TABLE, PASSPHRASE, Phone, Proxy, SHEET, Stage, TABLE, Way, run,
    run_with_input, warnings,
};
use testigo_wire::{Envelope, KeyId, cbor};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn keyset_of(phone: &Phone) -> u64 {
    phone.run(&["status"]).done().json()["keyset"]
        .as_u64()
        .unwrap()
}

fn states(phone: &Phone) -> Vec<String> {
    phone
        .history()
        .into_iter()
        .map(|(_, state)| state)
        .collect()
}

/// The short name of the device that made what passed the proxy.
fn device(stage: &Stage) -> KeyId {
    let exchanges = stage.proxy.take_exchanges();
    let of = |request: &[u8]| {
        let mut rest = request;
        while let Ok((item, behind)) = cbor::first("item", rest, 1 << 20) {
            if let Ok(envelope) = Envelope::parse(item) {
                return Some(envelope.device());
            }
            rest = behind;
        }
        None
    };
    exchanges
        .iter()
        .find_map(|exchange| of(&exchange.request))
        .expect("an envelope")
}

#[test]
fn the_root_is_made_shown_signs_and_comes_back_from_paper() {
    let mut stage = Stage::with_offline_root();
    let root = stage.path("root");
    let at_root = |arguments: &[&str], input: &str| {
        let arguments = [&["hq", "--data", text(&root), "root"], arguments].concat();
        run_with_input(&arguments, input.as_bytes())
    };
    let words = at_root(&["words"], "").done().text("/words");
    assert_eq!(words.split(' ').count(), 6);
    assert_eq!(
        stage.hq.run(&["root", "words"]).done().text("/words"),
        words
    );
    let phone = stage.phone("phone", TABLE);
    let shown = phone.run(&["status"]).done().json();
    assert_eq!(shown["root_words"], words.as_str());
    // Nothing of the root's key is at headquarters, and in its own folder it lies wrapped.
    assert!(!stage.hq.data().join("keys/root.key").exists());
    assert!(fs::read(root.join("root.key")).unwrap().len() > 32);

    let wrong = at_root(&["paper"], "a wrong passphrase\n").exited(2);
    assert!(wrong.err.contains("does not open"), "{wrong:?}");
    let papers = stage.path("papers");
    at_root(
        &[
            "paper",
            "--shares",
            "5",
            "--need",
            "3",
            "--out",
            text(&papers),
        ],
        PASSPHRASE,
    )
    .done();
    let share = |n: u32| fs::read_to_string(papers.join(format!("paper-{n}.txt"))).unwrap();
    let restore = |name: &str, typed: String| {
        let path = stage.path(name);
        let input = typed + "another passphrase\n";
        run_with_input(
            &["hq", "--data", text(&path), "root", "restore"],
            input.as_bytes(),
        )
    };
    let enough = share(5) + &share(1).to_lowercase() + &share(3);
    assert_eq!(restore("root-2", enough).done().text("/words"), words);
    let too_few = restore("root-3", share(5) + &share(1)).exited(2);
    assert!(!too_few.err.is_empty());
    let damaged = share(5) + &share(1).replacen("AA", "AB", 1).replacen('E', "F", 3) + &share(3);
    let damaged = restore("root-4", damaged).exited(2);
    assert!(damaged.err.contains("Line "), "{damaged:?}");
    assert!(!stage.path("root-4").exists());

    // It signs under its new passphrase, and never a second time for the same version.
    stage.hq.run(&["rotate", "--desk"]).done();
    let request = stage.hq.data().join("keyset-request.cbor");
    let out = stage.path("signed-2");
    let second = stage.path("root-2");
    let arguments = [
        "hq",
        "--data",
        text(&second),
        "root",
        "sign",
        text(&request),
        "--out",
        text(&out),
    ];
    let signed = run_with_input(&arguments, b"another passphrase\n").done();
    assert_eq!(signed.json()["version"], 2);
    assert!(
        signed.err.contains("notices"),
        "what changes is said before: {signed:?}"
    );
    // And once: what is said behind the passphrase is the next step.
    fs::remove_dir_all(&out).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_testigo"));
    command.args(arguments).env("TESTIGO_LANG", "en");
    let piped = (command.stdin(Stdio::piped()).stdout(Stdio::piped())).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(b"another passphrase\n").unwrap();
    drop(typed);
    let said = child.wait_with_output().unwrap();
    let (before, behind) = [said.stderr, said.stdout]
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .into();
    assert_eq!(before.matches("Request \"").count(), 1, "{before}");
    assert!(behind.starts_with("Signed, version 2."), "{behind}");
    assert_eq!(behind.lines().count(), 1, "{behind}");
    stage.hq.run(&["keyset", "install", text(&out)]).done();
    stage.restart_hq();
    let late = stage.path("late.cbor");
    // A request made from version 1 once version 2 was signed, with another content.
    let first = stage.path("signed-1/keyset.cose");
    let mut from_first = testigo_wire::KeysetRequest::following(&fs::read(first).unwrap()).unwrap();
    from_first.endpoints.push("https://false.example".into());
    fs::write(&late, from_first.to_bytes()).unwrap();
    let arguments = [
        "hq",
        "--data",
        text(&second),
        "root",
        "sign",
        text(&late),
        "--out",
        text(&late),
    ];
    let refused = run_with_input(&arguments, b"another passphrase\n").exited(1);
    assert!(
        refused.text("/refused").contains("no way back"),
        "{refused:?}"
    );
    let phone_works = stage.phone("phone-2", TABLE);
    phone_works.report("one");
    phone_works.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["one"]);
}

#[test]
fn a_seal_key_is_seized_and_what_waits_under_it_still_arrives() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.sync_all_well();
    phone.report("two");
    stage.hq.run(&["rotate", "--seal", "--seized"]).done();
    // Until the root has signed everything is as it was.
    assert_eq!(stage.hq.keyset().version, 1);
    let first = stage.hq.keyset().seal[0].clone();
    stage.sign_and_install("signed-2");
    let keyset = stage.hq.keyset();
    assert_eq!((keyset.version, keyset.seal.len()), (2, 1));
    assert_ne!(keyset.seal[0], first);
    assert_eq!(keyset_of(&phone), 1);
    phone.sync_all_well();
    assert_eq!(keyset_of(&phone), 2);
    phone.report("three");
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["one", "three", "two"]);

    // The old key alone opens what was harvested under it, and nothing that was sealed since.
    let keys = stage.hq.data().join("keys");
    let new = (fs::read_dir(&keys).unwrap().flatten())
        .find(|entry| entry.file_name().to_string_lossy().starts_with("seal-"))
        .unwrap();
    stage.hq.kill();
    fs::rename(new.path(), stage.path("away")).unwrap();
    let refused = stage
        .hq
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .exited(2);
    assert!(refused.err.contains("seal"), "{refused:?}");
}

#[test]
fn a_lost_seal_key_comes_back_from_paper_and_from_a_passphrase() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.sync_all_well();
    let (by_paper, by_passphrase) = (stage.path("paper.keys"), stage.path("passphrase.keys"));
    let papers = stage.path("papers");
    let shares = [
        "--paper",
        "--shares",
        "3",
        "--need",
        "2",
        "--papers",
        text(&papers),
    ];
    let backup = [&["keys", "backup", "--out", text(&by_paper)][..], &shares].concat();
    stage.hq.run(&backup).done();
    let backup = ["keys", "backup", "--out", text(&by_passphrase)];
    let short = stage.hq.run_with_input(&backup, "short\n").exited(2);
    assert!(short.err.contains("twelve"), "{short:?}");
    stage.hq.run_with_input(&backup, PASSPHRASE).done();
    for (_, key) in support::contents(&stage.hq.data().join("keys")) {
        for file in [&by_paper, &by_passphrase] {
            let bytes = fs::read(file).unwrap();
            assert!(bytes.windows(32).all(|part| part != key));
        }
    }

    phone.report("two");
    let seal = stage.hq.data().join("keys/seal.key");
    let lost = fs::read(&seal).unwrap();
    stage.hq.kill();
    fs::remove_file(&seal).unwrap();
    let refused = stage
        .hq
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .exited(2);
    assert!(refused.err.contains("seal.key"), "{refused:?}");
    let share = |n: u32| fs::read_to_string(papers.join(format!("paper-{n}.txt"))).unwrap();
    let restore = ["keys", "restore", text(&by_paper), "--paper"];
    let one = stage.hq.run_with_input(&restore, &share(2)).exited(2);
    assert!(one.err.contains("2 are needed"), "{one:?}");
    assert!(!seal.exists());
    let back = stage
        .hq
        .run_with_input(&restore, &(share(3) + &share(1)))
        .done();
    assert_eq!(back.json()["restored"], serde_json::json!(["seal.key"]));
    assert_eq!(fs::read(&seal).unwrap(), lost);
    stage.serve_again();
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);

    fs::remove_file(&seal).unwrap();
    let restore = ["keys", "restore", text(&by_passphrase)];
    stage
        .hq
        .run_with_input(&restore, "not this one at all\n")
        .exited(2);
    stage.hq.run_with_input(&restore, PASSPHRASE).done();
    assert_eq!(fs::read(&seal).unwrap(), lost);
    // What is there and is another key is never replaced.
    fs::write(&seal, [7; 32]).unwrap();
    let other = stage.hq.run_with_input(&restore, PASSPHRASE).exited(2);
    assert!(other.err.contains("seal.key"), "{other:?}");
    assert_eq!(fs::read(&seal).unwrap(), [7; 32]);
}

#[test]
fn records_under_a_seal_key_that_is_lost_are_kept_until_it_is_back() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    let backup = stage.path("backup.keys");
    stage
        .hq
        .run_with_input(&["keys", "backup", "--out", text(&backup)], PASSPHRASE)
        .done();
    stage.hq.run(&["rotate", "--seal"]).done();
    stage.hq.kill();
    fs::remove_file(stage.hq.data().join("keys/seal.key")).unwrap();
    stage.sign_and_install("signed-2");
    phone.sync_all_well();
    phone.report("two");
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["two"]);
    assert_eq!(stage.hq.held().results["unreadable"], 1);
    stage.hq.kill();
    stage
        .hq
        .run_with_input(&["keys", "restore", text(&backup)], PASSPHRASE)
        .done();
    stage.serve_again();
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
    assert_eq!(stage.hq.held().results["unreadable"], 0);

    // A copy of headquarters comes back under both keys.
    let (copy, keys) = (stage.path("copy"), stage.path("keys"));
    stage.hq.run(&["backup", "--out", text(&copy)]).done();
    let all = stage.path("all.keys");
    stage
        .hq
        .run_with_input(&["keys", "backup", "--out", text(&all)], PASSPHRASE)
        .done();
    stage.hq.kill();
    let data = stage.path("hq-2");
    let to = ["keys", "restore", text(&all), "--to", text(&keys)];
    stage.hq.run_with_input(&to, PASSPHRASE).done();
    let restore = [
        "hq",
        "--data",
        text(&data),
        "restore",
        "--from",
        text(&copy),
        "--keys",
        text(&keys),
    ];
    run(&restore).done();
    stage.hq = stage.hq.restored(data);
    stage.serve_again();
    phone.report("three");
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["one", "three", "two"]);
}

#[test]
fn a_seized_receipt_key_is_believed_no_more_and_nothing_is_lost_by_it() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    let file = stage.path("film.bin");
    fs::write(&file, vec![5; 30_000]).unwrap();
    phone.report_with("one", &file);
    phone.sync_all_well();
    stage.hq.held();
    phone.report_with("two", &file);
    // Headquarters keep it and the phone never hears so.
    stage.proxy.set(Way::ReplyLost);
    phone.sync();
    stage.proxy.set(Way::Clear);
    assert_eq!(states(&phone), ["delivered", "queued"]);
    let old = stage.hq.keyset();
    stage
        .hq
        .run(&["rotate", "--receipt", "--desk", "--seized"])
        .done();
    stage.sign_and_install("signed-2");
    let new = stage.hq.keyset();
    assert_eq!((new.receipt.len(), new.desk.len()), (1, 1));
    assert_ne!((new.receipt[0], new.desk[0]), (old.receipt[0], old.desk[0]));

    // The same envelopes again: what was signed by the seized key is signed anew, and says the same.
    phone.sync_all_well();
    assert_eq!(keyset_of(&phone), 2);
    assert_eq!(states(&phone), ["delivered"; 2]);
    let again = phone.run(&["sync", "--all"]).done().json();
    assert_eq!(again["confirmed"], 2, "{again}");
    assert!(again["failure"].is_null(), "{again}");
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
    // The desk's word on both is heard under its new key.
    for _ in 0..200 {
        phone.sync_all_well();
        let list = phone.run(&["list"]).done().json();
        let told = list
            .as_array()
            .unwrap()
            .iter()
            .all(|line| !line["notice"].is_null());
        if told {
            break;
        }
    }
    let receipt = stage.path("receipt.cbor");
    phone.run(&["receipt", "2", "--out", text(&receipt)]).done();
    let keyset = stage.hq.public().join("keyset.cose");
    run(&[
        "verify",
        "receipt",
        text(&receipt),
        "--keyset",
        text(&keyset),
    ])
    .done();
    // The keyset before does not know the new key.
    let before = stage.path("signed-1/keyset.cose");
    run(&[
        "verify",
        "receipt",
        text(&receipt),
        "--keyset",
        text(&before),
    ])
    .exited(1);
}

#[test]
fn headquarters_move_and_phones_follow() {
    let mut stage = Stage::with_offline_root();
    let (near, far) = (stage.phone("near", TABLE), stage.phone("far", OTHER_TABLE));
    near.report("near one");
    near.sync_all_well();
    far.report("far one");
    let moved = Proxy::open();
    stage.hq.run(&["rotate", "--endpoint", &moved.url()]).done();
    stage.sign_and_install("signed-2");
    moved.lead_to(stage.hq.address());
    // The old address still leads there, and phones that ask it hear of the new one in the same pass.
    near.report("near two");
    near.sync_all_well();
    assert_eq!(keyset_of(&near), 2);
    stage.proxy.set(Way::RequestCut { at: 0 });
    near.report("near three");
    near.sync_all_well();
    // Who was away for too long gets the new one as a file.
    assert!(!far.sync()["failure"].is_null());
    assert_eq!(states(&far), ["queued"]);
    let file = stage.hq.public().join("keyset.cose");
    let taken = far.run(&["keyset", text(&file)]).done().json();
    assert_eq!(
        (&taken["taken"], &taken["keyset"]),
        (&true.into(), &2.into())
    );
    far.sync_all_well();
    assert_eq!(
        stage.hq.held().notes(),
        ["far one", "near one", "near three", "near two"]
    );
}

#[test]
fn what_a_revoked_phone_sends_later_waits_for_review() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    phone.tally(SHEET);
    phone.sync_all_well();
    let total = stage.hq.held().total();
    assert_eq!(total, 368);
    let device = device(&stage).to_string();
    // A name that nobody has is no request to the root.
    let nobody = stage
        .hq
        .run(&["rotate", "--revoke", "0102030405060708"])
        .exited(1);
    assert!(
        nobody.text("/refused").contains("0102030405060708"),
        "{nobody:?}"
    );
    assert!(!stage.hq.data().join("keyset-request.cbor").exists());
    stage.hq.run(&["rotate", "--revoke", &device]).done();
    stage.sign_and_install("signed-2");
    // Headquarters take back no word of the root's, and say so; of their own alone they do.
    let refused = stage.hq.run(&["devices", "trust", &device]).exited(1);
    assert!(
        refused.text("/refused").contains("by the root"),
        "{refused:?}"
    );
    let decided = || stage.hq.run(&["devices", "history"]).done().json()["decisions"].clone();
    assert_eq!(decided(), Value::Array(Vec::new()));
    stage.hq.run(&["devices", "revoke", &device]).done();
    let trusted = stage.hq.run(&["devices", "trust", &device]).exited(1);
    assert_eq!(trusted.json()["device"]["state"], "revoked_by_root");
    assert_eq!(decided().as_array().unwrap().len(), 2);
    phone.tally(OTHER_SHEET);
    phone.report("later");
    // It is not refused, and the phone is told nothing else than another.
    phone.sync_all_well();
    let held = stage.hq.held();
    assert_eq!(held.total(), total);
    assert_eq!(held.table(TABLE)["readings"], 1);
    let waits = held.table(OTHER_TABLE);
    assert_eq!(
        (&waits["readings"], &waits["waiting"]),
        (&0.into(), &1.into())
    );
    assert!(warnings(waits).contains(&15), "{waits}");
    assert!(warnings(held.incident("later")).contains(&15));
    // Whoever looks is told why, cannot confirm it, and decides record by record.
    let devices = stage.hq.run(&["devices"]).done().json();
    assert_eq!(devices["devices"][0]["state"], "revoked_by_root");
    let confirmation = phone.run(&["status"]).done().text("/confirmation");
    stage
        .hq
        .run(&["devices", "confirm", &confirmation])
        .exited(2);
    let review = stage.hq.run(&["review"]).done().json();
    let waiting = review["waiting"].as_array().unwrap();
    assert_eq!(waiting.len(), 2, "{review}");
    assert!(waiting.iter().all(|one| one["state"] == "revoked_by_root"));
    let sheet = waiting.iter().find(|one| one["kind"] == "sheet").unwrap();
    let number = sheet["arrival"].to_string();
    stage.hq.run(&["review", "count", &number]).done();
    let held = stage.hq.held();
    assert!(held.total() > total);
    assert_eq!(held.table(OTHER_TABLE)["readings"], 1);
}

#[test]
fn an_old_keyset_and_one_of_another_root_change_nothing() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    stage.hq.run(&["rotate", "--seal", "--receipt"]).done();
    stage.sign_and_install("signed-2");
    phone.report("one");
    phone.sync_all_well();
    let first = stage.path("signed-1/keyset.cose");
    let old = phone.run(&["keyset", text(&first)]).exited(1).json();
    assert_eq!((&old["taken"], &old["keyset"]), (&false.into(), &2.into()));
    let old = stage.hq.run(&["keyset", "install", text(&first)]).exited(1);
    assert!(old.text("/refused").contains("no way back"), "{old:?}");

    let other = Stage::new();
    let foreign = other.hq.public().join("keyset.cose");
    let refused = phone.run(&["keyset", text(&foreign)]).exited(2);
    assert!(
        refused.err.contains("not of one headquarters"),
        "{refused:?}"
    );
    let refused = stage
        .hq
        .run(&["keyset", "install", text(&foreign)])
        .exited(1);
    assert!(
        refused.text("/refused").contains("another root"),
        "{refused:?}"
    );
    assert_eq!(keyset_of(&phone), 2);
    assert_eq!(stage.hq.keyset().version, 2);
    phone.report("two");
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
}

#[test]
fn a_courier_brings_new_keys_to_a_phone_without_a_network() {
    let mut stage = Stage::with_offline_root();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    let (bundle, receipts) = (stage.path("bundle"), stage.path("receipts"));
    phone.run(&["bundle", "--out", text(&bundle)]).done();
    let rotate = ["rotate", "--seal", "--receipt", "--seized"];
    stage.hq.run(&rotate).done();
    stage.sign_and_install("signed-2");
    // It was sealed under the key before.
    let import = ["import", text(&bundle), "--receipts", text(&receipts)];
    let imported: Value = stage.hq.run(&import).done().json();
    assert_eq!(imported["files"][0]["new"], 1, "{imported}");
    let taken = phone.run(&["receipts", text(&receipts)]).done().json();
    assert_eq!(
        (&taken["received"], &taken["keyset"]),
        (&1.into(), &2.into())
    );
    assert_eq!(states(&phone), ["delivered"]);
    assert_eq!(stage.hq.held().notes(), ["one"]);
}
