//! Headquarters' secret keys in one wrapped file, so that a lost key is a nuisance and not a loss.

use crate::HqError;
use crate::keys::{Folder, private_folder, read_private, sync_folder, write_new};
use crate::ring::{is_key_file, key_files};
use crate::root::{
    Cost, Kind, PaperKey, PaperReader, Passphrase, RootError, Sharing, Wrapped, of_paper,
};
use crate::store::DeskStore;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::fs;
use std::path::Path;
use testigo_wire::cbor;
use zeroize::{Zeroize, Zeroizing};

/// What the file is wrapped for.
const PURPOSE: &str = "testigo headquarters' keys";
/// The largest that is unwrapped, in bytes.
const MAX: usize = 64 * 1024;

/// What opens the file.
#[derive(Debug)]
pub enum Lock<'a> {
    /// What a person types.
    Passphrase(&'a Passphrase),
    /// A fresh key that is written on paper and nowhere else.
    Paper(Sharing),
}

/// What opens it again.
pub enum Unlock<'a> {
    /// What a person types.
    Passphrase(&'a Passphrase),
    /// Papers.
    Paper(PaperReader),
}

#[derive(Encode, Decode)]
struct Named {
    #[n(0)]
    name: String,
    /// 32 bytes, or a key of TLS in PKCS #8.
    #[n(1)]
    key: ByteVec,
}

impl Drop for Named {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// Wraps all of `keys/` into the new file `out`. Where it is locked by paper, returns the papers, which are kept
/// nowhere.
///
/// # Errors
/// [`RootError::ShortPassphrase`], [`RootError::Sharing`]; [`HqError::NotHeadquarters`]; others where files fail.
pub fn backup_keys(
    data_dir: &Path,
    out: &Path,
    lock: &Lock<'_>,
) -> Result<Vec<PaperKey>, RootError> {
    let folder = Folder::new(data_dir);
    let keys = folder.keys();
    if !keys.exists() {
        return Err(HqError::NotHeadquarters(data_dir.to_owned()).into());
    }
    let mut named = Vec::new();
    for name in key_files(&keys)? {
        let key = read_private(&keys.join(&name))?;
        named.push(Named {
            name,
            key: key.to_vec().into(),
        });
    }
    let plain = Zeroizing::new(cbor::to_vec(&named));
    let (passphrase, papers) = match lock {
        Lock::Passphrase(passphrase) => {
            passphrase.check()?;
            ((*passphrase).clone(), Vec::new())
        }
        Lock::Paper(sharing) => {
            let mut secret = Zeroizing::new([0; 32]);
            getrandom::fill(secret.as_mut())?;
            let papers = PaperKey::make(Kind::Keys, &secret, *sharing)?;
            (of_paper(&secret), papers)
        }
    };
    let wrapped = Wrapped::seal(PURPOSE, &plain, &passphrase, Cost::CURRENT)?;
    write_new(out, &wrapped, true)?;
    Ok(papers)
}

/// Brings keys back out of such a file: those that are missing in `to`, or in `keys/` of headquarters. What is there
/// stays. Records that could not be opened for want of a seal key are looked at again. Returns the names of what came
/// back.
///
/// # Errors
/// [`RootError::Passphrase`], [`RootError::Paper`], [`RootError::KeyFile`]; [`RootError::OtherKey`] where another key
/// is in its place. Nothing changes then. Others where files fail: the same call goes on.
pub fn restore_keys(
    data_dir: &Path,
    file: &Path,
    to: Option<&Path>,
    unlock: Unlock<'_>,
) -> Result<Vec<String>, RootError> {
    let bytes = fs::read(file).map_err(RootError::file(file))?;
    let passphrase = match unlock {
        Unlock::Passphrase(passphrase) => passphrase.clone(),
        Unlock::Paper(reader) => of_paper(&reader.secret(Kind::Keys)?),
    };
    let plain = Wrapped::open(PURPOSE, &bytes, &passphrase)?;
    let named: Vec<Named> =
        cbor::from_slice("key file", &plain, MAX).map_err(|_| RootError::KeyFile)?;
    let folder = Folder::new(data_dir);
    let keys = to.map_or_else(|| folder.keys(), Path::to_owned);
    let mut missing = Vec::new();
    for one in &named {
        if !is_key_file(&one.name) {
            return Err(RootError::KeyFile);
        }
        let path = keys.join(&one.name);
        match path.exists() {
            true if **read_private(&path)? == **one.key => {}
            true => return Err(RootError::OtherKey(path)),
            false => missing.push(one),
        }
    }
    if !keys.exists() {
        if let Some(parent) = keys.parent() {
            fs::create_dir_all(parent).map_err(RootError::file(parent))?;
        }
        private_folder(&keys)?;
    }
    for one in &missing {
        write_new(&keys.join(&one.name), &one.key, true)?;
    }
    sync_folder(&keys)?;
    // A backup of an earlier release has no key of the desk's database: whoever serves next is told.
    let can_open = folder.database().exists() && folder.desk_database_key().exists();
    if to.is_none() && can_open && !missing.is_empty() {
        DeskStore::open(&folder)?
            .look_again()
            .map_err(HqError::from)?;
    }
    Ok(missing.iter().map(|one| one.name.clone()).collect())
}
