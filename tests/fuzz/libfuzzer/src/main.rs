//! libFuzzer for the target that `TESTIGO_FUZZ` names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use testigo_fuzz::{TARGETS, Target};

fn target() -> Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("TESTIGO_FUZZ").unwrap_or_default();
        let found = TARGETS.iter().find(|(known, _)| *known == name);
        let Some((_, target)) = found else {
            panic!("TESTIGO_FUZZ names no target: {name:?}");
        };
        *target
    })
}

fuzz_target!(|bytes: &[u8]| target()(bytes));
