use super::copy::Copy;
use super::{Progress, copy_blob, fresh};
use crate::HqError;
use crate::capabilities;
use crate::init::Headquarters;
use crate::keys::{Folder, private_folder, read_key, read_private, sync_folder, write_new};
use crate::ring::{SecretKeys, key_files};
use crate::store::{DeskStore, begin_desk};
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{Epoch, Keyset};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new run of the store, in which phones send again what was not safe.
    pub epoch: Epoch,
    /// Records that came back.
    pub records: u64,
    /// Attachments that came back.
    pub blobs: u64,
    /// Attachments that are not whole in the backup, by SHA-256 in hexadecimal: phones that still have
    /// them send them again.
    pub damaged: Vec<String>,
    /// The key of the desk's database was not among the keys: what people decided, and where witnesses were sent, is gone.
    pub desk_anew: bool,
}

/// Makes a new or empty folder into the headquarters that a backup holds, under the keys in `keys` (a copy
/// of the old one's `keys` folder). It is a new run of the store: phones notice, and send again whatever
/// was not safe. The keyset is written last: where it is, headquarters are whole.
///
/// # Errors
/// [`HqError::AlreadyHeadquarters`], [`HqError::NotEmpty`], [`HqError::Key`] and those of a damaged backup,
/// all before anything but the folder is made; others where files cannot be written.
pub fn restore(
    from: &Path,
    keys: &Path,
    data_dir: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Restored, HqError> {
    let key = |name| read_key(&keys.join(name)).map(|key| DatabaseKey::from_bytes(*key));
    let database_key = key("database.key")?;
    // Without its key the desk's part is lost, and nothing that came: the desk opens all of it again.
    let desk_key = match keys.join("database-desk.key").exists() {
        true => Some(key("database-desk.key")?),
        false => None,
    };
    let copy = Copy::open(from, &database_key, desk_key.as_ref())?;
    check_keys(&copy, keys)?;
    let folder = fresh(data_dir)?;

    private_folder(&folder.keys())?;
    // The root's lies elsewhere where it is kept as it should be; earlier seal keys open earlier records.
    for name in key_files(keys)? {
        let key = read_private(&keys.join(&name))?;
        write_new(&folder.keys().join(&name), &key, true)?;
    }
    let blobs = folder.blobs();
    private_folder(&blobs)?;
    let mut whole = BTreeSet::new();
    let mut damaged = Vec::new();
    for (n, sha256) in copy.manifest.blobs.iter().enumerate() {
        progress(Progress::Blobs {
            done: n as u64,
            of: copy.manifest.blobs.len() as u64,
        });
        match copy_blob(&copy.blobs(), &blobs, sha256)? {
            true => whole.extend([*sha256]),
            false => damaged.push(HEXLOWER.encode(sha256)),
        }
    }
    sync_folder(&blobs)?;
    copy.reader
        .copy_to(&folder.database(), &database_key, |done, of| {
            progress(Progress::Pages { done, of });
        })?;
    // A backup of an earlier release has the desk's tables in the same one: opening moves them.
    let mut desk_anew = false;
    match (&copy.desk, &desk_key) {
        (Some(desk), Some(key)) => desk.copy_to(&folder.desk_database(), key, |done, of| {
            progress(Progress::Pages { done, of });
        })?,
        _ if copy.manifest.desk_database.is_some() => {
            begin_desk(&folder)?;
            desk_anew = true;
        }
        _ => {}
    }
    let epoch = Epoch::random().map_err(HqError::keys)?;
    let records = copy.reader.record_count()?;
    let mut store = DeskStore::open(&folder)?;
    store.ingest().begin_again(epoch, &whole)?;
    capabilities::append(&folder, &store.capabilities()?)?;
    drop(store);

    let public = folder.public();
    fs::create_dir(&public).map_err(HqError::file(&public))?;
    write_new(&folder.pack(), &public_file(&copy, "pack")?, false)?;
    write_new(&folder.keyset(), &public_file(&copy, "keyset")?, false)?;
    sync_folder(data_dir)?;
    // As `serve` will find it.
    Headquarters::open(data_dir)?;
    Ok(Restored {
        epoch,
        records,
        blobs: whole.len() as u64,
        damaged,
        desk_anew,
    })
}

fn public_file(copy: &Copy, name: &str) -> Result<Vec<u8>, HqError> {
    let path = copy.folder.join(format!("public/{name}.cose"));
    fs::read(&path).map_err(HqError::file(&path))
}

/// The keys must be those that the backup's phones know.
fn check_keys(copy: &Copy, keys: &Path) -> Result<(), HqError> {
    let keyset_path = Folder::new(&copy.folder).keyset();
    let keyset =
        Keyset::verify(&public_file(copy, "keyset")?, copy.identity.root).map_err(|source| {
            HqError::Signed {
                path: keyset_path,
                source,
            }
        })?;
    SecretKeys::load(keys)?.check(&keyset)
}
