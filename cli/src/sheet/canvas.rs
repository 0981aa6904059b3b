//! Thermal paper: lines of text in a bitmap font, QR codes, pen strokes.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_10X20;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget, Drawable};
use embedded_graphics::text::{Baseline, Text};
use image::GrayImage;
use qrcode::{Color, EcLevel, QrCode};

use super::SheetError;

/// Neither quite white nor quite black: as a thermal printer leaves them.
const PAPER: u8 = 250;
const INK: u8 = 30;

/// Light modules around a QR code (ISO/IEC 18004).
const QUIET_ZONE: u32 = 4;

/// A letter at scale 1, in pixels.
const LETTER_WIDTH: u32 = 10;
const LETTER_HEIGHT: u32 = 20;

/// A roll of paper, printed on from the top; it grows as it is printed on.
pub struct Canvas {
    width: u32,
    rows: Vec<u8>,
}

impl Canvas {
    pub fn new(width: u32) -> Self {
        Self {
            width,
            rows: Vec::new(),
        }
    }

    /// How many letters fit on a line.
    pub fn columns(&self, scale: u32) -> usize {
        (self.width / (LETTER_WIDTH * scale)) as usize
    }

    /// Leaves `height` rows of pixels blank.
    pub fn feed(&mut self, height: u32) {
        self.grow(height, PAPER);
    }

    /// Prints one line in the middle; what does not fit is cut off. Letters outside Latin-1 come
    /// out as question marks.
    pub fn line(&mut self, text: &str, scale: u32) {
        let top = self.grow(LETTER_HEIGHT * scale, PAPER);
        self.letters(text, scale, top, INK);
    }

    /// Prints one line in the middle, light on a dark band.
    pub fn band(&mut self, text: &str, scale: u32) {
        let top = self.grow((LETTER_HEIGHT + 4) * scale, INK);
        self.letters(text, scale, top + 2 * scale, PAPER);
    }

    /// Prints a QR code (level M) in the middle, its quiet zone included: `module` pixels a module,
    /// or fewer where the paper is too narrow.
    pub fn qr(&mut self, bytes: &[u8], module: u32) -> Result<(), SheetError> {
        let too_long = SheetError::QrTooLong { bytes: bytes.len() };
        let Ok(code) = QrCode::with_error_correction_level(bytes, EcLevel::M) else {
            return Err(too_long);
        };
        let modules = code.width();
        let across = modules as u32 + 2 * QUIET_ZONE;
        let module = module.min(self.width / across);
        if module == 0 {
            return Err(too_long);
        }
        let left = (self.width - across * module) / 2 + QUIET_ZONE * module;
        let top = self.grow(across * module, PAPER) + QUIET_ZONE * module;
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = ((at % modules) as u32, (at / modules) as u32);
                self.square(left + x * module, top + y * module, module, INK);
            }
        }
        Ok(())
    }

    /// Draws with a pen over what is already there: `points` are pixels from the left edge, and up
    /// from the lower end of the paper.
    pub fn stroke(&mut self, points: impl Iterator<Item = (f64, f64)>) {
        let height = self.height();
        for (x, up) in points {
            let top = f64::from(height) - up;
            if x >= 0.0 && top >= 0.0 {
                self.square(x as u32, top as u32, 4, INK);
            }
        }
    }

    /// The paper, torn off.
    pub fn into_image(self) -> GrayImage {
        let height = self.height();
        GrayImage::from_raw(self.width, height, self.rows).unwrap_or_default()
    }

    fn height(&self) -> u32 {
        (self.rows.len() / self.width as usize) as u32
    }

    /// Adds blank rows; where they begin.
    fn grow(&mut self, height: u32, shade: u8) -> u32 {
        let top = self.height();
        let more = self.width as usize * height as usize;
        self.rows.resize(self.rows.len() + more, shade);
        top
    }

    fn letters(&mut self, text: &str, scale: u32, top: u32, shade: u8) {
        let fitting: String = text.chars().take(self.columns(scale)).collect();
        let length = fitting.chars().count() as u32 * LETTER_WIDTH * scale;
        let mut pen = Pen {
            left: (self.width - length) / 2,
            canvas: self,
            top,
            scale,
            shade,
        };
        let style = MonoTextStyle::new(&FONT_10X20, BinaryColor::On);
        let text = Text::with_baseline(&fitting, Point::zero(), style, Baseline::Top);
        match text.draw(&mut pen) {
            Ok(_) => {}
            Err(never) => match never {},
        }
    }

    fn square(&mut self, left: u32, top: u32, side: u32, shade: u8) {
        let (left, right) = (left.min(self.width), (left + side).min(self.width));
        for y in top..top + side {
            let row = y as usize * self.width as usize;
            if let Some(run) = self.rows.get_mut(row + left as usize..row + right as usize) {
                run.fill(shade);
            }
        }
    }
}

/// Draws the font's dots as squares.
struct Pen<'a> {
    canvas: &'a mut Canvas,
    left: u32,
    top: u32,
    scale: u32,
    shade: u8,
}

impl OriginDimensions for Pen<'_> {
    fn size(&self) -> Size {
        Size::new(self.canvas.width / self.scale, LETTER_HEIGHT)
    }
}

impl DrawTarget for Pen<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, color) in pixels {
            if let (BinaryColor::On, Ok(x), Ok(y)) =
                (color, u32::try_from(at.x), u32::try_from(at.y))
            {
                let (left, top) = (self.left + x * self.scale, self.top + y * self.scale);
                self.canvas.square(left, top, self.scale, self.shade);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> GrayImage {
        let mut paper = Canvas::new(200);
        paper.line(text, 2);
        paper.into_image()
    }

    #[test]
    fn spanish_and_portuguese_letters_are_in_the_font() {
        for letter in "ÁÉÍÓÚÜÑáéíóúüñ¿¡ÃÕÇãõç".chars() {
            assert_ne!(printed(&letter.to_string()), printed("?"), "{letter}");
        }
        assert_eq!(printed("\u{4e00}"), printed("?"));
    }

    #[test]
    fn what_does_not_fit_is_cut_off() {
        assert_eq!(printed("0123456789 and more"), printed("0123456789"));
    }

    #[test]
    fn paper_grows_by_what_is_printed() {
        let mut paper = Canvas::new(100);
        paper.feed(7);
        paper.line("x", 1);
        paper.band("x", 1);
        assert_eq!(paper.into_image().dimensions(), (100, 7 + 20 + 24));
    }
}
