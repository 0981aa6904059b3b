//! A damaged database page by page: SQLCipher authenticates every page on its own, so what verifies is read
//! wherever it lies, also where nothing leads to it any more.

use crate::DatabaseKey;
use crate::log::{Log, Logged, at};
use crate::open::beside;
use crate::page_keys::{PAGE, PageKeys, SALT, USABLE};
use crate::record::{Row, rows};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The page that SQLite locks parts of: it is never written.
const LOCKS: u32 = 0x4000_0000 / PAGE as u32 + 1;

/// A database and its write-ahead log under their key.
pub(crate) struct Pages {
    file: Option<File>,
    log: Option<File>,
    keys: PageKeys,
    /// How many pages there are, readable or not.
    count: u32,
    /// Where the newest version of a page lies in the log.
    logged: BTreeMap<u32, u64>,
    /// Pages whose newest version in the log is damaged: an older one stands for it.
    stale: BTreeSet<u32>,
}

impl Pages {
    /// Opens what is there; `None` where no page of it verifies under this key.
    ///
    /// # Errors
    /// Where a file that exists cannot be opened.
    pub(crate) fn open(path: &Path, key: &DatabaseKey) -> io::Result<Option<Self>> {
        let (file, log) = (open(path)?, open(&beside(path, "-wal"))?);
        let frames = log
            .as_ref()
            .map(|log| Log::read(log).pages)
            .unwrap_or_default();
        // Copies of the first page in the log have the salt, too.
        let first = frames.iter().filter(|frame| frame.numbers.contains(&1));
        let copies = first.filter_map(|frame| at::<SALT>(log.as_ref()?, frame.offset));
        let salt = file.as_ref().and_then(|file| at::<SALT>(file, 0));
        let salts: BTreeSet<_> = salt.into_iter().chain(copies).collect();
        let mut pages = Self {
            count: file.as_ref().map_or(0, count),
            file,
            log,
            keys: PageKeys::new(key, [0; SALT]),
            logged: BTreeMap::new(),
            stale: BTreeSet::new(),
        };
        for salt in salts {
            pages.keys = PageKeys::new(key, salt);
            pages.find_logged(&frames);
            if (1..=pages.count).any(|number| pages.page(number).is_some()) {
                return Ok(Some(pages));
            }
        }
        Ok(None)
    }

    /// The rows of every page that is a leaf of a table, pages whose newest version is lost before the others;
    /// and for each page how many places could not be read.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (Vec<Row>, u64)> {
        let others = (1..=self.count).filter(|number| !self.stale.contains(number));
        let numbers = self.stale.iter().copied().chain(others);
        let missing = self.expected().saturating_sub(self.count);
        (numbers.filter(|number| *number != LOCKS))
            .map(|number| self.leaf(number))
            .chain([(Vec::new(), missing.into())])
    }

    fn leaf(&self, number: u32) -> (Vec<Row>, u64) {
        let Some(page) = self.page(number) else {
            return (Vec::new(), 1);
        };
        let longest = USABLE.saturating_mul(usize::try_from(self.count).unwrap_or(usize::MAX));
        let found = rows(&page, number, longest, |number| self.page(number));
        let lost = found.iter().filter(|row| row.is_none()).count() as u64;
        let rows = found.into_iter().flatten().collect();
        (rows, lost + u64::from(self.stale.contains(&number)))
    }

    /// How many pages the first one says that there are.
    fn expected(&self) -> u32 {
        let first = self.page(1).unwrap_or_default();
        let field = first.get(28..32).and_then(|field| field.try_into().ok());
        field.map_or(0, u32::from_be_bytes)
    }

    fn page(&self, number: u32) -> Option<Vec<u8>> {
        match (self.logged.get(&number), &self.log) {
            (Some(offset), Some(log)) => self.verified(log, *offset, number),
            _ => {
                let offset = u64::from(number.checked_sub(1)?) * PAGE as u64;
                self.verified(self.file.as_ref()?, offset, number)
            }
        }
    }

    fn verified(&self, file: &File, offset: u64, number: u32) -> Option<Vec<u8>> {
        self.keys.open(&at(file, offset)?, number)
    }

    /// Takes the newest version of each page that verifies.
    fn find_logged(&mut self, frames: &[Logged]) {
        for Logged { numbers, offset } in frames {
            let verifies = |number: &u32| {
                let log = self.log.as_ref();
                log.is_some_and(|log| self.verified(log, *offset, *number).is_some())
            };
            if let Some(number) = numbers.iter().copied().find(verifies) {
                self.logged.insert(number, *offset);
                self.stale.remove(&number);
                self.count = self.count.max(number);
            } else {
                self.stale.insert(numbers[0]);
            }
        }
        let there = 1..=self.count;
        self.stale.retain(|number| there.contains(number));
    }
}

/// A file, where there is one.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn count(file: &File) -> u32 {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    u32::try_from(size.div_ceil(PAGE as u64)).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Migration, open_or_create};

    /// How many pages, of the file and of its log, hold this; free ones, too.
    fn pages_with(path: &Path, key: &DatabaseKey, marker: &[u8]) -> usize {
        let pages = Pages::open(path, key).unwrap().unwrap();
        let holds = |page: Option<Vec<u8>>| {
            page.is_some_and(|page| page.windows(marker.len()).any(|part| part == marker))
        };
        let log = open(&beside(path, "-wal")).unwrap();
        let frames = log
            .as_ref()
            .map(|log| Log::read(log).pages)
            .unwrap_or_default();
        let of_log = (frames.iter()).filter(|frame| {
            let verified = |number| pages.verified(log.as_ref().unwrap(), frame.offset, number);
            frame
                .numbers
                .into_iter()
                .any(|number| holds(verified(number)))
        });
        let file = pages.file.as_ref().unwrap();
        let of_file = (1..=count(file)).filter(|number| {
            let offset = u64::from(number - 1) * PAGE as u64;
            holds(pages.verified(file, offset, *number))
        });
        of_file.count() + of_log.count()
    }

    #[test]
    fn nothing_of_a_dropped_table_is_left_once_the_log_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (
            folder.path().join("test.db"),
            DatabaseKey::random().unwrap(),
        );
        let sql =
            "CREATE TABLE gone (text TEXT NOT NULL) STRICT; CREATE INDEX gone_by ON gone (text);
                   CREATE TABLE thinner (n INTEGER PRIMARY KEY, text TEXT) STRICT;";
        let db = open_or_create(&path, &key, &[Migration { sql }], 1).unwrap();
        let marker = "soldados en la puerta";
        for n in 0..50 {
            // Some are longer than a page.
            let text = marker.repeat(1 + n % 7 * 60);
            db.execute("INSERT INTO gone VALUES (?1)", [&text]).unwrap();
            db.execute("INSERT INTO thinner (text) VALUES (?1)", [&text])
                .unwrap();
        }
        let found = || pages_with(&path, &key, marker.as_bytes());
        assert!(found() > 50);
        let empty_log = || {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(empty_log(), 0);
        assert!(found() > 50);
        db.execute_batch("DROP TABLE gone; ALTER TABLE thinner DROP COLUMN text;")
            .unwrap();
        assert!(found() > 0, "the log and the file still have it");
        assert_eq!(empty_log(), 0);
        assert_eq!(found(), 0);
    }
}
