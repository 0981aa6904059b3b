//! What headquarters' desk says reaches the phone, with real processes: read, counted, in conflict, and
//! what it could not place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use support::{OTHER_SHEET, Phone, SHEET, Stage, TABLE, Way};
use testigo_wire::NoticeStatus;

fn status(phone: &Phone, sequence: usize) -> Option<u64> {
    let list = phone.run(&["list"]).done().json();
    let line = (list.as_array().unwrap().iter())
        .find(|line| line["sequence"] == sequence)
        .unwrap();
    line["notice"]["status"].as_u64()
}

fn is(status: NoticeStatus) -> Option<u64> {
    Some(u64::from(status.0))
}

fn asked(phone: &Phone, stage: &Stage) -> Value {
    stage.hq.held();
    phone.sync_all_well()
}

#[test]
fn the_desk_says_what_became_of_each_record() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("read it");
    phone.tally(SHEET);
    phone
        .run(&["report", "99", "--table", "999999999.01", "--note", "x"])
        .done();
    phone.run(&["tally", "no known sheet"]).exited(1);
    let first = phone.sync_all_well();
    assert_eq!(first["notices"], 0, "{first}");
    let told = asked(&phone, &stage);
    assert_eq!(told["notices"], 4, "{told}");
    assert_eq!(status(&phone, 1), is(NoticeStatus::READ));
    assert_eq!(status(&phone, 2), is(NoticeStatus::COUNTED));
    assert_eq!(status(&phone, 3), is(NoticeStatus::UNKNOWN_TABLE));
    assert_eq!(status(&phone, 4), is(NoticeStatus::READ));
    // What was told once is not told again.
    assert_eq!(asked(&phone, &stage)["notices"], 0);

    // Another witness reads the same table otherwise: both hear of it.
    let other = stage.phone("other", TABLE);
    let differing = SHEET.replacen("!", "!1", 1);
    assert_ne!(differing, SHEET);
    other.tally(&differing);
    other.sync_all_well();
    let told = asked(&other, &stage);
    assert_eq!(told["notices"], 1, "{told}");
    assert_eq!(status(&other, 1), is(NoticeStatus::CONFLICT));
    assert_eq!(asked(&phone, &stage)["notices"], 1);
    assert_eq!(status(&phone, 2), is(NoticeStatus::CONFLICT));
    assert_eq!(status(&phone, 1), is(NoticeStatus::READ));
}

#[test]
fn a_lost_reply_and_a_killed_headquarters_lose_no_notice() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.tally(OTHER_SHEET);
    phone.report("one");
    phone.sync_all_well();
    stage.hq.held();
    stage.proxy.set(Way::ReplyLost);
    assert!(!phone.sync()["failure"].is_null());
    assert_eq!(status(&phone, 1), None);
    stage.proxy.set(Way::Clear);
    stage.restart_hq();
    assert_eq!(phone.sync_all_well()["notices"], 2);
    assert_eq!(status(&phone, 1), is(NoticeStatus::COUNTED));
    assert_eq!(status(&phone, 2), is(NoticeStatus::READ));
}

/// As `init` of a release without a desk's key left it.
#[test]
fn a_headquarters_without_a_desk_key_works_on() {
    let mut stage = Stage::new();
    stage.hq.kill();
    let root = std::fs::read(stage.hq.data().join("keys/root.key")).unwrap();
    let root = testigo_wire::SigningKey::from_seed(&root.try_into().unwrap());
    let mut keyset = stage.hq.keyset();
    keyset.desk.clear();
    let path = stage.hq.public().join("keyset.cose");
    std::fs::write(path, keyset.sign(&root).unwrap()).unwrap();
    std::fs::remove_file(stage.hq.data().join("keys/desk.key")).unwrap();
    stage.serve_again();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    phone.sync_all_well();
    stage.hq.held();
    assert_eq!(phone.sync_all_well()["requests"], 0);
    assert_eq!(stage.hq.held().notes(), ["one"]);
}
