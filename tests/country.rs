//! A whole country played once more: 24,532 made-up tables through `testigo replay`, some minutes long.
//! `cargo bench -p testigo --bench country`; the program prints rows a second for capture, wire and headquarters.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

mod support;

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("results.csv");
    std::fs::write(&path, support::published(24_532)).expect("a file");
    let ended = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", "en", "replay"])
        .arg(&path)
        .status();
    match ended.is_ok_and(|status| status.success()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
