//! An attachment as its witness saw it.

use super::{held, name};
use crate::HqError;
use crate::init::Headquarters;
use crate::store::NamedFile;
use object_store::{ObjectStore, ObjectStoreExt};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use testigo_wire::{BLOB_HEADER, BlobOpener, SEALED_SEGMENT, WireError};

/// Opens the attachment with this number of headquarters' own and writes it to a new file `out`; returns
/// its media type as its phone told it. Works beside a server.
///
/// # Errors
/// [`HqError::AttachmentUnknown`] where no record has it, [`HqError::AttachmentNotHere`] where it has not
/// arrived, [`HqError::AttachmentDamaged`] where it cannot be opened; else what the folder or the file did.
/// In each case `out` is left as it was.
pub async fn open_blob(data_dir: &Path, id: i64, out: &Path) -> Result<String, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let file = headquarters.reader.file(id)?;
    let file = file.ok_or(HqError::AttachmentUnknown(id))?;
    let size = file.held.ok_or(HqError::AttachmentNotHere(id))?;
    let store = held(&headquarters.folder.blobs())?;
    if out.exists() {
        return Err(HqError::file(out)(io::ErrorKind::AlreadyExists.into()));
    }
    let mut writing = Writing::new(out)?;
    match open(store.as_ref(), size, &file, &mut writing).await {
        Ok(()) => writing.finish(out)?,
        Err(Fault::Out(error)) => return Err(error),
        Err(Fault::Damaged(reason)) => {
            tracing::error!(reason, "an attachment cannot be opened");
            return Err(HqError::AttachmentDamaged(id));
        }
    }
    Ok(file.media_type)
}

enum Fault {
    Damaged(String),
    Out(HqError),
}

async fn open(
    store: &dyn ObjectStore,
    size: u64,
    file: &NamedFile,
    out: &mut Writing,
) -> Result<(), Fault> {
    let name = name(&file.sha256);
    let header = BLOB_HEADER.len() as u64;
    let read = async |from: u64, to: u64| {
        let part = store.get_range(&name, from..to).await;
        part.map_err(|error| Fault::Damaged(error.to_string()))
    };
    let sealed = |error: WireError| Fault::Damaged(error.to_string());
    let mut opener = BlobOpener::new(&file.secret, &read(0, header).await?).map_err(sealed)?;
    let mut at = header;
    while size.saturating_sub(at) > SEALED_SEGMENT as u64 {
        let to = at + SEALED_SEGMENT as u64;
        let open = opener.segment(&read(at, to).await?).map_err(sealed)?;
        out.write(&open).map_err(Fault::Out)?;
        at = to;
    }
    let open = opener.last(&read(at, size).await?).map_err(sealed)?;
    out.write(&open).map_err(Fault::Out)
}

/// A file that gets its name once it is whole.
struct Writing {
    beside: PathBuf,
    file: File,
}

impl Writing {
    fn new(out: &Path) -> Result<Self, HqError> {
        let mut beside = out.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside).map_err(HqError::file(&beside))?;
        Ok(Self { beside, file })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HqError> {
        self.file
            .write_all(bytes)
            .map_err(HqError::file(&self.beside))
    }

    fn finish(self, out: &Path) -> Result<(), HqError> {
        (self.file.sync_all()).map_err(HqError::file(&self.beside))?;
        fs::rename(&self.beside, out).map_err(HqError::file(out))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Gone already where it has got its name.
        let _ = fs::remove_file(&self.beside);
    }
}
