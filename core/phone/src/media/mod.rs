//! Takes the metadata out of a picture or a film before it is sealed: place, time, device, names.
//!
//! [`strip`] reads a file twice: once to plan, once to copy. It keeps one buffer of 64 KiB and a
//! bounded plan, never the file. `docs/media.md` lists what goes and what stays, format by format.
//!
//! The parsers are our own. The crates looked at read a whole file into memory (`img-parts`,
//! `little_exif`, `kamadak-exif` for a container) or copy what they do not know (`mp4`); here a film of
//! gigabytes passes through a phone, and what is not known to be picture or sound must go.

mod exif;
mod jpeg;
mod mp4;
mod plan;
mod png;
mod samples;
mod source;
#[cfg(test)]
mod tests;
mod webp;

use std::io::{self, Read, Seek, Write};

use thiserror::Error;

use plan::Plan;
use source::{Source, Stop};

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    /// ITU-T T.81.
    Jpeg,
    /// W3C PNG, also animated.
    Png,
    /// RFC 9649, also animated.
    WebP,
    /// ISO 14496-12 and QuickTime: films and sound recordings.
    Mp4,
    /// Anything else, and what looks like one of the above but cannot be followed to its end.
    Other,
}

/// What [`strip`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stripped {
    /// What the file was.
    pub(crate) kind: MediaKind,
    /// False asks for the warning that metadata may still be inside: always for
    /// [`MediaKind::Other`], which is copied word for word, and for a film with a track of metadata
    /// whose samples could not be told from picture and sound.
    pub(crate) metadata_removed: bool,
    /// Bytes of the input left out, or overwritten with zeros where places must not move.
    pub(crate) removed_bytes: u64,
    /// Bytes written.
    pub(crate) written: u64,
}

/// A file that could not be read or written; never a file that could not be understood.
#[derive(Debug, Error)]
pub(crate) enum MediaError {
    /// The file cannot be read, or became shorter meanwhile; take it again.
    #[error("the file cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The output took no more.
    #[error("the file cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Copies a file, from its first byte whatever its position now, without its metadata.
///
/// The output is written once, in order. Pixels and sound stay as they are, bit for bit. Stripping
/// what was stripped changes nothing.
///
/// # Errors
/// Only those of reading and writing; the output then holds a part, to be thrown away.
pub(crate) fn strip(
    input: impl Read + Seek,
    output: &mut impl Write,
) -> Result<Stripped, MediaError> {
    let mut source = Source::open(input).map_err(MediaError::Read)?;
    let kind = kind_of(&mut source).map_err(MediaError::Read)?;
    let planned = match kind {
        MediaKind::Jpeg => jpeg::plan(&mut source),
        MediaKind::Png => png::plan(&mut source),
        MediaKind::WebP => webp::plan(&mut source),
        MediaKind::Mp4 => mp4::plan(&mut source),
        MediaKind::Other => Err(Stop::Unclear),
    };
    let (kind, plan) = match planned {
        Ok(plan) => (kind, plan),
        Err(Stop::Unclear) => (MediaKind::Other, Plan::word_for_word(source.len())),
        Err(Stop::Io(error)) => return Err(MediaError::Read(error)),
    };
    plan.write(&mut source, output)?;
    let written = plan.len();
    Ok(Stripped {
        kind,
        metadata_removed: kind != MediaKind::Other && !plan.doubt,
        removed_bytes: source.len().saturating_sub(written) + plan.zeroed(),
        written,
    })
}

fn kind_of<R: Read + Seek>(source: &mut Source<R>) -> io::Result<MediaKind> {
    let start = source.start()?;
    Ok(match start {
        [0xFF, 0xD8, 0xFF, ..] => MediaKind::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => MediaKind::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => MediaKind::WebP,
        [_, _, _, _, a, b, c, d, ..] => match &[a, b, c, d] {
            // Only a film with tracks of picture or sound stays one; see `mp4`.
            b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" => MediaKind::Mp4,
            _ => MediaKind::Other,
        },
    })
}
