//! A photograph of a sheet: what a hand, a lens, a lamp and a JPEG encoder do to it.

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Rgb, RgbImage};

use super::SheetError;
use super::chance::Chance;
use testigo_wire::Language;

/// Table to be seen around the sheet, in pixels.
const MARGIN: f64 = 50.0;

/// What a lamp leaves of red, green and blue on paper and on the wooden table.
const PAPER_TINT: [f64; 3] = [1.0, 0.97, 0.91];
const TABLE_TINT: [f64; 3] = [0.62, 0.47, 0.35];

/// What is done to a sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    /// How far the sheet is turned, clockwise; negative is the other way.
    pub turn_degrees: f64,
    /// By what share of its length the far (upper) edge looks shorter than the near one.
    pub perspective: f64,
    /// Standard deviation of the Gaussian blur, in pixels of the photograph.
    pub blur_sigma_px: f64,
    /// Light in the brightest corner of the photograph to light in the darkest.
    pub light_ratio: f64,
    /// Where the light comes from: 0 is the right edge, 90 the lower one.
    pub light_degrees: f64,
    /// Standard deviation of the sensor's noise, in grey levels of 255.
    pub noise_levels: f64,
    /// The JPEG encoder's quality, 1 to 100.
    pub jpeg_quality: u8,
    /// What the noise and the grain of the table are drawn from.
    pub seed: u64,
}

impl Damage {
    /// What a person is told of it.
    pub fn sentence(&self, language: Language) -> String {
        let (turn, far) = (self.turn_degrees.abs(), self.perspective * 100.0);
        let (blur, light, jpeg) = (self.blur_sigma_px, self.light_ratio, self.jpeg_quality);
        language.pick(
            format!("girada {turn:.1} grados, perspectiva {far:.0} %, desenfoque {blur:.1} px, luz {light:.1}:1, JPEG {jpeg}"),
            format!("turned {turn:.1} degrees, perspective {far:.0} %, blur {blur:.1} px, light {light:.1}:1, JPEG {jpeg}"),
        )
    }

    /// A photograph taken in a hurry: turned by 7 to 12 degrees either way, 10 to 16 %
    /// perspective, blur 1.0 to 1.5 pixels, light 3.0:1 to 3.5:1 from anywhere, noise of 2 to 4
    /// levels, JPEG quality 60.
    pub fn from_seed(seed: u64) -> Self {
        let mut chance = Chance::from_seed(seed);
        let sense = if chance.between(0.0, 1.0) < 0.5 {
            -1.0
        } else {
            1.0
        };
        Self {
            turn_degrees: sense * chance.between(7.0, 12.0),
            perspective: chance.between(0.10, 0.16),
            blur_sigma_px: chance.between(1.0, 1.5),
            light_ratio: chance.between(3.0, 3.5),
            light_degrees: chance.between(0.0, 360.0),
            noise_levels: chance.between(2.0, 4.0),
            jpeg_quality: 60,
            seed,
        }
    }

    /// Where the sheet's corners come to lie (clockwise from its top left), and the size of the
    /// photograph around them, in pixels.
    fn layout(&self, sheet_width: u32, sheet_height: u32) -> Layout {
        let (across, down) = (f64::from(sheet_width) / 2.0, f64::from(sheet_height) / 2.0);
        let far = across * (1.0 - self.perspective);
        let (sin, cos) = self.turn_degrees.to_radians().sin_cos();
        let corners = [(-far, -down), (far, -down), (across, down), (-across, down)]
            .map(|(x, y)| (x * cos - y * sin, x * sin + y * cos));
        let least = |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(f64::MAX, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(f64::MIN, f64::max);
        let (left, top) = (least(|at| at.0) - MARGIN, least(|at| at.1) - MARGIN);
        Layout {
            corners: corners.map(|(x, y)| (x - left, y - top)),
            width: (most(|at| at.0) + MARGIN - left).ceil() as u32,
            height: (most(|at| at.1) + MARGIN - top).ceil() as u32,
        }
    }
}

struct Layout {
    corners: [(f64, f64); 4],
    width: u32,
    height: u32,
}

/// Photographs a sheet on a table: the bytes of a JPEG file.
///
/// # Errors
/// [`SheetError::Encode`] if the encoder refuses the picture (a side above 65,535 pixels).
pub fn photograph(sheet: &GrayImage, damage: &Damage) -> Result<Vec<u8>, SheetError> {
    let layout = damage.layout(sheet.width(), sheet.height());
    let mut chance = Chance::from_seed(damage.seed);
    let (mut gray, on_sheet) = laid_on_table(sheet, &layout, &mut chance);
    light(&mut gray, damage);
    let mut gray = image::imageops::blur(&gray, damage.blur_sigma_px as f32);
    noise(&mut gray, damage, &mut chance);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, damage.jpeg_quality)
        .encode_image(&tinted(&gray, &on_sheet))?;
    Ok(file)
}

