//! Headquarters are copied while they serve, the copy is confirmed, and headquarters are lost and come back.
//! Nothing is lost and nothing is doubled; what is safe leaves the phone, and nothing else does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Ended, Headquarters, Phone, SHEET, Stage, TABLE, Way, contents, get, run};

fn recording(stage: &Stage, name: &str, size: usize) -> (PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..size).map(|n| (n * n / 7 + name.len()) as u8).collect();
    let path = stage.path(name);
    std::fs::write(&path, &bytes).unwrap();
    (path, bytes)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Headquarters in a new folder out of a copy.
fn restore(data: &Path, copy: &Path, keys: &Path) -> Ended {
    run(&[
        "hq",
        "--data",
        text(data),
        "restore",
        "--from",
        text(copy),
        "--keys",
        text(keys),
    ])
}

/// `safe` of each record, by number.
fn safe(phone: &Phone) -> Vec<bool> {
    let mut list = phone.run(&["list"]).done().json();
    let list = list.as_array_mut().unwrap();
    list.reverse();
    list.iter().map(|line| line["safe"] == true).collect()
}

fn sealed_files(phone: &Phone) -> usize {
    contents(&phone.home.join("blobs")).len()
}

/// Syncs until the desk has signed so many records as safe.
fn hear(phone: &Phone, expected: &[bool]) {
    for _ in 0..400 {
        phone.sync_all_well();
        if safe(phone) == expected {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{:?}", safe(phone));
}

fn opened(hq: &Headquarters, note: &str, out: &Path) -> Vec<u8> {
    let held = hq.held();
    let file = held.incident(note)["attachments"]["files"][0].clone();
    assert_eq!(file["held"], true, "{file}");
    hq.opened(file["id"].as_u64().unwrap(), out)
}

#[test]
fn headquarters_that_are_lost_come_back_and_nothing_is_lost_or_doubled() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (first, first_bytes) = recording(&stage, "first.bin", 150_000);
    let (second, second_bytes) = recording(&stage, "second.bin", 90_000);
    phone.report_with("one", &first);
    phone.tally(SHEET);
    phone.sync_all_well();
    stage.hq.held();
    // A record whose file is still on its way when the backup is made.
    stage.proxy.set_for_chunks(0, Way::RequestCut { at: 1000 });
    phone.report_with("two", &second);
    phone.sync();
    stage.hq.held();
    let page = get(stage.hq.address(), "/?lang=en").body;
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("Attachments received: 0 of 1; the others are on the way"),
        "{page}"
    );

    let copy = stage.path("copy");
    let made = stage
        .hq
        .run(&["backup", "--out", text(&copy)])
        .done()
        .json();
    assert_eq!(
        (&made["records"], &made["attachments"]),
        (&3.into(), &1.into())
    );
    for (path, key) in contents(&stage.hq.data().join("keys")) {
        let key: &[u8] = &key;
        for (file, bytes) in contents(&copy) {
            assert!(
                bytes.windows(32).all(|part| part != key),
                "{} is in {}",
                path.display(),
                file.display()
            );
        }
    }
    for (file, bytes) in contents(&copy) {
        let readable = [&b"SQLite format 3"[..], SHEET.as_bytes()];
        let found = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(!readable.into_iter().any(found), "{}", file.display());
    }
    // Nothing is safe for having been copied: the copy may lie beside the original.
    stage.proxy.set(Way::Clear);
    phone.sync_all_well();
    assert_eq!(safe(&phone), [false; 3]);
    assert_eq!(sealed_files(&phone), 2);

    let found = stage.hq.run(&["confirm", text(&copy)]).done().json();
    let counts = [&found["records"], &found["safe"], &found["incomplete"]];
    assert_eq!(counts, [&Value::from(3), &2.into(), &1.into()]);
    hear(&phone, &[true, true, false]);
    let health = stage.hq.api("/v1/health");
    let counts = [&health["records"], &health["notices"], &health["safe"]];
    assert_eq!(counts, [3, 3, 2], "{health}");
    assert_eq!(
        (&health["attachments_named"], &health["attachments_held"]),
        (&2.into(), &2.into())
    );
    assert_eq!(health["copy_made_at"], found["made_at"]);
    let page = get(stage.hq.address(), "/?lang=en").body;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<dd>2 of 3 "), "{page}");
    assert!(
        page.contains("Attachments received: 1 of 1 (no. "),
        "{page}"
    );
    assert_eq!(sealed_files(&phone), 1);
    phone.report("three");
    phone.sync_all_well();
    let before = stage.hq.held();

    // The machine is lost, keys and all; their copies were kept in a third place.
    stage.hq.kill();
    let keys = stage.path("keys elsewhere");
    std::fs::rename(stage.hq.data().join("keys"), &keys).unwrap();
    std::fs::remove_dir_all(stage.hq.data()).unwrap();
    let again = stage.path("again");
    restore(&again, &copy, &keys).done();
    stage.hq = stage.hq.restored(again);
    stage.serve_again();
    // What was safe is there before any phone has come.
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
    assert_eq!(stage.hq.held().total(), before.total());

    // The phone has nothing queued: it only asks, and hears that these are others.
    assert_eq!(phone.queued(), 0);
    let sent = phone.sync_all_well();
    assert_eq!(sent["delivered"], 2, "{sent}");
    assert_eq!(sent["attachments_delivered"], 1, "{sent}");
    let held = stage.hq.held();
    assert_eq!(held.notes(), ["one", "three", "two"]);
    assert_eq!(held.total(), before.total());
    assert_eq!(held.table(TABLE)["readings"], 1);
    assert!(opened(&stage.hq, "one", &stage.path("out 1")) == first_bytes);
    assert!(opened(&stage.hq, "two", &stage.path("out 2")) == second_bytes);
    // Everything again changes nothing.
    phone.run(&["sync", "--all"]).done();
    assert_eq!(stage.hq.held(), held);

    // The next backup is brought up to date in its place, and now all of it is safe.
    let made = stage
        .hq
        .run(&["backup", "--out", text(&copy)])
        .done()
        .json();
    let counts = [&made["records"], &made["attachments"], &made["copied"]];
    assert_eq!(counts, [&Value::from(4), &2.into(), &1.into()]);
    let databases = contents(&copy)
        .into_keys()
        .filter(|path| path.extension().is_some_and(|end| end == "db"));
    assert_eq!(databases.count(), 2, "ingest's and the desk's of now");
    stage.hq.run(&["confirm", text(&copy)]).done();
    hear(&phone, &[true; 4]);
    assert_eq!(sealed_files(&phone), 0);
    assert_eq!(phone.sync_all_well()["requests"], 0);
}

