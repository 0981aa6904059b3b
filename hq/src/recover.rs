//! Headquarters whose database is damaged: what is readable goes on, the rest is kept beside it.

use crate::HqError;
use crate::init::Headquarters;
use crate::keys::{Folder, sync_folder};
use crate::store::{Store, is_sound, salvage};
use std::fs;
use std::path::{Path, PathBuf};
use testigo_sqlite::{OpenError, set_aside};
use testigo_wire::Epoch;

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredHq {
    /// Where the damaged database is kept, with its logs. Nothing of it was deleted.
    pub aside: PathBuf,
    /// Records that are in the new database.
    pub records: u64,
    /// Places of the old one that could not be read; how much was there is not known.
    pub gaps: u64,
    /// The new run of the store, in which phones send again what was not safe.
    pub epoch: Epoch,
}

/// Puts headquarters with a damaged database to work again. Their desk opens every record anew, and phones
/// send again what is missing, but for what was safe: only a confirmed copy has that. Nobody may serve the folder meanwhile.
///
/// # Errors
/// [`HqError::NotDamaged`], where nothing was changed; [`HqError::Database`] where the key does not fit, or
/// nothing of it says any more whose it is: then restore a backup. Others where files cannot be written: the
/// same call goes on.
pub fn recover(data_dir: &Path) -> Result<RecoveredHq, HqError> {
    let folder = Folder::new(data_dir);
    if !folder.keyset().exists() {
        return Err(HqError::NotHeadquarters(data_dir.to_owned()));
    }
    let (path, key) = (folder.database(), folder.load_database()?);
    match is_sound(&path, &key) {
        Ok(true) => return Err(HqError::NotDamaged(path)),
        Ok(false)
        | Err(OpenError::Corrupt | OpenError::LogWithoutDatabase | OpenError::Foreign { .. }) => {}
        Err(source) => return Err(HqError::Database { path, source }),
    }
    // The new database first: a crash at any moment leaves the old one, or both.
    let new = path.with_extension("new");
    let salvaged = salvage(&path, &new, &key)?;
    let mut store = Store::open_file(&new, &key)?;
    if !store.has_identity()? {
        let source = OpenError::Corrupt;
        return Err(HqError::Database { path, source });
    }
    let epoch = Epoch::random().map_err(HqError::keys)?;
    store.begin_again_with_files(epoch, &folder.blobs())?;
    store.close()?;
    let aside = set_aside(&path).map_err(HqError::file(&path))?;
    fs::rename(&new, &path).map_err(HqError::file(&path))?;
    sync_folder(data_dir)?;
    let records = Headquarters::open(data_dir)?.reader.record_count()?;
    Ok(RecoveredHq {
        aside,
        records,
        gaps: salvaged.gaps,
        epoch,
    })
}
