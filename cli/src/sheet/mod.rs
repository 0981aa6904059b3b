//! Practice tally sheets, photographs of them, and QR pictures.
//!
//! What is drawn here says in large letters that it is practice: it must never pass for a record.

mod canvas;
mod chance;
mod command;
mod draw;
mod photograph;
mod qr_picture;
#[cfg(test)]
mod tests;

use image::{ExtendedColorType, GrayImage, ImageEncoder, ImageError};
use thiserror::Error;

pub use chance::Chance;
pub use command::run;
pub use draw::Sheet;
pub use photograph::{Damage, photograph};
pub use qr_picture::qr_picture;

/// Why a picture cannot be made.
#[derive(Debug, Error)]
pub enum SheetError {
    /// No QR code holds as much.
    #[error("the text for the QR code has {bytes} bytes; a code holds about 2,300: shorten it")]
    QrTooLong {
        /// The bytes of the text.
        bytes: usize,
    },
    /// The encoder refused the picture.
    #[error("the picture cannot be encoded ({0}); make it smaller")]
    Encode(#[from] ImageError),
}

/// A drawing as the bytes of a PNG file.
///
/// # Errors
/// [`SheetError::Encode`] if the encoder refuses it.
pub fn png(drawing: &GrayImage) -> Result<Vec<u8>, SheetError> {
    let mut file = Vec::new();
    image::codecs::png::PngEncoder::new(&mut file).write_image(
        drawing.as_raw(),
        drawing.width(),
        drawing.height(),
        ExtendedColorType::L8,
    )?;
    Ok(file)
}
