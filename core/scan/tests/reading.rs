//! Drawn codes are read exactly; anything else is survived.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use proptest::prelude::*;
use qrcode::{Color, EcLevel, QrCode};
use testigo_scan::{Code, GrayImage, Point, scan};

/// An image of our own: white, for codes to be drawn on.
struct Page {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Page {
    fn new(width: usize, height: usize) -> Self {
        Self {
            pixels: vec![255; width * height],
            width,
            height,
        }
    }

    fn square(&mut self, left: usize, top: usize, side: usize) {
        for row in self.pixels.chunks_mut(self.width).skip(top).take(side) {
            row[left..left + side].fill(0);
        }
    }

    fn draw(&mut self, code: &QrCode, left: usize, top: usize, module: usize) {
        let modules = code.width();
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = (at % modules * module, at / modules * module);
                self.square(left + x, top + y, module);
            }
        }
    }

    /// A quarter turn clockwise.
    fn turned(&self) -> Self {
        let mut turned = Self::new(self.height, self.width);
        for (at, &pixel) in self.pixels.iter().enumerate() {
            let (x, y) = (at % self.width, at / self.width);
            turned.pixels[x * self.height + self.height - 1 - y] = pixel;
        }
        turned
    }

    fn scan(&self) -> Vec<Code> {
        let (width, height) = (self.width as u32, self.height as u32);
        scan(&GrayImage::new(&self.pixels, width, height, self.width).unwrap())
    }
}

fn code(bytes: &[u8], level: EcLevel) -> QrCode {
    QrCode::with_error_correction_level(bytes, level).unwrap()
}

/// A page with one code and 4 light modules around it.
fn page_of(code: &QrCode, module: usize) -> Page {
    let side = (code.width() + 8) * module;
    let mut page = Page::new(side, side);
    page.draw(code, 4 * module, 4 * module, module);
    page
}

fn near(found: Point, x: usize, y: usize, tolerance: usize) -> bool {
    let off =
        |found: i32, wanted: usize| (i64::from(found) - wanted as i64).unsigned_abs() as usize;
    off(found.x, x) <= tolerance && off(found.y, y) <= tolerance
}

/// Found by [`any_drawn_code_is_read_exactly`]: crisp, and read in three directions only.
#[test]
fn a_code_is_read_in_every_direction() {
    let bytes = [
        64, 65, 92, 36, 197, 76, 199, 80, 3, 35, 24, 102, 20, 129, 32, 0, 39, 0, 98, 65, 17, 0, 1,
        93, 52, 74, 58, 158, 251, 252, 86, 136, 190, 9, 156, 104, 229, 42, 230, 153, 62, 203, 155,
        132, 159, 2, 155, 169, 1, 67, 3, 6, 164, 71, 47, 72, 241, 117, 190, 27, 128, 113, 93, 82,
        142, 144, 198, 145, 37, 40, 228, 164, 144, 164, 165, 186, 189, 34, 2, 139, 239, 21, 76,
        233, 134, 210, 9, 59, 3, 190,
    ];
    let mut page = page_of(&code(&bytes, EcLevel::M), 6);
    for turns in 0..4 {
        let found = page.scan();
        assert_eq!(found.len(), 1, "after {turns} quarter turns");
        assert_eq!(found[0].bytes, bytes);
        page = page.turned();
    }
}

