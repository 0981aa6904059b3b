use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, Frame};

use super::super::MediaKind;
use super::super::png::crc32;
use super::{SECRET, clean, exif, orientation, pixels, seeds, stripped};

pub(super) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let checked = [kind.as_slice(), data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, checked.as_slice(), &crc32(&checked).to_be_bytes()].concat()
}

/// Metadata in every place of a PNG.
pub(super) fn with_everything(picture: &[u8], orientation: u8) -> Vec<u8> {
    let (header, rest) = picture.split_at(33);
    let (rest, end) = rest.split_at(rest.len() - 12);
    [
        header,
        &chunk(b"tEXt", &[b"Comment\0", SECRET].concat()),
        &chunk(b"zTXt", &[b"Raw profile type exif\0\0", SECRET].concat()),
        &chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        &chunk(b"iCCP", SECRET),
        &chunk(b"tIME", &[7, 0xEA, 1, 1, 1, 1, 1]),
        &chunk(b"gAMA", &45_455_u32.to_be_bytes()),
        // Of the wrong length.
        &chunk(b"cHRM", SECRET),
        &chunk(b"pHYs", &[0, 0, 0, 1, 0, 0, 0, 1, 0]),
        &chunk(b"npTc", SECRET),
        rest,
        &chunk(b"eXIf", &exif(orientation, true)),
        &chunk(b"tEXt", SECRET),
        end,
        // What a cropping tool left of the larger picture before.
        SECRET,
    ]
    .concat()
}

fn frames(file: &[u8]) -> Vec<Frame> {
    let decoder = PngDecoder::new(Cursor::new(file)).unwrap().apng().unwrap();
    decoder.into_frames().collect_frames().unwrap()
}

fn same_frames(one: &[u8], other: &[u8]) {
    let [one, other] = [frames(one), frames(other)];
    assert_eq!(one.len(), 3);
    assert_eq!(other.len(), 3);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one.buffer(), other.buffer());
        assert_eq!(one.delay(), other.delay());
    }
}

#[test]
fn everything_goes_and_the_pixels_stay() {
    for picture in [seeds::PALETTE, seeds::ANIMATED_PNG] {
        let output = clean(&with_everything(picture, 1), MediaKind::Png);
        assert_eq!(pixels(&output), pixels(picture));
        // The gamma that was put in stays.
        assert_eq!(output.len(), picture.len() + 16);
    }
    let animated = with_everything(seeds::ANIMATED_PNG, 6);
    same_frames(&clean(&animated, MediaKind::Png), seeds::ANIMATED_PNG);
}

#[test]
fn only_the_orientation_is_kept_of_exif() {
    for value in 2..=8 {
        let output = clean(&with_everything(seeds::PALETTE, value), MediaKind::Png);
        assert_eq!(orientation(&output), Orientation::from_exif(value).unwrap());
        assert_eq!(output.len(), seeds::PALETTE.len() + 16 + 12 + 26);
    }
}

#[test]
fn a_picture_cut_off_in_its_data_keeps_what_is_there() {
    let whole = with_everything(seeds::PALETTE, 6);
    let data = whole.windows(4).position(|four| four == b"IDAT").unwrap();
    let output = clean(&whole[..data + 60], MediaKind::Png);
    assert!(output.ends_with(&whole[data - 4..data + 60]));
    assert_eq!(stripped(&whole[..data - 4]).0.kind, MediaKind::Other);
    // Behind the picture, without an end chunk.
    let cut = &seeds::PALETTE[..seeds::PALETTE.len() - 12];
    assert_eq!(stripped(cut).1, seeds::PALETTE);
}

#[test]
fn a_critical_chunk_nobody_knows_is_no_reason_to_lose_the_picture() {
    let (header, rest) = seeds::PALETTE.split_at(33);
    let file = [header, &chunk(b"CgBI", &[0; 4]), rest].concat();
    assert_eq!(stripped(&file).0.kind, MediaKind::Other);
}
