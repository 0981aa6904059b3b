//! Files that belong to a record.

use crate::failure::Failure;
use crate::picture;
use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;
use testigo_phone::{AttachmentKind, Phone, SealedFile};

/// Seals these files, and a small picture of each that is one. A picture that cannot be decoded is evidence
/// all the same: it goes without a small one.
pub fn seal(phone: &Phone, files: &[PathBuf]) -> Result<Vec<SealedFile>, Failure> {
    let mut sealed = Vec::new();
    for path in files {
        let file = File::open(path).map_err(Failure::file(path))?;
        sealed.push(phone.seal_file(file, AttachmentKind::Whole)?);
        if let Ok(small) = picture::thumbnail(path) {
            sealed.push(phone.seal_file(Cursor::new(small), AttachmentKind::Thumbnail)?);
        }
    }
    Ok(sealed)
}
