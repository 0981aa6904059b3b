//! The offline root: a folder on a machine without a network. It holds the root's key wrapped by a passphrase
//! (`root.key`, see `docs/key-file-format.md`), its public half (`root.pub`, 32 bytes) and the keysets that it signed.

mod changes;
mod error;
mod paper;
mod wrapped;

pub use changes::Change;
pub use error::RootError;
pub(crate) use paper::Kind;
pub use paper::{PaperError, PaperKey, PaperReader, Sharing};
pub use wrapped::Passphrase;
pub(crate) use wrapped::{Cost, Wrapped};

use crate::HqError;
use crate::keys::{Folder, private_folder, replace_file, sync_folder, write_new};
use crate::store::Reader;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_wire::{
    ElectionId, Keyset, KeysetRequest, RootId, SigningKey, Time, VerifyingKey, WireError,
};
use zeroize::Zeroizing;

/// What `root.key` is wrapped for, so that no other key file passes for one.
const PURPOSE: &str = "testigo root";

/// The folder of a root.
#[derive(Debug, Clone)]
pub struct Root {
    folder: PathBuf,
    public: VerifyingKey,
}

/// What the root has to sign, looked through before anybody types a passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The request.
    pub request: KeysetRequest,
    /// The version that the keyset will have.
    pub version: u64,
    /// What it changes, in plain words.
    pub changes: Vec<Change>,
    /// The very keyset was signed before: it is handed out again.
    pub signed_before: bool,
}

/// What the root signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The keyset.
    pub keyset: Vec<u8>,
    /// The election pack, where the request brought one.
    pub pack: Option<Vec<u8>>,
}

impl Root {
    /// Makes a root in a new or empty folder.
    ///
    /// # Errors
    /// [`RootError::NotEmpty`], [`RootError::ShortPassphrase`]; others where keys or files cannot be made.
    pub fn create(folder: &Path, passphrase: &Passphrase) -> Result<Self, RootError> {
        Self::with_key(folder, &SigningKey::random()?, passphrase)
    }

    /// Makes the folder of a root anew out of its paper key or shares, under a new passphrase.
    ///
    /// # Errors
    /// [`RootError::Paper`] where they are of something else; as [`Root::create`].
    pub fn restore(
        folder: &Path,
        paper: PaperReader,
        passphrase: &Passphrase,
    ) -> Result<Self, RootError> {
        let seed = paper.secret(Kind::Root)?;
        Self::with_key(folder, &SigningKey::from_seed(&seed), passphrase)
    }

    fn with_key(
        folder: &Path,
        key: &SigningKey,
        passphrase: &Passphrase,
    ) -> Result<Self, RootError> {
        passphrase.check()?;
        fs::create_dir_all(folder).map_err(RootError::file(folder))?;
        let mut entries = fs::read_dir(folder).map_err(RootError::file(folder))?;
        if entries.next().is_some() {
            return Err(RootError::NotEmpty(folder.to_owned()));
        }
        let wrapped = Wrapped::seal(PURPOSE, &*key.seed(), passphrase, Cost::CURRENT)?;
        let root = Self {
            folder: folder.to_owned(),
            public: key.verifying_key(),
        };
        private_folder(&root.keysets())?;
        write_new(&root.key_file(), &wrapped, true)?;
        // Last: where it is, the root is whole.
        write_new(&root.public_file(), &root.public.to_bytes(), false)?;
        sync_folder(folder)?;
        Ok(root)
    }

    /// Opens the folder of a root, without its key.
    ///
    /// # Errors
    /// [`RootError::NoRoot`] where there is none.
    pub fn open(folder: &Path) -> Result<Self, RootError> {
        let path = folder.join("root.pub");
        if !path.exists() {
            return Err(RootError::NoRoot(folder.to_owned()));
        }
        Ok(Self {
            folder: folder.to_owned(),
            public: Self::read_public(&path)?,
        })
    }

    /// Reads the public half of a root, `root.pub`.
    ///
    /// # Errors
    /// [`RootError::Public`] where it is none.
    pub fn read_public(path: &Path) -> Result<VerifyingKey, RootError> {
        let bytes = fs::read(path).map_err(RootError::file(path))?;
        (bytes.as_slice().try_into().ok())
            .and_then(|bytes| VerifyingKey::from_bytes(bytes).ok())
            .ok_or_else(|| RootError::Public(path.to_owned()))
    }

    /// The root's short name, which its six words stand for.
    pub fn id(&self) -> RootId {
        RootId::of(&self.public)
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("root.key")
    }

    /// The file to be brought to `testigo hq init --root`.
    pub fn public_file(&self) -> PathBuf {
        self.folder.join("root.pub")
    }

    fn keysets(&self) -> PathBuf {
        self.folder.join("keysets")
    }

    /// The last keyset that was signed for an election.
    fn last(&self, election: ElectionId) -> PathBuf {
        self.keysets().join(format!("{election}.cose"))
    }

    fn unlock(&self, passphrase: &Passphrase) -> Result<SigningKey, RootError> {
        let path = self.key_file();
        let bytes = fs::read(&path).map_err(RootError::file(&path))?;
        let secret = Wrapped::open(PURPOSE, &bytes, passphrase)?;
        let seed: &[u8; 32] = (secret.as_slice().try_into()).map_err(|_| RootError::KeyFile)?;
        let key = SigningKey::from_seed(seed);
        match key.verifying_key() == self.public {
            true => Ok(key),
            false => Err(RootError::KeyFile),
        }
    }

