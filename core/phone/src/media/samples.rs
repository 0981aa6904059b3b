//! Where the samples of a film's tracks lie: ISO 14496-12 sections 8.7.3 to 8.7.5.

use std::io::{Read, Seek};
use std::ops::Range;

use super::source::{Source, Stop};

/// Of all tracks together; two tracks of one chunk a second make an hour 7,200.
const MAX_CHUNKS: usize = 262_144;

/// Where a track's tables are.
#[derive(Default)]
pub(super) struct Tables {
    sizes: Option<Range<u64>>,
    runs: Option<Range<u64>>,
    offsets: Option<(Range<u64>, bool)>,
}

impl Tables {
    pub(super) fn note(&mut self, kind: [u8; 4], payload: Range<u64>) {
        match &kind {
            b"stsz" => self.sizes = Some(payload),
            b"stsc" => self.runs = Some(payload),
            b"stco" => self.offsets = Some((payload, false)),
            b"co64" => self.offsets = Some((payload, true)),
            _ => {}
        }
    }
}

/// The extents of all samples of these tracks, sorted and merged; None if a table is missing, does
/// not fit the others, or there are too many.
pub(super) fn extents<R: Read + Seek>(
    source: &mut Source<R>,
    tracks: &[Tables],
) -> Result<Option<Vec<Range<u64>>>, Stop> {
    let mut all = Vec::new();
    for track in tracks {
        match of_track(source, track, &mut all) {
            Ok(()) => {}
            Err(Stop::Unclear) => return Ok(None),
            Err(stop) => return Err(stop),
        }
    }
    all.sort_by_key(|extent| extent.start);
    all.dedup_by(|next, last| {
        let joins = next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    Ok(Some(all))
}

/// Whether two sorted lists have no byte in common.
pub(super) fn apart(one: &[Range<u64>], other: &[Range<u64>]) -> bool {
    let mut other = other.iter().peekable();
    one.iter().all(|extent| {
        while other.next_if(|next| next.end <= extent.start).is_some() {}
        other.peek().is_none_or(|next| next.start >= extent.end)
    })
}

/// Whether each extent lies in one of these, in any order.
pub(super) fn inside(extents: &[Range<u64>], media: &[Range<u64>]) -> bool {
    let mut media: Vec<_> = media.iter().collect();
    media.sort_by_key(|data| data.start);
    extents.iter().all(|extent| {
        let next = media.partition_point(|data| data.start <= extent.start);
        let holder = next.checked_sub(1).and_then(|last| media.get(last));
        holder.is_some_and(|data| extent.end <= data.end)
    })
}

fn of_track<R: Read + Seek>(
    source: &mut Source<R>,
    tables: &Tables,
    all: &mut Vec<Range<u64>>,
) -> Result<(), Stop> {
    let (Some(sizes), Some(runs), Some((offsets, wide))) =
        (&tables.sizes, &tables.runs, &tables.offsets)
    else {
        return Err(Stop::Unclear);
    };
    let runs = runs_of(source, runs)?;
    let offsets = offsets_of(source, offsets, *wide, MAX_CHUNKS - all.len())?;

    source.goto(sizes.start)?;
    let [_, one_size, samples] = [source.u32_be()?, source.u32_be()?, source.u32_be()?];
    let rows = if one_size == 0 { u64::from(samples) } else { 0 };
    if 12 + rows * 4 > sizes.end - sizes.start {
        return Err(Stop::Unclear);
    }
    let mut left = samples;
    let mut runs = runs.into_iter().peekable();
    let mut per_chunk = 0;
    for (chunk, start) in (1_u32..).zip(offsets) {
        if let Some((_, count)) = runs.next_if(|(first, _)| *first <= chunk) {
            per_chunk = count;
        }
        let count = left.min(per_chunk);
        left -= count;
        let size = if one_size == 0 {
            let mut sum = 0;
            for _ in 0..count {
                sum += u64::from(source.u32_be()?);
            }
            sum
        } else {
            u64::from(one_size) * u64::from(count)
        };
        let end = start.checked_add(size).ok_or(Stop::Unclear)?;
        if start < end {
            all.push(start..end);
        }
    }
    if left > 0 {
        return Err(Stop::Unclear);
    }
    Ok(())
}

/// From which chunk on how many samples are in each.
fn runs_of<R: Read + Seek>(
    source: &mut Source<R>,
    table: &Range<u64>,
) -> Result<Vec<(u32, u32)>, Stop> {
    let count = rows(source, table, 12, MAX_CHUNKS)?;
    let mut runs = Vec::new();
    for _ in 0..count {
        let [first, samples, _] = [source.u32_be()?, source.u32_be()?, source.u32_be()?];
        if runs.last().is_some_and(|(last, _)| *last >= first) {
            return Err(Stop::Unclear);
        }
        runs.push((first, samples));
    }
    Ok(runs)
}

fn offsets_of<R: Read + Seek>(
    source: &mut Source<R>,
    table: &Range<u64>,
    wide: bool,
    most: usize,
) -> Result<Vec<u64>, Stop> {
    let count = rows(source, table, if wide { 8 } else { 4 }, most)?;
    let mut offsets = Vec::new();
    for _ in 0..count {
        offsets.push(if wide {
            u64::from_be_bytes(source.array()?)
        } else {
            u64::from(source.u32_be()?)
        });
    }
    Ok(offsets)
}

/// Goes to a table's first row; how many it has.
fn rows<R: Read + Seek>(
    source: &mut Source<R>,
    table: &Range<u64>,
    row: u64,
    most: usize,
) -> Result<u32, Stop> {
    source.goto(table.start)?;
    let [_, count] = [source.u32_be()?, source.u32_be()?];
    let fits = 8 + u64::from(count) * row <= table.end - table.start;
    let bounded = usize::try_from(count).is_ok_and(|count| count <= most);
    if fits && bounded {
        Ok(count)
    } else {
        Err(Stop::Unclear)
    }
}