const LEVELS: [EcLevel; 4] = [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_drawn_code_is_read_exactly(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 1..300),
            "[0-9]{1,400}".prop_map(String::into_bytes),
            "[0-9A-Z:. ]{1,400}".prop_map(String::into_bytes),
        ],
        level in 0..4_usize,
        module in 3..9_usize,
        turns in 0..4_usize,
    ) {
        let code = code(&bytes, LEVELS[level]);
        let mut page = page_of(&code, module);
        for _ in 0..turns {
            page = page.turned();
        }
        let found = page.scan();
        prop_assert_eq!(found.len(), 1, "version of {} modules", code.width());
        prop_assert_eq!(&found[0].bytes, &bytes);
        // The code's own top left goes round with it.
        let (low, high) = (4 * module, (4 + code.width()) * module);
        let square = [(low, low), (high, low), (high, high), (low, high)];
        for (corner, found) in found[0].corners.into_iter().enumerate() {
            let (x, y) = square[(corner + turns) % 4];
            prop_assert!(near(found, x, y, 2 * module), "{:?} is not at {}, {}", found, x, y);
        }
    }

    #[test]
    fn a_stride_larger_than_the_width_is_honoured(gap in 1..200_usize, filler in any::<u8>()) {
        let page = page_of(&code(b"201301006.01.1.0001!140,7,10!0!0", EcLevel::M), 4);
        let mut pixels = Vec::new();
        for row in page.pixels.chunks(page.width) {
            pixels.extend_from_slice(row);
            pixels.extend(std::iter::repeat_n(filler, gap));
        }
        // The last row may end with its last pixel.
        pixels.truncate(pixels.len() - gap);
        let (width, height) = (page.width as u32, page.height as u32);
        let image = GrayImage::new(&pixels, width, height, page.width + gap).unwrap();
        prop_assert_eq!(scan(&image), page.scan());
    }

    #[test]
    fn random_pixels_are_survived(
        width in 0..120_u32,
        height in 0..120_u32,
        gap in 0..9_usize,
        pixels in prop::collection::vec(any::<u8>(), 0..15_000),
    ) {
        let stride = width as usize + gap;
        if let Ok(image) = GrayImage::new(&pixels, width, height, stride) {
            prop_assert!(scan(&image).iter().all(|code| code.bytes.len() <= 7_089));
        }
    }

    #[test]
    fn a_torn_code_is_survived(
        bytes in prop::collection::vec(any::<u8>(), 1..200),
        blots in prop::collection::vec((any::<prop::sample::Index>(), 1..30_usize, any::<u8>()), 1..60),
    ) {
        let mut page = page_of(&code(&bytes, EcLevel::L), 3);
        for (at, length, shade) in blots {
            let at = at.index(page.pixels.len());
            let end = (at + length * 10).min(page.pixels.len());
            page.pixels[at..end].fill(shade);
        }
        // Errors are corrected or the code is not read; it never says something else.
        prop_assert!(page.scan().iter().all(|code| code.bytes == bytes));
    }
}

#[test]
fn thin_strips_are_survived() {
    let pixels: Vec<u8> = (0..65_535_u32 * 3)
        .map(|at| ((at * 7_919) >> 3) as u8)
        .collect();
    for (width, height) in [
        (1, 1),
        (65_535, 1),
        (1, 65_535),
        (65_535, 3),
        (3, 65_535),
        (2, 2),
    ] {
        let image = GrayImage::new(&pixels, width, height, width as usize).unwrap();
        assert_eq!(scan(&image), [], "{width} x {height}");
    }
}

#[test]
fn an_empty_page_has_no_codes() {
    assert_eq!(Page::new(300, 200).scan(), []);
}

#[test]
fn the_largest_code_is_read() {
    let digits = b"0123456789".repeat(709);
    let digits = &digits[..7_089];
    let found = page_of(&code(digits, EcLevel::L), 4).scan();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].bytes, digits);
}

#[test]
fn two_codes_with_the_same_text_are_two_codes() {
    let code = code(b"the same text", EcLevel::M);
    let mut page = Page::new(500, 200);
    page.draw(&code, 40, 40, 4);
    page.draw(&code, 300, 40, 4);
    let found = page.scan();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|code| code.bytes == b"the same text"));
    assert!(found.iter().any(|code| near(code.corners[0], 40, 40, 8)));
    assert!(found.iter().any(|code| near(code.corners[0], 300, 40, 8)));
}

#[test]
fn corners_are_pixels_of_a_large_image() {
    let code = code(b"on a large sheet", EcLevel::M);
    let mut page = Page::new(6_000, 4_500);
    page.draw(&code, 4_000, 3_000, 20);
    let found = page.scan();
    assert_eq!(found.len(), 1);
    let right = 4_000 + code.width() * 20;
    assert!(near(found[0].corners[0], 4_000, 3_000, 30), "{found:?}");
    assert!(near(found[0].corners[1], right, 3_000, 30), "{found:?}");
}

/// Unbounded, `rqrr` tries every three of these together, each on a copy of the page: hours.
#[test]
fn a_page_of_finder_patterns_is_given_up() {
    let mut page = Page::new(600, 600);
    for (row, column) in (0..66).flat_map(|row| (0..66).map(move |column| (row, column))) {
        let (left, top) = (column * 9 + 1, row * 9 + 1);
        page.square(left, top, 7);
        for y in top + 1..top + 6 {
            page.pixels[y * 600 + left + 1..y * 600 + left + 6].fill(255);
        }
        page.square(left + 2, top + 2, 3);
    }
    assert_eq!(page.scan(), []);
}
