//! Rows in SQLite's own form (<https://www.sqlite.org/fileformat2.html>, sections 1.6 and 2).

use crate::page_keys::USABLE;
use rusqlite::types::Value;

const TABLE_LEAF: u8 = 0x0d;
/// SQLite's own header, before that of the first page.
const FILE_HEADER: usize = 100;

/// A row's number and columns; the column that is the number itself is NULL here.
pub(crate) type Row = (i64, Vec<Value>);

/// The rows of a page, each `None` where it cannot be read. A page that is no leaf of a table has none.
/// `overflow` gives the pages in which long rows go on; no row is longer than `longest` bytes.
pub(crate) fn rows(
    page: &[u8],
    number: u32,
    longest: usize,
    mut overflow: impl FnMut(u32) -> Option<Vec<u8>>,
) -> Vec<Option<Row>> {
    let start = if number == 1 { FILE_HEADER } else { 0 };
    let mut header = Bytes(page.get(start..).unwrap_or_default());
    if header.take(3).and_then(<[u8]>::first) != Some(&TABLE_LEAF) {
        return Vec::new();
    }
    let count = header.number(2).unwrap_or(0);
    header.take(3);
    let mut cell = || {
        let at = usize::try_from(header.number(2)?).ok()?;
        row(Bytes(page.get(at..)?), longest, &mut overflow)
    };
    // A page has no room for more than so many pointers.
    (0..count.min(USABLE as u64 / 2)).map(|_| cell()).collect()
}

fn row(
    mut cell: Bytes<'_>,
    longest: usize,
    overflow: &mut impl FnMut(u32) -> Option<Vec<u8>>,
) -> Option<Row> {
    let length = usize::try_from(cell.varint()?).ok()?;
    let number = cell.varint()?.cast_signed();
    if length > longest {
        return None;
    }
    let mut payload = cell.take(local(length))?.to_vec();
    let mut next = cell.number(4);
    while payload.len() < length {
        let page = overflow(u32::try_from(next?).ok()?)?;
        let mut page = Bytes(&page);
        next = page.number(4);
        let rest = (length - payload.len()).min(USABLE - 4);
        payload.extend_from_slice(page.take(rest)?);
    }
    Some((number, record(&payload)?))
}

/// How many bytes of a row lie in its own page.
fn local(length: usize) -> usize {
    const MOST: usize = USABLE - 35;
    const LEAST: usize = (USABLE - 12) * 32 / 255 - 23;
    if length <= MOST {
        return length;
    }
    let fitted = LEAST + (length - LEAST) % (USABLE - 4);
    if fitted <= MOST { fitted } else { LEAST }
}

fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let length = usize::try_from(Bytes(payload).varint()?).ok()?;
    let (header, body) = payload.split_at_checked(length)?;
    let (mut kinds, mut body) = (Bytes(header), Bytes(body));
    kinds.varint()?;
    let mut columns = Vec::new();
    while !kinds.0.is_empty() {
        columns.push(value(kinds.varint()?, &mut body)?);
    }
    Some(columns)
}

fn value(kind: u64, body: &mut Bytes<'_>) -> Option<Value> {
    Some(match kind {
        0 => Value::Null,
        1..=4 => Value::Integer(body.signed(usize::try_from(kind).ok()?)?),
        5 => Value::Integer(body.signed(6)?),
        6 => Value::Integer(body.signed(8)?),
        7 => Value::Real(f64::from_bits(body.number(8)?)),
        8 | 9 => Value::Integer((kind == 9).into()),
        10 | 11 => return None,
        _ => {
            let bytes = body.take(usize::try_from((kind - 12) / 2).ok()?)?.to_vec();
            match kind % 2 {
                0 => Value::Blob(bytes),
                _ => Value::Text(String::from_utf8(bytes).ok()?),
            }
        }
    })
}

/// Bytes read one behind the other.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The most significant byte first; at most 8.
    fn number(&mut self, count: usize) -> Option<u64> {
        let bytes = self.take(count)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    }

    fn signed(&mut self, count: usize) -> Option<i64> {
        let unused = u32::try_from(64 - 8 * count).ok()?;
        Some((self.number(count)? << unused).cast_signed() >> unused)
    }

    /// Seven bits a byte while the eighth is set; a ninth byte has all eight.
    fn varint(&mut self) -> Option<u64> {
        let mut sum = 0;
        for _ in 0..8 {
            let byte = self.number(1)?;
            sum = sum << 7 | (byte & 0x7f);
            if byte < 0x80 {
                return Some(sum);
            }
        }
        Some(sum << 8 | self.number(1)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// Repeats for ever the same numbers that look like chance (xorshift64).
    fn noise(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    /// A leaf of these three rows, as SQLite writes it.
    fn leaf() -> Vec<u8> {
        let mut page = vec![0; USABLE];
        let mut end = USABLE;
        let rows: [&[u8]; 3] = [
            &[4, 1, 3, 0, 1, 0xfe],
            &[4, 2, 2, 15, b'\xc3', b'\xa9'],
            &[7, 0x81, 0x00, 3, 20, 9, 1, 2, 3, 4],
        ];
        page[0] = TABLE_LEAF;
        page[4] = rows.len() as u8;
        for (n, row) in rows.iter().enumerate() {
            end -= row.len();
            page[end..end + row.len()].copy_from_slice(row);
            page[8 + 2 * n..10 + 2 * n].copy_from_slice(&(end as u16).to_be_bytes());
        }
        page
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let found = rows(&leaf(), 2, USABLE, |_| None);
        assert_eq!(
            found[0],
            Some((1, vec![Value::Null, Value::Integer(-2)])),
            "{found:?}"
        );
        assert_eq!(found[1], None, "a text that ends inside a letter");
        let blob = Value::Blob(vec![1, 2, 3, 4]);
        assert_eq!(found[2], Some((128, vec![blob, Value::Integer(1)])));
    }

    #[test]
    fn any_bytes_are_rows_or_none_and_end() {
        let sound = leaf();
        for seed in 0..20_000 {
            let mut next = noise(seed);
            let mut page = match seed % 2 {
                0 => sound.clone(),
                _ => (0..USABLE).map(|_| next() as u8).collect(),
            };
            page[0] = TABLE_LEAF;
            for _ in 0..next() % 8 {
                let at = match next() % 2 {
                    0 => next() as usize % 16,
                    _ => USABLE - 1 - next() as usize % 40,
                };
                page[at] = next() as u8;
            }
            page.truncate(USABLE - (next() % 3) as usize * 1000);
            // A chain that leads back to itself.
            let mut pages = 0;
            let found = rows(&page, (seed % 3) as u32, 8 * USABLE, |_| {
                pages += 1;
                Some(sound.clone())
            });
            assert!(found.len() <= USABLE / 2, "seed {seed}");
            assert!(pages <= 9 * found.len(), "seed {seed}");
        }
    }
}
