//! Headquarters whose database or attachments are damaged: what is readable goes on, the rest is kept beside it.

use crate::HqError;
use crate::backup::hash;
use crate::capabilities;
use crate::init::Headquarters;
use crate::keys::{Folder, read_key};
use crate::store::{Identity, Store, is_sound, salvage};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{DatabaseKey, OpenError, replace, replacement_was_interrupted, set_aside};
use testigo_wire::{BlobReceipt, BlobRef, Epoch, Keyset, RootId, SigningKey};

/// What became of damaged headquarters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredHq {
    /// Where the damaged database is kept, with its logs. Nothing of it was deleted. `None` where it was sound,
    /// or not there.
    pub aside: Option<PathBuf>,
    /// Records that are in the database.
    pub records: u64,
    /// Places of the old one that could not be read; how much was there is not known.
    pub gaps: u64,
    /// Attachments that were held and are not whole any more: phones that still have them are asked again. What
    /// is left of each is kept beside it.
    pub lost_files: u64,
    /// The new run of the store, in which phones send again what was not safe.
    pub epoch: Epoch,
}

/// Puts headquarters with a damaged database or damaged attachments to work again. Their desk opens every record
/// anew, and phones send again what is missing, but for what was safe: only a confirmed copy has that. Nobody may
/// serve the folder meanwhile.
///
/// A wrong key looks like a damaged beginning, and a forgotten disk like a lost database: only where `key_is_right`
/// is a file set aside of which nothing can be read, and a database begun where none is.
///
/// # Errors
/// [`HqError::NotDamaged`]; [`HqError::Database`] where nothing can be read and not `key_is_right`; those of a
/// keyset or keys that are not these headquarters': nothing was changed then. Others where files cannot be
/// written: the same call goes on.
pub fn recover(data_dir: &Path, key_is_right: bool) -> Result<RecoveredHq, HqError> {
    let folder = Folder::new(data_dir);
    if !folder.keyset().exists() {
        return Err(HqError::NotHeadquarters(data_dir.to_owned()));
    }
    let (path, key) = (folder.database(), folder.load_database()?);
    let new = path.with_extension("new");
    let (mut gaps, mut lost_files) = (0, 0);
    let interrupted = replacement_was_interrupted(&path, &new);
    if !interrupted {
        match is_sound(&path, &key) {
            Ok(true) => return check_files(data_dir, &folder),
            Ok(false) => {}
            Err(OpenError::WrongKey | OpenError::Missing | OpenError::Foreign { .. })
                if key_is_right => {}
            Err(source) => return Err(HqError::Database { path, source }),
        }
        // The new database first: a crash at any moment leaves the old one, or both.
        match fill(&folder, &new, &key) {
            Ok(filled) => (gaps, lost_files) = filled,
            Err(error) => {
                remove_unfinished(&new);
                return Err(error);
            }
        }
    }
    let log = fs::metadata(path.with_extension("db-wal")).map_or(0, |log| log.len());
    let there = interrupted || path.exists() || log > 0;
    let aside = replace(&path, &new).map_err(HqError::file(&path))?;
    let hq = Headquarters::open(data_dir)?;
    Ok(RecoveredHq {
        aside: there.then_some(aside),
        records: hq.reader.record_count()?,
        gaps,
        lost_files,
        epoch: hq.identity.epoch,
    })
}

/// Makes the new database out of what is left. Returns how many places could not be read, and how many attachments
/// are lost.
fn fill(folder: &Folder, new: &Path, key: &DatabaseKey) -> Result<(u64, u64), HqError> {
    let identity = identity_beside(folder)?;
    let known = capabilities::read(folder)?;
    let salvaged = salvage(&folder.database(), new, key, &identity, &known)?;
    let mut store = Store::open_file(new, key)?;
    let (lost, _) = begin_again(folder, &mut store)?;
    store.close()?;
    Ok((salvaged.gaps, lost))
}

/// What headquarters with a sound database need where attachments are damaged.
fn check_files(data_dir: &Path, folder: &Folder) -> Result<RecoveredHq, HqError> {
    let reader = Headquarters::open(data_dir)?.reader;
    let held = reader.held_blobs()?;
    if held.iter().all(|blob| is_whole(folder, blob)) {
        return Err(HqError::NotDamaged(folder.database()));
    }
    let (lost_files, epoch) = begin_again(folder, &mut Store::open(folder)?)?;
    Ok(RecoveredHq {
        aside: None,
        records: reader.record_count()?,
        gaps: 0,
        lost_files,
        epoch,
    })
}

/// Begins a new run of the store in which those attachments are held that are whole. Returns how many are not any
/// more, and the run.
fn begin_again(folder: &Folder, store: &mut Store) -> Result<(u64, Epoch), HqError> {
    let receipt_key = receipt_key(folder)?;
    let epoch = Epoch::random().map_err(HqError::keys)?;
    let mut held = BTreeSet::new();
    let mut lost = 0;
    for file in store.files()? {
        if is_whole(folder, &file.blob) {
            if !file.held {
                // Its row was lost, and the file was not.
                let receipt = BlobReceipt::new(file.blob).sign(&receipt_key);
                let receipt = receipt.map_err(HqError::keys)?;
                store.keep_blob(&file.blob, file.named_at, &receipt)?;
            }
            held.insert(file.blob.sha256);
        } else if file.held {
            lost += 1;
            let path = file_of(folder, &file.blob);
            if path.exists() {
                set_aside(&path).map_err(HqError::file(&path))?;
            }
        }
    }
    store.begin_again(epoch, &held)?;
    Ok((lost, epoch))
}

fn receipt_key(folder: &Folder) -> Result<SigningKey, HqError> {
    folder.load_keys()?.receipt_key(&keyset_beside(folder)?)
}

fn file_of(folder: &Folder, blob: &BlobRef) -> PathBuf {
    folder.blobs().join(HEXLOWER.encode(&blob.sha256))
}

fn is_whole(folder: &Folder, blob: &BlobRef) -> bool {
    let file = file_of(folder, blob);
    fs::metadata(&file).is_ok_and(|file| file.len() == blob.size)
        && hash(&file).is_ok_and(|sha256| sha256 == blob.sha256)
}

/// Who these headquarters are, as the files beside the database say: the signed keyset, whose keys must be those
/// of this folder.
fn identity_beside(folder: &Folder) -> Result<Identity, HqError> {
    let keyset = keyset_beside(folder)?;
    let root = RootId::of(&keyset.root);
    folder.load_keys()?.check(&keyset)?;
    // The root's key is kept elsewhere, as it should be, or says that the keyset is its own.
    match read_key(&folder.root_key()).map(|seed| SigningKey::from_seed(&seed)) {
        Ok(key) if key.verifying_key() != keyset.root => Err(HqError::Key(folder.root_key())),
        _ => Ok(Identity {
            election: keyset.election,
            root,
            epoch: Epoch::random().map_err(HqError::keys)?,
        }),
    }
}

/// The keyset as its own root signed it.
fn keyset_beside(folder: &Folder) -> Result<Keyset, HqError> {
    let path = folder.keyset();
    let bytes = fs::read(&path).map_err(HqError::file(&path))?;
    Keyset::named_root(&bytes)
        .and_then(|root| Keyset::verify(&bytes, root))
        .map_err(|source| HqError::Signed { path, source })
}

fn remove_unfinished(new: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = new.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
}
