//! Headquarters whose database or attachments are damaged: what is readable goes on, the rest is kept beside it.

use crate::HqError;
use crate::backup::hash;
use crate::capabilities;
use crate::init::Headquarters;
use crate::keys::{Folder, read_key};
use crate::store::{
    Identity, Reader, Store, is_desk_sound, is_sound, name_desk, remove_database, salvage,
    salvage_desk,
};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{DatabaseKey, OpenError, replace, replacement_was_interrupted, set_aside};
use testigo_wire::{BlobReceipt, BlobRef, Epoch, Keyset, RootId, SigningKey};

/// What became of damaged headquarters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredHq {
    /// Where ingest's damaged database is kept, with its logs. Nothing of it was deleted. `None` where it was sound,
    /// or not there.
    pub aside: Option<PathBuf>,
    /// The same of the desk's.
    pub desk_aside: Option<PathBuf>,
    /// The desk's database was made anew: it opens every record again, and decisions that could not be read are gone.
    pub desk_anew: bool,
    /// A new run of the store has begun, in which phones send again what was not safe.
    pub begun_again: bool,
    /// Records that are in the database.
    pub records: u64,
    /// Places of the old ones that could not be read; how much was there is not known.
    pub gaps: u64,
    /// Attachments that were held and are not whole any more: phones that still have them are asked again. What
    /// is left of each is kept beside it.
    pub lost_files: u64,
    /// The run of the store: a new one, in which phones send again what was not safe, where anything but the desk's
    /// database was damaged.
    pub epoch: Epoch,
}

/// Puts headquarters with a damaged database or damaged attachments to work again. What a damaged database of the desk
/// held is read out of the envelopes anew, and phones send again what is missing, but for what was safe: only a confirmed
/// copy has that. Nobody may serve the folder meanwhile.
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
    // The desk's first: where it is missing and ingest's is sound, an earlier release may not have had it.
    let desk = recover_desk(&folder, key_is_right)?;
    let ingest = recover_ingest(&folder, key_is_right)?;
    let files = match ingest {
        Some(_) => None,
        None => check_files(data_dir, &folder)?,
    };
    if desk.is_none() && ingest.is_none() && files.is_none() {
        return Err(HqError::NotDamaged(folder.database()));
    }
    let hq = Headquarters::open(data_dir)?;
    let mended = [&desk, &ingest, &files].into_iter().flatten();
    Ok(RecoveredHq {
        records: hq.reader.record_count()?,
        gaps: mended.clone().map(|mended| mended.gaps).sum(),
        lost_files: mended.map(|mended| mended.lost_files).sum(),
        epoch: hq.identity.epoch,
        desk_anew: desk.is_some(),
        begun_again: ingest.is_some() || files.is_some(),
        aside: ingest.and_then(|mended| mended.aside),
        desk_aside: desk.and_then(|mended| mended.aside),
    })
}

/// What was mended.
#[derive(Default)]
struct Mended {
    aside: Option<PathBuf>,
    gaps: u64,
    lost_files: u64,
}

/// Whether a database has to be made anew out of what is left.
fn is_damaged(
    path: &Path,
    sound: Result<bool, OpenError>,
    key_is_right: bool,
) -> Result<bool, HqError> {
    match sound {
        Ok(sound) => Ok(!sound),
        Err(OpenError::WrongKey | OpenError::Missing | OpenError::Foreign { .. })
            if key_is_right =>
        {
            Ok(true)
        }
        Err(source) => Err(HqError::Database {
            path: path.to_owned(),
            source,
        }),
    }
}

fn recover_ingest(folder: &Folder, key_is_right: bool) -> Result<Option<Mended>, HqError> {
    let (path, key) = (folder.database(), folder.load_database()?);
    let new = path.with_extension("new");
    let mut mended = Mended::default();
    let interrupted = replacement_was_interrupted(&path, &new);
    if !interrupted {
        if !is_damaged(&path, is_sound(&path, &key), key_is_right)? {
            return Ok(None);
        }
        // The new database first: a crash at any moment leaves the old one, or both.
        match fill(folder, &new, &key) {
            Ok(filled) => (mended.gaps, mended.lost_files) = filled,
            Err(error) => {
                let _ = remove_database(&new);
                return Err(error);
            }
        }
    }
    mended.aside = put_in_place(&path, &new, interrupted)?;
    Ok(Some(mended))
}

/// The desk's database, where these headquarters have one.
fn recover_desk(folder: &Folder, key_is_right: bool) -> Result<Option<Mended>, HqError> {
    let path = folder.desk_database();
    let new = path.with_extension("new");
    let interrupted = replacement_was_interrupted(&path, &new);
    if !path.exists() && !interrupted {
        if !has_split(folder) {
            return Ok(None);
        }
        // It may have its name yet to get. Where ingest's is damaged, too, that takes no more than the name.
        if Store::open(folder).is_err() {
            name_desk(folder)?;
        }
    }
    let key = match key_is_right {
        true => folder.desk_database_key_or_new()?,
        false => folder.load_desk_database()?,
    };
    let mut mended = Mended::default();
    if !interrupted {
        if !is_damaged(&path, is_desk_sound(&path, &key), key_is_right)? {
            return Ok(None);
        }
        identity_beside(folder)?;
        let known = capabilities::read(folder)?;
        match salvage_desk(folder, &new, &key, &known) {
            Ok(salvaged) => mended.gaps = salvaged.gaps,
            Err(error) => {
                let _ = remove_database(&new);
                return Err(error);
            }
        }
    }
    mended.aside = put_in_place(&path, &new, interrupted)?;
    Ok(Some(mended))
}

/// Whether the desk's tables have left ingest's database, as far as that can be read.
fn has_split(folder: &Folder) -> bool {
    let key = folder.load_database();
    key.and_then(|key| Reader::of_ingest(&folder.database(), &key))
        .and_then(|reader| Ok(reader.has_split()?))
        .unwrap_or(false)
}

/// Puts a new database in the place of a damaged one, and returns where that is kept, where there was one.
fn put_in_place(path: &Path, new: &Path, interrupted: bool) -> Result<Option<PathBuf>, HqError> {
    let log = fs::metadata(path.with_extension("db-wal")).map_or(0, |log| log.len());
    let there = interrupted || path.exists() || log > 0;
    let aside = replace(path, new).map_err(HqError::file(path))?;
    Ok(there.then_some(aside))
}

/// Makes the new database out of what is left. Returns how many places could not be read, and how many attachments
/// are lost.
fn fill(folder: &Folder, new: &Path, key: &DatabaseKey) -> Result<(u64, u64), HqError> {
    let identity = identity_beside(folder)?;
    let known = capabilities::read(folder)?;
    let salvaged = salvage(folder, new, key, &identity, &known)?;
    let mut store = Store::open_salvaged(folder, new, key)?;
    let lost = begin_again(folder, &mut store)?;
    store.close(new)?;
    Ok((salvaged.gaps, lost))
}

/// What headquarters with a sound database need where attachments are damaged.
fn check_files(data_dir: &Path, folder: &Folder) -> Result<Option<Mended>, HqError> {
    let held = Headquarters::open(data_dir)?.reader.held_blobs()?;
    if held.iter().all(|blob| is_whole(folder, blob)) {
        return Ok(None);
    }
    let lost_files = begin_again(folder, &mut Store::open(folder)?)?;
    Ok(Some(Mended {
        lost_files,
        ..Mended::default()
    }))
}

/// Begins a new run of the store in which those attachments are held that are whole. Returns how many are not any
/// more.
fn begin_again(folder: &Folder, store: &mut Store) -> Result<u64, HqError> {
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
    Ok(lost)
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
