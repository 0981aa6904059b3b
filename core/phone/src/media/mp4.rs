//! MP4 and QuickTime: ISO 14496-12 sections 4.2 and 8; QuickTime File Format, "Movie Atoms".
//!
//! Media data is addressed by its place in the file, so nothing moves: a box that goes becomes a
//! `free` box of the same length, filled with zeros. What is not known to be needed for showing
//! picture and sound goes, not only what is known to be metadata: vendors invent boxes.

use std::io::{Read, Seek};
use std::ops::Range;

use super::plan::{MAX_PARTS, Plan};
use super::samples::{self, Tables};
use super::source::{Source, Stop};

/// Fragments of one second, of picture and sound, make about 40,000 in an hour.
const MAX_BOXES: u32 = 131_072;
/// Extents of samples to overwrite: fewer than a plan has parts for.
const MAX_EXTENTS: usize = 49_152;

/// Boxes that hold boxes; a box never holds one of its own level, which bounds the depth.
#[derive(Clone, Copy)]
enum Level {
    File,
    Movie,
    Track,
    Media,
    MediaInformation,
    DataInformation,
    SampleTable,
    Fragment,
    /// Whatever holds only short lists of numbers.
    Lists,
}

enum Role {
    Keep,
    Enter(Level),
    MediaData,
    /// A header whose first fields are the times of its making.
    Times,
    Handler,
    DataReferences,
    SampleEntries,
    SampleTable,
    Free,
}

fn role(level: Level, kind: &[u8; 4]) -> Result<Role, Stop> {
    Ok(match (level, kind) {
        (Level::File, b"mdat") => Role::MediaData,
        (Level::File, b"moov") => Role::Enter(Level::Movie),
        (Level::File, b"moof") => Role::Enter(Level::Fragment),
        (Level::File, b"ftyp" | b"styp" | b"sidx" | b"ssix" | b"pdin") => Role::Keep,
        (Level::File, b"mfra") => Role::Enter(Level::Lists),
        // A compressed movie, or one that only names others: nothing to see in it here.
        (Level::Movie, b"cmov" | b"rmra") => return Err(Stop::Unclear),
        (Level::Movie, b"mvhd") => Role::Times,
        (Level::Movie, b"trak") => Role::Enter(Level::Track),
        (Level::Movie, b"mvex") => Role::Enter(Level::Lists),
        (Level::Movie, b"iods") => Role::Keep,
        (Level::Track, b"tkhd") => Role::Times,
        (Level::Track, b"mdia") => Role::Enter(Level::Media),
        (Level::Track, b"edts" | b"tapt") => Role::Enter(Level::Lists),
        (Level::Track, b"tref" | b"trgr" | b"load") => Role::Keep,
        (Level::Media, b"mdhd") => Role::Times,
        (Level::Media | Level::MediaInformation, b"hdlr") => Role::Handler,
        (Level::Media, b"minf") => Role::Enter(Level::MediaInformation),
        (Level::Media, b"elng") => Role::Keep,
        (Level::MediaInformation, b"dinf") => Role::Enter(Level::DataInformation),
        (Level::MediaInformation, b"stbl") => Role::Enter(Level::SampleTable),
        (Level::MediaInformation, b"vmhd" | b"smhd" | b"nmhd") => Role::Keep,
        (Level::DataInformation, b"dref") => Role::DataReferences,
        (Level::SampleTable, b"stsd") => Role::SampleEntries,
        (Level::SampleTable, b"stsc" | b"stsz" | b"stco" | b"co64") => Role::SampleTable,
        (
            Level::SampleTable,
            b"stts" | b"ctts" | b"cslg" | b"stz2" | b"stss" | b"stps" | b"stsh" | b"stdp" | b"padb"
            | b"sdtp" | b"sbgp" | b"sgpd" | b"subs" | b"saiz" | b"saio",
        ) => Role::Keep,
        (Level::Fragment, b"traf") => Role::Enter(Level::Lists),
        (Level::Fragment, b"mfhd") => Role::Keep,
        (
            Level::Lists,
            b"elst" | b"clef" | b"prof" | b"enof" | b"mehd" | b"trex" | b"leva" | b"trep" | b"tfra"
            | b"mfro" | b"tfhd" | b"tfdt" | b"trun" | b"sdtp" | b"sbgp" | b"sgpd" | b"subs"
            | b"saiz" | b"saio",
        ) => Role::Keep,
        _ => Role::Free,
    })
}

struct Head {
    kind: [u8; 4],
    kind_at: u64,
    payload: Range<u64>,
}

impl Head {
    /// A field of the payload; unclear if the box is too short for it.
    fn field(&self, offset: u64, size: u64) -> Result<Range<u64>, Stop> {
        let start = self.payload.start + offset;
        let end = start + size;
        if end > self.payload.end {
            return Err(Stop::Unclear);
        }
        Ok(start..end)
    }
}

