use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, Frame};

use super::super::MediaKind;
use super::{SECRET, clean, exif, orientation, pixels, seeds, stripped};

pub(super) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).unwrap().to_le_bytes();
    let pad: &[u8] = if data.len() % 2 == 1 { b"S" } else { b"" };
    [kind.as_slice(), &size, data, pad].concat()
}

pub(super) fn riff(body: &[u8]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WEBP", body].concat())
}

/// Metadata in every place of an extended WebP.
pub(super) fn with_everything(picture: &[u8], orientation: u8) -> Vec<u8> {
    let (header, rest) = picture[12..].split_at(18);
    let flags = header[8] | 0x2C;
    let header = chunk(b"VP8X", &[&[flags], &header[9..], SECRET].concat());
    let prefixed = [b"Exif\0\0".as_slice(), &exif(orientation, false)].concat();
    let body = [
        &header,
        &chunk(b"ICCP", SECRET),
        &chunk(b"odd ", &[SECRET, b"."].concat()),
        rest,
        &chunk(b"EXIF", &prefixed),
        &chunk(b"XMP ", SECRET),
        // A second picture, which nobody shows.
        &chunk(b"VP8 ", SECRET),
    ]
    .concat();
    [&riff(&body), SECRET].concat()
}

fn frames(file: &[u8]) -> Vec<Frame> {
    let decoder = WebPDecoder::new(Cursor::new(file)).unwrap();
    decoder.into_frames().collect_frames().unwrap()
}

#[test]
fn everything_goes_and_the_pixels_stay() {
    let output = clean(&with_everything(seeds::ALPHA, 1), MediaKind::WebP);
    assert_eq!(output, stripped(seeds::ALPHA).1);
    assert_eq!(pixels(&output), pixels(seeds::ALPHA));

    let mut simple = seeds::LOSSY.to_vec();
    simple.extend(chunk(b"XMP ", SECRET));
    let size = u32::try_from(simple.len() - 8).unwrap();
    simple[4..8].copy_from_slice(&size.to_le_bytes());
    assert_eq!(clean(&simple, MediaKind::WebP), seeds::LOSSY);
}

#[test]
fn frames_stay_and_what_hides_in_them_goes() {
    let mut body = seeds::ANIMATED_WEBP[12..44].to_vec();
    assert_eq!(&body[18..22], b"ANIM");
    let mut rest = &seeds::ANIMATED_WEBP[44..];
    while !rest.is_empty() {
        let size = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let inner = [&rest[8..8 + size], &chunk(b"mine", SECRET)].concat();
        body.extend(chunk(b"ANMF", &inner));
        rest = &rest[8 + size..];
    }
    let output = clean(&riff(&body), MediaKind::WebP);
    assert_eq!(output, stripped(seeds::ANIMATED_WEBP).1);
    let [one, other] = [frames(&output), frames(seeds::ANIMATED_WEBP)];
    assert_eq!([one.len(), other.len()], [3, 3]);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one.buffer(), other.buffer());
        assert_eq!(one.delay(), other.delay());
    }
}

#[test]
fn only_the_orientation_is_kept_of_exif() {
    let upright = stripped(seeds::ALPHA).1;
    for value in 2..=8 {
        let output = clean(&with_everything(seeds::ALPHA, value), MediaKind::WebP);
        assert_eq!(orientation(&output), Orientation::from_exif(value).unwrap());
        assert_eq!(pixels(&output), pixels(seeds::ALPHA));
        assert_eq!(output.len(), upright.len() + 8 + 26);
        assert_eq!(output[20], upright[20] | 8);
    }
}

#[test]
fn what_cannot_be_followed_is_kept_word_for_word() {
    let file = with_everything(seeds::ALPHA, 6);
    for end in [200, file.len() - 30] {
        assert_eq!(stripped(&file[..end]).0.kind, MediaKind::Other);
    }
    let no_picture = riff(&chunk(b"VP8X", &[0; 10]));
    assert_eq!(stripped(&no_picture).0.kind, MediaKind::Other);
}
