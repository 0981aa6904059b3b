//! WebP: RFC 9649, section 2.

use std::io::{Read, Seek};
use std::ops::Range;

use super::exif::Turned;
use super::plan::Plan;
use super::source::{Source, Stop};

const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const ANIMATION: u8 = 0x02;

struct Chunk {
    kind: [u8; 4],
    start: u64,
    data: Range<u64>,
}

impl Chunk {
    fn size(&self) -> u64 {
        self.data.end - self.data.start
    }
}

/// Plans a WebP: the picture or the frames, the header of extended files with its flags set right,
/// and the orientation.
pub(super) fn plan<R: Read + Seek>(source: &mut Source<R>) -> Result<Plan, Stop> {
    source.goto(4)?;
    let size = u32::from_le_bytes(source.array()?);
    let end = source.len().min(8 + u64::from(size));
    source.goto(12)?;

    let mut body = Plan::default();
    let first = chunk(source, end)?.ok_or(Stop::Unclear)?;
    match &first.kind {
        b"VP8 " | b"VP8L" => keep(&mut body, &first)?,
        b"VP8X" => extended(source, &first, end, &mut body)?,
        _ => return Err(Stop::Unclear),
    }

    let size = u32::try_from(4 + body.len()).map_err(|_| Stop::Unclear)?;
    let mut plan = Plan::default();
    plan.put(b"RIFF")?;
    plan.put(&size.to_le_bytes())?;
    plan.put(b"WEBP")?;
    plan.append(body)?;
    Ok(plan)
}

fn extended<R: Read + Seek>(
    source: &mut Source<R>,
    header: &Chunk,
    end: u64,
    body: &mut Plan,
) -> Result<(), Stop> {
    if header.size() < 10 {
        return Err(Stop::Unclear);
    }
    source.goto(header.data.start)?;
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = source.array()?;
    source.goto(behind(header))?;

    let mut turned = None;
    let mut seen = Seen::default();
    let mut frames = false;
    let mut rest = Plan::default();
    while let Some(chunk) = chunk(source, end)? {
        match &chunk.kind {
            b"ANIM" if chunk.size() == 6 => keep(&mut rest, &chunk)?,
            b"ANMF" => {
                frames = true;
                frame(source, &chunk, &mut rest)?;
            }
            b"EXIF" if turned.is_none() => turned = Turned::read(source, chunk.data.clone())?,
            _ if seen.is_wanted(&chunk) => keep(&mut rest, &chunk)?,
            _ => {}
        }
        source.goto(behind(&chunk).min(end))?;
    }
    if !seen.picture && !frames {
        return Err(Stop::Unclear);
    }

    let kept = flags & (ALPHA | ANIMATION);
    let flags = if turned.is_some() { kept | EXIF } else { kept };
    body.put(b"VP8X\x0A\0\0\0")?;
    body.put(&[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2])?;
    body.append(rest)?;
    if let Some(turned) = turned {
        body.put(b"EXIF\x1A\0\0\0")?;
        body.put(&turned.tiff())?;
    }
    Ok(())
}

/// A frame: its place and time, its alpha and its picture; chunks nobody knows may be in it too.
fn frame<R: Read + Seek>(
    source: &mut Source<R>,
    frame: &Chunk,
    plan: &mut Plan,
) -> Result<(), Stop> {
    let inner = frame.data.start + 16;
    if frame.size() < 16 {
        return Err(Stop::Unclear);
    }
    source.goto(inner)?;
    let mut seen = Seen::default();
    let mut rest = Plan::default();
    while let Some(chunk) = chunk(source, frame.data.end)? {
        if seen.is_wanted(&chunk) {
            keep(&mut rest, &chunk)?;
        }
        source.goto(behind(&chunk).min(frame.data.end))?;
    }
    if !seen.picture {
        return Err(Stop::Unclear);
    }
    let size = u32::try_from(16 + rest.len()).map_err(|_| Stop::Unclear)?;
    plan.put(b"ANMF")?;
    plan.put(&size.to_le_bytes())?;
    plan.copy(frame.data.start..inner)?;
    plan.append(rest)
}

/// Decoders take the first picture, and the alpha before it; whatever comes later is not shown.
#[derive(Default)]
struct Seen {
    alpha: bool,
    picture: bool,
}

impl Seen {
    fn is_wanted(&mut self, chunk: &Chunk) -> bool {
        let slot = match &chunk.kind {
            b"ALPH" if !self.picture => &mut self.alpha,
            b"VP8 " | b"VP8L" => &mut self.picture,
            _ => return false,
        };
        !std::mem::replace(slot, true)
    }
}

fn chunk<R: Read + Seek>(source: &mut Source<R>, end: u64) -> Result<Option<Chunk>, Stop> {
    let start = source.at();
    if end.saturating_sub(start) < 8 {
        return Ok(None);
    }
    let kind = source.array()?;
    let size = u32::from_le_bytes(source.array()?);
    let data = source.at()..source.at() + u64::from(size);
    if data.end > end {
        return Err(Stop::Unclear);
    }
    Ok(Some(Chunk { kind, start, data }))
}

/// Chunks begin at even places.
fn behind(chunk: &Chunk) -> u64 {
    chunk.data.end + chunk.size() % 2
}

fn keep(plan: &mut Plan, chunk: &Chunk) -> Result<(), Stop> {
    plan.copy(chunk.start..chunk.data.end)?;
    if chunk.size() % 2 == 1 {
        plan.put(&[0])?;
    }
    Ok(())
}
