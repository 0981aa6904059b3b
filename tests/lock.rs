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
    let saved = phone.report("while locked");
    let status = phone.run(&["status"]).done().json();
    assert_eq!(
        (&status["queued"], &status["table"]),
        (&2.into(), &Value::Null)
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
    assert_eq!(stage.hq.held().notes(), ["before", "while locked"]);
    assert_eq!(
        list(&phone, PIN),
        [None, None],
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
fn so_many_wrong_pins_wipe_where_the_witness_chose_so() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.run_with_input(&["pin", "set"], PIN).done();
    let set = phone.run(&["settings", "--wipe-after", "3"]).done().json();
    assert_eq!(
        (&set["wipe_after"], &set["burn"]),
        (&3.into(), &true.into())
    );
    phone.run(&["settings", "--wipe-after", "2"]).exited(2);
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
