//! Each target over its corpus, and over what a seed makes of it: no panic, no end that does not come.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use fastrand::Rng;
use std::path::Path;
use testigo_fuzz::{TARGETS, seeds};

/// What a seed makes of each input.
const MUTATIONS: usize = 24;

fn mutated(input: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            _ if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff][rng.usize(0..4)],
            _ => {}
        }
    }
    bytes
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[test]
fn nothing_in_the_corpus_and_near_it_makes_a_parser_panic() {
    let mut rng = Rng::with_seed(2024);
    for (name, target) in TARGETS {
        let kept = corpus(name);
        // What is made anew keeps up with the forms as they are now.
        let inputs: Vec<_> = kept.iter().chain(&seeds::of(name)).cloned().collect();
        assert!(
            kept.len() >= seeds::of(name).len(),
            "{name}: its corpus is not written"
        );
        let mut ran = 0;
        for input in &inputs {
            target(input);
            for _ in 0..MUTATIONS {
                target(&mutated(input, &mut rng));
            }
            ran += 1 + MUTATIONS;
        }
        println!("{name}: {ran} inputs from {} kept ones", kept.len());
    }
}