    /// Looks a request through: what it changes, and whether it may be signed at all. `now` is this machine's clock.
    ///
    /// # Errors
    /// [`RootError::Request`] where the bytes are none; [`RootError::OtherRoot`]; [`RootError::Outdated`] where a
    /// later keyset was signed since it was made; [`RootError::Clock`] where this machine's clock is behind the
    /// keyset before.
    pub fn review(&self, request: &[u8], now: Time) -> Result<Review, RootError> {
        let request = KeysetRequest::from_bytes(request).map_err(RootError::Request)?;
        let id = self.id();
        if request.root != id {
            return Err(RootError::OtherRoot);
        }
        request.pack().map_err(RootError::Request)?;
        let named = (request.previous())
            .map(|signed| self.own(signed, request.election))
            .transpose()?;
        let path = self.last(request.election);
        let last = match path.exists() {
            true => {
                let bytes = fs::read(&path).map_err(RootError::file(&path))?;
                Some(self.own(&bytes, request.election)?)
            }
            false => None,
        };
        let before = named.as_ref().map_or(0, |keyset| keyset.version);
        let latest = last.as_ref().map_or(before, |keyset| keyset.version);
        // Signed before, and lost on the way: the same bytes, never a second keyset of that version.
        let again = last
            .as_ref()
            .filter(|last| latest == before + 1 && changes::is_the_same(&request, last));
        if again.is_none() && latest > before {
            return Err(RootError::Outdated {
                made_from: before,
                signed: latest,
            });
        }
        if named.as_ref().is_some_and(|keyset| keyset.issued_at > now) {
            return Err(RootError::Clock);
        }
        Ok(Review {
            version: before + 1,
            changes: changes::between(named.as_ref(), &request)?,
            signed_before: again.is_some(),
            request,
        })
    }

    fn own(&self, signed: &[u8], election: ElectionId) -> Result<Keyset, RootError> {
        let keyset = Keyset::verify(signed, self.id()).map_err(RootError::Request)?;
        match keyset.election == election {
            true => Ok(keyset),
            false => Err(RootError::OtherRoot),
        }
    }

    /// Signs what was looked through, and writes `keyset.cose` and, where the request brought one, `pack.cose` into
    /// the new folder `out`.
    ///
    /// # Errors
    /// [`RootError::Passphrase`] where it does not open the root's key; others where files fail.
    pub fn sign(
        &self,
        review: &Review,
        passphrase: &Passphrase,
        now: Time,
        out: &Path,
    ) -> Result<SignedRequest, RootError> {
        let key = self.unlock(passphrase)?;
        let mut signed = sign_request(&review.request, &key, now).map_err(RootError::Request)?;
        let last = self.last(review.request.election);
        match review.signed_before {
            true => signed.keyset = fs::read(&last).map_err(RootError::file(&last))?,
            // First: what was signed is never signed otherwise.
            false => replace_file(&last, &signed.keyset)?,
        }
        fs::create_dir_all(out).map_err(RootError::file(out))?;
        write_new(&out.join("keyset.cose"), &signed.keyset, false)?;
        if let Some(pack) = &signed.pack {
            write_new(&out.join("pack.cose"), pack, false)?;
        }
        Ok(signed)
    }

    /// The root's key on paper: whole, or in shares.
    ///
    /// # Errors
    /// [`RootError::Passphrase`]; [`RootError::Sharing`] where so few shares cannot be asked for.
    pub fn paper(
        &self,
        passphrase: &Passphrase,
        sharing: Sharing,
    ) -> Result<Vec<PaperKey>, RootError> {
        PaperKey::make(Kind::Root, &self.unlock(passphrase)?.seed(), sharing)
    }
}

/// The root of a root's own folder, or of the headquarters in a folder.
///
/// # Errors
/// [`RootError::NoRoot`] where the folder is neither.
pub fn root_id(folder: &Path) -> Result<RootId, RootError> {
    let hq = Folder::new(folder);
    if folder.join("root.pub").exists() || !hq.database().exists() {
        return Root::open(folder).map(|root| root.id());
    }
    let identity = Reader::open(&hq)?.identity().map_err(HqError::from)?;
    identity
        .map(|identity| identity.root)
        .ok_or_else(|| RootError::NoRoot(folder.to_owned()))
}

/// Signs a request: the version follows the keyset that it changes.
///
/// # Errors
/// [`WireError`] where the keyset or pack is too large, or contradicts itself.
pub(crate) fn sign_request(
    request: &KeysetRequest,
    root: &SigningKey,
    now: Time,
) -> Result<SignedRequest, WireError> {
    let before = match request.previous() {
        Some(signed) => Keyset::verify(signed, request.root)?.version,
        None => 0,
    };
    let keyset = request.to_keyset(root, before.saturating_add(1), now);
    let pack = request.pack()?.map(|pack| pack.sign(root)).transpose()?;
    Ok(SignedRequest {
        keyset: keyset.sign(root)?,
        pack,
    })
}

/// A passphrase for a file that is opened by a paper key alone: the key's own text.
pub(crate) fn of_paper(secret: &Zeroizing<[u8; 32]>) -> Passphrase {
    Passphrase::new(&data_encoding::BASE32_NOPAD.encode(&**secret))
}

#[cfg(test)]
mod tests;
