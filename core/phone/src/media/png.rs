//! PNG: W3C PNG, third edition, sections 5 and 11; it includes animation and eXIf.

use std::io::{Read, Seek};

use super::exif::Turned;
use super::plan::Plan;
use super::source::{Source, Stop};

/// What ends a picture (11.2.5): length, type, no data, check.
const IEND: [u8; 12] = *b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// Plans a PNG: the chunks that decide how pixels look, and the orientation. A file that ends inside
/// picture data keeps what is there; one that ends behind it gets the end chunk it lacks.
pub(super) fn plan<R: Read + Seek>(source: &mut Source<R>) -> Result<Plan, Stop> {
    source.goto(8)?;
    if source.u32_be()? != 13 || source.array()? != *b"IHDR" {
        return Err(Stop::Unclear);
    }
    let header_end = 8 + 12 + 13;
    if header_end > source.len() {
        return Err(Stop::Unclear);
    }
    source.goto(header_end)?;

    let mut turned = None;
    let mut picture = false;
    let mut body = Plan::default();
    loop {
        if source.at() == source.len() && picture {
            body.put(&IEND)?;
            break;
        }
        let start = source.at();
        let length = source.u32_be()?;
        let kind = source.array::<4>()?;
        let data = source.at();
        let end = data + u64::from(length) + 4;
        picture |= kind == *b"IDAT";
        if end > source.len() {
            if !matches!(&kind, b"IDAT" | b"fdAT") {
                return Err(Stop::Unclear);
            }
            body.copy(start..source.len())?;
            break;
        }
        match (&kind, length) {
            (b"IEND", 0) => {
                body.copy(start..end)?;
                break;
            }
            (b"IDAT" | b"fdAT", _)
            | (b"PLTE", 0..=768)
            | (b"tRNS", 0..=256)
            | (b"gAMA" | b"cICP", 4)
            | (b"cHRM", 32)
            | (b"sRGB", 1)
            | (b"acTL", 8)
            | (b"fcTL", 26) => body.copy(start..end)?,
            (b"eXIf", _) if turned.is_none() => {
                turned = Turned::read(source, data..end - 4)?;
            }
            // A critical chunk nobody knows: the picture cannot be shown without it (5.4).
            ([first, ..], _) if first & 0x20 == 0 => return Err(Stop::Unclear),
            _ => {}
        }
        source.goto(end)?;
    }
    if !picture {
        return Err(Stop::Unclear);
    }

    let mut plan = Plan::default();
    plan.copy(0..header_end)?;
    if let Some(turned) = turned {
        plan.put(&exif_chunk(turned))?;
    }
    plan.append(body)?;
    Ok(plan)
}

fn exif_chunk(turned: Turned) -> Vec<u8> {
    let tiff = turned.tiff();
    let checked = [b"eXIf".as_slice(), &tiff].concat();
    let length = u32::to_be_bytes(tiff.len() as u32);
    [&length, checked.as_slice(), &crc32(&checked).to_be_bytes()].concat()
}

/// Annex D, bit by bit: it is asked for 30 bytes of one file.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (0xEDB8_8320 * low);
        }
    }
    !crc
}
