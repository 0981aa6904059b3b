//! Writes the good inputs of each target to its corpus: `cargo run -p testigo-fuzz --bin seeds`.
#![allow(clippy::unwrap_used, reason = "a tool of the tests")]

use std::path::Path;
use testigo_fuzz::{TARGETS, seeds};

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, _) in TARGETS {
        let folder = corpus.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (n, seed) in seeds::of(name).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{n}")), seed).unwrap();
        }
    }
}
