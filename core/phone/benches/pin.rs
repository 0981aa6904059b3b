//! What a PIN costs: Argon2id with several parameters, on one core. `cargo bench -p testigo-phone --bench pin`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use argon2::{Algorithm, Argon2, Params, Version};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

/// Memory in MiB, and passes.
const COSTS: [(u32, u32); 6] = [(19, 2), (32, 2), (32, 3), (64, 1), (64, 2), (64, 3)];

fn pin(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pin");
    group.sample_size(10);
    for (mib, passes) in COSTS {
        let params = Params::new(mib * 1024, passes, 1, Some(32)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        group.bench_function(format!("{mib}-MiB-{passes}-passes"), |b| {
            b.iter(|| {
                let mut key = [0; 32];
                argon2
                    .hash_password_into(black_box(b"428619"), &[7; 16], &mut key)
                    .unwrap();
                key
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pin);
criterion_main!(benches);
