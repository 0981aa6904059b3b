//! Who is behind a code: devices confirmed, quarantined, revoked and replaced, tables reassigned, records reviewed,
//! with real processes and beside a serving headquarters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use data_encoding::BASE32_NOPAD;
use serde_json::Value;
use std::path::Path;
use support::{Ended, OTHER_SHEET, OTHER_TABLE, Phone, SHEET, Stage, TABLE, warnings};

/// The same sheet with other votes.
fn forged() -> String {
    SHEET.replace("7,155,1,1", "7,156,1,1")
}

fn characters(phone: &Phone) -> String {
    phone.run(&["status"]).done().text("/confirmation")
}

fn devices(stage: &Stage) -> Vec<Value> {
    let listed = stage.hq.run(&["devices"]).done().json();
    listed["devices"].as_array().unwrap().clone()
}

/// The short name of the latest device.
fn latest(stage: &Stage) -> String {
    let device = devices(stage).pop().unwrap();
    device["device"].as_str().unwrap().to_owned()
}

fn decide(stage: &Stage, arguments: &[&str]) -> Ended {
    stage.hq.run(&[&["devices"], arguments].concat())
}

/// The records that wait, as `(number, kind, state)`.
fn waiting(stage: &Stage) -> Vec<(i64, String, String)> {
    stage.hq.held();
    let listed = stage.hq.run(&["review"]).done().json();
    let text = |record: &Value, field: &str| record[field].as_str().unwrap().to_owned();
    (listed["waiting"].as_array().unwrap().iter())
        .map(|record| {
            let number = record["arrival"].as_i64().unwrap();
            (number, text(record, "kind"), text(record, "state"))
        })
        .collect()
}

/// Another phone with the same code.
fn same_code(stage: &Stage, code: &str, name: &str) -> Phone {
    let phone = Phone::init(stage.path(name));
    phone
        .enrol(&stage.path(&format!("{code}.png")), &stage.hq.public())
        .done();
    phone
}

fn state_of(stage: &Stage, table: &str) -> (String, u64, u64, bool) {
    let held = stage.hq.held();
    let table = held.table(table);
    (
        table["state"].as_str().unwrap().to_owned(),
        table["readings"].as_u64().unwrap(),
        table["waiting"].as_u64().unwrap(),
        table["provisional"].as_bool().unwrap(),
    )
}

fn is(state: &str, readings: u64, waiting: u64, provisional: bool) -> (String, u64, u64, bool) {
    (state.to_owned(), readings, waiting, provisional)
}

