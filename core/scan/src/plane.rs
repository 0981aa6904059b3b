//! Grey pixels of our own, and what is done to them before reading.

use crate::gray::GrayImage;

/// A grey image without gaps between its rows; neither side is 0.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

/// Where a pixel goes when a side is shrunk: the share of it that falls on `cell`; the rest falls
/// on the cell after it.
#[derive(Clone, Copy)]
struct Split {
    cell: usize,
    share: f32,
}

impl Plane {
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixel at a place; white outside.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> u8 {
        let pixel = self.pixels.get(y * self.width + x);
        pixel.copied().unwrap_or(u8::MAX)
    }

    /// A copy of the image, shrunk by averaging areas until neither side exceeds `longest`.
    pub(crate) fn within(image: &GrayImage<'_>, longest: usize) -> Self {
        let (from_width, from_height) = (image.width(), image.height());
        let from_longest = from_width.max(from_height);
        if from_longest <= longest {
            let mut pixels = Vec::with_capacity(from_width * from_height);
            image.rows().for_each(|row| pixels.extend_from_slice(row));
            return Self {
                pixels,
                width: from_width,
                height: from_height,
            };
        }
        let shrink = |side: usize| (side * longest / from_longest).max(1);
        let (width, height) = (shrink(from_width), shrink(from_height));
        let columns = splits(from_width, width);
        let mut sums = vec![0.0_f32; width * height];
        let mut line = vec![0.0_f32; width];
        for (row, vertical) in image.rows().zip(splits(from_height, height)) {
            line.fill(0.0);
            for (&pixel, split) in row.iter().zip(&columns) {
                let value = f32::from(pixel);
                if let Some(cell) = line.get_mut(split.cell) {
                    *cell += value * split.share;
                }
                if let Some(cell) = line.get_mut(split.cell + 1) {
                    *cell += value * (1.0 - split.share);
                }
            }
            let below = sums.iter_mut().skip(vertical.cell * width);
            for (at, sum) in below.take(2 * width).enumerate() {
                let (share, x) = if at < width {
                    (vertical.share, at)
                } else {
                    (1.0 - vertical.share, at - width)
                };
                *sum += line.get(x).copied().unwrap_or(0.0) * share;
            }
        }
        let area = (from_width as f32 / width as f32) * (from_height as f32 / height as f32);
        Self {
            pixels: sums.iter().map(|sum| (sum / area + 0.5) as u8).collect(),
            width,
            height,
        }
    }

    /// A quarter turn clockwise: what was at x, y comes to height - 1 - y, x.
    pub(crate) fn turned(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for x in 0..self.width {
            pixels.extend((0..self.height).rev().map(|y| self.pixel(x, y)));
        }
        Self {
            pixels,
            width: self.height,
            height: self.width,
        }
    }

    /// Twice as wide and high, between the pixels by linear interpolation.
    pub(crate) fn doubled(&self) -> Self {
        let (width, height) = (self.width * 2, self.height * 2);
        // Sample centres lie a quarter of a pixel off those of the source: 3 parts the nearer
        // pixel, 1 part the next.
        let next = |at: usize, side: usize| {
            let other = if at.is_multiple_of(2) {
                (at / 2).saturating_sub(1)
            } else {
                at / 2 + 1
            };
            other.min(side - 1)
        };
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let (near_y, far_y) = (y / 2, next(y, self.height));
            for x in 0..width {
                let (near_x, far_x) = (x / 2, next(x, self.width));
                let at = |x, y| u32::from(self.pixel(x, y));
                let sum = 9 * at(near_x, near_y)
                    + 3 * (at(far_x, near_y) + at(near_x, far_y))
                    + at(far_x, far_y);
                pixels.push(((sum + 8) / 16) as u8);
            }
        }
        Self {
            pixels,
            width,
            height,
        }
    }

    /// Smoothed by the binomial kernel 1-2-1 along both axes (sigma about 0.7 pixels).
    pub(crate) fn smoothed(&self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..self.height {
            let (above, below) = (y.saturating_sub(1), (y + 1).min(self.height - 1));
            for x in 0..self.width {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(self.width - 1));
                let across = |y| {
                    let at = |x| u32::from(self.pixel(x, y));
                    at(left) + 2 * at(x) + at(right)
                };
                pixels.push(((across(above) + 2 * across(y) + across(below) + 8) / 16) as u8);
            }
        }
        Self { pixels, ..*self }
    }

    /// 0 where a pixel is darker than `percent` of the mean of the square around it that reaches
    /// `radius` pixels to each side, 255 elsewhere (Wellner's adaptive threshold, on the summed
    /// area table of Bradley and Roth, 2007).
    pub(crate) fn local_threshold(&self, radius: usize, percent: u32) -> Self {
        let row_sums = self.width + 1;
        // Sums wrap for images above 16 megapixels; differences of them are right all the same.
        let mut table: Vec<u32> = Vec::with_capacity(row_sums * (self.height + 1));
        table.resize(row_sums, 0);
        for row in self.pixels.chunks(self.width) {
            let above = table.len() - row_sums;
            let mut sum = 0_u32;
            table.push(0);
            for (x, &pixel) in row.iter().enumerate() {
                sum = sum.wrapping_add(u32::from(pixel));
                let over = table.get(above + x + 1).copied().unwrap_or(0);
                table.push(over.wrapping_add(sum));
            }
        }
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for (y, row) in self.pixels.chunks(self.width).enumerate() {
            let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(self.height));
            for (x, &pixel) in row.iter().enumerate() {
                let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(self.width));
                let at = |x, y| table.get(y * row_sums + x).copied().unwrap_or(0);
                let sum = at(right, bottom)
                    .wrapping_sub(at(left, bottom))
                    .wrapping_sub(at(right, top))
                    .wrapping_add(at(left, top));
                let area = ((bottom - top) * (right - left)) as u64;
                let dark = u64::from(pixel) * area * 100 < u64::from(sum) * u64::from(percent);
                pixels.push(if dark { 0 } else { u8::MAX });
            }
        }
        Self { pixels, ..*self }
    }
}

