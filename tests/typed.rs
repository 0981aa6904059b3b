//! A sheet whose code cannot be read, typed twice in a terminal, with real processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use support::{SHEET, Stage, TABLE};

/// The answers to each question, in the paper's order: table, slots, null votes, hash, machine.
fn paper() -> Vec<String> {
    let votes = SHEET.split('!').nth(1).unwrap().split(',');
    let rest = [SHEET.split('!').nth(2).unwrap(), "0AB9", ""];
    (std::iter::once(TABLE).chain(votes).chain(rest))
        .map(str::to_owned)
        .collect()
}

fn answers(times: &[Vec<String>]) -> Vec<u8> {
    (times.concat().join("\n") + "\n").into_bytes()
}

fn row(stage: &Stage) -> Value {
    stage.hq.held().table(TABLE).clone()
}

#[test]
fn numbers_typed_twice_are_counted_and_a_slip_is_asked_for_again() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut slipped = paper();
    slipped[3] = "99".to_owned();
    let right = paper()[3].clone();
    // What is no number is asked for once more; the field that differs twice more.
    let mut first = paper();
    first.insert(1, "ten".to_owned());
    let again = vec![right.clone(), right];
    let input = answers(&[first, slipped, again]);
    let ended = phone.run_with_input(&["tally", "--typed"], &input);
    let asked = |slot: &str| ended.err.matches(slot).count();
    let asked = [asked("  1 PSUV"), asked("  2 PCV"), asked("  3 TUPAMARO")];
    assert_eq!(asked, [3, 2, 4], "{}", ended.err);
    let saved = ended.done().json();
    assert_eq!(
        (&saved["table"], &saved["tally"]["vouch"]),
        (&TABLE.into(), &"typed-twice".into())
    );
    assert_eq!(saved["warnings"], serde_json::json!([18]), "no photograph");

    phone.sync_all_well();
    let typed = row(&stage);
    assert_eq!(
        (&typed["state"], &typed["readings"]),
        (&"reported".into(), &1.into())
    );
    assert_eq!(typed["standing"]["code"], "typed-twice/unconfirmed-device");
    assert_eq!(
        typed["printed"],
        serde_json::json!([{ "hash": "0AB9", "machine_code": null }])
    );

    // Its code says the same, and vouches for it further; another typing that differs is a conflict.
    phone.tally(SHEET);
    phone.sync_all_well();
    let both = row(&stage);
    assert_eq!(
        (&both["state"], &both["readings"]),
        (&"reported".into(), &2.into())
    );
    assert_eq!(both["standing"]["code"], "plain-code/unconfirmed-device");
    let mut other = paper();
    other[1] = "1".to_owned();
    let input = answers(&[other.clone(), other]);
    stage
        .phone("other", TABLE)
        .run_with_input(&["tally", "--typed"], &input)
        .done();
    let other = support::Phone {
        home: stage.path("other"),
    };
    other.sync_all_well();
    let conflict = row(&stage);
    assert_eq!(conflict["state"], "conflict");
    let versions = conflict["versions"].as_array().unwrap();
    assert_eq!(
        versions[0]["standing"]["code"],
        "plain-code/unconfirmed-device"
    );

    // A person compares and decides; it can be taken back.
    let numbers = |version: &Value| -> Vec<i64> {
        let numbers = version["numbers"].as_array().unwrap().iter();
        numbers.map(|number| number.as_i64().unwrap()).collect()
    };
    let (right, wrong) = (numbers(&versions[0]), numbers(&versions[1]));
    assert_eq!((right.len(), wrong.len()), (2, 1));
    let review = |words: &[&str]| stage.hq.run(&[&["review"], words].concat());
    let chosen = right[1].to_string();
    let done = review(&["choose", &chosen, "--why", "photograph"]).done();
    assert_eq!(done.json()["set_aside"], serde_json::json!(wrong));
    let settled = row(&stage);
    assert_eq!(
        (&settled["state"], &settled["readings"], &settled["waiting"]),
        (&"reported".into(), &2.into(), &1.into())
    );
    assert_eq!(settled["standing"]["code"], "plain-code/staff");
    review(&["count", &wrong[0].to_string()]).done();
    assert_eq!(row(&stage)["state"], "conflict");
    review(&["choose", "9999"]).exited(2);
}

#[test]
fn an_input_that_ends_early_saves_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut half = paper();
    half.truncate(9);
    phone
        .run_with_input(&["tally", "--typed"], &answers(&[paper(), half]))
        .exited(2);
    let list = phone.run(&["list"]).done().json();
    assert_eq!(list.as_array().unwrap().len(), 0);
}
