//! What was read so far, on the disk: whoever stops a long run goes on where it was.

use crate::failure::Failure;
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// What one image gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The image's path, as it was found; what is not UTF-8 in it as U+FFFD.
    pub file: String,
    /// Its size in bytes: one that has another is looked at again.
    pub bytes: u64,
    /// The texts of its codes, in hexadecimal.
    pub codes: Vec<String>,
    /// Why it could not be looked at. Such entries are not kept: next time it may be read.
    #[serde(skip)]
    pub fault: Option<String>,
}

impl Entry {
    /// The texts of its codes.
    pub fn texts(&self) -> Vec<Vec<u8>> {
        let decoded = self
            .codes
            .iter()
            .map(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()));
        decoded.filter_map(Result::ok).collect()
    }
}

/// How every line of it begins.
const BEGINNING: &[u8] = b"{\"file\":";

/// The longest line that is read back, in bytes: more than the codes of one image have.
const MAX_LINE: u64 = 1024 * 1024;

/// The file: one line of JSON for each image.
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens it, with what it has. A last line that was cut off is as if it had not been written.
    pub fn open(path: &Path) -> Result<(Self, BTreeMap<String, Entry>), Failure> {
        let fault = || Failure::file(path);
        let mut known = BTreeMap::new();
        let mut whole = 0;
        match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            file => {
                let mut lines = BufReader::new(file.map_err(fault())?);
                let mut line = Vec::new();
                loop {
                    line.clear();
                    let read = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line);
                    let read = read.map_err(fault())?;
                    if line.pop_if(|byte| *byte == b'\n').is_none() {
                        let cut = line.get(..BEGINNING.len()).unwrap_or(&line);
                        if !BEGINNING.starts_with(cut) {
                            return Err(not_ours(path));
                        }
                        break;
                    }
                    let entry: Entry = serde_json::from_slice(&line).map_err(|_| not_ours(path))?;
                    whole += read as u64;
                    known.insert(entry.file.clone(), entry);
                }
            }
        }
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .append(true)
            .open(path)
            .map_err(fault())?;
        file.set_len(whole).map_err(fault())?;
        let path = path.to_owned();
        Ok((Self { file, path }, known))
    }

    /// Adds what an image gave, but for faults.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        if entry.fault.is_some() {
            return Ok(());
        }
        let mut line = serde_json::to_vec(entry).unwrap_or_default();
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(Failure::file(&self.path))
    }
}

fn not_ours(path: &Path) -> Failure {
    let path = path.display();
    Failure::said(
        format!(
            "{path} no es lo leído hasta ahora por testigo decode; quítelo o elija otro --out."
        ),
        format!(
            "{path} is not what testigo decode has read so far; remove it or choose another --out."
        ),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn entry(file: &str) -> Entry {
        Entry {
            file: file.into(),
            bytes: 7,
            codes: vec!["00ff".into()],
            fault: None,
        }
    }

    #[test]
    fn what_was_cut_off_is_written_again_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv.progress");
        let (mut journal, known) = Journal::open(&path).unwrap();
        assert!(known.is_empty());
        journal.add(&entry("a")).unwrap();
        journal.add(&entry("b")).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 10, whole.len() / 2 - 1] {
            std::fs::write(&path, whole.split_last_chunk::<1>().unwrap().0).unwrap();
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len((whole.len() - cut) as u64).unwrap();
            let (mut journal, known) = Journal::open(&path).unwrap();
            assert_eq!(known.into_values().collect::<Vec<_>>(), [entry("a")]);
            journal.add(&entry("b")).unwrap();
            drop(journal);
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        for theirs in ["somebody's list\n", "somebody's list", "{}\n", "{\"fil\n"] {
            std::fs::write(&path, theirs).unwrap();
            assert!(Journal::open(&path).is_err(), "{theirs}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), theirs);
        }
    }
}
