//! The write-ahead log by itself (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>): whether it is
//! damaged, and which of its frames count.
//!
//! SQLite takes the first frame that does not fit for the log's end, for so a power cut may leave one. Everything
//! behind it is gone without a word, and written over next. But with `synchronous=FULL` a transaction is on the disk
//! before the next one's first frame is written: where a frame fits the end of a transaction that lies behind what
//! does not fit, no power cut did it. The codes add up from frame to frame, yet each frame keeps its own, so each is
//! judged by its predecessor's also there.

use crate::page_keys::PAGE;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const FRAME: usize = FRAME_HEADER + PAGE;
/// How the header of such a log begins: format and page size behind the last bit of the first word, which tells the
/// byte order of the codes.
const MAGIC: u32 = 0x377F_0682;
const FORMAT: u32 = 3_007_000;
/// What a disk writes whole, in bytes, at the least.
const SECTOR: u64 = 512;

type Code = [u32; 2];
type Salts = [u8; 8];

/// What a log holds.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The pages up to the end of the last transaction that counts, oldest first.
    /// One may be damaged: only its own code, SQLCipher's, tells.
    pub pages: Vec<Logged>,
    /// Set where transactions lie behind something damaged: SQLite would not see them.
    pub damage: Option<Damage>,
}

/// A page in a log.
#[derive(Debug)]
pub(crate) struct Logged {
    /// Its number as its frame says, and as the frame's code says where that does not fit: its own code tells which.
    pub numbers: [u32; 2],
    /// Where in the file it lies.
    pub offset: u64,
}

/// The first part of a log that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage {
    /// They change whenever the log is begun anew.
    salts: Salts,
    /// The frame, from 1; 0 is the log's own header.
    frame: u64,
}

/// A frame, or the log's header, as the next frame's judge.
struct Part {
    /// It belongs to this log and fits its predecessor.
    fits: bool,
    /// It fits the code that its predecessor should have, not the one that it has.
    fits_expected: bool,
    salts: Salts,
    stored: Code,
    /// What the code should be; where it alone is damaged, the next frame fits this one.
    expected: Code,
    number: u32,
    /// Of the database in pages, where a transaction ends here; otherwise 0.
    size: u32,
    /// Number and size by the code: what they were where one of them is all that is damaged, otherwise noise.
    by_code: (u32, u32),
    /// Number and size are in another sector than the rest, and so may be left from before.
    split: bool,
}

impl Log {
    /// Reads a log. What the disk does not give counts as damaged.
    pub(crate) fn read(file: &File) -> Self {
        let Some(bytes) = at::<HEADER>(file, 0) else {
            return Self::default();
        };
        // The codes are in the byte order of the machine that began the log: where its header is damaged, this one's.
        let (big, header) = [false, true]
            .map(|big| (big, Part::header(&bytes, big)))
            .into_iter()
            .find(|(_, header)| header.fits)
            .unwrap_or_else(|| {
                let big = cfg!(target_endian = "big");
                (big, Part::header(&bytes, big))
            });
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let count = length.saturating_sub(HEADER as u64) / FRAME as u64;
        let frame = |n: u64, before: &Part, salts| {
            let offset = HEADER as u64 + (n - 1) * FRAME as u64;
            let bytes = at::<FRAME>(file, offset).unwrap_or([0; FRAME]);
            Part::frame(&bytes, offset, before, salts, big)
        };
        let mut salts = header.fits.then_some(header.salts);
        if salts.is_none() {
            // Those of the first frame that fits its predecessor, of whichever log.
            let mut before = Part::header(&bytes, big);
            for n in 1..=count {
                before = frame(n, &before, None);
                if before.fits {
                    salts = Some(before.salts);
                    break;
                }
            }
        }
        let Some(salts) = salts else {
            return Self::default();
        };
        let mut log = Self::default();
        let mut broken = (!header.fits).then_some(0);
        // Behind what is broken, frames may be left of a transaction that was never finished. Those count which
        // hang together with the end of one that was, and with its successor.
        let mut counts = header.fits;
        let mut whole = 0;
        let mut before = header;
        for n in 1..=count {
            let part = frame(n, &before, Some(salts));
            if !part.fits {
                broken = broken.or(Some(n));
                counts = false;
            } else if let Some(broken) = broken
                && before.ends_a_transaction(&part, salts)
            {
                log.damage.get_or_insert(Damage {
                    salts,
                    frame: broken,
                });
                counts = true;
                whole = n - 1;
            }
            log.pages.push(Logged {
                numbers: [part.number, part.by_code.0],
                offset: HEADER as u64 + (n - 1) * FRAME as u64 + FRAME_HEADER as u64,
            });
            if counts && part.size != 0 {
                whole = n;
            }
            before = part;
        }
        log.pages
            .truncate(usize::try_from(whole).unwrap_or(usize::MAX));
        log
    }
}

