//! What headquarters refused: a person looks at it, tries it again, or carries it elsewhere.

use crate::attachment::sealed_path;
use crate::error::disk;
use crate::store::sync_folder;
use crate::{Content, Delivery, Phone, PhoneError};
use data_encoding::HEXLOWER;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use testigo_wire::{ReceiptCode, RecordId};

/// A record that headquarters signed it will not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedView {
    /// The store's count, by which it is retried or exported.
    pub sequence: u64,
    /// What it says, where the phone keeps a copy.
    pub content: Option<Content>,
    /// Why headquarters refused it.
    pub code: ReceiptCode,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Sealed files that went with the envelope.
    pub files: u64,
    /// Those that cannot be read on this phone any more and are missing from it.
    pub missing: u64,
    /// Bytes of all of it.
    pub bytes: u64,
}

impl Phone {
    /// What headquarters refused, newest first.
    ///
    /// # Errors
    /// [`PhoneError::Locked`]; or where the store fails.
    pub fn parked(&self) -> Result<Vec<ParkedView>, PhoneError> {
        let parked = self.history()?.into_iter().filter_map(|item| {
            let Delivery::Parked { code } = item.delivery else {
                return None;
            };
            Some(ParkedView {
                sequence: item.sequence,
                content: item.content,
                code,
            })
        });
        Ok(parked.collect())
    }

    /// Lets a record that headquarters refused, or did not take yet, go again with the next pass. The very
    /// same bytes go: headquarters that refused them once refuses them again unless something changed there.
    ///
    /// # Errors
    /// [`PhoneError::Input`] where no such record waits for a person; or where the store fails.
    pub fn retry(&mut self, sequence: u64) -> Result<(), PhoneError> {
        if !self.hidden()?.contains(&sequence) && self.store.retry(sequence)? {
            return Ok(());
        }
        Err(PhoneError::input(
            "sequence",
            format!(
                "el n.º {sequence} no está apartado; los números están en la lista de apartados"
            ),
            format!("no. {sequence} is not parked; the numbers are in the list of parked records"),
            format!(
                "o n.º {sequence} não está entre os recusados; os números estão na lista de recusados"
            ),
        ))
    }

    /// Writes a record, sealed as it is, and its sealed files into a new folder that any Testigo can take in
    /// later (`docs/export-format.md`). Nobody but headquarters can read it. The folder appears whole or not
    /// at all. The record itself stays as it is; any may be exported, whatever became of it.
    ///
    /// # Errors
    /// [`PhoneError::Input`] where there is no such record, or something of that name already;
    /// [`PhoneError::StorageFull`] or [`PhoneError::Disk`] where it cannot be written.
    pub fn export(&self, sequence: u64, folder: &Path) -> Result<Exported, PhoneError> {
        let sealed = match self.hidden()?.contains(&sequence) {
            true => None,
            false => self.store.sealed(sequence)?,
        };
        let sealed = sealed.ok_or_else(|| {
            PhoneError::input(
                "sequence",
                format!("no hay ningún registro con el n.º {sequence}"),
                format!("there is no record with no. {sequence}"),
                format!("não há nenhum registro com o n.º {sequence}"),
            )
        })?;
        if sealed.envelope.is_empty() {
            return Err(PhoneError::input(
                "sequence",
                format!(
                    "el n.º {sequence} ya está a salvo en la central y su original sellado ya no está en este teléfono"
                ),
                format!(
                    "no. {sequence} is safe at headquarters and its sealed original is no longer on this phone"
                ),
                format!(
                    "o n.º {sequence} já está a salvo na central e seu original lacrado não está mais neste telefone"
                ),
            ));
        }
        if fs::symlink_metadata(folder).is_ok() {
            return Err(taken(folder));
        }
        let unfinished = Unfinished::make(folder)?;
        let mut exported = Exported {
            files: 0,
            missing: 0,
            bytes: 0,
        };
        let parts = [
            ("enrolment.cose", &sealed.enrolment),
            ("envelope.cose", &sealed.envelope),
        ];
        for (name, bytes) in parts {
            let mut bytes = bytes.as_slice();
            exported.bytes += write(&unfinished.0.join(name), &mut bytes).map_err(disk)?;
        }
        let blobs = unfinished.0.join("blobs");
        fs::create_dir(&blobs).map_err(disk)?;
        for blob in &sealed.blobs {
            let Ok(mut file) = File::open(sealed_path(&self.store, blob)) else {
                exported.missing += 1;
                continue;
            };
            let to = blobs.join(HEXLOWER.encode(&blob.sha256));
            exported.bytes += write(&to, &mut file).map_err(disk)?;
            exported.files += 1;
        }
        sync_folder(&blobs).map_err(disk)?;
        sync_folder(&unfinished.0).map_err(disk)?;
        fs::rename(&unfinished.0, folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory => {
                taken(folder)
            }
            _ => disk(error),
        })?;
        sync_folder(parent(folder)).map_err(disk)?;
        Ok(exported)
    }
}

fn parent(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file, durable when this returns; its bytes.
fn write(path: &Path, from: &mut dyn io::Read) -> io::Result<u64> {
    let mut file = File::create_new(path)?;
    let bytes = io::copy(from, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    Ok(bytes)
}

fn taken(folder: &Path) -> PhoneError {
    let folder = folder.display();
    PhoneError::input(
        "path",
        format!("{folder} ya existe y no se sobrescribe; elija otro nombre"),
        format!("{folder} exists already and is not overwritten; choose another name"),
        format!("{folder} já existe e não é sobrescrito; escolha outro nome"),
    )
}

/// The folder while it is written, beside the place it will have; it goes when this goes.
struct Unfinished(PathBuf);

impl Unfinished {
    fn make(folder: &Path) -> Result<Self, PhoneError> {
        let name = RecordId::random()?.to_string();
        let path = parent(folder).join(format!(".{name}.new"));
        fs::create_dir(&path).map_err(disk)?;
        Ok(Self(path))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already where it has got its name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
