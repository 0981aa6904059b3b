//! How the library for phones is linked. The profile `phone` is told by its optimisation for size.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    let android = is("CARGO_CFG_TARGET_OS", "android");
    // Both are linked by LLD, which knows these options (Rust 1.90 and later; the NDK).
    let lld = android || is("TARGET", "x86_64-unknown-linux-gnu");
    if is("OPT_LEVEL", "z") && lld {
        // The same machine code is kept once; relocations are packed, as Android 6 and glibc 2.36 read them.
        let packed = if android { "android" } else { "relr" };
        println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=all");
        println!("cargo::rustc-cdylib-link-arg=-Wl,--pack-dyn-relocs={packed}");
    }
    if android {
        // Phones with pages of 16 KiB (Android 15 and later) load nothing else.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,max-page-size=16384");
    }
}
