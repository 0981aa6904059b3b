//! What a capture costs, as a ratio to what it cannot do without: one durable insert into an encrypted
//! database, and the seal. Both in one run, on one disk: `cargo bench -p testigo-phone --bench capture`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "a benchmark, with the tests' headquarters"
)]

#[path = "../tests/phone/support.rs"]
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{FakeHq, key};
use testigo_phone::{Phone, ReportInput};
use testigo_sqlite::Migration;
use testigo_wire::{Body, Envelope, SealPublicKey, SigningKey};

/// One pair is measured in turn, so that a busy disk is shared fairly.
const PAIRS: usize = 400;

const RAW: &[Migration] = &[Migration {
    sql: "CREATE TABLE raw (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
}];

/// The least that "saved" can mean: one sealed envelope in one durable transaction.
struct Raw {
    db: rusqlite::Connection,
    body: Body,
    seal: SealPublicKey,
    device: SigningKey,
    election: testigo_wire::ElectionId,
}

impl Raw {
    fn new(dir: &Path, hq: &FakeHq, body: Body) -> Self {
        Self {
            db: testigo_sqlite::open_or_create(&dir.join("raw.db"), &key(), RAW, 7).unwrap(),
            body,
            seal: hq.seal.public_key().unwrap(),
            device: SigningKey::from_seed(&[9; 32]),
            election: hq.election,
        }
    }

    fn seal(&self) -> Envelope {
        Envelope::seal(&self.body, self.election, &self.seal, &self.device).unwrap()
    }

    fn insert(&self, bytes: &[u8]) {
        self.db
            .execute("INSERT INTO raw (bytes) VALUES (?1)", [bytes])
            .unwrap();
    }
}

fn report(phone: &mut Phone) {
    let input = ReportInput {
        code: 21,
        note: Some("two blocks dark".to_owned()),
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

fn capture(criterion: &mut Criterion) {
    let dir = tempfile::tempdir_in(".").unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(&dir.path().join("phone"));
    report(&mut phone);
    support::deliver(&mut phone, &mut hq);
    let raw = Raw::new(dir.path(), &hq, hq.kept[0].1.clone());
    let sealed = raw.seal();

    let mut group = criterion.benchmark_group("capture");
    group.sample_size(30);
    group.bench_function("seal", |b| b.iter(|| raw.seal()));
    group.bench_function("raw-insert", |b| b.iter(|| raw.insert(sealed.as_bytes())));
    group.bench_function("report", |b| b.iter(|| report(&mut phone)));
    group.finish();

    let mut raws = Vec::new();
    let mut captures = Vec::new();
    for _ in 0..PAIRS {
        let began = Instant::now();
        raw.insert(raw.seal().as_bytes());
        raws.push(began.elapsed());
        let began = Instant::now();
        report(&mut phone);
        captures.push(began.elapsed());
    }
    let (raw, capture) = (median(raws), median(captures));
    println!(
        "capture: median of {PAIRS} in turn: {capture:?}; raw durable insert and seal: {raw:?}; ratio {:.2}",
        capture.as_secs_f64() / raw.as_secs_f64()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

criterion_group!(benches, capture);
criterion_main!(benches);
