//! Small pictures of 40 by 24 pixels, written by Pillow 13; they hold no metadata.

use super::films;

pub(super) const PROGRESSIVE: &[u8] = include_bytes!("pictures/progressive.jpg");
/// A restart marker after every block.
pub(super) const RESTARTS: &[u8] = include_bytes!("pictures/restarts.jpg");
/// With Adobe's APP14; many stuffed zeros.
pub(super) const CMYK: &[u8] = include_bytes!("pictures/cmyk.jpg");
/// With PLTE and tRNS.
pub(super) const PALETTE: &[u8] = include_bytes!("pictures/palette.png");
/// Three frames.
pub(super) const ANIMATED_PNG: &[u8] = include_bytes!("pictures/animated.png");
pub(super) const LOSSY: &[u8] = include_bytes!("pictures/lossy.webp");
/// VP8X with ALPH and VP8.
pub(super) const ALPHA: &[u8] = include_bytes!("pictures/alpha.webp");
/// Three frames.
pub(super) const ANIMATED_WEBP: &[u8] = include_bytes!("pictures/animated.webp");

/// One file of every kind, for changing at random.
pub(super) fn all() -> Vec<Vec<u8>> {
    let pictures = [
        PROGRESSIVE,
        RESTARTS,
        CMYK,
        PALETTE,
        ANIMATED_PNG,
        LOSSY,
        ALPHA,
        ANIMATED_WEBP,
    ];
    let mut all: Vec<Vec<u8>> = pictures.iter().map(|picture| picture.to_vec()).collect();
    all.push(super::jpeg::with_everything(PROGRESSIVE, 6));
    all.push(super::png::with_everything(PALETTE, 6));
    all.push(super::webp::with_everything(ALPHA, 6));
    all.push(films::film().bytes);
    all.push(films::fragmented());
    all
}