/// What is overwritten; every edit keeps the length.
enum Edit {
    Free(u64),
    Zeros(Range<u64>),
}

impl Edit {
    fn start(&self) -> u64 {
        match self {
            Self::Free(at) => *at,
            Self::Zeros(range) => range.start,
        }
    }
}

#[derive(Default)]
struct Track {
    handler: Option<[u8; 4]>,
    tables: Tables,
}

impl Track {
    /// Picture and sound stay. Tracks of place, motion, faces, time of day or text go: phones,
    /// drones and glasses write where they are into them.
    fn shows(&self) -> bool {
        self.handler
            .is_some_and(|kind| matches!(&kind, b"vide" | b"soun" | b"auxv"))
    }
}

struct Movie<'a, R> {
    source: &'a mut Source<R>,
    edits: Vec<Edit>,
    boxes: u32,
    track: Track,
    kept: Vec<Tables>,
    gone: Vec<Tables>,
    media: Vec<Range<u64>>,
    fragments: bool,
}

/// Plans a film or a sound recording. One that ends inside its last media data keeps what is there.
/// Without a track of picture or sound it is unclear: a picture in HEIF, or a recording that was cut
/// off before its index was written.
pub(super) fn plan<R: Read + Seek>(source: &mut Source<R>) -> Result<Plan, Stop> {
    source.goto(0)?;
    let end = source.len();
    let mut movie = Movie {
        source,
        edits: Vec::new(),
        boxes: 0,
        track: Track::default(),
        kept: Vec::new(),
        gone: Vec::new(),
        media: Vec::new(),
        fragments: false,
    };
    movie.walk(Level::File, end)?;
    if movie.kept.is_empty() {
        return Err(Stop::Unclear);
    }
    let doubt = !movie.overwrite_samples()?;
    let mut plan = written(movie.edits, end)?;
    plan.doubt = doubt;
    Ok(plan)
}

fn written(mut edits: Vec<Edit>, end: u64) -> Result<Plan, Stop> {
    edits.sort_by_key(Edit::start);
    let mut plan = Plan::default();
    for edit in edits {
        if edit.start() < plan.len() {
            return Err(Stop::Unclear);
        }
        plan.copy(plan.len()..edit.start())?;
        match edit {
            Edit::Free(_) => plan.put(b"free")?,
            Edit::Zeros(range) => plan.zeros(range.end - range.start)?,
        }
    }
    plan.copy(plan.len()..end)?;
    Ok(plan)
}

