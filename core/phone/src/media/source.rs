use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};

const BUFFER: usize = 64 * 1024;

/// Why a plan ends before it is made.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is not what it seemed, or more intricate than the bounds allow.
    Unclear,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A file read through one buffer; it never gives a byte behind the length it had when opened.
pub(super) struct Source<R> {
    inner: BufReader<R>,
    at: u64,
    len: u64,
}

impl<R: Read + Seek> Source<R> {
    pub(super) fn open(mut input: R) -> io::Result<Self> {
        let len = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        Ok(Self {
            inner: BufReader::with_capacity(BUFFER, input),
            at: 0,
            len,
        })
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn goto(&mut self, at: u64) -> io::Result<()> {
        // The buffer survives a short way; a place is at most the file's length, which is an i64.
        let way = i128::from(at) - i128::from(self.at);
        let way = i64::try_from(way).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        self.inner.seek_relative(way)?;
        self.at = at;
        Ok(())
    }

    /// The first twelve bytes, zeros behind a shorter file's end.
    pub(super) fn start(&mut self) -> io::Result<[u8; 12]> {
        self.goto(0)?;
        let mut start = [0; 12];
        let mut empty = start.as_mut_slice();
        while !empty.is_empty() {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                break;
            }
            let count = empty.write(buffer)?;
            self.consume(count);
        }
        Ok(start)
    }

    /// The next `N` bytes; unclear at the file's end.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        if self.len.saturating_sub(self.at) < N as u64 {
            return Err(Stop::Unclear);
        }
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    pub(super) fn u32_be(&mut self) -> Result<u32, Stop> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Goes behind the next such byte; false, and at the end, if there is none.
    pub(super) fn behind(&mut self, byte: u8) -> io::Result<bool> {
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let found = buffer.iter().position(|&b| b == byte);
            let used = found.map_or(buffer.len(), |place| place + 1);
            self.consume(used);
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// What the buffer holds, filled if it was empty; empty only at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        let left = self.len.saturating_sub(self.at);
        if left == 0 {
            return Ok(&[]);
        }
        loop {
            match self.inner.fill_buf() {
                Ok([]) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let buffer = self.inner.buffer();
        let usable = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        Ok(buffer.get(..usable).unwrap_or(buffer))
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.at += count as u64;
    }
}
