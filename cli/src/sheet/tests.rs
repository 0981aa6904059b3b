//! Sheets, drawn and photographed, are read back by the scanner.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;

use image::GrayImage;
use testigo_scan::Code;

use super::{Damage, Sheet, SheetError, photograph, png, qr_picture};
use crate::picture::{Picture, scan_file};

/// The QR texts of three public tally sheets (Venezuela, 2024).
const RECORDS: [&str; 3] = [
    "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0",
    "110601011.04.1.0001!122,1,0,0,4,2,0,0,2,1,0,1,2,1,0,0,0,5,0,2,0,0,0,0,0,0,0,0,1,0,0,0,0,8,22,406,0,1!0!0",
    "150702005.02.1.0001!105,7,2,0,4,1,0,1,1,1,0,2,44,2,1,0,0,1,0,1,0,0,0,1,0,0,0,0,1,0,1,0,0,7,13,350,0,2!0!0",
];

/// Seeds a record: each is a photograph of its own.
const SEEDS: u64 = 20;

fn sheet(record: &str) -> Sheet {
    Sheet {
        centre: record[..9].into(),
        table: record[10..12].into(),
        place: vec!["ESCUELA BÁSICA EL ENSAYO".into(), "PQ. NIÑO JESÚS".into()],
        rows: (1..=10)
            .map(|row| (format!("CANDIDATURA {row}"), row * 17))
            .collect(),
        null_votes: 3,
        qr_text: record.into(),
    }
}

/// What the scanner makes of an image file.
fn scanned(file: &[u8]) -> Vec<Code> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    fs::write(&path, file).unwrap();
    scan_file(&path).unwrap()
}

fn texts(codes: &[Code]) -> Vec<&str> {
    codes.iter().filter_map(Code::text).collect()
}

/// Photographs a record's sheet [`SEEDS`] times and reads each photograph back.
fn photographed_and_read(record: &str, first_seed: u64) {
    let drawn = sheet(record).draw().unwrap();
    for seed in first_seed..first_seed + SEEDS {
        let damage = Damage::from_seed(seed);
        let codes = scanned(&photograph(&drawn, &damage).unwrap());
        assert_eq!(texts(&codes), [record], "seed {seed}: {damage:?}");
        // The code lies turned as the sheet was.
        let [_, _, right, left] = codes[0].corners;
        let turn = f64::from(right.y - left.y).atan2(f64::from(right.x - left.x));
        let off = turn.to_degrees() - damage.turn_degrees;
        assert!(off.abs() < 1.5, "seed {seed}: {off} degrees off {damage:?}");
    }
}

#[test]
fn every_photograph_of_the_first_record_is_read_exactly() {
    photographed_and_read(RECORDS[0], 0);
}

#[test]
fn every_photograph_of_the_second_record_is_read_exactly() {
    photographed_and_read(RECORDS[1], SEEDS);
}

#[test]
fn every_photograph_of_the_third_record_is_read_exactly() {
    photographed_and_read(RECORDS[2], 2 * SEEDS);
}

#[test]
fn a_drawn_sheet_is_read_and_says_that_it_is_practice() {
    let drawn = sheet(RECORDS[0]).draw().unwrap();
    assert_eq!(texts(&scanned(&png(&drawn).unwrap())), [RECORDS[0]]);
    // Two broad dark bands, above the text and under the QR code.
    let dark = |row: u32| (0..8).all(|x| drawn.get_pixel(x, row).0[0] < 60);
    let bands = (0..drawn.height()).filter(|&row| dark(row)).count();
    assert!(bands > 250, "{bands} dark rows");
    assert!(dark(100) && dark(drawn.height() - 100));
}

#[test]
fn labels_and_numbers_of_any_length_are_drawn() {
    let drawn = Sheet {
        rows: vec![("Ñ".repeat(300), u32::MAX), (String::new(), 0)],
        place: vec!["x".repeat(300), String::new()],
        ..sheet(RECORDS[1])
    };
    assert_eq!(drawn.draw().unwrap().width(), 960);
    assert!(Sheet::default().draw().is_ok());
}

#[test]
fn a_text_that_no_code_holds_is_refused() {
    let too_long = Sheet {
        qr_text: vec![b'a'; 3_000],
        ..Sheet::default()
    };
    let refused = too_long.draw();
    assert!(matches!(
        refused,
        Err(SheetError::QrTooLong { bytes: 3_000 })
    ));
    assert!(qr_picture(&[b'a'; 3_000], &[]).is_err());
    assert!(qr_picture(&[b'a'; 2_331], &[]).is_ok());
}

#[test]
fn an_enrolment_code_is_read_from_its_picture() {
    let secret = b"testigo:enrol:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bare = qr_picture(secret, &[]).unwrap();
    let captioned = qr_picture(
        secret,
        &["Centro 201301006, mesa 01", "Válido para 3 teléfonos"],
    )
    .unwrap();
    assert!(captioned.height() > bare.height());
    let width = |picture: &GrayImage| picture.width();
    assert_eq!((width(&bare), width(&captioned)), (800, 800));
    for picture in [bare, captioned] {
        let codes = scanned(&png(&picture).unwrap());
        assert_eq!(codes.len(), 1);
        assert_eq!(codes[0].bytes, secret);
    }
}

#[test]
fn a_photograph_without_a_code_gives_none() {
    let bare = GrayImage::from_pixel(300, 500, image::Luma([250]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bare.jpg");
    fs::write(&path, photograph(&bare, &Damage::from_seed(7)).unwrap()).unwrap();
    assert_eq!(Picture::load(&path).unwrap().scan(), []);
}
