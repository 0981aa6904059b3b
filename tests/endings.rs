//! How processes end: what a signal leaves behind, and what an unfinished request may hold up.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::LIMIT;

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts the demo with its folder under `temp`; returns when it has told this, and headquarters'
/// address.
fn demo_until(temp: &Path, told: &str) -> (Child, String) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", "en", "demo", "--serve"])
        .env("TMPDIR", temp)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut address = String::new();
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, url)) = line.split_once("http://") {
            address = url.split(['/', ' ']).next().unwrap().to_owned();
        }
        if line.contains(told) {
            return (demo, address);
        }
    }
    panic!("the demo never told: {told}");
}

#[test]
fn a_signal_at_any_point_of_the_demo_leaves_no_keys_and_no_process() {
    for told in [
        "A new HQ",
        "The witness reports",
        "HQ returns",
        "in a browser",
    ] {
        for name in ["-INT", "-TERM"] {
            let temp = tempfile::tempdir().unwrap();
            let (mut demo, address) = demo_until(temp.path(), told);
            signal(&demo, name);
            until("the demo does not end", || {
                demo.try_wait().unwrap().is_some()
            });
            let left = std::fs::read_dir(temp.path()).unwrap().count();
            assert_eq!(left, 0, "{name} at {told:?}");
            if !address.is_empty() {
                assert!(TcpStream::connect(&address).is_err(), "{name} at {told:?}");
            }
        }
    }
}

#[test]
fn headquarters_end_when_the_demo_is_killed() {
    let temp = tempfile::tempdir().unwrap();
    let (mut demo, address) = demo_until(temp.path(), "in a browser");
    TcpStream::connect(&address).unwrap();
    demo.kill().unwrap();
    demo.wait().unwrap();
    until("headquarters live on", || {
        TcpStream::connect(&address).is_err()
    });
}
