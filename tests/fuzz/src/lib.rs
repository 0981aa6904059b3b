//! Every parser of outside bytes, one function each: [`TARGETS`]. None may panic, and none may take unbounded time or room.
//!
//! `./test` runs each over its corpus and what a seed makes of it; `tests/fuzz/run` lets libFuzzer look for more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod codes;
mod headquarters;
mod objects;
mod packs;
mod phone;
mod pixels;
pub mod seeds;

/// A function that gets whatever comes from outside.
pub type Target = fn(&[u8]);

/// All of them by name; the corpus of each lies in the folder of its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("objects", objects::signed),
    ("bodies", objects::bodies),
    ("replies", objects::replies),
    ("bundles", objects::bundles),
    ("codes", codes::texts),
    ("tally", codes::tally),
    ("formats", codes::formats),
    ("packs", packs::packs),
    ("elections", packs::elections),
    ("scan", pixels::scan),
    ("media", phone::media),
    ("answers", phone::answers),
    ("http", headquarters::http),
];
