use crate::HqError;
use crate::ring::SecretKeys;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use testigo_sqlite::DatabaseKey;
use zeroize::Zeroizing;

/// Where a headquarters' files lie in its folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self(data_dir.to_owned())
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    pub(crate) fn public(&self) -> PathBuf {
        self.0.join("public")
    }

    pub(crate) fn keyset(&self) -> PathBuf {
        self.public().join("keyset.cose")
    }

    pub(crate) fn pack(&self) -> PathBuf {
        self.public().join("pack.cose")
    }

    /// Ingest's.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("hq.db")
    }

    /// The desk's, with all that can be read.
    pub(crate) fn desk_database(&self) -> PathBuf {
        self.0.join("desk.db")
    }

    /// What the desk keeps of the rights to enrol, should a database be lost.
    pub(crate) fn capabilities(&self) -> PathBuf {
        self.0.join("capabilities")
    }

    /// Attachments that are held whole.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// Attachments on their way.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.0.join("uploads")
    }

    /// What waits for the root's signature.
    pub(crate) fn request(&self) -> PathBuf {
        self.0.join("keyset-request.cbor")
    }

    fn key(&self, name: &str) -> PathBuf {
        self.keys().join(format!("{name}.key"))
    }

    pub(crate) fn root_key(&self) -> PathBuf {
        self.key("root")
    }

    pub(crate) fn seal_key(&self) -> PathBuf {
        self.key("seal")
    }

    pub(crate) fn receipt_key(&self) -> PathBuf {
        self.key("receipt")
    }

    pub(crate) fn desk_key(&self) -> PathBuf {
        self.key("desk")
    }

    pub(crate) fn database_key(&self) -> PathBuf {
        self.key("database")
    }

    /// Not `desk-...`: such a name is that of a key that signs.
    pub(crate) fn desk_database_key(&self) -> PathBuf {
        self.key("database-desk")
    }

    pub(crate) fn load_keys(&self) -> Result<SecretKeys, HqError> {
        SecretKeys::load(&self.keys())
    }

    /// The key that the server's TLS uses first. A rotation makes others, named by their pins.
    pub(crate) fn tls_key(&self) -> PathBuf {
        self.key("tls")
    }

    /// The one that takes its place: phones know its pin already.
    pub(crate) fn next_tls_key(&self) -> PathBuf {
        self.key("tls-next")
    }

    pub(crate) fn load_database(&self) -> Result<DatabaseKey, HqError> {
        Ok(DatabaseKey::from_bytes(*read_key(&self.database_key())?))
    }

    pub(crate) fn load_desk_database(&self) -> Result<DatabaseKey, HqError> {
        let path = self.desk_database_key();
        if !path.exists() {
            return Err(HqError::DeskKeyMissing(path));
        }
        Ok(DatabaseKey::from_bytes(*read_key(&path)?))
    }

    /// The same where the desk has no database yet, or none that any key opens: its key is made where there is none.
    pub(crate) fn desk_database_key_or_new(&self) -> Result<DatabaseKey, HqError> {
        let path = self.desk_database_key();
        if !path.exists() {
            let key = DatabaseKey::random().map_err(HqError::keys)?;
            write_new(&path, key.expose(), true)?;
        }
        self.load_desk_database()
    }
}

/// Reads a file that erases itself from memory.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, HqError> {
    Ok(Zeroizing::new(fs::read(path).map_err(HqError::file(path))?))
}

/// Reads a key file: 32 raw bytes.
pub(crate) fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, HqError> {
    let bytes = read_private(path)?;
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return Err(HqError::Key(path.to_owned()));
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

/// Makes folders that only their owner may enter.
pub(crate) fn owners_folder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes a folder that only its owner may enter; one that is there already is an error.
pub(crate) fn private_folder(path: &Path) -> Result<(), HqError> {
    owners_folder().create(path).map_err(HqError::file(path))
}

/// Writes a new file whole and durably, or not at all: beside it first, then renamed; what is there
/// already is never replaced. `private` files are their owner's alone from the first byte on.
pub(crate) fn write_new(path: &Path, bytes: &[u8], private: bool) -> Result<(), HqError> {
    if path.exists() {
        let source = std::io::ErrorKind::AlreadyExists.into();
        return Err(HqError::file(path)(source));
    }
    let beside = path.with_extension("new");
    // What an attempt that was cut off left: it never had its name.
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(&beside).map_err(HqError::file(&beside))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(HqError::file(&beside))?;
    fs::rename(&beside, path).map_err(HqError::file(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Writes a public file whole and durably in the place of what was there.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), HqError> {
    replace(path, bytes, false)
}

/// The same for a file that is its owner's alone.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), HqError> {
    replace(path, bytes, true)
}

fn replace(path: &Path, bytes: &[u8], private: bool) -> Result<(), HqError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    (options.open(beside))
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(HqError::file(beside))?;
    fs::rename(beside, path).map_err(HqError::file(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes renames inside a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), HqError> {
    // Windows cannot open a folder as a file and needs no such step.
    if cfg!(windows) {
        return Ok(());
    }
    // The parent of a bare name is empty.
    let folder = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(HqError::file(path))
}