/// The sheet seen from the camera, by bilinear sampling, on a wooden table; and for each pixel
/// whether the sheet is there.
fn laid_on_table(
    sheet: &GrayImage,
    layout: &Layout,
    chance: &mut Chance,
) -> (GrayImage, Vec<bool>) {
    let to_sheet = Projection::to_unit_square(&layout.corners);
    let (across, down) = (f64::from(sheet.width()), f64::from(sheet.height()));
    let grain = chance.between(0.01, 0.03);
    let mut on_sheet = Vec::with_capacity(layout.width as usize * layout.height as usize);
    let picture = GrayImage::from_fn(layout.width, layout.height, |x, y| {
        let (px, py) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let (u, v) = to_sheet.map(px, py);
        let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
        on_sheet.push(inside);
        let level = if inside {
            bilinear(sheet, u * across - 0.5, v * down - 0.5)
        } else {
            let along = (px * grain).sin() * 9.0
                + (px * grain * 7.3 + (py * 0.004).sin() * 4.0).sin() * 6.0;
            150.0 + along
        };
        image::Luma([level as u8])
    });
    (picture, on_sheet)
}

fn bilinear(sheet: &GrayImage, x: f64, y: f64) -> f64 {
    let at = |x: f64, y: f64| {
        let (x, y) = (x.max(0.0) as u32, y.max(0.0) as u32);
        let (x, y) = (x.min(sheet.width() - 1), y.min(sheet.height() - 1));
        f64::from(sheet.get_pixel(x, y).0[0])
    };
    let (left, top) = (x.floor(), y.floor());
    let (right_share, low_share) = (x - left, y - top);
    let upper = at(left, top) * (1.0 - right_share) + at(left + 1.0, top) * right_share;
    let lower = at(left, top + 1.0) * (1.0 - right_share) + at(left + 1.0, top + 1.0) * right_share;
    upper * (1.0 - low_share) + lower * low_share
}

/// Lets the light fall evenly (by the same factor a pixel) across the picture.
fn light(picture: &mut GrayImage, damage: &Damage) {
    let (sin, cos) = damage.light_degrees.to_radians().sin_cos();
    let (right, bottom) = (
        f64::from(picture.width() - 1),
        f64::from(picture.height() - 1),
    );
    let reach = (right * cos).abs() + (bottom * sin).abs();
    // The corner that the light comes from.
    let nearest = right * cos.max(0.0) + bottom * sin.max(0.0);
    let falling = damage.light_ratio.ln() / reach.max(1.0);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let away = nearest - (f64::from(x) * cos + f64::from(y) * sin);
        let [level] = pixel.0;
        pixel.0 = [(f64::from(level) * (-falling * away).exp()).round() as u8];
    }
}

fn noise(picture: &mut GrayImage, damage: &Damage, chance: &mut Chance) {
    for pixel in picture.pixels_mut() {
        let [level] = pixel.0;
        let noisy = f64::from(level) + chance.normal() * damage.noise_levels;
        pixel.0 = [noisy.round().clamp(0.0, 255.0) as u8];
    }
}

