//! The one thing of Exif that a picture needs: which way up it is (TIFF 6.0 section 2; CIPA DC-008
//! section 4.6.5, tag Orientation).

use std::io::{Read, Seek};
use std::ops::Range;

use super::source::{Source, Stop};

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
/// What JPEG, and some writers of WebP, put before the TIFF structure.
pub(super) const PREFIX: [u8; 6] = *b"Exif\0\0";

/// A way up that is not the usual one: 2 to 8.
#[derive(Clone, Copy)]
pub(super) struct Turned(u8);

impl Turned {
    /// Reads it from a TIFF structure, with or without its prefix. None if it is upright, or if the
    /// structure says nothing that can be followed; only reading fails.
    pub(super) fn read<R: Read + Seek>(
        source: &mut Source<R>,
        range: Range<u64>,
    ) -> Result<Option<Self>, Stop> {
        match find(source, range) {
            Ok(value) => Ok(value.filter(|value| (2..=8).contains(value)).map(Self)),
            Err(Stop::Unclear) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// A TIFF structure of this one entry, 26 bytes.
    pub(super) fn tiff(self) -> [u8; 26] {
        [
            b'I', b'I', 42, 0, 8, 0, 0, 0, // little endian, IFD at 8
            1, 0, // one entry
            0x12, 0x01, 3, 0, 1, 0, 0, 0, self.0, 0, 0, 0, // Orientation, one SHORT
            0, 0, 0, 0, // no other IFD
        ]
    }
}

fn find<R: Read + Seek>(source: &mut Source<R>, range: Range<u64>) -> Result<Option<u8>, Stop> {
    source.goto(range.start)?;
    let mut base = range.start;
    if source.array::<6>()? == PREFIX {
        base += PREFIX.len() as u64;
    }
    let inside = |end: u64| {
        if end <= range.end {
            Ok(())
        } else {
            Err(Stop::Unclear)
        }
    };
    inside(base + 8)?;
    source.goto(base)?;
    let little = match source.array::<4>()? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return Err(Stop::Unclear),
    };
    let short = |bytes: [u8; 2]| {
        if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        }
    };
    let bytes = source.array()?;
    let offset = if little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    };
    let directory = base + u64::from(offset);
    inside(directory + 2)?;
    source.goto(directory)?;
    let count = short(source.array()?);
    for _ in 0..count {
        inside(source.at() + 12)?;
        let [t0, t1, k0, k1, _, _, _, _, v0, v1, _, _] = source.array()?;
        if short([t0, t1]) == ORIENTATION && short([k0, k1]) == SHORT {
            return Ok(u8::try_from(short([v0, v1])).ok());
        }
    }
    Ok(None)
}