#[test]
fn a_stranger_with_a_photographed_code_is_told_apart_by_what_the_witness_reads_out() {
    let stage = Stage::new();
    // The stranger comes first, with a sheet that never hung anywhere.
    let stranger = stage.phone("code", TABLE);
    stranger.tally(&forged());
    stranger.sync_all_well();
    let witness = same_code(&stage, "code", "witness");
    witness.tally(SHEET);
    witness.sync_all_well();
    assert_ne!(characters(&stranger), characters(&witness));
    assert_eq!(state_of(&stage, TABLE), is("conflict", 2, 0, true));
    let standings = |stage: &Stage| -> Vec<String> {
        let held = stage.hq.held();
        (held.table(TABLE)["versions"].as_array().unwrap().iter())
            .map(|version| version["standing"]["code"].as_str().unwrap().to_owned())
            .collect()
    };
    // Equal standing decides nothing.
    assert_eq!(standings(&stage), ["plain-code/unconfirmed-device"; 2]);

    // As heard over a bad line, and typed by somebody tired.
    let heard = characters(&witness).to_lowercase().replace(' ', "-");
    let confirmed = decide(&stage, &["confirm", &heard, "--by", "C3"])
        .done()
        .json();
    assert_eq!(confirmed["device"]["state"], "confirmed");
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 1, false));
    assert_eq!(stage.hq.held().total(), 368);
    let standing = |stage: &Stage| {
        let held = stage.hq.held();
        held.table(TABLE)["standing"]["code"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(standing(&stage).unwrap(), "plain-code/confirmed-device");
    // Somebody who was invited separately reads the same.
    let second = stage.phone("second", TABLE);
    second.tally(SHEET);
    second.sync_all_well();
    assert_eq!(standing(&stage).unwrap(), "plain-code/second-capability");
    let states: Vec<_> = (devices(&stage).iter())
        .map(|device| (device["state"].clone(), device["waiting"].clone()))
        .collect();
    assert_eq!(
        states,
        [
            ("unconfirmed".into(), 1.into()),
            ("confirmed".into(), 0.into()),
            ("unconfirmed".into(), 0.into())
        ]
    );
    // Nothing is lost: the stranger's is kept for a person.
    let waits = waiting(&stage);
    assert_eq!(waits.len(), 1);
    assert_eq!(
        (waits[0].1.as_str(), waits[0].2.as_str()),
        ("sheet", "unconfirmed")
    );

    // Characters of nobody, and ones that are none.
    for wrong in ["0000 0000 0000", "8bva", "ñññ"] {
        let refused = decide(&stage, &["confirm", wrong]).exited(2);
        assert!(refused.err.contains("nothing was confirmed"), "{refused:?}");
    }
    // Nor does a list tell them: they must be heard.
    let listed = stage.hq.run(&["devices"]).done().out;
    assert!(!listed.contains(&characters(&witness)));

    let history = decide(&stage, &["history"]).done().json();
    let history = history["decisions"].as_array().unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        (&history[0]["what"], &history[0]["by"]),
        (&"confirm".into(), &"C3".into())
    );
}

#[test]
fn the_fourth_device_of_a_code_is_quarantined_until_it_is_confirmed() {
    let stage = Stage::new();
    let mut phones = vec![stage.phone("code", TABLE)];
    for n in 0..3 {
        phones.push(same_code(&stage, "code", &format!("phone {n}")));
    }
    for phone in &phones {
        phone.report("from one of four");
        phone.sync_all_well();
    }
    let states: Vec<_> = (devices(&stage).iter())
        .map(|device| device["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        states,
        ["unconfirmed", "unconfirmed", "unconfirmed", "quarantined"]
    );
    let fourth = &phones[3];
    fourth.tally(SHEET);
    fourth.sync_all_well();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 1, false));
    assert_eq!(waiting(&stage).len(), 2);
    let shown = stage.hq.held();
    let waits = shown.incidents().iter().filter(|i| i["waits"] == true);
    assert_eq!(waits.count(), 1);

    decide(&stage, &["confirm", &characters(fourth)]).done();
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 0, false));
}

#[test]
fn a_seized_phone_is_revoked_from_a_time_on_and_what_came_before_stays() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.tally(SHEET);
    phone.sync_all_well();
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 0, true));
    let name = latest(&stage);
    let revoked = decide(&stage, &["revoke", &name, "--why", "seized"])
        .done()
        .json();
    assert_eq!(revoked["device"]["state"], "revoked");

    // Who holds it reports other votes. They are taken, signed for, and counted nowhere.
    phone.tally(&forged());
    phone.report("all quiet here");
    phone.sync_all_well();
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 1, true));
    assert_eq!(stage.hq.held().total(), 368);
    let waits = waiting(&stage);
    assert_eq!(waits.len(), 2);
    assert!(
        waits.iter().all(|(_, _, state)| state == "revoked"),
        "{waits:?}"
    );
    let table = stage.hq.run(&["table"]).done().json();
    assert_eq!(table["incidents"]["incidents"][0]["waits"], true);

    // From an hour before its first record on, nothing of it counts; then it was a mistake.
    decide(&stage, &["revoke", &name, "--from", "2020-01-01T00:00:00Z"]).done();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 2, false));
    decide(&stage, &["confirm", &characters(&phone)]).exited(2);
    decide(&stage, &["trust", &name, "--why", "it was another"]).done();
    assert_eq!(state_of(&stage, TABLE).0, "conflict");

    // A time that is still to come would leave everything counted: a mistyped year is told.
    let refused = decide(&stage, &["revoke", &name, "--from", "2999-01-01T00:00:00Z"]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.err.contains("still to come"), "{refused:?}");

    // The whole code: also devices that come later.
    decide(
        &stage,
        &[
            "revoke",
            &name,
            "--whole-code",
            "--from",
            "2020-01-01T00:00:00Z",
        ],
    )
    .done();
    let later = same_code(&stage, "phone", "later");
    later.tally(SHEET);
    later.sync_all_well();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 3, false));

    for wrong in ["0000000000000000", "xyz", ""] {
        decide(&stage, &["revoke", wrong]).exited(2);
    }
}

