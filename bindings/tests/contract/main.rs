//! The scenarios of `bindings/contract.toml` in Rust: the same calls as the other languages make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod by_hand;
mod headquarters;
mod locked;
mod photograph;
mod scenarios;
mod typed;

use std::process::Command;

const SCENARIOS: [(&str, fn()); 15] = [
    ("enrol", scenarios::enrol),
    ("capture-offline", scenarios::capture_offline),
    ("killed-and-reopened", scenarios::killed_and_reopened),
    ("sync", scenarios::sync),
    ("receipts", scenarios::receipts),
    ("cancelled-sync", scenarios::cancelled_sync),
    ("wrong-key", scenarios::wrong_key),
    ("callback-throws", scenarios::callback_throws),
    ("eight-threads", scenarios::eight_threads),
    ("ten-thousand-calls", in_a_process_of_its_own),
    ("scanned-sheet", scenarios::scanned_sheet),
    ("photograph", photograph::photograph),
    ("by-hand", by_hand::by_hand),
    ("locked", locked::locked),
    ("typed-sheet", typed::typed_sheet),
];

/// What a process of its own does, and the folder it does it in.
const PART: &str = "TESTIGO_CONTRACT_PART";
const FOLDER: &str = "TESTIGO_CONTRACT_FOLDER";

fn main() {
    match std::env::var(PART).as_deref() {
        Ok("save") => return scenarios::save_until_killed(&std::env::var(FOLDER).unwrap()),
        Ok("calls") => return scenarios::ten_thousand_calls(),
        _ => {}
    }
    let contract = include_str!("../../contract.toml");
    let listed: Vec<&str> = (contract.lines())
        .filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'))
        .collect();
    let run: Vec<&str> = SCENARIOS.iter().map(|(id, _)| *id).collect();
    assert_eq!(run, listed, "exactly the scenarios of contract.toml");
    for (id, scenario) in SCENARIOS {
        scenario();
        println!("contract: rust {id} ok");
    }
}

/// This program again, as another process with a part to play.
fn part(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(PART, name);
    command
}

/// Its memory is measured, and must not hold what other scenarios left.
fn in_a_process_of_its_own() {
    assert!(part("calls").status().unwrap().success());
}
