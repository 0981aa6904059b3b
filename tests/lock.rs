//! Locked, unlocked, opened under duress, burned and wiped: real processes, and what stays on the disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use support::{Phone, Stage, TABLE, contents};

const PIN: &[u8] = b"428619\n";
const DURESS: &[u8] = b"111222\n";

/// `what` of each record, newest first.
fn shown(list: &Value) -> Vec<Option<String>> {
    (list.as_array().unwrap().iter())
        .map(|item| item["what"].as_str().map(str::to_owned))
        .collect()
}

fn list(phone: &Phone, pin: &[u8]) -> Vec<Option<String>> {
    shown(
        &phone
            .run_with_input(&["--pin-stdin", "list"], pin)
            .done()
            .json(),
    )
}

fn code(ended: &support::Ended) -> String {
    ended.text("/error/code")
}

#[test]
fn a_locked_phone_captures_and_sends_and_shows_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("before");
    phone.run_with_input(&["pin", "set"], PIN).done();
    let refused = phone.run(&["list"]);
    assert_eq!((code(&refused), refused.status), ("locked".into(), Some(2)));
    assert_eq!(code(&phone.run(&["parked"])), "locked");
    let said = phone.run_in("es", &["list"]);
    assert!(said.err.contains("desbloquee para leer"), "{said:?}");
    // Nor does it say where its witness is, or whether a table that somebody tries is theirs.
    let answer = phone.run(&["report", "90"]).done().json();
    assert_eq!(answer["table"], Value::Null, "{answer}");
    let tried = phone
        .run(&["report", "90", "--table", "110601011.04"])
        .done();
    assert_eq!(tried.json()["warnings"], serde_json::json!([]), "{tried:?}");
    let saved = phone.report("while locked");
    let status = phone.run(&["status"]).done().json();
    assert_eq!(
        (&status["queued"], &status["table"]),
        (&4.into(), &Value::Null)
    );
    assert_eq!(
        code(&phone.run_with_input(&["unlock"], b"000000\n")),
        "wrong-pin"
    );
    phone.run_with_input(&["unlock"], PIN).done();
    let shown = list(&phone, PIN);
    assert_eq!(shown.len() as u64, saved.sequence);
    assert!(shown[0].as_ref().unwrap().contains("while locked"));

    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["", "", "before", "while locked"]);
    assert_eq!(
        list(&phone, PIN),
        [None, None, None, None],
        "what was delivered has burned"
    );

    let mut change = PIN.to_vec();
    change.extend_from_slice(b"another one\n");
    phone.run_with_input(&["pin", "change"], &change).done();
    assert_eq!(code(&phone.run_with_input(&["unlock"], PIN)), "wrong-pin");
    phone
        .run_with_input(&["pin", "remove"], b"another one\n")
        .done();
    phone.run(&["list"]).done();
}

#[test]
fn delays_after_wrong_pins_outlast_the_process() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.run_with_input(&["pin", "set"], PIN).done();
    for _ in 0..4 {
        assert_eq!(
            code(&phone.run_with_input(&["unlock"], b"000000\n")),
            "wrong-pin"
        );
    }
    let refused = phone.run_with_input(&["unlock"], PIN);
    assert_eq!(code(&refused), "too-soon");
    // Nor does a clock that is wrong help.
    let home = phone.home.to_str().unwrap();
    let wrong_clock = [
        "phone",
        "--home",
        home,
        "--clock-wrong-by-minutes",
        "90",
        "unlock",
    ];
    assert_eq!(
        code(&support::run_with_input(&wrong_clock, PIN)),
        "too-soon"
    );
    phone.report("all the same");
}

#[test]
fn a_shell_stays_unlocked_until_it_is_locked() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("a note");
    phone.run_with_input(&["pin", "set"], PIN).done();
    let mut shell = phone.shell();
    let locked = |answer: Value| answer["error"]["code"] == "locked";
    assert!(locked(shell.ask("list")));
    let answer = shell.ask("unlock\n428619");
    assert_eq!(answer["done"], "unlocked");
    assert_eq!(shown(&shell.ask("list")).len(), 1);
    assert_eq!(shell.ask("lock")["done"], "locked");
    assert!(locked(shell.ask("list")));
}

#[test]
fn under_duress_the_phone_looks_harmless_and_headquarters_hear_of_it() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("soldiers at the door");
    phone.run(&["report", "90", "--note", "all well"]).done();
    phone.run_with_input(&["pin", "set"], PIN).done();
    phone
        .run_with_input(&["duress", "set"], &[PIN, DURESS].concat())
        .done();
    let status = || phone.run(&["status"]).done().json();
    let before = status();
    let shown = list(&phone, DURESS);
    assert!(shown[0].as_ref().unwrap().contains("all well"));
    assert_eq!(shown[1], None);
    assert_eq!(status(), before);
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], 2);
    let held = stage.hq.held();
    let codes: Vec<&Value> = held
        .incidents()
        .iter()
        .map(|incident| &incident["code"])
        .collect();
    assert!(codes.contains(&&37.into()), "{codes:?}");
    assert_eq!(list(&phone, DURESS).len(), 2);
    // Each time that it was given.
    assert_eq!(list(&phone, PIN).len(), 4);
}

