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
}

/// What one pass looks at: 9 megapixels at the most, so that time and memory stay bounded.
/// At 2,000 pixels the first pass read fewer of the long receipts.
const LONGEST: usize = 3_000;

/// Ink is darker than this share of what is around it.
const INK_PERCENT: u32 = 90;

/// In the order they are tried. On 1,001 photographs made of practice sheets the first read 995
/// and the second the others; the rest were chosen by the public test images of ZXing and ZXing-C++,
/// whose codes are often small, coarse or far away.
const PASSES: [Pass; 6] = [
    // Noise and JPEG blocks on a long receipt.
    Pass {
        longest: LONGEST,
        doubled_up_to: None,
        smoothed: true,
        radius: Some(24),
    },
    Pass {
        longest: LONGEST,
        doubled_up_to: None,
        smoothed: false,
        radius: Some(16),
    },
    Pass {
        longest: LONGEST,
        doubled_up_to: None,
        smoothed: false,
        radius: None,
    },
    // A large code, out of focus or printed in dots.
    Pass {
        longest: 1_000,
        doubled_up_to: None,
        smoothed: false,
        radius: Some(8),
    },
    // A code of few pixels.
    Pass {
        longest: LONGEST,
        doubled_up_to: Some(LONGEST / 2),
        smoothed: false,
        radius: Some(64),
    },
    Pass {
        longest: LONGEST,
        doubled_up_to: Some(LONGEST / 2),
        smoothed: false,
        radius: None,
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
        let readings = match self.radius {
            Some(radius) => read(&plane.local_threshold(radius, INK_PERCENT), Ink::Decided),
            None => read(&plane, Ink::RunningAverage),
        };
        distinct(readings, image, &plane)
    }
}

/// The readings as codes of the image, each once.
fn distinct(readings: Vec<Reading>, image: &GrayImage<'_>, plane: &Plane) -> Vec<Code> {
    let across = image.width() as f64 / plane.width() as f64;
    let down = image.height() as f64 / plane.height() as f64;
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
