//! The witnesses' phones: each has one table, a store of its own on disk, and the core that phones run.

use super::book::Book;
use super::faults::{Fault, Faults};
use super::headquarters::Headquarters;
use crate::args::ReplayArgs;
use crate::failure::Failure;
use crate::sheet::Chance;
use std::path::{Path, PathBuf};
use testigo_phone::{DatabaseKey, HostClock, Phone, PhoneError, TallyInput};
use testigo_wire::{ElectionPack, Invitation, PollingTable, SigningKey};

/// What all phones are made from.
pub struct Stand<'a> {
    folder: PathBuf,
    keyset: Vec<u8>,
    root: SigningKey,
    /// The election without its tables: each phone has an extract with its own.
    election: ElectionPack,
    tables: Vec<PollingTable>,
    invitations: Vec<Invitation>,
    sheets: &'a [String],
    seed: u64,
    /// How often something goes wrong.
    pub loss: f64,
    /// What did.
    pub faults: &'a Faults,
}

/// A phone that has captured its sheet.
pub struct Seat {
    /// Which row of the file.
    pub row: usize,
    /// Its folder.
    pub home: PathBuf,
    /// The phone.
    pub phone: Phone,
    /// What goes wrong for it.
    pub chance: Chance,
}

impl<'a> Stand<'a> {
    /// Has headquarters invite a witness for each row.
    pub fn new(
        folder: &Path,
        hq: &Headquarters,
        book: &Book,
        sheets: &'a [String],
        args: &ReplayArgs,
        faults: &'a Faults,
    ) -> Result<Self, Failure> {
        let ids: Vec<_> = book.rows.iter().map(|row| row.table.clone()).collect();
        let (invitations, mut election) = hq.invite(&ids)?;
        let tables = ids
            .iter()
            .flatten()
            .filter_map(|id| election.table(id).cloned())
            .collect();
        election.tables.clear();
        Ok(Self {
            folder: folder.to_owned(),
            keyset: hq.keyset()?,
            root: hq.root()?,
            election,
            tables,
            invitations,
            sheets,
            seed: args.seed,
            loss: args.loss,
            faults,
        })
    }
}

/// Makes the phone of a row, enrols it and has it save its sheet; then, at the rate of losses, cuts its power.
pub fn capture(stand: &Stand<'_>, row: usize) -> Result<Seat, Failure> {
    let lacking = || Failure::said("Falta una fila.", "A row is missing.");
    let (Some(invitation), Some(table), Some(text)) = (
        stand.invitations.get(row),
        stand.tables.get(row),
        stand.sheets.get(row),
    ) else {
        return Err(lacking());
    };
    let mut extract = stand.election.clone();
    extract.tables.push(table.clone());
    let pack = extract.sign(&stand.root).map_err(PhoneError::Damaged)?;
    let home = stand.folder.join(format!("phone-{row}"));
    let key = DatabaseKey::random().map_err(PhoneError::from)?;
    let clock = || Box::new(HostClock::new(0));
    let mut phone = Phone::create(&home, &key, clock())?;
    phone.enrol(invitation, &stand.keyset, Some(&pack))?;
    phone.tally(&TallyInput {
        texts: vec![text.clone().into_bytes()],
        table: None,
        attachments: Vec::new(),
        record_id: None,
    })?;
    // The same row has the same faults, whatever the others do meanwhile.
    let mut chance = Chance::from_seed(stand.seed.rotate_left(32) ^ row as u64);
    if chance.between(0.0, 1.0) < stand.loss {
        let left = left_on_disk(&home)?;
        drop(phone);
        std::fs::remove_dir_all(&home).map_err(Failure::file(&home))?;
        std::fs::rename(&left, &home).map_err(Failure::file(&left))?;
        phone = Phone::open(&home, &key, clock())?;
        stand.faults.add(Fault::PhoneCut);
    }
    Ok(Seat {
        row,
        home,
        phone,
        chance,
    })
}

/// What a power cut leaves of a phone that is open: its files as they are this moment, the log not yet in the
/// database, and nothing that closing would tidy up.
fn left_on_disk(home: &Path) -> Result<PathBuf, Failure> {
    let left = home.with_extension("left");
    Phone::make_folder(&left).map_err(Failure::file(&left))?;
    for entry in std::fs::read_dir(home).map_err(Failure::file(home))? {
        let entry = entry.map_err(Failure::file(home))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            std::fs::copy(entry.path(), left.join(entry.file_name()))
                .map_err(Failure::file(&entry.path()))?;
        }
    }
    Ok(left)
}