fn tinted(gray: &GrayImage, on_sheet: &[bool]) -> RgbImage {
    let mut picture = RgbImage::new(gray.width(), gray.height());
    let sources = gray.pixels().zip(on_sheet);
    for (pixel, (level, &paper)) in picture.pixels_mut().zip(sources) {
        let tint = if paper { PAPER_TINT } else { TABLE_TINT };
        *pixel = Rgb(tint.map(|share| (f64::from(level.0[0]) * share).round() as u8));
    }
    picture
}

/// A projective map of the plane.
struct Projection([f64; 9]);

impl Projection {
    /// Maps a convex quadrilateral to the unit square, its corners to (0,0), (1,0), (1,1), (0,1):
    /// the inverse of the map in Heckbert, "Fundamentals of Texture Mapping and Image Warping"
    /// (1989), section 2.2.3.
    fn to_unit_square(corners: &[(f64, f64); 4]) -> Self {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = *corners;
        let (dx1, dx2, dx3) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, dy3) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let area = dx1 * dy2 - dx2 * dy1;
        let g = (dx3 * dy2 - dx2 * dy3) / area;
        let h = (dx1 * dy3 - dx3 * dy1) / area;
        let (a, b, c) = (x1 - x0 + g * x1, x3 - x0 + h * x3, x0);
        let (d, e, f) = (y1 - y0 + g * y1, y3 - y0 + h * y3, y0);
        // The adjugate: the inverse up to a factor, which a projective map does not feel.
        Self([
            e - f * h,
            c * h - b,
            b * f - c * e,
            f * g - d,
            a - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ])
    }

    fn map(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * x + h * y + i;
        ((a * x + b * y + c) / w, (d * x + e * y + f) / w)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use image::Luma;

    use super::*;

    /// A sheet copied, not photographed.
    const NONE: Damage = Damage {
        turn_degrees: 0.0,
        perspective: 0.0,
        blur_sigma_px: 0.1,
        light_ratio: 1.0,
        light_degrees: 0.0,
        noise_levels: 0.0,
        jpeg_quality: 100,
        seed: 0,
    };

    fn decoded(sheet: &GrayImage, damage: &Damage) -> GrayImage {
        let file = photograph(sheet, damage).unwrap();
        image::load_from_memory(&file).unwrap().into_luma8()
    }

    fn white(width: u32, height: u32) -> GrayImage {
        GrayImage::from_pixel(width, height, Luma([255]))
    }

    #[test]
    fn every_seed_keeps_to_the_least_and_the_most() {
        let (mut left, mut right) = (0, 0);
        for seed in 0..2_000 {
            let damage = Damage::from_seed(seed);
            assert!((7.0..=12.0).contains(&damage.turn_degrees.abs()));
            assert!((0.10..=0.16).contains(&damage.perspective));
            assert!((1.0..=1.5).contains(&damage.blur_sigma_px));
            assert!((3.0..=3.5).contains(&damage.light_ratio));
            assert!(damage.noise_levels >= 2.0);
            assert_eq!(damage.jpeg_quality, 60);
            if damage.turn_degrees < 0.0 {
                left += 1;
            } else {
                right += 1;
            }
        }
        assert!(left > 900 && right > 900, "{left} left, {right} right");
    }

    #[test]
    fn the_sheet_lies_as_stated() {
        for seed in 0..200 {
            let damage = Damage::from_seed(seed);
            let layout = damage.layout(960, 2_226);
            let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = layout.corners;
            let turn = (y2 - y3).atan2(x2 - x3).to_degrees();
            assert!(
                (turn - damage.turn_degrees).abs() < 1e-9,
                "{turn}, {damage:?}"
            );
            let (far, near) = ((x1 - x0).hypot(y1 - y0), (x2 - x3).hypot(y2 - y3));
            let shorter = 1.0 - far / near;
            assert!(
                (shorter - damage.perspective).abs() < 1e-9,
                "{shorter}, {damage:?}"
            );
            let inside = |x: f64, y: f64| {
                x >= 0.0
                    && y >= 0.0
                    && x <= f64::from(layout.width)
                    && y <= f64::from(layout.height)
            };
            assert!(layout.corners.iter().all(|&(x, y)| inside(x, y)));
        }
    }

    #[test]
    fn the_projection_takes_the_corners_to_the_unit_square() {
        let layout = Damage::from_seed(3).layout(960, 2_226);
        let to_sheet = Projection::to_unit_square(&layout.corners);
        let square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        for ((x, y), (u, v)) in layout.corners.into_iter().zip(square) {
            let (found_u, found_v) = to_sheet.map(x, y);
            assert!((found_u - u).abs() < 1e-9 && (found_v - v).abs() < 1e-9);
        }
    }

    #[test]
    fn white_is_lit_by_the_stated_ratio() {
        for seed in 0..20 {
            let damage = Damage::from_seed(seed);
            let mut picture = white(700, 1_200);
            light(&mut picture, &damage);
            let levels = || picture.pixels().map(|pixel| f64::from(pixel.0[0]));
            let (most, least) = (levels().fold(0.0, f64::max), levels().fold(255.0, f64::min));
            assert!(
                (most / least - damage.light_ratio).abs() < 0.03,
                "{most}:{least}, {damage:?}"
            );
        }
    }

    #[test]
    fn an_edge_is_blurred_by_the_stated_sigma() {
        let sheet = GrayImage::from_fn(400, 400, |x, _| Luma([if x < 200 { 40 } else { 240 }]));
        for sigma in [1.0, 1.25, 1.5] {
            let picture = decoded(
                &sheet,
                &Damage {
                    blur_sigma_px: sigma,
                    ..NONE
                },
            );
            // The steps along a row across the edge are the blur's kernel.
            let row: Vec<f64> = (230..270)
                .map(|x| f64::from(picture.get_pixel(x, 250).0[0]))
                .collect();
            let steps: Vec<f64> = row.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let all: f64 = steps.iter().sum();
            let moment = |power: i32, about: f64| {
                let weighted = |(at, step): (usize, &f64)| step * (at as f64 - about).powi(power);
                steps.iter().enumerate().map(weighted).sum::<f64>() / all
            };
            let measured = moment(2, moment(1, 0.0)).sqrt();
            assert!((measured - sigma).abs() < 0.1, "{measured} for {sigma}");
        }
    }

    #[test]
    fn noise_has_the_stated_deviation() {
        let mut picture = GrayImage::from_pixel(300, 300, Luma([128]));
        let damage = Damage {
            noise_levels: 3.0,
            ..NONE
        };
        noise(&mut picture, &damage, &mut Chance::from_seed(1));
        let squares = picture
            .pixels()
            .map(|pixel| (f64::from(pixel.0[0]) - 128.0).powi(2));
        let deviation = (squares.sum::<f64>() / 90_000.0).sqrt();
        assert!((deviation - 3.0).abs() < 0.1, "{deviation}");
    }

    #[test]
    fn the_file_has_the_quantisation_table_of_its_quality() {
        let file = photograph(&white(64, 64), &Damage::from_seed(1)).unwrap();
        let marker = file
            .windows(2)
            .position(|pair| pair == [0xff, 0xdb])
            .unwrap();
        // Annex K's luminance table (ITU-T T.81), in zigzag order, times 0.8 for quality 60.
        let table = &file[marker + 5..marker + 13];
        assert_eq!(table, [13, 9, 10, 11, 10, 8, 13, 11]);
    }

    #[test]
    fn a_seed_repeats_its_photograph() {
        let photographed = |seed| photograph(&white(80, 120), &Damage::from_seed(seed)).unwrap();
        assert_eq!(photographed(4), photographed(4));
        assert_ne!(photographed(4), photographed(5));
    }

    #[test]
    fn damage_is_told_in_a_line() {
        let damage = Damage {
            turn_degrees: -9.24,
            perspective: 0.12,
            blur_sigma_px: 1.3,
            light_ratio: 3.2,
            jpeg_quality: 60,
            ..NONE
        };
        assert_eq!(
            damage.sentence(Language::En),
            "turned 9.2 degrees, perspective 12 %, blur 1.3 px, light 3.2:1, JPEG 60"
        );
    }
}