#[test]
fn a_replaced_phone_is_confirmed_as_the_old_one_is_revoked() {
    let stage = Stage::new();
    let old = stage.phone("old", TABLE);
    old.tally(SHEET);
    old.sync_all_well();
    decide(&stage, &["confirm", &characters(&old)]).done();
    let name = latest(&stage);
    let new = same_code(&stage, "old", "new");
    // Headquarters has not heard of it yet.
    decide(&stage, &["replace", &name, &characters(&new)]).exited(2);
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 0, false));
    new.report("from the new one");
    new.sync_all_well();
    decide(&stage, &["replace", &name, &characters(&old)]).exited(2);
    let replaced = decide(
        &stage,
        &["replace", &name, &characters(&new), "--why", "lost"],
    );
    assert_eq!(replaced.done().json()["device"]["state"], "confirmed");
    old.report("from whoever found it");
    old.sync_all_well();
    // What the old one brought before still counts; what it brings now waits.
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 0, false));
    let held = stage.hq.held();
    assert_eq!(held.incident("from the new one")["waits"], false);
    assert_eq!(held.incident("from whoever found it")["waits"], true);
}

#[test]
fn a_reassigned_witness_is_not_doubted_at_the_new_table() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let sheet = ["tally", OTHER_SHEET, "--table", OTHER_TABLE];
    phone
        .run(&["report", "99", "--note", "before", "--table", OTHER_TABLE])
        .done();
    phone.sync_all_well();
    let name = latest(&stage);
    assert_eq!(warnings(stage.hq.held().incident("before")), [4]);
    let to = ["reassign", &name, "--table", OTHER_TABLE];
    let device = decide(&stage, &to).done().json();
    assert_eq!(device["device"]["table"], OTHER_TABLE);
    phone.run(&sheet).done();
    phone
        .run(&["report", "99", "--note", "after", "--table", OTHER_TABLE])
        .done();
    phone.report("at the old one");
    phone.sync_all_well();
    let held = stage.hq.held();
    assert_eq!(warnings(held.incident("after")), [0u64; 0]);
    assert_eq!(warnings(held.incident("at the old one")), [4]);
    assert_eq!(warnings(held.table(OTHER_TABLE)), [0u64; 0]);
    let unknown = ["reassign", &name, "--table", "999999999.99"];
    decide(&stage, &unknown).exited(2);
}

