use image::metadata::Orientation;

use super::super::MediaKind;
use super::{SECRET, clean, exif, orientation, pixels, seeds, stripped};

pub(super) fn segment(code: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, code], length.to_be_bytes().as_slice(), payload].concat()
}

/// Metadata in every place of a JPEG that ends with its end of image.
pub(super) fn with_everything(picture: &[u8], orientation: u8) -> Vec<u8> {
    let [start, end] = [&picture[..2], &picture[picture.len() - 2..]];
    // A thumbnail of six pixels, 18 bytes.
    let jfif = [b"JFIF\0\x01\x02\0\0\x01\0\x01\x06\x01", SECRET].concat();
    let tiff = exif(orientation, false);
    let mut file = [
        start,
        &segment(0xE0, &jfif),
        &segment(0xE0, &[b"JFXX\0\x10", SECRET].concat()),
        &segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        &segment(0xE1, &[b"Exif\0\0".as_slice(), &tiff].concat()),
        &segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", SECRET].concat()),
        &segment(0xE2, &[b"MPF\0", SECRET].concat()),
        &segment(0xED, &[b"Photoshop 3.0\0", SECRET].concat()),
        &segment(0xEE, SECRET),
        &segment(0xFE, SECRET),
        // Fill bytes, then what the picture had.
        &[0xFF, 0xFF],
    ]
    .concat();
    // Segments of its own between the scans and behind the last.
    let mut rest = &picture[2..picture.len() - 2];
    while let Some(place) = rest.windows(2).skip(1).position(|two| two == [0xFF, 0xC4]) {
        file.extend(&rest[..=place]);
        file.extend(segment(0xFE, SECRET));
        rest = &rest[place + 1..];
    }
    file.extend(rest);
    file.extend(segment(0xE5, SECRET));
    file.extend(end);
    // A second picture and a film, as phones append them.
    file.extend(picture);
    file.extend(SECRET);
    file
}

#[test]
fn everything_goes_and_the_pixels_stay() {
    for picture in [seeds::PROGRESSIVE, seeds::RESTARTS, seeds::CMYK] {
        let file = with_everything(picture, 1);
        let output = clean(&file, MediaKind::Jpeg);
        assert_eq!(pixels(&output), pixels(picture));
        assert_eq!(orientation(&output), Orientation::NoTransforms);
        // Nothing but the density of the JFIF header that was put in.
        assert!(output.len() <= picture.len() + 18);
    }
}

#[test]
fn only_the_orientation_is_kept_of_exif() {
    for value in 2..=8 {
        for little in [false, true] {
            let tiff = exif(value, little);
            let app1 = segment(0xE1, &[b"Exif\0\0".as_slice(), &tiff].concat());
            let file = [&seeds::CMYK[..2], &app1, &seeds::CMYK[2..]].concat();
            let output = clean(&file, MediaKind::Jpeg);
            assert_eq!(orientation(&output), Orientation::from_exif(value).unwrap());
            assert_eq!(output.len(), seeds::CMYK.len() + 36);
        }
    }
}

#[test]
fn an_exif_that_cannot_be_followed_goes_whole() {
    for tiff in [
        b"".as_slice(),
        b"II*\0\xFF\xFF\xFF\xFF",
        b"II*\0\x08\0\0\0\xFF\xFF\x12\x01",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0",
    ] {
        let app1 = segment(0xE1, &[b"Exif\0\0", tiff, SECRET].concat());
        let file = [&seeds::CMYK[..2], &app1, &seeds::CMYK[2..]].concat();
        assert_eq!(clean(&file, MediaKind::Jpeg), seeds::CMYK);
    }
}

#[test]
fn a_picture_cut_off_in_a_scan_keeps_what_is_there() {
    let whole = with_everything(seeds::RESTARTS, 6);
    let scan = whole
        .windows(2)
        .position(|two| two == [0xFF, 0xDA])
        .unwrap();
    for end in [scan + 20, scan + 100] {
        let output = clean(&whole[..end], MediaKind::Jpeg);
        assert!(output.ends_with(&whole[scan..end]));
    }
    // Without a scan there is nothing to judge by.
    assert_eq!(stripped(&whole[..scan]).0.kind, MediaKind::Other);
}

#[test]
fn what_cannot_be_followed_is_kept_word_for_word() {
    let picture = seeds::RESTARTS;
    let bodies: [&[u8]; 4] = [
        // Bytes between segments, a segment too short for its length, one too long, a reserved one.
        &[&[0, 0], &picture[2..]].concat(),
        &[&[0xFF, 0xE1, 0, 1], &picture[2..]].concat(),
        &[&[0xFF, 0xE1, 0xFF, 0xFF], &picture[2..]].concat(),
        &[&segment(0xF7, &[0; 9]), &picture[2..]].concat(),
    ];
    for body in bodies {
        let file = [&picture[..2], body].concat();
        assert_eq!(stripped(&file).0.kind, MediaKind::Other);
    }
}
