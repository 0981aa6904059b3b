//! Photographs and other files on their way into a record.

use crate::error::caught;
use crate::{Phone, TestigoError, WarningView};
use std::fs::File;
use std::io;
use std::sync::Arc;
use testigo_phone::PhoneError;

/// What a file is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AttachmentKind {
    /// A photograph, a film, a recording: sent last.
    Whole,
    /// A small picture of one, so that headquarters sees something early.
    Thumbnail,
}

/// A file that is cleaned, sealed and on the disk, for the `attachments` of one report or one tally. A day
/// later it is let go if no record has taken it on.
#[derive(Debug, uniffi::Object)]
pub struct SealedFile(testigo_phone::SealedFile);

#[uniffi::export]
impl SealedFile {
    /// What is doubtful about it, such as data on place or device that could not be taken out. It travels
    /// with the record.
    pub fn warnings(&self) -> Vec<WarningView> {
        (self.0.warnings.iter().copied())
            .map(WarningView::from)
            .collect()
    }
}

#[uniffi::export]
impl Phone {
    /// Takes place, time, device and names out of the file at this path, seals it, and returns once it is
    /// durably on the disk. The file itself is only read, piece by piece, and may be deleted then. Meanwhile
    /// other calls on the phone wait.
    ///
    /// A file whose form is not known is evidence all the same: it is sealed as it is, with a warning.
    ///
    /// # Errors
    /// `Input` with the code `file-unreadable` where the file cannot be read; `Enrolment` where the phone has
    /// not enrolled; `StorageFull` and `Store`. In each case nothing of it stays, and the record can be
    /// saved without it.
    pub fn seal_file(
        &self,
        path: String,
        kind: AttachmentKind,
    ) -> Result<Arc<SealedFile>, TestigoError> {
        self.seal(kind, || File::open(path))
    }
}

#[cfg(unix)]
#[uniffi::export]
impl Phone {
    /// As `seal_file`, for a file that the app holds open and may have no path to, such as the descriptor of
    /// an Android `ParcelFileDescriptor`. It is read from its beginning, wherever it stands, and left at
    /// another place; the app still closes it. It must be of a file: a pipe cannot be read twice, and is
    /// `file-unreadable`.
    ///
    /// # Errors
    /// As `seal_file`.
    pub fn seal_descriptor(
        &self,
        descriptor: i32,
        kind: AttachmentKind,
    ) -> Result<Arc<SealedFile>, TestigoError> {
        self.seal(kind, || {
            // A duplicate: the app's own stays the app's to close.
            let own = filedescriptor::FileDescriptor::dup(&descriptor).map_err(io::Error::other)?;
            own.as_file().map_err(io::Error::other)
        })
    }
}

impl Phone {
    fn seal(
        &self,
        kind: AttachmentKind,
        open: impl FnOnce() -> io::Result<File>,
    ) -> Result<Arc<SealedFile>, TestigoError> {
        caught(|| {
            let sealed = open()
                .map_err(PhoneError::File)
                .and_then(|file| self.shared.phone().seal_file(file, kind.into()))
                .inspect(|_| tracing::info!("sealed a file"))
                .inspect_err(|error| tracing::warn!(code = error.code(), "no file was sealed"))?;
            Ok(Arc::new(SealedFile(sealed)))
        })
    }
}

impl From<AttachmentKind> for testigo_phone::AttachmentKind {
    fn from(kind: AttachmentKind) -> Self {
        match kind {
            AttachmentKind::Whole => Self::Whole,
            AttachmentKind::Thumbnail => Self::Thumbnail,
        }
    }
}

/// As core takes them.
pub(crate) fn sealed(files: &[Arc<SealedFile>]) -> Vec<testigo_phone::SealedFile> {
    files.iter().map(|file| file.0.clone()).collect()
}
