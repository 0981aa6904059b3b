//! The outbox from the terminal: what waits and why, in three languages; the budget; what is carried elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    dead_code,
    reason = "tests"
)]

mod support;

use std::process::Command;
use support::{Phone, Process, Stage, TABLE, contents};

#[test]
fn a_phone_that_watches_delivers_what_another_process_saves() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let home = phone.home.to_str().unwrap().to_owned();
    phone.report("before");
    let mut watching = Process::start(&["phone", "--home", &home, "sync", "--watch"]);
    assert_eq!(watching.json()["delivered"], 1);
    phone.report("meanwhile");
    assert_eq!(watching.json()["delivered"], 1);
    watching.kill();
    assert_eq!(stage.hq.held().notes(), ["before", "meanwhile"]);
    assert_eq!(phone.queued(), 0);
}

#[test]
fn status_tells_what_is_left_why_and_when_in_three_languages() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    stage.hq.kill();
    assert_eq!(phone.sync()["failure"]["code"], "no-network");
    let status = phone.run(&["status"]).done().json();
    let progress = &status["progress"];
    assert_eq!(progress["failure"]["code"], "no-network", "{status}");
    assert_eq!(progress["lanes"][0]["records"], 1);
    assert!(progress["next_attempt_ms"].as_u64().unwrap() <= 15_000);
    let said = ["es", "en", "pt-BR"].map(|lang| {
        let status = phone.run_in(lang, &["status"]).done().json();
        status["progress"]["sentences"].to_string()
    });
    assert!(said[0].contains("No hay conexión"), "{}", said[0]);
    assert!(said[1].contains("cannot be reached"), "{}", said[1]);
    assert!(said[2].contains("Não há conexão"), "{}", said[2]);

    stage.serve_again();
    phone.sync_all_well();
    let status = phone.run(&["status"]).done().json();
    assert_eq!(status["progress"]["code"], "delivered");
    assert!(status["progress"]["failure"].is_null());
}

/// What a person is shown.
fn as_told(phone: &Phone, lang: &str, command: &str) -> String {
    let shown = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .env("TZ", "America/Caracas")
        .args(["--lang", lang, "phone", "--home"])
        .arg(&phone.home)
        .arg(command)
        .output()
        .unwrap();
    String::from_utf8(shown.stdout).unwrap()
}

#[test]
fn a_person_is_told_in_one_language_and_by_the_clock_on_the_wall() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.run(&["settings", "--burn", "no"]).done();
    phone.report("one");
    phone.sync_all_well();
    for (lang, word) in [("es", "En cola"), ("en", "Queued"), ("pt", "Na fila")] {
        let said = as_told(&phone, lang, "status");
        assert!(said.starts_with(word), "{said}");
    }
    let json = phone.run(&["list"]).done().json();
    let saved_at = json[0]["saved_at"].as_str().unwrap();
    let saved_at = testigo_wire::Time::from_rfc3339(saved_at).unwrap();
    let here = saved_at.at_offset(-240).to_the_minute();
    let list = as_told(&phone, "en", "list");
    // Where it was saved under another offset, that is told, too.
    let saved = match saved_at.offset_minutes() {
        -240 => here,
        _ => saved_at.to_the_minute() + " (UTC",
    };
    assert!(list.contains(&saved), "{list}");
}

#[cfg(unix)]
#[test]
fn a_phones_folder_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&phone.home), 0o700);
    // One that was there keeps what its owner gave it.
    let there = stage.path("there");
    std::fs::create_dir(&there).unwrap();
    std::fs::set_permissions(&there, PermissionsExt::from_mode(0o750)).unwrap();
    Phone::init(there.clone());
    assert_eq!(mode(&there), 0o750);
}

#[test]
fn no_bar_and_nothing_else_reaches_a_pipe() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("one");
    let synced = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", "en", "phone", "--home"])
        .arg(&phone.home)
        .arg("sync")
        .output()
        .unwrap();
    assert!(synced.status.success());
    assert_eq!(String::from_utf8(synced.stderr).unwrap(), "");
    let out = String::from_utf8(synced.stdout).unwrap();
    assert!(out.starts_with("Delivered: 1;"), "{out}");
}

#[test]
fn mobile_data_costs_no_more_than_the_budget_and_records_always_go() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let shown = phone.run(&["budget"]).done().json();
    assert_eq!(shown["bytes_a_day"], 25 * 1024 * 1024);
    assert_eq!(shown["photos_on_metered"], true);
    let set = [
        "budget",
        "--bytes-a-day",
        "none",
        "--photos-on-metered",
        "no",
    ];
    let shown = phone.run(&set).done().json();
    assert!(shown["bytes_a_day"].is_null());
    assert_eq!(phone.run(&["budget"]).done().json(), shown);
    phone.run(&["budget", "--bytes-a-day", "much"]).exited(2);

    let film = stage.path("film.bin");
    std::fs::write(&film, vec![7; 300_000]).unwrap();
    let report = [
        "report",
        "99",
        "--note",
        "film",
        "--attach",
        film.to_str().unwrap(),
    ];
    phone.run(&report).done();
    let synced = phone.run(&["sync", "--metered"]).exited(1).json();
    assert_eq!(
        (&synced["delivered"], &synced["attachments_remaining"]),
        (&1.into(), &1.into())
    );
    assert_eq!(synced["held"]["unmetered_only"], 1, "{synced}");
    let said = phone.run(&["status", "--metered"]).done().json();
    assert_eq!(said["progress"]["code"], "held-back");
    // Who does not say which link is meant is told of the last pass's.
    assert_eq!(phone.run(&["status"]).done().json(), said);
    assert_eq!(said["progress"]["link"], "metered");
    let said = as_told(&phone, "en", "status");
    let why = "1 file waits for a network that does not charge for data (Wi-Fi).";
    assert!(said.contains(why), "{said}");
    assert!(
        phone.run(&["budget"]).done().json()["spent_bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(
        phone.run(&["sync"]).done().json()["attachments_delivered"],
        1
    );
}

#[test]
fn a_record_is_carried_elsewhere_sealed_and_only_what_is_parked_is_retried() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let film = stage.path("film.bin");
    std::fs::write(&film, vec![7; 100_000]).unwrap();
    let report = [
        "report",
        "99",
        "--note",
        "sealed words",
        "--attach",
        film.to_str().unwrap(),
    ];
    phone.run(&report).done();
    let out = stage.path("carried");
    let export = ["export", "1", "--out", out.to_str().unwrap()];
    assert_eq!(phone.run(&export).done().json()["files"], 1);
    for (path, bytes) in contents(&out) {
        let open = [b"sealed words".as_slice(), &[7; 12]];
        let found = open
            .iter()
            .any(|open| bytes.windows(12).any(|window| window == *open));
        assert!(!found, "{}", path.display());
    }
    phone.run(&export).exited(2);
    assert_eq!(phone.run(&["parked"]).done().json(), serde_json::json!([]));
    let refused = phone.run(&["retry", "1"]).exited(2);
    assert_eq!(refused.json()["error"]["code"], "input");
}
