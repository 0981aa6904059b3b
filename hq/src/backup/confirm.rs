use super::Progress;
use super::copy::Copy;
use crate::init::Headquarters;
use crate::store::Store;
use crate::{Clock, HqError};
use std::path::Path;
use testigo_wire::{Eid, Time};

/// How many records are marked in one transaction, so that headquarters can write between.
const BATCH: usize = 1000;

/// What a confirmed backup makes safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// When the backup was made.
    pub made_at: Time,
    /// Records in the backup.
    pub records: u64,
    /// Those of them that are safe now: whole, and with all their attachments in the backup.
    pub safe: u64,
    /// How many of these were not safe before.
    pub newly_safe: u64,
    /// Records in the backup whose attachments are not all in it.
    pub incomplete: u64,
    /// What the manifest names and is not whole: attachments by their SHA-256, records by their eid, both
    /// in hexadecimal.
    pub damaged: Vec<String>,
}

/// Takes the operator's word that the backup in `copy` lies elsewhere than the headquarters in `data_dir`.
/// Every byte of it is read. What is whole in it is safe from then on: the desk signs so, and phones let
/// the sealed originals go. Works while headquarters serve.
///
/// # Errors
/// [`HqError::OtherBackup`] where it is one of other headquarters; those of the backup itself where nothing
/// in it can be relied on; then nothing becomes safe.
pub fn confirm(
    data_dir: &Path,
    copy: &Path,
    clock: &dyn Clock,
    mut progress: impl FnMut(Progress),
) -> Result<Confirmed, HqError> {
    let hq = Headquarters::open(data_dir)?;
    let (key, desk_key) = (hq.folder.load_database()?, hq.folder.load_desk_database()?);
    let copy = Copy::open(copy, &key, Some(&desk_key))?;
    if (copy.identity.election, copy.identity.root) != (hq.identity.election, hq.identity.root) {
        return Err(HqError::OtherBackup(copy.folder));
    }
    let (whole, mut damaged) = copy.whole_blobs(&mut progress);
    let mut confirmed = Confirmed {
        made_at: copy.manifest.made_at,
        records: 0,
        safe: 0,
        newly_safe: 0,
        incomplete: 0,
        damaged: Vec::new(),
    };
    let mut safe = Vec::new();
    copy.reader.each_record(|eid, bytes, blobs| {
        confirmed.records += 1;
        if Eid::of(bytes) != eid {
            damaged.push(eid.to_string());
        } else if blobs.iter().all(|blob| whole.contains(blob)) {
            safe.push(eid);
        } else {
            confirmed.incomplete += 1;
        }
    })?;
    confirmed.safe = safe.len() as u64;
    let mut store = Store::open(&hq.folder)?;
    for eids in safe.chunks(BATCH) {
        confirmed.newly_safe += store.mark_safe(eids)?;
    }
    store.keep_copy(&copy.sha256, copy.manifest.made_at, clock.now())?;
    confirmed.damaged = damaged;
    Ok(confirmed)
}