#[test]
fn a_phone_that_is_wiped_is_no_phone() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("a note");
    let asked = phone.run(&["wipe"]).exited(1).json();
    assert_eq!(
        (&asked["wiped"], &asked["undelivered"]),
        (&false.into(), &1.into())
    );
    assert_eq!(phone.queued(), 1);
    let wiped = phone.run(&["wipe", "--yes"]).done().json();
    assert_eq!(
        (&wiped["wiped"], &wiped["undelivered"]),
        (&true.into(), &1.into())
    );
    assert!(contents(&phone.home).is_empty());
    assert_eq!(code(&phone.run(&["status"])), "no-phone");
    // The folder may have another.
    phone.run(&["init"]).done();
}

#[test]
fn whether_headquarters_hear_of_duress_is_the_witnesss_choice() {
    let stage = Stage::new();
    for (alarm, heard) in [("no", 0), ("yes", 1)] {
        let phone = stage.phone(alarm, TABLE);
        phone.run_with_input(&["pin", "set"], PIN).done();
        let pins = [PIN, DURESS].concat();
        phone
            .run_with_input(&["duress", "set", "--alarm", alarm], &pins)
            .done();
        assert_eq!(phone.queued(), 0);
        phone.run_with_input(&["unlock"], DURESS).done();
        phone.sync();
        let held = stage.hq.held();
        let alarms = held.incidents().iter().filter(|one| one["code"] == 37);
        assert_eq!(alarms.count(), heard, "{alarm}");
    }
}

#[test]
fn a_phone_that_does_not_open_is_wiped_all_the_same() {
    let stage = Stage::new();
    for (at, breaks) in ["unsafe-key", "phone.db"].into_iter().enumerate() {
        let phone = stage.phone(&format!("phone-{at}"), TABLE);
        phone.report("a note");
        std::fs::write(phone.home.join(breaks), b"damaged").unwrap();
        phone.run(&["status"]).exited(2);
        // What would be lost cannot be told; it is asked for all the same.
        phone.run(&["wipe"]).exited(2);
        assert!(!contents(&phone.home).is_empty());
        let wiped = phone.run(&["wipe", "--yes"]).done().json();
        assert_eq!(
            (&wiped["wiped"], &wiped["undelivered"]),
            (&true.into(), &Value::Null)
        );
        assert!(contents(&phone.home).is_empty());
    }
    let gone = stage.phone("gone", TABLE);
    std::fs::remove_file(gone.home.join("phone.db")).unwrap();
    gone.run(&["wipe", "--yes"]).done();
    assert!(contents(&gone.home).is_empty());
    let nobody = stage.phone("nobody", TABLE);
    nobody.run(&["wipe", "--yes"]).done();
    assert_eq!(code(&nobody.run(&["wipe", "--yes"])), "no-phone");
}

#[test]
fn headquarters_take_in_what_waits_on_a_phone_whose_key_store_lost_its_key() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("unsent");
    let picture = stage.path("picture.bin");
    std::fs::write(&picture, b"no format at all").unwrap();
    phone.report_with("unsent, with a file", &picture);
    std::fs::remove_file(phone.home.join("unsafe-key")).unwrap();
    phone.run(&["sync"]).exited(2);
    let home = phone.home.to_str().unwrap();
    let rescued = stage.hq.run(&["rescue", home]).done().json();
    assert_eq!(
        (&rescued["new"], &rescued["files"], &rescued["left"]),
        (&2.into(), &1.into(), &0.into())
    );
    assert_eq!(stage.hq.run(&["rescue", home]).done().json()["new"], 0);
    let mut notes = stage.hq.held().notes();
    notes.sort();
    assert_eq!(notes, ["unsent", "unsent, with a file"]);
    // Others cannot, and a wiped phone leaves nothing to open.
    let other = Stage::new();
    let refused = other.hq.run(&["rescue", home]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.err.contains("other headquarters"), "{refused:?}");
    phone.run(&["wipe", "--yes"]).done();
    stage.hq.run(&["rescue", home]).exited(2);
}

#[test]
fn so_many_wrong_pins_wipe_where_the_witness_chose_so() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.run_with_input(&["pin", "set"], PIN).done();
    let refused = phone.run(&["settings", "--wipe-after", "3"]);
    assert_eq!(code(&refused), "locked");
    let set = phone
        .run_with_input(&["--pin-stdin", "settings", "--wipe-after", "3"], PIN)
        .done()
        .json();
    assert_eq!(
        (&set["wipe_after"], &set["burn"]),
        (&3.into(), &true.into())
    );
    phone
        .run_with_input(&["--pin-stdin", "settings", "--wipe-after", "2"], PIN)
        .exited(2);
    for _ in 0..2 {
        assert_eq!(
            code(&phone.run_with_input(&["unlock"], b"000000\n")),
            "wrong-pin"
        );
    }
    assert_eq!(
        code(&phone.run_with_input(&["unlock"], b"000000\n")),
        "wiped"
    );
    assert!(contents(&phone.home).is_empty());
}
