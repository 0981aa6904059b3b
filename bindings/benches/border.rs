//! What the calls cost in Rust itself: the other languages' costs are given as ratios to these. Run it
//! after `cargo build --release -p testigo`, then `border.py` beside it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a benchmark, with the tests' headquarters"
)]

#[path = "../tests/contract/headquarters.rs"]
mod headquarters;

use criterion::{Criterion, criterion_group, criterion_main};
use headquarters::Stage;
use std::hint::black_box;
use testigo_bindings::{ReportInput, Rotation, Scanner, library_version};

fn border(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("border");
    group.bench_function("call", |b| b.iter(library_version));

    let scanner = Scanner::new();
    let frame = vec![255; 1280 * 720];
    // A stride that is too short is refused before any pixel is looked at: the way of a frame alone.
    group.bench_function("frame-refused", |b| {
        b.iter(|| {
            scanner
                .scan(black_box(&frame), 1280, 720, 1, Rotation::None)
                .is_err()
        });
    });
    group.bench_function("pixel-refused", |b| {
        b.iter(|| {
            scanner
                .scan(black_box(&frame[..1]), 1280, 720, 1, Rotation::None)
                .is_err()
        });
    });
    group.sample_size(10).bench_function("frame-scanned", |b| {
        b.iter(|| {
            scanner
                .scan(black_box(&frame), 1280, 720, 1280, Rotation::None)
                .unwrap()
        });
    });

    let stage = Stage::new();
    let phone = stage.phone("phone");
    group.sample_size(20).bench_function("capture", |b| {
        b.iter(|| {
            let input = ReportInput {
                code: 21,
                note: Some("two blocks dark".to_owned()),
                ..ReportInput::default()
            };
            phone.report(input).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, border);
criterion_main!(benches);
