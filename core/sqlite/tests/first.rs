//! The first databases of a process, opened by many threads at the same moment. A program of its own, for there
//! is one first moment.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Barrier;
use testigo_sqlite::{DatabaseKey, open_or_create};

#[test]
fn many_threads_may_be_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (together, path) = (&together, folder.path().join(n.to_string()));
            scope.spawn(move || {
                let key = DatabaseKey::from_bytes([n; 32]);
                together.wait();
                open_or_create(&path, &key, &[], 0x7E57_0003).unwrap();
            });
        }
    });
}
