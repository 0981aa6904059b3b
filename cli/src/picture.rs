//! Image files -> grey pixels -> QR codes.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits, Luma, LumaA, Pixel,
};
use testigo_scan::{Code, MAX_PIXELS};
use testigo_wire::Language;
use thiserror::Error;

/// The most memory a decoder may ask for: [`MAX_PIXELS`] of 16-bit red, green, blue and alpha.
const MAX_DECODED_BYTES: u64 = MAX_PIXELS * 8;

/// Why a file gives no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// There is no such file.
    #[error("{}: there is no such file; check the name", .path.display())]
    NotFound {
        /// The file asked for.
        path: PathBuf,
    },
    /// The system would not let it be read.
    #[error("{}: cannot be read ({source}); check that it is a file and that you may open it", .path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither PNG nor JPEG.
    #[error("{}: is not a PNG or JPEG image; save the picture as one of these", .path.display())]
    NotAnImage {
        /// The file asked for.
        path: PathBuf,
    },
    /// More pixels, or more memory to decode them, than the program allows itself.
    #[error("{}: is larger than 64 megapixels; make it smaller, or cut out the QR code", .path.display())]
    TooLarge {
        /// The file asked for.
        path: PathBuf,
    },
    /// An image that cannot be decoded.
    #[error("{}: is damaged or incomplete ({source}); copy it again or take a new photograph", .path.display())]
    Damaged {
        /// The file asked for.
        path: PathBuf,
        /// What the decoder said.
        source: ImageError,
    },
}

impl PictureError {
    /// What a person is told, with what to do next.
    pub fn sentence(&self, language: Language) -> String {
        let es = match self {
            Self::NotFound { path } => {
                format!("{}: no existe; revise el nombre", path.display())
            }
            Self::Unreadable { path, source } => format!(
                "{}: no se puede leer ({source}); revise que sea un archivo y que pueda abrirlo",
                path.display()
            ),
            Self::NotAnImage { path } => format!(
                "{}: no es una imagen PNG o JPEG; guarde la foto en uno de esos formatos",
                path.display()
            ),
            Self::TooLarge { path } => format!(
                "{}: pasa de 64 megapíxeles; redúzcala o recorte el código QR",
                path.display()
            ),
            Self::Damaged { path, source } => format!(
                "{}: está dañada o incompleta ({source}); cópiela de nuevo o tome otra foto",
                path.display()
            ),
        };
        language.pick(es, self.to_string())
    }
}

/// A decoded picture: grey, upright as its EXIF orientation says.
#[derive(Debug)]
pub struct Picture {
    pixels: GrayImage,
}

impl Picture {
    /// Decodes a PNG or JPEG file. Its size is looked at before its pixels are.
    ///
    /// # Errors
    /// A [`PictureError`] that names the file and says what to do.
    pub fn load(path: &Path) -> Result<Self, PictureError> {
        let (decoded, orientation) = decode(path)?;
        let mut upright = DynamicImage::ImageLuma8(gray_on_white(decoded));
        upright.apply_orientation(orientation);
        Ok(Self {
            pixels: upright.into_luma8(),
        })
    }

    /// The QR codes in it.
    pub fn scan(&self) -> Vec<Code> {
        let (width, height) = self.pixels.dimensions();
        // `load` gives no picture that the view would refuse: rows are without gaps, and the size
        // was checked; without pixels there are no codes.
        testigo_scan::GrayImage::new(self.pixels.as_raw(), width, height, width as usize)
            .map(|view| testigo_scan::scan(&view))
            .unwrap_or_default()
    }
}

/// A picture's pixels, and how it has to be turned. Its size is looked at before its pixels are.
fn decode(path: &Path) -> Result<(DynamicImage, Orientation), PictureError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format();
    let mut reader = reader.map_err(|source| unreadable(path, source))?;
    if reader.format().is_none() {
        return Err(PictureError::NotAnImage { path: path.into() });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| bad(path, error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge { path: path.into() });
    }
    // A broken EXIF block must not cost the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| bad(path, error))?;
    Ok((decoded, orientation))
}

/// The longest side of a thumbnail, in pixels, and its JPEG quality.
const THUMBNAIL: (u32, u8) = (320, 60);

/// A small JPEG of a picture, upright as its EXIF orientation says, for who waits for the whole.
///
/// # Errors
/// A [`PictureError`] where there is none to be made.
pub fn thumbnail(path: &Path) -> Result<Vec<u8>, PictureError> {
    let (decoded, orientation) = decode(path)?;
    let (side, quality) = THUMBNAIL;
    let mut small = match decoded.width().max(decoded.height()) > side {
        true => decoded.thumbnail(side, side),
        false => decoded,
    };
    small.apply_orientation(orientation);
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, quality);
    (small.into_rgb8().write_with_encoder(encoder)).map_err(|error| bad(path, error))?;
    Ok(file)
}