impl<R: Read + Seek> Movie<'_, R> {
    fn walk(&mut self, level: Level, end: u64) -> Result<(), Stop> {
        while let Some(head) = self.head(level, end)? {
            match role(level, &head.kind)? {
                Role::Keep => {}
                Role::Enter(Level::Track) => self.walk_track(&head)?,
                Role::Enter(inner) => {
                    self.fragments |= matches!(inner, Level::Fragment);
                    self.walk(inner, head.payload.end)?;
                }
                Role::MediaData => self.media.push(head.payload.clone()),
                Role::Times => self.clear_times(&head)?,
                Role::Handler => self.clear_handler(level, &head)?,
                Role::DataReferences => self.clear_data_references(&head)?,
                Role::SampleEntries => self.clear_sample_entries(&head)?,
                Role::SampleTable => self.track.tables.note(head.kind, head.payload.clone()),
                Role::Free => self.free(&head)?,
            }
            self.source.goto(head.payload.end)?;
        }
        Ok(())
    }

    /// The head of the next box (4.2). Zeros are written over a rest too short for one.
    fn head(&mut self, level: Level, end: u64) -> Result<Option<Head>, Stop> {
        let start = self.source.at();
        let left = end.saturating_sub(start);
        if left < 8 {
            self.zeros(start..end)?;
            return Ok(None);
        }
        self.boxes += 1;
        if self.boxes > MAX_BOXES {
            return Err(Stop::Unclear);
        }
        let size = self.source.u32_be()?;
        let kind = self.source.array()?;
        let size = match size {
            // To the end of what holds it; QuickTime ends lists so.
            0 => left,
            1 => u64::from_be_bytes(self.source.array()?),
            size => u64::from(size),
        };
        let head_size = self.source.at() - start;
        let cut = matches!(level, Level::File) && kind == *b"mdat";
        let size = if cut { size.min(left) } else { size };
        if size < head_size || size > left {
            return Err(Stop::Unclear);
        }
        Ok(Some(Head {
            kind,
            kind_at: start + 4,
            payload: self.source.at()..start + size,
        }))
    }

    fn walk_track(&mut self, head: &Head) -> Result<(), Stop> {
        let before = self.edits.len();
        self.track = Track::default();
        self.walk(Level::Track, head.payload.end)?;
        let track = std::mem::take(&mut self.track);
        if track.shows() {
            self.kept.push(track.tables);
        } else {
            self.edits.truncate(before);
            self.free(head)?;
            self.gone.push(track.tables);
        }
        Ok(())
    }

    fn free(&mut self, head: &Head) -> Result<(), Stop> {
        // A picture in HEIF has its index in a `meta` of the file (ISO 23008-12): without it, no
        // picture.
        if head.kind == *b"meta" && self.handler_in_meta(head)? == Some(*b"pict") {
            return Err(Stop::Unclear);
        }
        self.edit(Edit::Free(head.kind_at))?;
        self.zeros(head.payload.clone())
    }

    fn handler_in_meta(&mut self, head: &Head) -> Result<Option<[u8; 4]>, Stop> {
        let Ok(kind) = head.field(8, 4) else {
            return Ok(None);
        };
        let Ok(handler) = head.field(20, 4) else {
            return Ok(None);
        };
        self.source.goto(kind.start)?;
        if self.source.array()? != *b"hdlr" {
            return Ok(None);
        }
        self.source.goto(handler.start)?;
        Ok(Some(self.source.array()?))
    }

    fn zeros(&mut self, range: Range<u64>) -> Result<(), Stop> {
        if range.start < range.end {
            self.edit(Edit::Zeros(range))?;
        }
        Ok(())
    }

    fn edit(&mut self, edit: Edit) -> Result<(), Stop> {
        if self.edits.len() >= MAX_PARTS {
            return Err(Stop::Unclear);
        }
        self.edits.push(edit);
        Ok(())
    }

    /// Creation and modification time (8.2.2, 8.3.2, 8.4.2).
    fn clear_times(&mut self, head: &Head) -> Result<(), Stop> {
        self.source.goto(head.field(0, 1)?.start)?;
        let size = match self.source.array()? {
            [0] => 8,
            [1] => 16,
            _ => return Err(Stop::Unclear),
        };
        self.zeros(head.field(4, size)?)
    }

    /// What a track is stays; the maker and the name of its handler go (8.4.3).
    fn clear_handler(&mut self, level: Level, head: &Head) -> Result<(), Stop> {
        let handler = head.field(8, 4)?;
        self.source.goto(handler.start)?;
        let kind = self.source.array()?;
        if matches!(level, Level::Media) {
            self.track.handler = Some(kind);
        }
        self.zeros(handler.end..head.payload.end)
    }

    /// Where else the media would be: addresses, and QuickTime's aliases with names of folders and
    /// people. Here the media is in the file (8.7.2).
    fn clear_data_references(&mut self, head: &Head) -> Result<(), Stop> {
        self.source.goto(head.field(0, 8)?.end)?;
        while let Some(entry) = self.head(Level::DataInformation, head.payload.end)? {
            let flags = entry.field(0, 4)?;
            self.zeros(flags.end..entry.payload.end)?;
            self.source.goto(entry.payload.end)?;
        }
        Ok(())
    }

    /// A coder's vendor and its name go; the rest says how to decode (12.1.3, 12.2.3; QuickTime's
    /// sample descriptions).
    fn clear_sample_entries(&mut self, head: &Head) -> Result<(), Stop> {
        self.source.goto(head.field(0, 8)?.end)?;
        while let Some(entry) = self.head(Level::SampleTable, head.payload.end)? {
            match self.track.handler {
                Some([b'v', b'i', b'd', b'e']) => {
                    self.zeros(entry.field(12, 4)?)?;
                    self.zeros(entry.field(42, 32)?)?;
                }
                Some([b's', b'o', b'u', b'n']) => self.zeros(entry.field(12, 4)?)?,
                // It should have been said before (8.4.1).
                None => return Err(Stop::Unclear),
                Some(_) => {}
            }
            self.source.goto(entry.payload.end)?;
        }
        Ok(())
    }

    /// Zeros over the samples of the tracks that go; false if they cannot be told from what stays.
    fn overwrite_samples(&mut self) -> Result<bool, Stop> {
        if self.gone.is_empty() {
            return Ok(true);
        }
        let (Some(gone), Some(kept)) = (
            samples::extents(self.source, &self.gone)?,
            samples::extents(self.source, &self.kept)?,
        ) else {
            return Ok(false);
        };
        let clear = gone.len() <= MAX_EXTENTS
            && samples::apart(&gone, &kept)
            && samples::inside(&gone, &self.media);
        if !clear {
            return Ok(false);
        }
        self.edits.extend(gone.into_iter().map(Edit::Zeros));
        Ok(!self.fragments)
    }
}
