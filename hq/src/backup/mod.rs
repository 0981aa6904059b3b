//! Copies of a headquarters that lie elsewhere: made while it serves, confirmed by their operator, and
//! brought back to life. They hold the two encrypted databases, the public files and all sealed attachments;
//! never a key. The form is described in `docs/backup.md`.

mod confirm;
mod copy;
mod manifest;
mod restore;

pub use confirm::{Confirmed, confirm};
pub use restore::{Restored, restore};

use crate::init::Headquarters;
use crate::keys::{Folder, owners_folder, private_folder, replace_file, sync_folder};
use crate::store::Reader;
use crate::{Clock, HqError};
use data_encoding::HEXLOWER;
use manifest::Manifest;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use testigo_sqlite::DatabaseKey;

/// Bytes that are read at a time.
const PART: usize = 1024 * 1024;
/// Ends the name of a file that is still being written.
const UNFINISHED: &str = "new";

/// What is under way, for who waits: how many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Pages of one of the two databases, the desk's first.
    Pages {
        /// So many are done.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// Attachments.
    Blobs {
        /// So many are done.
        done: u64,
        /// Of so many.
        of: u64,
    },
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Records in it.
    pub records: u64,
    /// Attachments in it.
    pub blobs: u64,
    /// How many of these were copied now; the others were there from the backup before.
    pub copied: u64,
    /// Attachments that headquarters should hold and cannot be read, by SHA-256 in hexadecimal: they are
    /// not in the backup, and their records do not become safe by it.
    pub damaged: Vec<String>,
}

/// Copies the headquarters in `data_dir`, which may serve meanwhile, into the folder `out`: a new one, an
/// empty one, or that of an earlier backup, which is brought up to date. Until the new one is whole the
/// earlier one stays as it is, whatever happens.
///
/// # Errors
/// [`HqError::BackupInside`] where `out` lies in `data_dir`; [`HqError::OtherBackup`] where it holds a backup of other headquarters, [`HqError::NotEmpty`] where it
/// holds something else; other [`HqError`]s where the headquarters or `out` cannot be read or written.
pub fn backup(
    data_dir: &Path,
    out: &Path,
    clock: &dyn Clock,
    mut progress: impl FnMut(Progress),
) -> Result<Backup, HqError> {
    let hq = Headquarters::open(data_dir)?;
    prepare(data_dir, out, &hq)?;
    let made_at = clock.now();
    // The desk's first: the backup's desk never knows of an envelope that its ingest does not hold. The other way round
    // such an envelope's number would be given to another one after a restore, which would pass for opened. What the
    // desk's copy lacks it reads out of the envelopes again, and what it says of them is held against the notices.
    let folder = &hq.folder;
    let desk_key = folder.load_desk_database()?;
    let desk = copy(
        &Reader::of_desk(&folder.desk_database(), &desk_key)?,
        &desk_key,
        &out.join(format!("desk-{}.db", made_at.millis())),
        &mut progress,
    )?;
    let ingest = out.join(format!("hq-{}.db", made_at.millis()));
    let key = folder.load_database()?;
    let source = Reader::of_ingest(&folder.database(), &key)?;
    let database = copy(&source, &key, &ingest, &mut progress)?;
    drop(source);

    // Whatever the copied database says is held was whole in the folder before it said so.
    let copied = Reader::of_ingest(&ingest, &key)?;
    let held = copied.held_blobs()?;
    let records = copied.record_count()?;
    drop(copied);
    let (from, to) = (hq.folder.blobs(), out.join("blobs"));
    if !to.exists() {
        private_folder(&to)?;
    }
    let mut made = Backup {
        records,
        blobs: 0,
        copied: 0,
        damaged: Vec::new(),
    };
    let mut manifest = Manifest::new(made_at, &hq.identity, database, desk);
    for (n, blob) in held.iter().enumerate() {
        progress(Progress::Blobs {
            done: n as u64,
            of: held.len() as u64,
        });
        let name = HEXLOWER.encode(&blob.sha256);
        let there = fs::metadata(to.join(&name)).is_ok_and(|found| found.len() == blob.size);
        if !there && !copy_blob(&from, &to, &blob.sha256)? {
            made.damaged.push(name);
            continue;
        }
        made.copied += u64::from(!there);
        manifest.blobs.insert(blob.sha256);
    }
    made.blobs = manifest.blobs.len() as u64;
    sync_folder(&to)?;

    let public = out.join("public");
    if !public.exists() {
        fs::create_dir(&public).map_err(HqError::file(&public))?;
    }
    for path in [hq.folder.keyset(), hq.folder.pack()] {
        let bytes = fs::read(&path).map_err(HqError::file(&path))?;
        let name = path.file_name().unwrap_or_default();
        replace_file(&public.join(name), &bytes)?;
        let name = format!("public/{}", name.to_string_lossy());
        manifest.public.insert(name, Sha256::digest(&bytes).into());
    }
    replace_file(&Manifest::path(out), manifest.to_text().as_bytes())?;
    collect(out, &manifest);
    Ok(made)
}

