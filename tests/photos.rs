//! Photographs of a person's own in the demo, and what else may lie beside a sheet's code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use image::{GrayImage, Luma};
use std::path::{Path, PathBuf};
use support::{Ended, SHEET, run};
use tempfile::TempDir;

/// Pixels a module, and modules of white around the code.
const MODULE: u32 = 4;
const QUIET: u32 = 6;

/// A picture of these codes, side by side.
fn picture(folder: &TempDir, texts: &[&str]) -> PathBuf {
    let codes: Vec<_> = (texts.iter())
        .map(|text| qrcode::QrCode::new(text).unwrap())
        .collect();
    let side = |code: &qrcode::QrCode| (code.width() as u32 + 2 * QUIET) * MODULE;
    let width = codes.iter().map(side).sum();
    let height = codes.iter().map(side).max().unwrap();
    let mut picture = GrayImage::from_pixel(width, height, Luma([255]));
    let mut left = 0;
    for code in &codes {
        for (n, colour) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (
                n as u32 % code.width() as u32,
                n as u32 / code.width() as u32,
            );
            for pixel in 0..MODULE * MODULE {
                let at = |n, off| (n + QUIET) * MODULE + off;
                let to = (left + at(x, pixel % MODULE), at(y, pixel / MODULE));
                picture.put_pixel(to.0, to.1, Luma([colour.select(0, 255)]));
            }
        }
        left += side(code);
    }
    let path = folder.path().join("photo.png");
    picture.save(&path).unwrap();
    path
}

fn demo(photo: &Path) -> Ended {
    run(&["demo", "--photo", photo.to_str().unwrap()])
}

#[test]
fn the_demo_counts_a_photograph_of_any_sheet_rightly() {
    let folder = tempfile::tempdir().unwrap();
    let of_the_pack = demo(&picture(&folder, &[SHEET])).done();
    assert_eq!(of_the_pack.json()["equal"], true);

    let outside = SHEET.replace("201301006.01", "010101001.01");
    let outside = demo(&picture(&folder, &[&outside])).done();
    assert_eq!(outside.json()["equal"], true);
    assert!(outside.err.contains("in no total"), "{}", outside.err);

    let beside = picture(&folder, &[SHEET, "https://example.org/menu"]);
    let beside = demo(&beside).done();
    assert_eq!(beside.json()["equal"], true);
    assert!(!beside.err.contains("Saved as evidence"), "{}", beside.err);

    let no_sheet = demo(&picture(&folder, &["https://example.org/menu"])).done();
    assert_eq!(no_sheet.json()["equal"], true);
    assert!(
        no_sheet.err.contains("Saved as evidence"),
        "{}",
        no_sheet.err
    );
}

#[test]
fn the_demo_tells_a_bad_photograph_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let blank = folder.path().join("blank.png");
    GrayImage::from_pixel(64, 64, Luma([255]))
        .save(&blank)
        .unwrap();
    for photo in [blank, folder.path().join("none.jpg")] {
        let ended = demo(&photo).exited(2);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        assert!(ended.err.contains(photo.to_str().unwrap()), "{}", ended.err);
    }
}
