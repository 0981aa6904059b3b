#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod anything;
mod films;
mod jpeg;
mod png;
mod seeds;
mod webp;

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::{MediaError, MediaKind, Stripped, strip};

/// Stands in every place where metadata can be.
const SECRET: &[u8] = b"GPSLatitude-secret";

/// A file whose reads are short, interrupted, and asked for at most 64 KiB at a time.
struct Stutter<'a> {
    file: Cursor<&'a [u8]>,
    reads: usize,
}

impl Read for Stutter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(buffer.len() <= 64 * 1024);
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1 + self.reads * 37 % 4000);
        self.file.read(&mut buffer[..most])
    }
}

impl Seek for Stutter<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Strips, and holds what must hold for any file: nothing is refused, the counts are right, what was
/// stripped stays as it is, what is not understood is copied, and reads may be of any size.
fn stripped(file: &[u8]) -> (Stripped, Vec<u8>) {
    let mut output = Vec::new();
    let told = strip(Cursor::new(file), &mut output).unwrap();
    assert_eq!(told.written, output.len() as u64);
    if told.kind == MediaKind::Other {
        assert!(output == file && !told.metadata_removed && told.removed_bytes == 0);
    }
    if told.kind == MediaKind::Mp4 {
        assert_eq!(output.len(), file.len());
    }

    let mut again = Vec::new();
    let retold = strip(Cursor::new(&output), &mut again).unwrap();
    assert!(again == output, "stripping what was stripped changed it");
    assert_eq!(retold.kind, told.kind);

    let mut stuttered = Vec::new();
    let stutter = Stutter {
        file: Cursor::new(file),
        reads: 0,
    };
    assert_eq!(strip(stutter, &mut stuttered).unwrap(), told);
    assert!(stuttered == output);
    (told, output)
}

/// Strips a file of a known kind from which every trace of [`SECRET`] must go.
fn clean(file: &[u8], kind: MediaKind) -> Vec<u8> {
    assert!(holds_secret(file));
    let (told, output) = stripped(file);
    assert_eq!(told.kind, kind);
    assert!(told.metadata_removed && told.removed_bytes > 0);
    assert!(!holds_secret(&output));
    output
}

fn holds_secret(file: &[u8]) -> bool {
    file.windows(SECRET.len()).any(|window| window == SECRET)
}

fn decoder(file: &[u8]) -> impl ImageDecoder {
    let reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .unwrap();
    reader.into_decoder().unwrap()
}

fn orientation(file: &[u8]) -> Orientation {
    decoder(file).orientation().unwrap()
}

fn pixels(file: &[u8]) -> DynamicImage {
    DynamicImage::from_decoder(decoder(file)).unwrap()
}

/// A TIFF structure with an orientation, of either byte order, and a place and a time behind it.
fn exif(orientation: u8, little: bool) -> Vec<u8> {
    let mut tiff = Vec::new();
    let mut number = |bytes: &[u8]| {
        let ordered: Vec<u8> = if little {
            bytes.iter().rev().copied().collect()
        } else {
            bytes.to_vec()
        };
        tiff.extend(ordered);
    };
    number(&42_u16.to_be_bytes());
    number(&8_u32.to_be_bytes());
    number(&2_u16.to_be_bytes());
    // Make, as text behind the directory.
    number(&0x010F_u16.to_be_bytes());
    number(&2_u16.to_be_bytes());
    number(&(SECRET.len() as u32).to_be_bytes());
    number(&38_u32.to_be_bytes());
    number(&0x0112_u16.to_be_bytes());
    number(&3_u16.to_be_bytes());
    number(&1_u32.to_be_bytes());
    number(&u16::from(orientation).to_be_bytes());
    number(&0_u16.to_be_bytes());
    number(&0_u32.to_be_bytes());
    let order: &[u8] = if little { b"II" } else { b"MM" };
    [order, &tiff, SECRET].concat()
}

#[test]
fn what_is_no_known_kind_is_copied_with_the_flag_down() {
    let long = vec![7; 300_000];
    let files: [&[u8]; 9] = [
        b"",
        b"\xFF",
        b"\xFF\xD8\xFF",
        b"%PDF-1.7 GPSLatitude-secret",
        b"ID3\x04 an MP3",
        b"\x89PNG\r\n\x1A\n",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x04\0\0\0WAVE",
        &long,
    ];
    for file in files {
        let (told, output) = stripped(file);
        assert_eq!(told.kind, MediaKind::Other);
        assert_eq!(output, file);
    }
}

#[test]
fn the_whole_file_is_read_wherever_the_descriptor_stands() {
    let mut file = Cursor::new(seeds::RESTARTS);
    file.set_position(500);
    let mut output = Vec::new();
    let told = strip(file, &mut output).unwrap();
    assert_eq!(told.kind, MediaKind::Jpeg);
    assert_eq!(output, stripped(seeds::RESTARTS).1);
}

#[test]
fn a_full_output_and_a_file_that_shrinks_are_told_apart() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let full = strip(Cursor::new(seeds::RESTARTS), &mut Full);
    assert!(
        matches!(full, Err(MediaError::Write(error)) if error.kind() == ErrorKind::StorageFull)
    );

    /// Says it is longer than it is, as if it was cut after it was measured.
    struct Shrunk(Cursor<Vec<u8>>);
    impl Read for Shrunk {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Seek for Shrunk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            match to {
                SeekFrom::End(0) => Ok(self.0.get_ref().len() as u64 + 1),
                to => self.0.seek(to),
            }
        }
    }
    let cut = seeds::RESTARTS[..900].to_vec();
    for file in [cut, b"some text".to_vec()] {
        let shrunk = strip(Shrunk(Cursor::new(file)), &mut Vec::new());
        assert!(
            matches!(shrunk, Err(MediaError::Read(error)) if error.kind() == ErrorKind::UnexpectedEof)
        );
    }
}