/// Copies a database to `path`; returns its name and hash.
fn copy(
    source: &Reader,
    key: &DatabaseKey,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(String, [u8; 32]), HqError> {
    let unfinished = path.with_extension(UNFINISHED);
    let of = source.page_count()?;
    progress(Progress::Pages { done: 0, of });
    source.copy_to(&unfinished, key, |done, of| {
        progress(Progress::Pages { done, of });
    })?;
    let sha256 = hash(&unfinished).map_err(HqError::file(&unfinished))?;
    rename(&unfinished, path)?;
    let name = path.file_name().unwrap_or_default();
    Ok((name.to_string_lossy().into_owned(), sha256))
}

/// Whether the folder may take a backup of these headquarters.
fn prepare(data_dir: &Path, out: &Path, hq: &Headquarters) -> Result<(), HqError> {
    let whole = |path: &Path| path.canonicalize().map_err(HqError::file(path));
    let there = (out.ancestors()).find(|path| path.exists() && !path.as_os_str().is_empty());
    if whole(there.unwrap_or(Path::new(".")))?.starts_with(whole(data_dir)?) {
        return Err(HqError::BackupInside(out.to_owned()));
    }
    fs::create_dir_all(out).map_err(HqError::file(out))?;
    if Manifest::path(out).exists() {
        let (before, _) = Manifest::read(out)?;
        if before.election != hq.identity.election || before.root != hq.identity.root {
            return Err(HqError::OtherBackup(out.to_owned()));
        }
        return Ok(());
    }
    let entries = fs::read_dir(out).map_err(HqError::file(out))?;
    let foreign = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // What a first backup that was interrupted leaves.
        !(name == "blobs" || name == "public" || is_database(&name))
    };
    match entries.flatten().any(foreign) {
        true => Err(HqError::NotEmpty(out.to_owned())),
        false => Ok(()),
    }
}

fn is_database(name: &str) -> bool {
    (name.starts_with("hq-") || name.starts_with("desk-"))
        && [".db", ".new", "-journal", "-wal", "-shm"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Removes databases of backups before this one, and of interrupted ones.
fn collect(out: &Path, manifest: &Manifest) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let current = manifest.databases().any(|(current, _)| *current == name);
        if is_database(&name) && !current {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Copies an attachment durably under its hash; `false` where it is not whole or not there.
fn copy_blob(from: &Path, to: &Path, sha256: &[u8; 32]) -> Result<bool, HqError> {
    let name = HEXLOWER.encode(sha256);
    let Ok(mut reading) = File::open(from.join(&name)) else {
        return Ok(false);
    };
    let unfinished = to.join(&name).with_extension(UNFINISHED);
    let fault = |error| HqError::file(&unfinished)(error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writing = options.open(&unfinished).map_err(fault)?;
    let mut found = Sha256::new();
    let mut part = vec![0; PART];
    loop {
        let Ok(n) = reading.read(&mut part) else {
            let _ = fs::remove_file(&unfinished);
            return Ok(false);
        };
        let bytes = part.get(..n).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        found.update(bytes);
        writing.write_all(bytes).map_err(fault)?;
    }
    if found.finalize().as_slice() != sha256 {
        let _ = fs::remove_file(&unfinished);
        return Ok(false);
    }
    writing.sync_all().map_err(fault)?;
    rename(&unfinished, &to.join(&name))?;
    Ok(true)
}

/// SHA-256 of a file.
pub(crate) fn hash(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut sha256 = Sha256::new();
    let mut part = vec![0; PART];
    loop {
        let n = file.read(&mut part)?;
        let bytes = part.get(..n).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(sha256.finalize().into());
        }
        sha256.update(bytes);
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), HqError> {
    fs::rename(from, to).map_err(HqError::file(to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// A folder that is new or empty.
pub(crate) fn fresh(data_dir: &Path) -> Result<Folder, HqError> {
    // Sealed or not: other accounts of the machine have no business with it.
    (owners_folder().recursive(true).create(data_dir)).map_err(HqError::file(data_dir))?;
    let folder = Folder::new(data_dir);
    if folder.keyset().exists() {
        return Err(HqError::AlreadyHeadquarters(data_dir.to_owned()));
    }
    let mut entries = fs::read_dir(data_dir).map_err(HqError::file(data_dir))?;
    match entries.next() {
        Some(_) => Err(HqError::NotEmpty(data_dir.to_owned())),
        None => Ok(folder),
    }
}
