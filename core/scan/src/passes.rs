//! The order of work.

use crate::code::{Code, Point};
use crate::gray::GrayImage;
use crate::plane::Plane;
use crate::reader::{Ink, Reading, read};

/// One way to prepare an image before reading it.
struct Pass {
    /// The image is shrunk until neither side is longer, in pixels.
    longest: usize,
    /// Only images whose sides are no longer than this are doubled; others skip the pass.
    doubled_up_to: Option<usize>,
    smoothed: bool,
    /// How far the square reaches, in pixels, that a pixel is compared with to tell ink from paper;
    /// without one, `rqrr` uses its own running average.
    radius: Option<usize>,
    /// A quarter turn: `rqrr` takes the first alignment pattern that it meets row by row, and some
    /// codes have a false one that comes first in one direction only.
    turned: bool,
}

/// What one pass looks at: 9 megapixels at the most, so that time and memory stay bounded.
/// At 2,000 pixels the first pass read fewer of the long receipts.
const LONGEST: usize = 3_000;

/// Ink is darker than this share of what is around it.
const INK_PERCENT: u32 = 90;

/// The image as it is; each way below says how it differs.
const AS_IT_IS: Pass = Pass {
    longest: LONGEST,
    doubled_up_to: None,
    smoothed: false,
    radius: None,
    turned: false,
};

/// In the order they are tried. On 1,001 photographs made of practice sheets the first read 995
/// and the second the others; the rest were chosen by the public test images of ZXing and ZXing-C++,
/// whose codes are often small, coarse or far away.
const PASSES: [Pass; 7] = [
    // Noise and JPEG blocks on a long receipt.
    Pass {
        smoothed: true,
        radius: Some(24),
        ..AS_IT_IS
    },
    Pass {
        radius: Some(16),
        ..AS_IT_IS
    },
    AS_IT_IS,
    // A large code, out of focus or printed in dots.
    Pass {
        longest: 1_000,
        radius: Some(8),
        ..AS_IT_IS
    },
    // A code of few pixels.
    Pass {
        doubled_up_to: Some(LONGEST / 2),
        radius: Some(64),
        ..AS_IT_IS
    },
    Pass {
        doubled_up_to: Some(LONGEST / 2),
        ..AS_IT_IS
    },
    // A crisp code that one direction hides: 1 of some 300 drawn ones; with this pass, none of
    // 30,000.
    Pass {
        radius: Some(16),
        turned: true,
        ..AS_IT_IS
    },
];

/// Reads the QR codes of an image: the bytes of each, and where it is.
///
/// It works through a fixed list of ways to prepare the image and stops at the first that reads
/// something. Codes that no way makes readable are not in the list; so an empty list means "not
/// read", not "no code there". The same bytes at the same place are given once.
pub fn scan(image: &GrayImage<'_>) -> Vec<Code> {
    PASSES
        .iter()
        .map(|pass| pass.run(image))
        .find(|codes| !codes.is_empty())
        .unwrap_or_default()
}

impl Pass {
    fn run(&self, image: &GrayImage<'_>) -> Vec<Code> {
        let longest_side = image.width().max(image.height());
        if self.doubled_up_to.is_some_and(|side| longest_side > side) {
            return Vec::new();
        }
        let mut plane = Plane::within(image, self.longest);
        if self.doubled_up_to.is_some() {
            plane = plane.doubled();
        }
        if self.smoothed {
            plane = plane.smoothed();
        }
        let (width, height) = (plane.width() as f64, plane.height() as f64);
        if self.turned {
            plane = plane.turned();
        }
        let mut readings = match self.radius {
            Some(radius) => read(&plane.local_threshold(radius, INK_PERCENT), Ink::Decided),
            None => read(&plane, Ink::RunningAverage),
        };
        if self.turned {
            for (x, y) in readings.iter_mut().flat_map(|reading| &mut reading.corners) {
                (*x, *y) = (*y, height - *x);
            }
        }
        let scale = (image.width() as f64 / width, image.height() as f64 / height);
        distinct(readings, scale)
    }
}

/// The readings as codes of the image, which is `across` times as wide and `down` times as high as
/// what was read; each once.
fn distinct(readings: Vec<Reading>, (across, down): (f64, f64)) -> Vec<Code> {
    let mut codes: Vec<Code> = Vec::new();
    for reading in readings {
        let code = Code {
            bytes: reading.bytes,
            corners: reading.corners.map(|(x, y)| Point {
                x: (x * across).round() as i32,
                y: (y * down).round() as i32,
            }),
        };
        if !codes.iter().any(|known| known.repeats(&code)) {
            codes.push(code);
        }
    }
    codes
}
