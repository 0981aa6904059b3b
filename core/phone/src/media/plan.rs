use std::io::{Read, Seek, Write};
use std::ops::Range;

use super::MediaError;
use super::source::{Source, Stop};

/// A file with more parts than this is copied word for word: 3 MiB of plan.
pub(super) const MAX_PARTS: usize = 131_072;

enum Part {
    Copy(Range<u64>),
    Put(Box<[u8]>),
    Zeros(u64),
}

/// What to write, in order: ranges of the input, a few bytes of our own, zeros.
#[derive(Default)]
pub(super) struct Plan {
    parts: Vec<Part>,
    len: u64,
    zeroed: u64,
    /// Something may have stayed.
    pub(super) doubt: bool,
}

impl Plan {
    pub(super) fn word_for_word(len: u64) -> Self {
        Self {
            parts: vec![Part::Copy(0..len)],
            len,
            ..Self::default()
        }
    }

    /// Bytes it writes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Of them, zeros in place of what was there.
    pub(super) fn zeroed(&self) -> u64 {
        self.zeroed
    }

    pub(super) fn copy(&mut self, range: Range<u64>) -> Result<(), Stop> {
        let count = range.end.saturating_sub(range.start);
        if count == 0 {
            return Ok(());
        }
        if let Some(Part::Copy(last)) = self.parts.last_mut()
            && last.end == range.start
        {
            last.end = range.end;
            self.len += count;
            return Ok(());
        }
        self.push(Part::Copy(range), count)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.push(Part::Put(bytes.into()), bytes.len() as u64)
    }

    pub(super) fn zeros(&mut self, count: u64) -> Result<(), Stop> {
        if count == 0 {
            return Ok(());
        }
        self.zeroed += count;
        self.push(Part::Zeros(count), count)
    }

    pub(super) fn append(&mut self, other: Self) -> Result<(), Stop> {
        for part in other.parts {
            match part {
                Part::Copy(range) => self.copy(range)?,
                Part::Put(bytes) => self.put(&bytes)?,
                Part::Zeros(count) => self.zeros(count)?,
            }
        }
        self.doubt |= other.doubt;
        Ok(())
    }

    fn push(&mut self, part: Part, count: u64) -> Result<(), Stop> {
        if self.parts.len() >= MAX_PARTS {
            return Err(Stop::Unclear);
        }
        self.parts.push(part);
        self.len = self.len.checked_add(count).ok_or(Stop::Unclear)?;
        Ok(())
    }

    pub(super) fn write<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
        output: &mut impl Write,
    ) -> Result<(), MediaError> {
        for part in &self.parts {
            match part {
                Part::Copy(range) => copy(source, range, output)?,
                Part::Put(bytes) => output.write_all(bytes).map_err(MediaError::Write)?,
                Part::Zeros(count) => zeros(*count, output)?,
            }
        }
        Ok(())
    }
}

fn copy<R: Read + Seek>(
    source: &mut Source<R>,
    range: &Range<u64>,
    output: &mut impl Write,
) -> Result<(), MediaError> {
    source.goto(range.start).map_err(MediaError::Read)?;
    while source.at() < range.end {
        let left = range.end - source.at();
        let buffer = source.fill().map_err(MediaError::Read)?;
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Err(MediaError::Read(std::io::ErrorKind::UnexpectedEof.into()));
        }
        output.write_all(bytes).map_err(MediaError::Write)?;
        source.consume(count);
    }
    Ok(())
}

fn zeros(count: u64, output: &mut impl Write) -> Result<(), MediaError> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut left = count;
    while left > 0 {
        let step = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        let bytes = ZEROS.get(..step).unwrap_or(&ZEROS);
        output.write_all(bytes).map_err(MediaError::Write)?;
        left -= bytes.len() as u64;
    }
    Ok(())
}