#[test]
fn a_person_lets_a_record_count_or_sets_it_aside_and_unconfirmed_ones_may_wait() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.tally(SHEET);
    phone.sync_all_well();
    decide(&stage, &["unconfirmed", "wait"]).done();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 1, false));
    let number = waiting(&stage)[0].0.to_string();
    let review = |stage: &Stage, what: &str, number: &str| {
        stage
            .hq
            .run(&["review", what, number, "--why", "paper seen"])
    };
    review(&stage, "count", &number).done();
    assert_eq!(state_of(&stage, TABLE), is("reported", 1, 0, true));
    decide(&stage, &["unconfirmed", "count"]).done();
    review(&stage, "set-aside", &number).done();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 1, false));
    review(&stage, "count", "999").exited(2);

    // Decisions outlive a restart and a backup.
    stage.restart_hq();
    assert_eq!(state_of(&stage, TABLE), is("expected", 0, 1, false));
    let history = decide(&stage, &["history"]).done().json();
    let copy = stage.path("copy");
    stage
        .hq
        .run(&["backup", "--out", copy.to_str().unwrap()])
        .done();
    let data = stage.path("restored");
    let keys = stage.path("hq/keys");
    let restored = stage.hq.restored(data);
    let arguments = [
        "restore",
        "--from",
        copy.to_str().unwrap(),
        "--keys",
        keys.to_str().unwrap(),
    ];
    restored.run(&arguments).done();
    let kept = restored.run(&["devices", "history"]).done().json();
    assert_eq!(kept, history);
    assert_eq!(history["decisions"].as_array().unwrap().len(), 4);
}

#[test]
fn a_sheet_of_codes_is_its_owners_alone_and_each_code_of_it_enrols() {
    let stage = Stage::new();
    let out = stage.path("codes.pdf");
    let list = stage.path("tables.csv");
    std::fs::write(
        &list,
        format!("table,name\n{TABLE},a\n{TABLE},b\n{OTHER_TABLE},c\n"),
    )
    .unwrap();
    let enrol = |tables: &Path, out: &Path| {
        let (tables, out) = (tables.to_str().unwrap(), out.to_str().unwrap());
        stage.hq.run(&["enrol", "--tables", tables, "--out", out])
    };
    let made = enrol(&list, &out).done().json();
    assert_eq!(made["codes"], 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // As typed from the paper: each code in two lines.
    let text = String::from_utf8_lossy(&std::fs::read(&out).unwrap()).into_owned();
    let shown: Vec<&str> = (text.lines())
        .filter_map(|line| {
            line.strip_suffix(") Tj")?
                .rsplit_once('(')
                .map(|(_, text)| text)
        })
        .collect();
    let codes: Vec<String> = (shown.windows(2))
        .filter(|pair| pair[0].starts_with("TESTIGO1:"))
        .map(|pair| pair.concat())
        .collect();
    assert_eq!(codes.len(), 3, "{shown:?}");
    for (n, code) in codes.iter().enumerate() {
        let phone = Phone::init(stage.path(&format!("typed {n}")));
        let (keyset, pack) = (
            stage.hq.public().join("keyset.cose"),
            stage.hq.public().join("pack.cose"),
        );
        let enrol = [
            "enrol",
            "--typed",
            "--keyset",
            keyset.to_str().unwrap(),
            "--pack",
            pack.to_str().unwrap(),
        ];
        phone
            .run_with_input(&enrol, format!("{code}\n").as_bytes())
            .done();
        phone.report("with a typed code");
        phone.sync_all_well();
    }
    let tables: Vec<_> = devices(&stage)
        .iter()
        .map(|device| device["table"].clone())
        .collect();
    assert_eq!(tables, [TABLE, TABLE, OTHER_TABLE]);
    // No secret of it is kept, neither as text nor as the bytes that it stands for.
    for (path, bytes) in support::contents(&stage.path("hq")) {
        for code in &codes {
            let text = code.split(':').nth(1).unwrap();
            let secret = &BASE32_NOPAD.decode(text.as_bytes()).unwrap()[..16];
            let kept = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            assert!(
                !kept(&text.as_bytes()[..25]) && !kept(secret),
                "{}",
                path.display()
            );
        }
    }
    // Nothing is written over, and a table of no election makes nothing.
    enrol(&list, &out).exited(2);
    std::fs::write(&list, "999999999.99\n").unwrap();
    let other = stage.path("other.pdf");
    enrol(&list, &other).exited(2);
    assert!(!other.exists());
    assert_eq!(enrol(Path::new("all"), &other).done().json()["codes"], 12);
}
