//! The picture a host hands in.

use thiserror::Error;

/// The most pixels an image may have (64 megapixels): larger ones are refused, so that memory
/// stays bounded on a phone.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// Why a buffer is not an image.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ImageError {
    /// The image has no pixels.
    #[error("width and height: {width} x {height} has no pixels; both must be at least 1")]
    ZeroSize {
        /// The width given.
        width: u32,
        /// The height given.
        height: u32,
    },
    /// The image has more than [`MAX_PIXELS`].
    #[error(
        "width and height: {width} x {height} is more than 64 megapixels; hand in a smaller picture"
    )]
    TooLarge {
        /// The width given.
        width: u32,
        /// The height given.
        height: u32,
    },
    /// Rows would overlap.
    #[error(
        "stride: {stride} bytes a row cannot hold {width} pixels; it must be at least the width"
    )]
    StrideTooShort {
        /// The stride given.
        stride: usize,
        /// The width given.
        width: u32,
    },
    /// The buffer ends before the last row does.
    #[error("pixels: {given} bytes given, {needed} needed by width, height and stride")]
    PixelsTooShort {
        /// Bytes in the buffer.
        given: usize,
        /// Bytes that the other fields call for.
        needed: usize,
    },
}

impl ImageError {
    /// The field that does not fit.
    pub fn field(&self) -> &'static str {
        match self {
            Self::ZeroSize { .. } | Self::TooLarge { .. } => "width",
            Self::StrideTooShort { .. } => "stride",
            Self::PixelsTooShort { .. } => "frame",
        }
    }
}

/// A view of an 8-bit grey image: one byte a pixel, 0 is black, 255 is white, rows from the top.
///
/// The luma plane of a camera frame fits without copying.
#[derive(Clone, Copy, Debug)]
pub struct GrayImage<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> GrayImage<'a> {
    /// Views `pixels` as `height` rows of `width` pixels; each row begins `stride` bytes after the
    /// one above it. The last row may end with its last pixel.
    ///
    /// # Errors
    /// An [`ImageError`] naming the field that does not fit the others.
    pub fn new(
        pixels: &'a [u8],
        width: u32,
        height: u32,
        stride: usize,
    ) -> Result<Self, ImageError> {
        if width == 0 || height == 0 {
            return Err(ImageError::ZeroSize { width, height });
        }
        let too_large = ImageError::TooLarge { width, height };
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(too_large);
        }
        let columns = usize::try_from(width).map_err(|_| too_large)?;
        let rows = usize::try_from(height).map_err(|_| too_large)?;
        if stride < columns {
            return Err(ImageError::StrideTooShort { stride, width });
        }
        // A stride so large that the product overflows calls for more bytes than there can be.
        let needed = stride.saturating_mul(rows - 1).saturating_add(columns);
        if pixels.len() < needed {
            return Err(ImageError::PixelsTooShort {
                given: pixels.len(),
                needed,
            });
        }
        Ok(Self {
            pixels,
            width: columns,
            height: rows,
            stride,
        })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The rows from the top, without what lies between them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let width = self.width;
        self.pixels
            .chunks(self.stride)
            .take(self.height)
            .filter_map(move |row| row.get(..width))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_the_field_that_does_not_fit() {
        let new = |len, width, height, stride| {
            GrayImage::new(&vec![0; len], width, height, stride).map(|_| ())
        };
        assert_eq!(
            new(9, 0, 3, 3),
            Err(ImageError::ZeroSize {
                width: 0,
                height: 3
            })
        );
        assert_eq!(
            new(9, 3, 0, 3),
            Err(ImageError::ZeroSize {
                width: 3,
                height: 0
            })
        );
        assert_eq!(
            new(9, 3, 3, 2),
            Err(ImageError::StrideTooShort {
                stride: 2,
                width: 3
            })
        );
        assert_eq!(
            new(8, 3, 3, 3),
            Err(ImageError::PixelsTooShort {
                given: 8,
                needed: 9
            })
        );
        assert_eq!(
            new(8, 3, 3, usize::MAX),
            Err(ImageError::PixelsTooShort {
                given: 8,
                needed: usize::MAX
            })
        );
        assert_eq!(
            new(8, u32::MAX, u32::MAX, usize::MAX),
            Err(ImageError::TooLarge {
                width: u32::MAX,
                height: u32::MAX
            })
        );
        assert_eq!(
            new(8, 65_536, 1_025, 65_536),
            Err(ImageError::TooLarge {
                width: 65_536,
                height: 1_025
            })
        );
    }

    #[test]
    fn the_last_row_may_end_with_its_last_pixel() {
        let pixels = [1, 2, 9, 3, 4];
        let image = GrayImage::new(&pixels, 2, 2, 3).unwrap();
        assert_eq!(image.rows().collect::<Vec<_>>(), [[1, 2], [3, 4]]);
    }
}