#[test]
fn what_is_damaged_makes_nothing_safe() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, _) = recording(&stage, "file.bin", 100_000);
    phone.report_with("with a file", &file);
    phone.report("without");
    phone.sync_all_well();
    stage.hq.held();
    let copy = stage.path("copy");
    let confirm = |status| stage.hq.run(&["confirm", text(&copy)]).exited(status);
    confirm(2);
    // A copy that would be lost with what it is a copy of is none.
    let inside = stage.hq.data().join("blobs/copy");
    stage.hq.run(&["backup", "--out", text(&inside)]).exited(2);
    assert!(!inside.exists());
    stage.hq.run(&["backup", "--out", text(&copy)]).done();

    // A bit of the attachment: its record does not become safe, the other one does.
    let blob = contents(&copy.join("blobs")).into_keys().next().unwrap();
    let good = std::fs::read(&blob).unwrap();
    let mut bad = good.clone();
    bad[5000] ^= 1;
    std::fs::write(&blob, &bad).unwrap();
    let found = confirm(1).json();
    assert_eq!(found["damaged"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(
        (&found["safe"], &found["incomplete"]),
        (&1.into(), &1.into())
    );
    hear(&phone, &[false, true]);
    assert_eq!(sealed_files(&phone), 1);
    std::fs::write(&blob, &good).unwrap();

    // A bit of the database, of a public file, of the manifest: nothing does.
    let database = (contents(&copy).into_keys())
        .find(|path| path.extension().is_some_and(|end| end == "db"))
        .unwrap();
    for path in [
        database,
        copy.join("public/keyset.cose"),
        copy.join("MANIFEST.sha256"),
    ] {
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        confirm(2);
        let elsewhere = stage.path("elsewhere");
        let keys = stage.hq.data().join("keys");
        restore(&elsewhere, &copy, &keys).exited(2);
        assert!(!elsewhere.exists(), "{}", path.display());
        std::fs::write(&path, &good).unwrap();
    }
    // Other keys open nothing, and other headquarters confirm nothing.
    let other = Headquarters::init(stage.path("other"), "http://127.0.0.1:1");
    let elsewhere = stage.path("elsewhere");
    let keys = other.data().join("keys");
    restore(&elsewhere, &copy, &keys).exited(2);
    other.run(&["confirm", text(&copy)]).exited(2);
    other.run(&["backup", "--out", text(&copy)]).exited(2);

    // Headquarters' own attachment is damaged: what can be copied is, and it is named.
    let held = contents(&stage.hq.data().join("blobs"));
    std::fs::write(held.keys().next().unwrap(), b"damaged").unwrap();
    let second = stage.path("second");
    let made = stage
        .hq
        .run(&["backup", "--out", text(&second)])
        .exited(1)
        .json();
    assert_eq!(made["damaged"].as_array().unwrap().len(), 1, "{made}");
    assert_eq!(made["records"], 2);
    // Restored, it is asked for again.
    let restored = stage.path("restored");
    let keys = stage.hq.data().join("keys");
    restore(&restored, &second, &keys).done();
    let mut restored = stage.hq.restored(restored);
    let address = restored.serve(0);
    stage.proxy.lead_to(address);
    assert_eq!(phone.sync_all_well()["attachments_delivered"], 1);
    assert_eq!(restored.held().notes(), ["with a file", "without"]);
    assert!(opened(&restored, "with a file", &stage.path("out")).len() == 100_000);
}

#[test]
fn a_backup_goes_on_while_reports_arrive() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let copy = stage.path("copy");
    for round in 0..5 {
        for n in 0..10 {
            phone.report(&format!("{round}.{n}"));
        }
        std::thread::scope(|scope| {
            scope.spawn(|| phone.sync_all_well());
            let made = stage
                .hq
                .run(&["backup", "--out", text(&copy)])
                .done()
                .json();
            // Records of one request are there together or not at all.
            assert_eq!(made["records"].as_u64().unwrap() % 10, 0, "{made}");
        });
        let found = stage.hq.run(&["confirm", text(&copy)]).done().json();
        assert_eq!(found["records"], found["safe"]);
    }
}