impl Part {
    fn header(bytes: &[u8; HEADER], big: bool) -> Self {
        let stored = [word(bytes, 24), word(bytes, 28)];
        let expected = add([0, 0], bytes.get(..24).unwrap_or_default(), big);
        let ours = word(bytes, 0) == MAGIC | u32::from(big)
            && word(bytes, 4) == FORMAT
            && word(bytes, 8) == PAGE as u32;
        Self {
            fits: ours && stored == expected,
            fits_expected: false,
            salts: salts(bytes, 16),
            stored,
            expected,
            number: 0,
            // It is on the disk before the first frame is written.
            size: 1,
            by_code: (0, 1),
            split: false,
        }
    }

    fn frame(
        bytes: &[u8; FRAME],
        offset: u64,
        before: &Self,
        salts_of_log: Option<Salts>,
        big: bool,
    ) -> Self {
        let (header, page) = bytes.split_at_checked(FRAME_HEADER).unwrap_or_default();
        let head = header.get(..8).unwrap_or_default();
        let code = |seed| add(add(seed, head, big), page, big);
        let stored = [word(header, 16), word(header, 20)];
        let (number, salts) = (word(header, 0), salts(header, 8));
        let expected = code(before.stored);
        let fits_expected = before.expected != before.stored && code(before.expected) == stored;
        let follows = expected == stored || fits_expected;
        let fits = follows && number != 0 && salts_of_log.is_none_or(|of_log| of_log == salts);
        Self {
            fits,
            fits_expected,
            salts,
            stored,
            expected,
            number,
            size: word(header, 4),
            by_code: if fits {
                (word(header, 0), word(header, 4))
            } else {
                by_code(before.stored, stored, page, big)
            },
            split: offset % SECTOR == SECTOR - 8,
        }
    }

    /// Whether a transaction ends here, as far as that is certain, where `next` fits this.
    fn ends_a_transaction(&self, next: &Self, salts: Salts) -> bool {
        let (number, size) = self.by_code;
        if self.fits || next.fits_expected {
            self.size != 0
        } else if number == self.number || size == self.size {
            size != 0
        } else {
            // Its page is damaged.
            self.size != 0 && self.salts == salts && !self.split
        }
    }
}

/// Goes on with a code (section 4.2, "Checksum Algorithm"), over a multiple of 8 bytes.
fn add([mut a, mut b]: Code, bytes: &[u8], big: bool) -> Code {
    for pair in bytes.as_chunks::<8>().0 {
        let [x, y] = words(pair, big);
        a = a.wrapping_add(x).wrapping_add(b);
        b = b.wrapping_add(y).wrapping_add(a);
    }
    [a, b]
}

/// Number and size of a frame out of its code, its predecessor's and its page: the code can be followed backwards.
fn by_code(before: Code, stored: Code, page: &[u8], big: bool) -> (u32, u32) {
    let [mut a, mut b] = stored;
    for pair in page.as_chunks::<8>().0.iter().rev() {
        let [x, y] = words(pair, big);
        b = b.wrapping_sub(y).wrapping_sub(a);
        a = a.wrapping_sub(x).wrapping_sub(b);
    }
    let number = a.wrapping_sub(before[0]).wrapping_sub(before[1]);
    let size = b.wrapping_sub(before[1]).wrapping_sub(a);
    // The fields themselves are big-endian whatever the codes are.
    let field = |word: u32| if big { word } else { word.swap_bytes() };
    (field(number), field(size))
}

fn words(pair: &[u8; 8], big: bool) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = *pair;
    let words = [[a, b, c, d], [e, f, g, h]];
    words.map(if big {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    })
}

/// A field of a header; 0 behind its end.
fn word(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(0, |field| u32::from_be_bytes(*field))
}

fn salts(bytes: &[u8], at: usize) -> Salts {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.copied().unwrap_or_default()
}

/// Bytes of a file; `None` behind its end, and where the disk does not give them.
pub(crate) fn at<const N: usize>(mut file: &File, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
