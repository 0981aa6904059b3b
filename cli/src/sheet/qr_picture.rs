//! A QR code to show, print or send, with a caption under it.

use image::GrayImage;

use super::SheetError;
use super::canvas::Canvas;

/// Pixels across.
const WIDTH: u32 = 800;

/// Draws a QR code of `bytes`, as large as fits, and the caption's lines under it.
///
/// Lines hold 40 letters of Latin-1; what does not fit is cut off.
///
/// # Errors
/// [`SheetError::QrTooLong`] if no QR code holds `bytes`.
pub fn qr_picture(bytes: &[u8], caption: &[&str]) -> Result<GrayImage, SheetError> {
    let mut picture = Canvas::new(WIDTH);
    picture.qr(bytes, WIDTH)?;
    for line in caption {
        picture.line(line, 2);
        picture.feed(8);
    }
    picture.feed(40);
    Ok(picture.into_image())
}
