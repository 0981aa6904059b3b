use super::manifest::Manifest;
use super::{Progress, hash};
use crate::HqError;
use crate::store::{Identity, Reader};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use testigo_sqlite::DatabaseKey;

/// A backup that was found whole but for its attachments.
pub(super) struct Copy {
    pub folder: PathBuf,
    pub manifest: Manifest,
    /// Of the manifest: names this backup.
    pub sha256: [u8; 32],
    pub identity: Identity,
    /// Ingest's.
    pub reader: Reader,
    /// The desk's, where it is another one and its key is there.
    pub desk: Option<Reader>,
}

impl Copy {
    /// Opens a backup and verifies its databases from the first to the last page, and its public files.
    ///
    /// # Errors
    /// [`HqError::NotBackup`], [`HqError::BackupDamaged`]; [`HqError::Database`] with other keys than those
    /// that it was made under. Without `desk_key` the desk's database is passed over.
    pub(super) fn open(
        folder: &Path,
        key: &DatabaseKey,
        desk_key: Option<&DatabaseKey>,
    ) -> Result<Self, HqError> {
        let (manifest, sha256) = Manifest::read(folder)?;
        let databases = manifest.databases().map(|(name, sha256)| (name, sha256));
        for (name, expected) in databases.chain(&manifest.public) {
            let path = folder.join(name);
            if hash(&path).map_err(HqError::file(&path))? != *expected {
                return Err(HqError::BackupDamaged(path));
            }
        }
        let path = folder.join(&manifest.database.0);
        let damaged = || HqError::BackupDamaged(path.clone());
        let reader = Reader::of_ingest(&path, key)?;
        // One whose desk's tables have left it is nothing without them.
        if !reader.is_sound()? || reader.has_split()? != manifest.desk_database.is_some() {
            return Err(damaged());
        }
        let desk = match manifest.desk_database.as_ref().zip(desk_key) {
            Some(((name, _), key)) => {
                let path = folder.join(name);
                let desk = Reader::of_desk(&path, key)?;
                if !desk.is_sound()? {
                    return Err(HqError::BackupDamaged(path));
                }
                Some(desk)
            }
            None => None,
        };
        let identity = reader.identity()?.ok_or_else(damaged)?;
        let said = (manifest.election, manifest.root, manifest.epoch);
        if said != (identity.election, identity.root, identity.epoch) {
            return Err(damaged());
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            sha256,
            identity,
            reader,
            desk,
        })
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Reads each attachment; returns those that are whole and the names of those that are not.
    pub(super) fn whole_blobs(
        &self,
        progress: &mut dyn FnMut(Progress),
    ) -> (BTreeSet<[u8; 32]>, Vec<String>) {
        let mut whole = BTreeSet::new();
        let mut damaged = Vec::new();
        for (n, sha256) in self.manifest.blobs.iter().enumerate() {
            progress(Progress::Blobs {
                done: n as u64,
                of: self.manifest.blobs.len() as u64,
            });
            let name = HEXLOWER.encode(sha256);
            match hash(&self.blobs().join(&name)) {
                Ok(found) if found == *sha256 => {
                    whole.insert(*sha256);
                }
                _ => damaged.push(name),
            }
        }
        (whole, damaged)
    }
}
