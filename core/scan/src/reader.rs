//! `rqrr`, kept at arm's length: its panics caught, its work bounded.

use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Once;

use image::{GenericImage, GenericImageView, Luma};
use rqrr::{BitGrid, Grid, PreparedImage};

use crate::plane::Plane;

/// The longest text a QR code can hold: the digits of version 40, level L (ISO/IEC 18004).
const MAX_BYTES: usize = 7_089;

/// How often `rqrr` may write as many pixels as the image has before it is stopped. It copies the
/// whole image for every three finder patterns that it tries together, and floods regions again
/// and again: a page of 3,600 finder patterns kept it busy for minutes. A quarter of this is enough for
/// every public test image of ZXing that any pass reads.
const MAX_REWRITES: u64 = 40;

/// How ink is told from paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// By `rqrr`'s own running average along the rows.
    RunningAverage,
    /// Already decided: black and white.
    Decided,
}

/// One code, in pixels of the plane it was read from.
pub(crate) struct Reading {
    pub(crate) bytes: Vec<u8>,
    /// Clockwise from the code's own top left.
    pub(crate) corners: [(f64, f64); 4],
}

/// Reads every code of a plane; nothing where `rqrr` panics or works for too long.
pub(crate) fn read(plane: &Plane, ink: Ink) -> Vec<Reading> {
    caught(|| {
        let canvas = Canvas::new(plane, ink)?;
        let mut prepared = match ink {
            Ink::RunningAverage => PreparedImage::prepare(canvas),
            Ink::Decided => PreparedImage::without_preparation(canvas),
        };
        let grids = prepared.detect_grids();
        Some(grids.iter().filter_map(decode).collect())
    })
    .unwrap_or_default()
}

fn decode<G: BitGrid>(grid: &Grid<G>) -> Option<Reading> {
    let mut text = Bounded(Vec::new());
    caught(|| grid.decode_to(&mut text).ok())?;
    Some(Reading {
        bytes: text.0,
        corners: corners(grid),
    })
}

/// `rqrr` 0.11 gives the corners of a square one module too wide and high: drawn in by that much.
fn corners<G: BitGrid>(grid: &Grid<G>) -> [(f64, f64); 4] {
    let modules = grid.grid.size() as f64;
    let inner = modules / (modules + 1.0);
    let [first, ..] = grid.bounds;
    let (x, y) = (f64::from(first.x), f64::from(first.y));
    grid.bounds.map(|corner| {
        (
            x + (f64::from(corner.x) - x) * inner,
            y + (f64::from(corner.y) - y) * inner,
        )
    })
}

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Nothing where the work panics: `rqrr` asserts what does not hold on some photographs, and a
/// witness must still be able to save the photograph.
fn caught<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    let outer = READING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    READING.set(outer);
    result.ok().flatten()
}

/// Keeps the messages of panics that a scan catches off stderr; all others go on to the panic hook
/// that is set now.
///
/// For programs with a person at the terminal. The hook is one for the whole process, so [`scan`]
/// does not touch it: call this at the start of `main`, before other threads run.
///
/// [`scan`]: crate::scan
pub fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !READING.get() {
                hook(info);
            }
        }));
    });
}

/// The pixels that `rqrr` works on: an image that counts what is written to it and its copies.
struct Canvas {
    image: image::GrayImage,
    writes_left: Rc<Cell<u64>>,
}

impl Canvas {
    fn new(plane: &Plane, ink: Ink) -> Option<Self> {
        let width = u32::try_from(plane.width()).ok()?;
        let height = u32::try_from(plane.height()).ok()?;
        let pixels = match ink {
            Ink::RunningAverage => plane.pixels().to_vec(),
            // `rqrr` calls ink 1 and paper 0.
            Ink::Decided => plane.pixels().iter().map(|&p| u8::from(p == 0)).collect(),
        };
        let image = image::GrayImage::from_raw(width, height, pixels)?;
        let writes_left = MAX_REWRITES * u64::from(width) * u64::from(height);
        Some(Self {
            image,
            writes_left: Rc::new(Cell::new(writes_left)),
        })
    }

    /// Unwinds, without a panic's message, once all is spent: `rqrr` offers no other way out.
    fn spend(&self, writes: u64) {
        match self.writes_left.get().checked_sub(writes) {
            Some(left) => self.writes_left.set(left),
            None => panic::resume_unwind(Box::new("out of writes")),
        }
    }
}

impl Clone for Canvas {
    fn clone(&self) -> Self {
        self.spend(u64::from(self.image.width()) * u64::from(self.image.height()));
        Self {
            image: self.image.clone(),
            writes_left: Rc::clone(&self.writes_left),
        }
    }
}

impl GenericImageView for Canvas {
    type Pixel = Luma<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.image.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Luma<u8> {
        *self.image.get_pixel(x, y)
    }
}

impl GenericImage for Canvas {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Luma<u8> {
        self.image.get_pixel_mut(x, y)
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.spend(1);
        self.image.put_pixel(x, y, pixel);
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.put_pixel(x, y, pixel);
    }
}

/// Collects at most [`MAX_BYTES`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_read_and_leaves_no_mark() {
        assert_eq!(caught(|| -> Option<u8> { panic!("on purpose") }), None);
        assert!(!READING.get());
        assert_eq!(caught(|| Some(1)), Some(1));
    }

    #[test]
    fn no_more_is_collected_than_a_code_can_hold() {
        let mut text = Bounded(Vec::new());
        text.write_all(&[b'7'; MAX_BYTES]).unwrap();
        assert!(text.write_all(b"7").is_err());
        assert_eq!(text.0.len(), MAX_BYTES);
    }
}