/// The QR codes in an image file; empty if it is a picture without a readable code.
///
/// # Errors
/// A [`PictureError`] that names the file and says what to do.
pub fn scan_file(path: &Path) -> Result<Vec<Code>, PictureError> {
    Ok(Picture::load(path)?.scan())
}

/// QR codes drawn on nothing (a transparent PNG) would otherwise be black on black.
fn gray_on_white(decoded: DynamicImage) -> GrayImage {
    if !decoded.color().has_alpha() {
        return decoded.into_luma8();
    }
    let seen = decoded.into_luma_alpha8();
    let mut gray = GrayImage::new(seen.width(), seen.height());
    for (to, &from) in gray.pixels_mut().zip(seen.pixels()) {
        let mut on_white = LumaA([u8::MAX, u8::MAX]);
        on_white.blend(&from);
        *to = Luma([on_white.to_luma().0[0]]);
    }
    gray
}

fn unreadable(path: &Path, source: io::Error) -> PictureError {
    let path = path.into();
    match source.kind() {
        io::ErrorKind::NotFound => PictureError::NotFound { path },
        _ => PictureError::Unreadable { path, source },
    }
}

fn bad(path: &Path, error: ImageError) -> PictureError {
    let path = path.into();
    match error {
        ImageError::Unsupported(_) => PictureError::NotAnImage { path },
        ImageError::Limits(_) => PictureError::TooLarge { path },
        source => PictureError::Damaged { path, source },
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
mod tests {
    use std::fs;

    use image::{Rgba, RgbaImage};

    use super::*;

    fn load(name: &str, file: &[u8]) -> Result<Picture, PictureError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, file).unwrap();
        Picture::load(&path)
    }

    fn jpeg(picture: &GrayImage) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, 90);
        encoder.encode_image(picture).unwrap();
        file
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut file = io::Cursor::new(Vec::new());
        picture
            .write_to(&mut file, image::ImageFormat::Png)
            .unwrap();
        file.into_inner()
    }

    #[test]
    fn each_failure_names_the_file_and_what_to_do() {
        let missing = Picture::load(Path::new("no/such/photo.jpg")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no/such/photo.jpg: there is no such file; check the name"
        );
        assert!(matches!(missing, PictureError::NotFound { .. }));
        let es = missing.sentence(Language::Es);
        assert_eq!(es, "no/such/photo.jpg: no existe; revise el nombre");

        let folder = tempfile::tempdir().unwrap();
        let error = Picture::load(folder.path()).unwrap_err();
        assert!(
            matches!(error, PictureError::Unreadable { .. }),
            "{error:?}"
        );

        for file in [
            &b"a letter, not a picture"[..],
            b"",
            b"GIF89a\x01\x00\x01\x00",
        ] {
            let error = load("letter.png", file).unwrap_err();
            assert!(
                matches!(error, PictureError::NotAnImage { .. }),
                "{error:?}"
            );
            assert!(
                error
                    .to_string()
                    .contains("letter.png: is not a PNG or JPEG")
            );
        }

        let whole = png(&DynamicImage::new_luma8(300, 300));
        let error = load("half.png", &whole[..whole.len() / 2]).unwrap_err();
        assert!(matches!(error, PictureError::Damaged { .. }), "{error:?}");
    }

    #[test]
    fn the_size_is_looked_at_before_the_pixels_are() {
        let mut file = jpeg(&GrayImage::new(16, 16));
        // Height and width stand behind the length and depth of the start of frame.
        let frame = file
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        file[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
        let error = load("poster.jpg", &file).unwrap_err();
        assert!(matches!(error, PictureError::TooLarge { .. }), "{error:?}");
    }

    #[test]
    fn a_photograph_is_turned_upright_as_its_exif_says() {
        let picture = GrayImage::from_fn(32, 16, |x, _| Luma([if x < 16 { 20 } else { 230 }]));
        let mut file = jpeg(&picture);
        // APP1 behind the start of image: a TIFF block with one entry, orientation (0x0112) = 6,
        // "turn a quarter clockwise" (EXIF 2.3, 4.6.4).
        let mut exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        exif.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        file.splice(2..2, exif);
        let upright = load("held.jpg", &file).unwrap().pixels;
        assert_eq!(upright.dimensions(), (16, 32));
        assert!(upright.get_pixel(8, 4).0[0] < 60 && upright.get_pixel(8, 28).0[0] > 190);
    }

    #[test]
    fn what_is_drawn_on_nothing_is_seen_on_white() {
        let mut drawing = RgbaImage::new(2, 1);
        drawing.put_pixel(0, 0, Rgba([0, 0, 0, 255]));
        let seen = load("code.png", &png(&drawing.into())).unwrap().pixels;
        assert_eq!(seen.as_raw(), &[0, 255]);
    }
}