/// For each of `from` pixels of a side, the cells of `to` that it falls on (`to` <= `from`).
fn splits(from: usize, to: usize) -> Vec<Split> {
    (0..from)
        .map(|at| {
            // In units of 1/from of a cell, a pixel covers start..start + to.
            let start = at * to;
            let cell = start / from;
            let room = (cell + 1) * from - start;
            let share = if room >= to {
                1.0
            } else {
                room as f32 / to as f32
            };
            Split { cell, share }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn plane(pixels: &[u8], width: u32, height: u32, longest: usize) -> Plane {
        let image = GrayImage::new(pixels, width, height, width as usize).unwrap();
        Plane::within(&image, longest)
    }

    #[test]
    fn shrinking_averages_areas() {
        let halved = plane(&[0, 100, 200, 200, 100, 200, 0, 0], 4, 2, 2);
        assert_eq!((halved.width(), halved.height()), (2, 1));
        assert_eq!(halved.pixels(), [100, 100]);
        // Three pixels on two cells: the middle one is shared.
        assert_eq!(plane(&[90, 30, 0], 3, 1, 2).pixels(), [70, 10]);
    }

    #[test]
    fn shrinking_a_strip_leaves_a_pixel_of_its_short_side() {
        let strip = plane(&[40; 65_535], 65_535, 1, 3_000);
        assert_eq!((strip.width(), strip.height()), (3_000, 1));
        assert!(strip.pixels().iter().all(|&pixel| pixel == 40));
    }

    #[test]
    fn doubling_interpolates() {
        let doubled = plane(&[0, 160], 2, 1, 2).doubled();
        assert_eq!((doubled.width(), doubled.height()), (4, 2));
        assert_eq!(doubled.pixels(), [0, 40, 120, 160, 0, 40, 120, 160]);
    }

    #[test]
    fn smoothing_spreads_a_dot_and_keeps_an_even_shade() {
        let dot = plane(&[0, 0, 0, 0, 160, 0, 0, 0, 0], 3, 3, 3).smoothed();
        assert_eq!(dot.pixels(), [10, 20, 10, 20, 40, 20, 10, 20, 10]);
        let even = plane(&[77; 12], 4, 3, 4).smoothed();
        assert_eq!(even.pixels(), [77; 12]);
    }

    #[test]
    fn the_local_threshold_finds_ink_in_light_and_in_shadow() {
        let across = [200, 200, 120, 200, 200, 200, 60, 60, 60, 30, 60, 60];
        let ink = plane(&across, 12, 1, 12).local_threshold(2, 80);
        let dark: Vec<usize> = (0..12).filter(|&x| ink.pixel(x, 0) == 0).collect();
        assert!(dark.contains(&2) && dark.contains(&9), "{dark:?}");
        assert!(!dark.contains(&0) && !dark.contains(&11), "{dark:?}");
    }
}
