//! A panic inside the reader is caught, and its message can be kept off the terminal.
//!
//! A program of its own, since the panic hook is one for the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

use qrcode::{Color, QrCode};
use testigo_scan::{GrayImage, scan, silence_caught_panics};

const SIDE: usize = 177;

/// A code seen so askew that `rqrr` 0.11 panics ("rotated perspective can't fail").
fn askew() -> Vec<u8> {
    let code = QrCode::new([b'a'; 48]).unwrap();
    let (modules, colors) = (code.width(), code.to_colors());
    let mut pixels = vec![255; SIDE * SIDE];
    for (at, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = ((at % SIDE) as f64 - 88.0, (at / SIDE) as f64 - 88.0);
        let w = 1.0 + 0.003864 * x - 0.00132 * y;
        let column = (-0.2874 * x + 0.2046 * y) / w + modules as f64 / 2.0;
        let row = (0.4212 * x + 0.5676 * y) / w + modules as f64 / 2.0;
        let inside = 0.0..modules as f64;
        if inside.contains(&column)
            && inside.contains(&row)
            && colors[row as usize * modules + column as usize] == Color::Dark
        {
            *pixel = 0;
        }
    }
    pixels
}

#[test]
fn messages_of_caught_panics_are_silenced_and_others_are_not() {
    static MESSAGES: AtomicUsize = AtomicUsize::new(0);
    panic::set_hook(Box::new(|_| {
        MESSAGES.fetch_add(1, Ordering::SeqCst);
    }));
    let pixels = askew();
    let image = GrayImage::new(&pixels, SIDE as u32, SIDE as u32, SIDE).unwrap();

    assert_eq!(scan(&image), []);
    let loud = MESSAGES.swap(0, Ordering::SeqCst);
    silence_caught_panics();
    assert_eq!(scan(&image), []);
    let silent = MESSAGES.swap(0, Ordering::SeqCst);
    let other = panic::catch_unwind(|| panic::panic_any("another part of the program"));
    let after = MESSAGES.swap(0, Ordering::SeqCst);

    assert!(other.is_err());
    assert!(loud > 0, "rqrr no longer panics here: find another image");
    assert_eq!((silent, after), (0, 1));
}
