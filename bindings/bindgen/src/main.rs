//! Writes the Kotlin, Swift and Python sides of the library: see `bindings/README.md`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
