//! What the start of a sync costs with 10,000 records that wait, as a ratio to ten: opening the phone, and
//! the first request. Each in a process of its own, whose largest memory is told by the kernel (Linux):
//! `cargo bench -p testigo-phone --bench sync_start`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a benchmark, with the tests' headquarters"
)]

#[path = "../tests/phone/support.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use support::{FakeHq, clock, key};
use testigo_phone::sync::{Link, Selection, Step, SyncPass};
use testigo_phone::{Phone, ReportInput};

const FEW: usize = 10;
const MANY: usize = 10_000;
const ROUNDS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--start") {
        return start(Path::new(&arguments[at + 1]));
    }
    let dir = tempfile::tempdir_in(".").unwrap();
    let stores = [FEW, MANY].map(|records| {
        let home = dir.path().join(records.to_string());
        let mut phone = FakeHq::new(1).phone(&home);
        for _ in 0..records {
            let input = ReportInput {
                code: 21,
                note: Some("two blocks dark".to_owned()),
                ..ReportInput::default()
            };
            phone.report(&input).unwrap();
        }
        home
    });
    let mut measured = [vec![], vec![]];
    for _ in 0..ROUNDS {
        for (home, measured) in stores.iter().zip(&mut measured) {
            let program = std::env::current_exe().unwrap();
            let child = Command::new(program)
                .arg("--start")
                .arg(home)
                .output()
                .unwrap();
            let text = String::from_utf8(child.stdout).unwrap();
            let numbers: Vec<u64> = text
                .split_whitespace()
                .map(|n| n.parse().unwrap())
                .collect();
            measured.push([numbers[0], numbers[1], numbers[2], numbers[3]]);
        }
    }
    let [few, many] = measured.map(|rounds| {
        [0, 1, 2, 3].map(|at| {
            let mut values: Vec<u64> = rounds.iter().map(|round| round[at]).collect();
            values.sort_unstable();
            values[values.len() / 2]
        })
    });
    println!("medians of {ROUNDS} processes each       {FEW:>8} {MANY:>8}   ratio");
    let lines = [
        ("open and first request, us", 0),
        ("one snapshot of progress, us", 1),
        ("status of the outbox, us", 2),
    ];
    for (name, at) in lines {
        let ratio = many[at] as f64 / few[at] as f64;
        println!("{name:<34} {:>8} {:>8}   {ratio:.2}", few[at], many[at]);
    }
    println!(
        "{:<34} {:>8} {:>8}   {:+} KiB",
        "largest memory, KiB",
        few[3],
        many[3],
        many[3] as i64 - few[3] as i64
    );
}

/// In a process of its own: microseconds, and KiB.
fn start(home: &Path) {
    let began = Instant::now();
    let mut phone = Phone::open(home, &key(), clock()).unwrap();
    let mut pass = SyncPass::new(Selection::Queued);
    let step = pass.step(&mut phone).unwrap();
    let started = began.elapsed().as_micros();
    assert!(matches!(step, Step::Send(_)));
    let began = Instant::now();
    let progress = phone.progress(Link::Metered).unwrap();
    let snapshot = began.elapsed().as_micros();
    let began = Instant::now();
    let outbox = phone.outbox().unwrap();
    let status = began.elapsed().as_micros();
    assert_eq!(progress.records_left(), outbox.queued);
    println!("{started} {snapshot} {status} {}", largest_kib());
}

fn largest_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