#[test]
fn a_phone_whose_code_is_younger_than_the_backup_comes_back_with_another_code() {
    let mut stage = Stage::new();
    let copy = stage.path("copy");
    stage.hq.run(&["backup", "--out", text(&copy)]).done();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.sync_all_well();
    // Enrolled and known, it takes no other code.
    let other = stage.path("other.png");
    stage.hq.invite(TABLE, &other);
    let refused = phone.enrol(&other, &stage.hq.public()).exited(2);
    assert_eq!(refused.text("/error/code"), "already-enrolled");

    let again = stage.path("again");
    restore(&again, &copy, &stage.hq.data().join("keys")).done();
    stage.hq.kill();
    stage.hq = stage.hq.restored(again);
    stage.serve_again();
    phone.report("two");
    assert_eq!(phone.sync()["delivered"], 0);
    let status = phone.run(&["status"]).done().json();
    assert_eq!(status["progress"]["code"], "not-taken", "{status}");

    let another = stage.path("another.png");
    stage.hq.invite(TABLE, &another);
    phone.enrol(&another, &stage.hq.public()).done();
    // "one" again, too: these headquarters never had it.
    phone.sync_all_well();
    assert_eq!(phone.queued(), 0);
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
}

#[test]
fn without_the_key_of_its_desk_a_backup_comes_back_and_loses_decisions_alone() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.tally(SHEET);
    phone.sync_all_well();
    let before = stage.hq.held();
    stage.hq.run(&["devices", "unconfirmed", "wait"]).done();
    let copy = stage.path("copy");
    stage.hq.run(&["backup", "--out", text(&copy)]).done();
    stage.hq.run(&["confirm", text(&copy)]).done();
    hear(&phone, &[true; 2]);
    stage.hq.kill();

    // As a `keys backup` of an earlier release has them.
    let keys = stage.path("keys elsewhere");
    std::fs::rename(stage.hq.data().join("keys"), &keys).unwrap();
    std::fs::remove_file(keys.join("database-desk.key")).unwrap();
    let again = stage.path("again");
    let restored = restore(&again, &copy, &keys).exited(1).json();
    assert_eq!(
        (&restored["desk_anew"], &restored["records"]),
        (&true.into(), &2.into())
    );
    stage.hq = stage.hq.restored(again);
    stage.serve_again();
    // The phone has let both go: they come out of the envelopes.
    let held = stage.hq.held();
    assert_eq!(
        (held.notes(), held.total()),
        (before.notes(), before.total())
    );
    assert_eq!(held.table(TABLE)["waiting"], 0, "that decision is gone");
    assert_eq!(phone.sync_all_well()["delivered"], 0);
}

#[test]
fn an_older_ingest_beside_a_newer_desk_is_noticed_and_phones_send_again() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.sync_all_well();
    stage.hq.held();
    assert!(stage.hq.ends_by_itself("-TERM"));
    let database = stage.hq.data().join("hq.db");
    let old = std::fs::read(&database).unwrap();
    stage.serve_again();
    phone.report("two");
    phone.sync_all_well();
    stage.hq.held();
    assert!(stage.hq.ends_by_itself("-TERM"));
    std::fs::write(&database, old).unwrap();
    stage.serve_again();
    assert_eq!(phone.queued(), 0);
    assert_eq!(
        phone.sync_all_well()["delivered"],
        2,
        "all that is not safe"
    );
    assert_eq!(stage.hq.held().notes(), ["one", "two"]);
}
