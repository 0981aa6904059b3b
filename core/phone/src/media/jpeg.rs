//! JPEG: ITU-T T.81 Annex B; JFIF (T.871); Adobe's APP14 (T.872 section 6.5.3).

use std::io::{Read, Seek};
use std::ops::Range;

use super::exif::{self, Turned};
use super::plan::Plan;
use super::source::{Source, Stop};

/// Plans a JPEG: the tables, frames and scans up to the first end of image, JFIF's density, Adobe's
/// colour transform, and the orientation. A file that ends inside a scan keeps what is there.
pub(super) fn plan<R: Read + Seek>(source: &mut Source<R>) -> Result<Plan, Stop> {
    source.goto(2)?;
    let mut jfif = None;
    let mut turned = None;
    let mut body = Plan::default();
    let mut frame = false;
    let mut scan = false;
    loop {
        let code = marker(source)?;
        let start = source.at() - 2;
        if code == 0xD9 {
            body.copy(start..source.at())?;
            break;
        }
        let payload = payload(source, code)?;
        match code {
            0xE0 => {
                if let (None, Some(segment)) = (jfif, jfif_segment(source, &payload)?) {
                    jfif = Some(segment);
                }
            }
            0xE1 => {
                if turned.is_none() && has_exif(source, &payload)? {
                    turned = Turned::read(source, payload.clone())?;
                }
            }
            0xEE => {
                if let Some(segment) = adobe_segment(source, &payload)? {
                    body.put(&segment)?;
                }
            }
            // APPn and comments.
            0xE2..=0xEF | 0xFE => {}
            // Scans: their header, then data up to the next marker.
            0xDA => {
                if !frame {
                    return Err(Stop::Unclear);
                }
                scan = true;
                source.goto(payload.end)?;
                let (end, more) = entropy_coded(source)?;
                body.copy(start..end)?;
                if !more {
                    break;
                }
                continue;
            }
            // Frames, tables, restart interval, number of lines, hierarchy.
            0xC0..=0xC7 | 0xC9..=0xCF | 0xDB..=0xDF => {
                frame |= !matches!(code, 0xC4 | 0xCC | 0xDB..=0xDF);
                body.copy(start..payload.end)?;
            }
            // Reserved, or an extension that may change what the pixels are.
            _ => return Err(Stop::Unclear),
        }
        source.goto(payload.end)?;
    }
    if !scan {
        return Err(Stop::Unclear);
    }

    let mut plan = Plan::default();
    plan.copy(0..2)?;
    if let Some(segment) = jfif {
        plan.put(&segment)?;
    }
    if let Some(turned) = turned {
        plan.put(&[0xFF, 0xE1, 0, 34])?;
        plan.put(&exif::PREFIX)?;
        plan.put(&turned.tiff())?;
    }
    plan.append(body)?;
    Ok(plan)
}

/// The code of the marker here; fill bytes before it are passed over (B.1.1.2).
fn marker<R: Read + Seek>(source: &mut Source<R>) -> Result<u8, Stop> {
    let [first] = source.array()?;
    if first != 0xFF {
        return Err(Stop::Unclear);
    }
    loop {
        let [code] = source.array()?;
        if code != 0xFF {
            return Ok(code);
        }
    }
}

/// Where a segment's parameters are, behind its length.
fn payload<R: Read + Seek>(source: &mut Source<R>, code: u8) -> Result<Range<u64>, Stop> {
    // Zero is no marker; these stand alone and have no place outside a scan.
    if matches!(code, 0x00 | 0x01 | 0xD0..=0xD8) {
        return Err(Stop::Unclear);
    }
    let length = u16::from_be_bytes(source.array()?);
    let size = length.checked_sub(2).ok_or(Stop::Unclear)?;
    let start = source.at();
    let end = start + u64::from(size);
    if end > source.len() {
        return Err(Stop::Unclear);
    }
    Ok(start..end)
}

/// Goes through entropy-coded data: where it ends, and whether a marker follows. Stuffed zeros,
/// restarts, and fill bytes before them are part of it (B.1.1.5).
fn entropy_coded<R: Read + Seek>(source: &mut Source<R>) -> Result<(u64, bool), Stop> {
    while source.behind(0xFF)? {
        let end = source.at() - 1;
        let code = loop {
            if source.at() == source.len() {
                return Ok((source.len(), false));
            }
            let [code] = source.array()?;
            if code != 0xFF {
                break code;
            }
        };
        if !matches!(code, 0x00 | 0xD0..=0xD7) {
            source.goto(end)?;
            return Ok((end, true));
        }
    }
    Ok((source.len(), false))
}

/// JFIF with its density and without its thumbnail.
fn jfif_segment<R: Read + Seek>(
    source: &mut Source<R>,
    payload: &Range<u64>,
) -> Result<Option<[u8; 18]>, Stop> {
    if payload.end - payload.start < 14 {
        return Ok(None);
    }
    let [b'J', b'F', b'I', b'F', 0, v0, v1, unit, x0, x1, y0, y1] = source.array()? else {
        return Ok(None);
    };
    Ok(Some([
        0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0, v0, v1, unit, x0, x1, y0, y1, 0, 0,
    ]))
}

fn has_exif<R: Read + Seek>(source: &mut Source<R>, payload: &Range<u64>) -> Result<bool, Stop> {
    Ok(payload.end - payload.start >= 6 && source.array()? == exif::PREFIX)
}

/// Adobe's segment at its proper length; decoders take the colour transform from it.
fn adobe_segment<R: Read + Seek>(
    source: &mut Source<R>,
    payload: &Range<u64>,
) -> Result<Option<[u8; 16]>, Stop> {
    if payload.end - payload.start < 12 {
        return Ok(None);
    }
    let [
        b'A',
        b'd',
        b'o',
        b'b',
        b'e',
        v0,
        v1,
        f0,
        f1,
        g0,
        g1,
        transform,
    ] = source.array()?
    else {
        return Ok(None);
    };
    Ok(Some([
        0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', v0, v1, f0, f1, g0, g1, transform,
    ]))
}
