use std::ops::Range;

use super::super::MediaKind;
use super::{SECRET, clean, holds_secret, stripped};

/// Seconds since 1904, as no box may keep them.
const TIME: [u8; 4] = [0xE5, 0x7A, 0x11, 0x7E];

fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len() + 8).unwrap().to_be_bytes();
    [size.as_slice(), kind, payload].concat()
}

fn all(boxes: &[Vec<u8>]) -> Vec<u8> {
    boxes.concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// What phones write beside the film, at any level.
fn metadata() -> Vec<u8> {
    let handler = [&[0; 8], b"mdta".as_slice(), &[0; 12], SECRET, &[0]].concat();
    let keys = boxed(b"keys", SECRET);
    let meta = [vec![0; 4], boxed(b"hdlr", &handler), keys].concat();
    all(&[
        boxed(b"udta", &boxed(b"\xA9xyz", SECRET)),
        boxed(b"meta", &meta),
        boxed(b"uuid", &[[7; 16].as_slice(), SECRET].concat()),
        boxed(b"loci", SECRET),
        boxed(b"free", SECRET),
    ])
}

fn times(kind: &[u8; 4], version: u8) -> Vec<u8> {
    let wide: &[u8] = if version == 1 { &[0; 4] } else { &[] };
    let payload = [&[version, 0, 0, 3], wide, &TIME, wide, &TIME, &[0, 0, 0, 1]].concat();
    boxed(kind, &[payload.as_slice(), &[0; 84]].concat())
}

/// A track of one sample in each chunk.
fn track(handler: &[u8; 4], chunks: &[Range<usize>], wide: bool) -> Vec<u8> {
    let sizes: Vec<u32> = chunks.iter().map(|chunk| chunk.len() as u32).collect();
    let count = chunks.len() as u32;
    let offsets = if wide {
        let offsets: Vec<u32> = chunks.iter().flat_map(|c| [0, c.start as u32]).collect();
        boxed(
            b"co64",
            &numbers(&[&[0, count], offsets.as_slice()].concat()),
        )
    } else {
        let offsets: Vec<u32> = chunks.iter().map(|c| c.start as u32).collect();
        boxed(
            b"stco",
            &numbers(&[&[0, count], offsets.as_slice()].concat()),
        )
    };
    // The vendor is at 12; at 42, only of a picture, the name of the coder.
    let name = if handler == b"soun" {
        [0; 18]
    } else {
        SECRET.try_into().unwrap()
    };
    let entry = [
        &[0; 12],
        b"appl".as_slice(),
        &[0; 26],
        &[18],
        &name,
        &[0; 40],
    ]
    .concat();
    let table = all(&[
        boxed(
            b"stsd",
            &[numbers(&[0, 1]), boxed(b"avc1", &entry)].concat(),
        ),
        boxed(b"stts", &numbers(&[0, 1, count, 100])),
        boxed(b"stsc", &numbers(&[0, 1, 1, 1, 1])),
        boxed(
            b"stsz",
            &numbers(&[&[0, 0, count], sizes.as_slice()].concat()),
        ),
        offsets,
        metadata(),
    ]);
    let alias = boxed(b"alis", &[&[0, 0, 0, 1], SECRET].concat());
    let references = boxed(b"dref", &[numbers(&[0, 1]), alias].concat());
    let information = all(&[
        boxed(b"vmhd", &[0; 12]),
        boxed(
            b"hdlr",
            &[&[0; 4], b"dhlralis".as_slice(), &[0; 12], SECRET].concat(),
        ),
        boxed(b"dinf", &references),
        boxed(b"stbl", &table),
        metadata(),
    ]);
    let media = all(&[
        times(b"mdhd", 1),
        boxed(
            b"hdlr",
            &[
                &[0; 4],
                b"mhlr",
                handler.as_slice(),
                b"appl",
                &[0; 8],
                SECRET,
            ]
            .concat(),
        ),
        boxed(b"minf", &information),
        metadata(),
    ]);
    let track = all(&[
        times(b"tkhd", 0),
        boxed(
            b"edts",
            &[
                boxed(b"elst", &numbers(&[0, 1, 300, 0, 0x1_0000])),
                metadata(),
            ]
            .concat(),
        ),
        metadata(),
        boxed(b"mdia", &media),
    ]);
    boxed(b"trak", &track)
}

pub(super) struct Film {
    pub(super) bytes: Vec<u8>,
    /// Where picture and sound are.
    shown: Vec<Range<usize>>,
}

/// Picture, sound, and a track of places, interleaved in media data with a 64-bit length.
pub(super) fn film() -> Film {
    let start = all(&[boxed(b"ftyp", b"qt  \0\0\0\0qt  "), metadata()]);
    let first = start.len() + 16;
    let mut samples = Vec::new();
    let mut chunks: [Vec<Range<usize>>; 3] = Default::default();
    for round in 0..4_u8 {
        for (kind, chunks) in chunks.iter_mut().enumerate() {
            let from = first + samples.len();
            if kind == 2 {
                samples.extend(SECRET);
            } else {
                samples.extend([b"shown", [round; 40].as_slice()].concat());
            }
            chunks.push(from..first + samples.len());
        }
    }
    let size = samples.len() as u64 + 16;
    let media = [
        &[0, 0, 0, 1],
        b"mdat".as_slice(),
        &size.to_be_bytes(),
        &samples,
    ]
    .concat();
    let [picture, sound, places] = chunks;
    let movie = all(&[
        times(b"mvhd", 0),
        metadata(),
        track(b"vide", &picture, false),
        track(b"meta", &places, true),
        track(b"soun", &sound, true),
    ]);
    let bytes = [
        start,
        media,
        boxed(b"moov", &movie),
        metadata(),
        boxed(b"sefd", SECRET),
        vec![0; 4],
    ]
    .concat();
    Film {
        bytes,
        shown: [picture, sound].concat(),
    }
}

pub(super) fn fragmented() -> Vec<u8> {
    let fragment = |number| {
        let run = all(&[
            boxed(b"tfhd", &numbers(&[0x2_0000, 1])),
            boxed(b"trun", &numbers(&[0, 1])),
            metadata(),
        ]);
        let parts = all(&[
            boxed(b"mfhd", &numbers(&[0, number])),
            metadata(),
            boxed(b"traf", &run),
        ]);
        all(&[boxed(b"moof", &parts), boxed(b"mdat", b"shown")])
    };
    let extends = [boxed(b"trex", &numbers(&[0, 1, 1, 0, 0, 0])), metadata()].concat();
    let movie = all(&[
        times(b"mvhd", 1),
        track(b"vide", &[], false),
        boxed(b"mvex", &extends),
    ]);
    all(&[
        boxed(b"ftyp", b"iso5\0\0\0\0"),
        boxed(b"moov", &movie),
        metadata(),
        fragment(1),
        boxed(b"prft", SECRET),
        fragment(2),
        boxed(
            b"mfra",
            &all(&[boxed(b"mfro", &numbers(&[0, 16])), metadata()]),
        ),
    ])
}

fn holds(file: &[u8], bytes: &[u8]) -> bool {
    file.windows(bytes.len()).any(|window| window == bytes)
}

fn count(file: &[u8], kind: &[u8; 4]) -> usize {
    file.windows(4).filter(|window| window == kind).count()
}

#[test]
fn everything_goes_and_no_sample_of_picture_or_sound_moves() {
    let film = film();
    let output = clean(&film.bytes, MediaKind::Mp4);
    for shown in &film.shown {
        assert_eq!(film.bytes[shown.clone()], output[shown.clone()]);
    }
    assert!(holds(&film.bytes, &TIME) && !holds(&output, &TIME));
    assert!(holds(&film.bytes, b"appl") && !holds(&output, b"appl"));
    for gone in [b"udta", b"meta", b"uuid", b"loci", b"sefd", b"keys"] {
        assert_eq!(count(&output, gone), 0);
    }
    // Of three tracks the one of places is free space now; the lists of the others are as before.
    for kept in [
        b"trak", b"tkhd", b"mdhd", b"stts", b"stsz", b"elst", b"avc1",
    ] {
        assert_eq!(count(&film.bytes, kept), 3);
        assert_eq!(count(&output, kept), 2);
    }
}

#[test]
fn fragments_are_cleaned_too() {
    let file = fragmented();
    let output = clean(&file, MediaKind::Mp4);
    assert_eq!(count(&output, b"show"), 2);
    for kept in [b"moof", b"traf", b"tfhd", b"trun", b"trex", b"mfro"] {
        assert_eq!(count(&file, kept), count(&output, kept));
    }
}

#[test]
fn a_box_may_run_to_the_end_of_the_file() {
    let film = film().bytes;
    let end = film.windows(4).position(|four| four == b"sefd").unwrap() - 4;
    for kind in [b"mdat", b"udta"] {
        let last = [&[0; 4], kind.as_slice(), b"to the end"].concat();
        let file = [&film[..end], &last].concat();
        let output = clean(&file, MediaKind::Mp4);
        assert_eq!(output.ends_with(&last), kind == b"mdat");
    }
}

#[test]
fn a_film_cut_off_in_its_media_keeps_what_is_there() {
    let fragmented = fragmented();
    let last = fragmented
        .windows(5)
        .rposition(|five| five == b"shown")
        .unwrap();
    let output = clean(&fragmented[..last + 3], MediaKind::Mp4);
    assert!(output.ends_with(b"mdatsho"));
    // A recording whose index was never written.
    let film = film().bytes;
    let index = film.windows(4).position(|four| four == b"moov").unwrap() - 4;
    assert_eq!(stripped(&film[..index]).0.kind, MediaKind::Other);
    assert_eq!(stripped(&film[..index + 900]).0.kind, MediaKind::Other);
}

#[test]
fn picture_and_sound_are_never_overwritten() {
    // The track of places claims the samples of the picture.
    let film = film();
    let picture = &film.shown[..1];
    let movie = all(&[
        times(b"mvhd", 0),
        track(b"vide", picture, false),
        track(b"meta", picture, false),
    ]);
    let media_end = film
        .bytes
        .windows(4)
        .position(|four| four == b"moov")
        .unwrap()
        - 4;
    let file = [&film.bytes[..media_end], &boxed(b"moov", &movie)].concat();
    let (told, output) = stripped(&file);
    assert_eq!(told.kind, MediaKind::Mp4);
    assert!(!told.metadata_removed);
    assert_eq!(count(&output, b"trak"), 1);
    assert!(output[picture[0].clone()] == film.bytes[picture[0].clone()]);

    // Or something outside the media: the index itself.
    let movie = all(&[
        times(b"mvhd", 0),
        track(b"vide", picture, false),
        track(b"meta", std::slice::from_ref(&(0..20)), false),
    ]);
    let file = [&film.bytes[..media_end], &boxed(b"moov", &movie)].concat();
    let (told, output) = stripped(&file);
    assert!(!told.metadata_removed);
    assert!(output.starts_with(&film.bytes[..20]));
}

#[test]
fn what_is_no_film_is_kept_word_for_word() {
    let heif = [
        &[0; 4],
        boxed(b"hdlr", &[&[0; 8], b"pict".as_slice(), &[0; 13]].concat()).as_slice(),
        SECRET,
    ]
    .concat();
    let heif = all(&[
        boxed(b"ftyp", b"heic\0\0\0\0"),
        boxed(b"meta", &heif),
        boxed(b"mdat", b"picture"),
    ]);
    let sequence = all(&[heif.clone(), boxed(b"moov", &track(b"vide", &[], false))]);
    let no_track = boxed(b"moov", &times(b"mvhd", 0));
    let only_places = boxed(b"moov", &track(b"meta", &[], false));
    let compressed = boxed(
        b"moov",
        &all(&[boxed(b"cmov", SECRET), track(b"vide", &[], false)]),
    );
    let mut too_long = boxed(b"moov", &track(b"vide", &[], false));
    let inner = too_long
        .windows(4)
        .position(|four| four == b"mdia")
        .unwrap();
    too_long[inner - 2] = 0xFF;
    let crowded = [
        boxed(b"moov", &track(b"vide", &[], false)),
        boxed(b"free", &[]).repeat(200_000),
    ]
    .concat();
    for file in [
        heif,
        sequence,
        no_track,
        only_places,
        compressed,
        too_long,
        crowded,
    ] {
        assert_eq!(stripped(&file).0.kind, MediaKind::Other);
    }
}

#[test]
fn the_secret_is_where_the_tests_think_it_is() {
    assert!(holds_secret(&film().bytes) && holds_secret(&fragmented()));
}
