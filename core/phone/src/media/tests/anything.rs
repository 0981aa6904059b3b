use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::MediaKind;
use super::{SECRET, clean, jpeg, png, seeds, stripped, webp};

const STARTS: [&[u8]; 8] = [
    b"\xFF\xD8",
    b"\xFF\xD8\xFF\xC0\0\x02\xFF\xDA\0\x02",
    b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR",
    b"RIFF\xFF\xFF\0\0WEBPVP8X\x0A\0\0\0",
    b"\0\0\0\x08ftyp",
    b"\0\0\0\x08ftyp\0\0\0\0moov",
    b"\0\0\0\x01mdat\0\0\0\0\0\0\0",
    b"",
];

#[derive(Clone, Debug)]
enum Change {
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    // Zeros, ones and marks break lengths, counts and markers more often than other bytes do.
    let byte = prop_oneof![
        select(vec![0, 1, 8, 0x7F, 0xD8, 0xD9, 0xDA, 0xFF]),
        any::<u8>()
    ];
    let bytes = vec(byte, 1..9);
    prop_oneof![
        4 => (any::<Index>(), bytes.clone()).prop_map(|(at, bytes)| Change::Overwrite(at, bytes)),
        1 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (any::<Index>(), 1..200_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        1 => any::<Index>().prop_map(Change::Cut),
    ]
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    if file.is_empty() {
        return;
    }
    match change {
        Change::Overwrite(at, bytes) => {
            let at = at.index(file.len());
            for (slot, byte) in file[at..].iter_mut().zip(bytes) {
                *slot = *byte;
            }
        }
        Change::Insert(at, bytes) => {
            let at = at.index(file.len());
            file.splice(at..at, bytes.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = at.index(file.len());
            file.drain(at..file.len().min(at + count));
        }
        Change::Repeat(at, count) => {
            let at = at.index(file.len());
            let again = file[at..file.len().min(at + count)].to_vec();
            file.splice(at..at, again);
        }
        Change::Cut(at) => file.truncate(at.index(file.len())),
    }
}

/// Some metadata: which place it may take, what it is called, what it holds.
fn metadata() -> impl Strategy<Value = Vec<(Index, u8, Vec<u8>)>> {
    let bytes = vec(any::<u8>(), 0..300).prop_map(|bytes| [&bytes, SECRET].concat());
    vec((any::<Index>(), any::<u8>(), bytes), 1..6)
}

/// Puts each piece between two of a file's own.
fn mixed(
    own: &[&[u8]],
    metadata: &[(Index, u8, Vec<u8>)],
    made: impl Fn(u8, &[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = own.iter().map(|part| part.to_vec()).collect();
    for (place, name, bytes) in metadata {
        // Never before the first, which says what the file is, or behind the last.
        let place = 1 + place.index(parts.len() - 1);
        parts.insert(place, made(*name, bytes));
    }
    parts.concat()
}

/// Segments before the scan; a scan with its data is one.
fn segments(mut file: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut size = 2;
    while file[1] != 0xDA {
        let (part, rest) = file.split_at(size);
        parts.push(part);
        file = rest;
        size = 2 + usize::from(u16::from_be_bytes([file[2], file[3]]));
    }
    let (scan, end) = file.split_at(file.len() - 2);
    parts.extend([scan, end]);
    parts
}

fn png_chunks(file: &[u8]) -> Vec<&[u8]> {
    let (start, mut rest) = file.split_at(33);
    let mut parts = vec![start];
    while !rest.is_empty() {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (part, more) = rest.split_at(size + 12);
        parts.push(part);
        rest = more;
    }
    parts
}

fn webp_chunks(file: &[u8]) -> Vec<&[u8]> {
    let mut rest = &file[12..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let size = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (part, more) = rest.split_at(8 + size + size % 2);
        parts.push(part);
        rest = more;
    }
    parts
}

proptest! {
    #[test]
    fn any_bytes_are_copied_or_stripped(start in select(STARTS.to_vec()), bytes in vec(any::<u8>(), 0..2000)) {
        stripped(&[start, &bytes].concat());
    }

    #[test]
    fn damaged_files_are_copied_or_stripped(
        mut file in select(seeds::all()),
        changes in vec(change(), 1..8),
    ) {
        for change in &changes {
            apply(&mut file, change);
        }
        let (told, output) = stripped(&file);
        // What could be seen before is seen after. Only for PNG: in a damaged scan the decoder of
        // JPEG here reads on into the segment behind it, and that of WebP panics on some damage.
        if told.kind == MediaKind::Png
            && let Ok(picture) = image::load_from_memory(&file)
        {
            prop_assert!(image::load_from_memory(&output).is_ok_and(|after| after == picture));
        }
    }

    #[test]
    fn metadata_anywhere_in_a_jpeg_leaves_no_trace(metadata in metadata()) {
        // APP0 to APP15 and comments; none of them begins as JFIF, Exif or Adobe do.
        let made = |name: u8, bytes: &[u8]| {
            let code = if name & 0x10 == 0 { 0xE0 | name & 0x0F } else { 0xFE };
            jpeg::segment(code, &[b"x", bytes].concat())
        };
        for picture in [seeds::RESTARTS, seeds::CMYK] {
            let file = mixed(&segments(picture), &metadata, made);
            prop_assert_eq!(clean(&file, MediaKind::Jpeg), picture);
        }
    }

    #[test]
    fn metadata_anywhere_in_a_png_leaves_no_trace(metadata in metadata()) {
        let names: [&[u8; 4]; 8] = [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"tIME", b"sPLT", b"bKGD", b"deBG"];
        let made = |name: u8, bytes: &[u8]| png::chunk(names[usize::from(name) % names.len()], bytes);
        for picture in [seeds::PALETTE, seeds::ANIMATED_PNG] {
            let file = mixed(&png_chunks(picture), &metadata, made);
            prop_assert_eq!(clean(&file, MediaKind::Png), picture);
        }
    }

    #[test]
    fn metadata_anywhere_in_a_webp_leaves_no_trace(metadata in metadata()) {
        let names: [&[u8; 4]; 4] = [b"ICCP", b"XMP ", b"EXIF", b"mine"];
        let made = |name: u8, bytes: &[u8]| {
            webp::chunk(names[usize::from(name) % names.len()], &[b"x", bytes].concat())
        };
        for picture in [seeds::LOSSY, seeds::ALPHA, seeds::ANIMATED_WEBP] {
            let mut parts = webp_chunks(picture);
            // A simple file ends with its picture; metadata behind it is still inside RIFF.
            parts.push(b"");
            let file = webp::riff(&mixed(&parts, &metadata, made));
            prop_assert_eq!(clean(&file, MediaKind::WebP), stripped(picture).1);
        }
    }
}
