use crate::TestigoError;
use crate::error::caught;
use testigo_phone::PhoneError;
use testigo_scan::{Code, GrayImage, ImageError};

/// How far a camera's picture must be turned, clockwise, to stand upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Rotation {
    /// It stands upright.
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarter,
}

/// A place in the upright picture; it may lie outside where a code is cut off by the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: i32,
    /// Pixels from the top edge.
    pub y: i32,
}

/// One QR code that was read.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CodeView {
    /// The bytes it carries, as written: what `TallyInput` takes.
    pub bytes: Vec<u8>,
    /// The text, where the bytes are UTF-8.
    pub text: Option<String>,
    /// Its four corners in the upright picture, clockwise from the code's own top left.
    pub corners: Vec<Point>,
}

/// Reads QR codes from camera frames and pictures.
#[derive(Default, uniffi::Object)]
pub struct Scanner {}

#[uniffi::export]
impl Scanner {
    /// A scanner; it keeps nothing between frames and may be shared by threads.
    #[uniffi::constructor]
    pub fn new() -> Self {
        Self {}
    }

    /// Reads the codes of a grey picture, such as a camera frame's luma plane: one byte a pixel, 0 is
    /// black, rows from the top, each `stride` bytes after the one before. The frame is not
    /// copied: it must stay as it is until this returns. No codes means "not read", never "not there".
    ///
    /// In Kotlin, call `scanFrame` instead: this call takes direct buffers only, from their first byte on.
    ///
    /// # Errors
    /// `Input` naming `width`, `stride` or `frame` where they do not fit each other.
    pub fn scan(
        &self,
        frame: &[u8],
        width: u32,
        height: u32,
        stride: u32,
        rotation: Rotation,
    ) -> Result<Vec<CodeView>, TestigoError> {
        caught(|| {
            let image = GrayImage::new(frame, width, height, stride as usize).map_err(misfit)?;
            let upright = |code: Code| CodeView {
                text: code.text().map(str::to_owned),
                corners: (code.corners.into_iter())
                    .map(|corner| rotation.upright(corner, width, height))
                    .collect(),
                bytes: code.bytes,
            };
            Ok(testigo_scan::scan(&image)
                .into_iter()
                .map(upright)
                .collect())
        })
    }
}

impl Rotation {
    /// Where a pixel of a picture of this size lies once the picture stands upright.
    fn upright(self, at: testigo_scan::Point, width: u32, height: u32) -> Point {
        // The scanner takes 64 megapixels at the most, so that a side fits.
        let last = |side: u32| i32::try_from(side).unwrap_or(i32::MAX).saturating_sub(1);
        let (x, y) = (at.x, at.y);
        let right = last(width).saturating_sub(x);
        let below = last(height).saturating_sub(y);
        let (x, y) = match self {
            Self::None => (x, y),
            Self::Quarter => (below, x),
            Self::Half => (right, below),
            Self::ThreeQuarter => (y, right),
        };
        Point { x, y }
    }
}

fn misfit(error: ImageError) -> PhoneError {
    let pt = match error {
        ImageError::ZeroSize { width, height } => {
            format!("{width} x {height} não tem pixels; cada lado mede pelo menos 1")
        }
        ImageError::TooLarge { width, height } => {
            format!("{width} x {height} passa de 64 megapixels; entregue uma imagem menor")
        }
        ImageError::StrideTooShort { stride, width } => {
            format!(
                "em {stride} bytes por linha não cabem {width} pixels; devem ser pelo menos a largura"
            )
        }
        ImageError::PixelsTooShort { given, needed } => {
            format!("há {given} bytes, e as medidas pedem {needed}")
        }
    };
    let es = match error {
        ImageError::ZeroSize { width, height } => {
            format!("{width} x {height} no tiene píxeles; cada lado mide al menos 1")
        }
        ImageError::TooLarge { width, height } => {
            format!("{width} x {height} pasa de 64 megapíxeles; entregue una imagen más pequeña")
        }
        ImageError::StrideTooShort { stride, width } => {
            format!(
                "en {stride} bytes por fila no caben {width} píxeles; deben ser al menos el ancho"
            )
        }
        ImageError::PixelsTooShort { given, needed } => {
            format!("hay {given} bytes, y las medidas piden {needed}")
        }
    };
    PhoneError::input(error.field(), es, error.to_string(), pt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_follow_the_picture_upright() {
        // The top left pixel of a picture of 4 x 3 goes to these corners.
        let at = testigo_scan::Point { x: 0, y: 0 };
        let turned = [
            (Rotation::None, 0, 0),
            (Rotation::Quarter, 2, 0),
            (Rotation::Half, 3, 2),
            (Rotation::ThreeQuarter, 0, 3),
        ];
        for (rotation, x, y) in turned {
            assert_eq!(rotation.upright(at, 4, 3), Point { x, y }, "{rotation:?}");
        }
    }
}
