//! Attachments: a file is cleaned and sealed once, on its way to the disk, and never again.
//!
//! The order makes a power cut harmless: sealed bytes are on the disk under their own hash before any
//! row names them. A file that no row names is an orphan and is collected when the phone is opened.

use crate::error::disk;
use crate::media::{self, MediaError, MediaKind};
use crate::store::{Store, make_folder, sync_folder};
use crate::{Phone, PhoneError};
use data_encoding::HEXLOWER;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use testigo_wire::{
    Attachment, BLOB_HEADER, BLOB_SEGMENT, BlobRef, BlobSealer, BlobSecret, Bundle, Lane, RecordId,
    Warning, WireError,
};
use zeroize::Zeroizing;

/// The folder of sealed files, beside the store.
const FOLDER: &str = "blobs";
/// Ends the name of a file that is still being written.
const UNFINISHED: &str = "new";
/// A sealed file without a record is left alone for so long: a capture may be under way.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);

/// What a file is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// A photograph, a film, a recording: sent last.
    Whole,
    /// A small picture of one, so that headquarters sees something early.
    Thumbnail,
    /// A courier's bundle: sealed as it is.
    Bundle,
}

/// A file that is cleaned, sealed and on the disk; it is lost unless a record takes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    pub(crate) attachment: Attachment,
    /// What is doubtful about it.
    pub warnings: Vec<Warning>,
}

impl SealedFile {
    /// The sealed file's hash and size, as the envelope will name them in clear.
    pub fn blob(&self) -> BlobRef {
        self.attachment.blob
    }
}

impl Phone {
    /// Takes place, time, device and names out of a file, seals it, and returns once it is durably on the
    /// disk. Then hand it to [`Phone::report`] or [`Phone::tally`] with the record it belongs to.
    ///
    /// A file whose form is not understood is evidence all the same: it is sealed as it is, with a warning.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`]; [`PhoneError::File`] where it cannot be read; [`PhoneError::StorageFull`], or
    /// another failure of the disk. In each case nothing of it stays, and the record can be saved without it.
    pub fn seal_file(
        &self,
        file: impl Read + Seek,
        kind: AttachmentKind,
    ) -> Result<SealedFile, PhoneError> {
        // Before a phone is enrolled no record can take the file on.
        self.trusted()?;
        self.store.keep_reserve();
        let folder = self.store.folder().join(FOLDER);
        make_folder(&folder).map_err(disk)?;
        let secret = BlobSecret::random()?;
        let unfinished = Unfinished::new(&folder)?;
        let mut sealing = Sealing::new(unfinished.create()?, &secret)?;
        let stripped = media::strip(file, &mut sealing).map_err(|error| match error {
            MediaError::Read(error) => PhoneError::File(error),
            MediaError::Write(error) => disk(error),
        })?;
        let (file, blob) = sealing.finish()?;
        file.sync_all().map_err(disk)?;
        drop(file);
        fs::rename(&unfinished.0, path(&folder, &blob)).map_err(disk)?;
        sync_folder(&folder).map_err(disk)?;
        Ok(SealedFile {
            attachment: Attachment {
                blob,
                secret,
                lane: match kind {
                    AttachmentKind::Whole => Lane::PHOTO,
                    // Before photographs: what is in a bundle may be urgent.
                    AttachmentKind::Thumbnail | AttachmentKind::Bundle => Lane::THUMBNAIL,
                },
                media_type: match kind {
                    AttachmentKind::Bundle => Bundle::MEDIA_TYPE,
                    _ => media_type(stripped.kind),
                }
                .to_owned(),
                size: stripped.written,
            },
            warnings: (!stripped.metadata_removed && kind != AttachmentKind::Bundle)
                .then_some(Warning::METADATA_KEPT)
                .into_iter()
                .collect(),
        })
    }
}

/// Where a sealed file lies.
pub(crate) fn sealed_path(store: &Store, blob: &BlobRef) -> PathBuf {
    path(&store.folder().join(FOLDER), blob)
}

/// Lets sealed files go that are safe at headquarters. One that stays is collected when the phone is opened.
pub(crate) fn let_go(store: &Store, files: &[[u8; 32]]) {
    let folder = store.folder().join(FOLDER);
    for sha256 in files {
        let _ = fs::remove_file(folder.join(HEXLOWER.encode(sha256)));
    }
}

fn path(folder: &Path, blob: &BlobRef) -> PathBuf {
    folder.join(HEXLOWER.encode(&blob.sha256))
}

/// Removes what no record names: files that were never finished, and sealed ones whose record was never
/// saved. What is younger than a day stays, for another process may be about to save it. What is safe at
/// headquarters goes at any age.
pub(crate) fn collect_orphans(store: &Store, now: SystemTime) -> Result<u64, PhoneError> {
    let folder = store.folder().join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(0);
    };
    if Store::has_aside(store.folder()) {
        // What a damaged store named may be got out of it by hand.
        return Ok(0);
    }
    let mut collected = 0;
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let young = written
            .ok()
            .and_then(|written| now.duration_since(written).ok())
            .is_none_or(|age| age < ORPHAN_AGE);
        let needed = entry
            .file_name()
            .to_str()
            .and_then(|name| HEXLOWER.decode(name.as_bytes()).ok())
            .and_then(|sha256| <[u8; 32]>::try_from(sha256).ok())
            .map(|sha256| store.needs_blob(&sha256))
            .transpose()?
            .flatten();
        let garbage = match needed {
            Some(needed) => !needed,
            None => !young,
        };
        if garbage && fs::remove_file(entry.path()).is_ok() {
            collected += 1;
        }
    }
    Ok(collected)
}

fn media_type(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Jpeg => "image/jpeg",
        MediaKind::Png => "image/png",
        MediaKind::WebP => "image/webp",
        MediaKind::Mp4 => "video/mp4",
        MediaKind::Other => "application/octet-stream",
    }
}

/// The name of a file that is being written; whatever has that name goes when this goes.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(folder: &Path) -> Result<Self, PhoneError> {
        let name = RecordId::random()?.to_string();
        Ok(Self(folder.join(name).with_extension(UNFINISHED)))
    }

    fn create(&self) -> Result<File, PhoneError> {
        File::create_new(&self.0).map_err(disk)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already where it has got its final name.
        let _ = fs::remove_file(&self.0);
    }
}

/// Seals what is written to it.
struct Sealing {
    file: File,
    sealer: BlobSealer,
    segment: Zeroizing<Vec<u8>>,
}

impl Sealing {
    fn new(mut file: File, secret: &BlobSecret) -> Result<Self, PhoneError> {
        file.write_all(&BLOB_HEADER).map_err(disk)?;
        Ok(Self {
            file,
            sealer: BlobSealer::new(secret),
            segment: Zeroizing::new(Vec::with_capacity(BLOB_SEGMENT)),
        })
    }

    fn finish(mut self) -> Result<(File, BlobRef), PhoneError> {
        let (sealed, blob) = self
            .sealer
            .last(&self.segment)
            .map_err(PhoneError::Damaged)?;
        self.file.write_all(&sealed).map_err(disk)?;
        Ok((self.file, blob))
    }
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full segment waits until something follows, for the last one is marked.
        if self.segment.len() == BLOB_SEGMENT {
            let sealed = self.sealer.segment(&self.segment).map_err(beyond)?;
            self.file.write_all(&sealed)?;
            self.segment.clear();
        }
        let room = BLOB_SEGMENT - self.segment.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.segment.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn beyond(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, error)
}
