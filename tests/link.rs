//! What a bad link costs: a hundred reports over 50 kbit/s with 600 ms there and back, and a file of 3 MB that
//! is cut off twenty times. Real processes with a bad link between them, built for release:
//! `cargo bench -p testigo --bench link`, about a minute. It ends with 1 where a goal is missed.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark, with the tests' headquarters"
)]

mod support;

use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::{Chance, Headquarters, LIMIT, Phone, TABLE};
use tempfile::TempDir;
use testigo_proxy::{Counts, Link, Proxy};

const REPORTS: u64 = 100;
/// Bits a second, each way.
const RATE: u64 = 50_000;
/// One way.
const LATENCY: Duration = Duration::from_millis(300);

const FILE: usize = 3_000_000;
const CUTS: u64 = 20;

fn main() -> ExitCode {
    let slow = a_hundred_reports_over_a_slow_link();
    let cut = a_file_cut_off(&mut Chance::new());
    if slow && cut {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints a figure beside its goal; whether the goal is met.
fn figure(what: &str, measured: f64, goal: f64) -> bool {
    let met = measured <= goal;
    let said = if met { "met" } else { "MISSED" };
    println!("{what}: {measured:.3} (goal: at most {goal}; {said})");
    met
}

fn a_hundred_reports_over_a_slow_link() -> bool {
    let stage = Stage::new();
    let phone = stage.phone();
    let mut shell = phone.shell();
    for n in 0..REPORTS {
        let saved = shell.ask(&format!("report 21 --note \"two blocks dark, {n}\""));
        assert_eq!(saved["saved"], n + 1, "{saved}");
    }
    shell.kill();
    stage.proxy.set(Link {
        rate: RATE,
        latency: LATENCY,
        ..Link::default()
    });

    let since = Instant::now();
    let report = phone.sync();
    let took = since.elapsed();
    assert_eq!(report["delivered"], REPORTS, "{report}");
    let counts = stage.counts();
    assert_eq!(stage.hq.held().incidents().len() as u64, REPORTS);

    let limit = Duration::from_secs_f64(counts.up as f64 * 8.0 / RATE as f64) + 2 * LATENCY;
    let (body, requests) = (number(&report["bytes_sent"]), number(&report["requests"]));
    println!(
        "{REPORTS} reports, enrolment included: {:.1} s, the link alone {:.1} s; {requests} requests, {body} bytes \
         of bodies; by TCP {counts}",
        took.as_secs_f64(),
        limit.as_secs_f64(),
    );
    let a_report = |n: u64| n as f64 / REPORTS as f64;
    [
        figure(
            "time to the link's own",
            took.as_secs_f64() / limit.as_secs_f64(),
            1.3,
        ),
        figure("bytes of bodies a report", a_report(body), 1_700.0),
        figure("bytes by TCP a report", a_report(counts.up), 1_700.0),
        figure(
            "round trips a report, the connection's own included",
            a_report(counts.turns + counts.connections),
            0.05,
        ),
    ]
    .iter()
    .all(|met| *met)
}

fn a_file_cut_off(chance: &mut Chance) -> bool {
    let stage = Stage::new();
    let phone = stage.phone();
    let bytes: Vec<u8> = (0..FILE / 8)
        .flat_map(|_| chance.next().to_le_bytes())
        .collect();
    let file = stage.path("recording.bin");
    std::fs::write(&file, &bytes).unwrap();
    // The record goes first, over a whole link: the file alone is measured.
    let attach = ["report", "99", "--attach", file.to_str().unwrap()];
    phone.run(&attach).done();
    let home = support::contents(&phone.home.join("blobs"));
    let size: usize = home.values().map(Vec::len).sum();

    let since = Instant::now();
    let mut syncs = 0;
    while stage.proxy.counts().cut < CUTS {
        assert!(since.elapsed() < LIMIT, "{}", stage.proxy.counts());
        // Spread over the whole file, wherever in a chunk they fall.
        stage.proxy.set(Link {
            cut_after: Some(chance.below(2 * size as u64 / CUTS)),
            ..Link::default()
        });
        let report = phone.sync();
        syncs += 1;
        assert!(!report["failure"].is_null(), "too early whole: {report}");
    }
    stage.proxy.set(Link::default());
    let report = phone.sync();
    assert_eq!(report["attachments_delivered"], 1, "{report}");
    let counts = stage.counts();
    let held = stage.hq.held();
    let id = held.incidents()[0]["attachments"]["files"][0]["id"].as_u64();
    let opened = stage.hq.opened(id.unwrap(), &stage.path("opened"));
    assert!(opened == bytes, "other bytes arrived");

    println!("A file of {size} bytes, {syncs} syncs cut off: by TCP {counts}");
    figure(
        "bytes up to the file's own",
        counts.up as f64 / size as f64,
        1.1,
    )
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Headquarters behind a link that turns bad.
struct Stage {
    hq: Headquarters,
    proxy: Proxy,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let proxy = Proxy::open(any, any, Link::default(), 1).unwrap();
        let endpoint = format!("http://{}", proxy.address());
        let mut hq = Headquarters::init(folder.path().join("hq"), &endpoint);
        proxy.lead_to(hq.serve(0));
        Self { hq, proxy, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn phone(&self) -> Phone {
        let image = self.path("witness.png");
        self.hq.invite(TABLE, &image);
        let phone = Phone::init(self.path("phone"));
        phone.enrol(&image, &self.hq.public()).done();
        phone
    }

    /// What has passed, once every connection has ended.
    fn counts(&self) -> Counts {
        while self.proxy.open_connections() > 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.proxy.counts()
    }
}
