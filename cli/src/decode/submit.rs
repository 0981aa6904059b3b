//! `testigo decode --submit`: the scanning station is a phone like any other. It saves each reading with its images, sealed,
//! in an outbox of its own, and sends it to headquarters.

use super::journal::{Entry, Journal};
use super::rows::{Reading, Rows};
use crate::args::DecodeArgs;
use crate::failure::Failure;
use crate::{attach, deliver, key_file, outbox, phone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use testigo_phone::sync::{Selection, SyncPass};
use testigo_phone::{HostClock, Phone, TallyInput};
use testigo_wire::{Attachment, Language, RecordId};

/// An image and its thumbnail are two of a record's files.
const IMAGES_A_RECORD: usize = Attachment::MAX / 2;

/// What became of it.
pub struct Submitted {
    pub lines: Vec<String>,
    pub json: Value,
    /// Everything was saved and nothing waits.
    pub clean: bool,
}

/// The station's phone; made and enrolled at the first run.
pub fn station(home: &Path, args: &DecodeArgs, language: Language) -> Result<Phone, Failure> {
    let clock = || Box::new(HostClock::new(0));
    let keys = key_file::keys(home)?;
    let mut station = match Phone::exists(home) {
        true => Phone::open_under(home, keys, clock())?,
        false => Phone::create_under(home, keys, clock())?,
    };
    if !station.outbox()?.enrolled {
        let keyset = args.keyset.as_deref().ok_or_else(|| {
            Failure::said(
                "La estación aún no está inscrita: --keyset ARCHIVO, --election PAQUETE y --qr IMAGEN (o el código por la entrada estándar).",
                "The station has not enrolled yet: --keyset FILE, --election PACK and --qr IMAGE (or the code on standard input).",
            )
        })?;
        let pack = args.election.as_deref();
        phone::enrol(&mut station, args.qr.as_deref(), keyset, pack, language)?;
    }
    // It reads by the pack that it verified at its enrolment; another election's is a mistake.
    if let (Some(path), Some(own)) = (&args.election, station.election())
        && crate::tally::read_pack(path)?.election != own.election
    {
        let path = path.display();
        return Err(Failure::said(
            format!(
                "{path} es de otra elección que la estación; deje fuera --election o use otra estación."
            ),
            format!(
                "{path} is of another election than the station; leave --election out, or use another station."
            ),
        ));
    }
    Ok(station)
}

/// Saves what was not saved before and sends what waits. What headquarters cannot be told now stays in the outbox.
///
/// A run that is killed between a record and the journal's line saves that record once more under the same name, and
/// headquarters count it once.
pub fn run(
    station: &mut Phone,
    rows: &Rows,
    journal: &Path,
    language: Language,
) -> Result<Submitted, Failure> {
    let (mut journal, known) = Journal::open(journal)?;
    let waits = |entry: &Entry| {
        known
            .get(&entry.file)
            .is_none_or(|sent| sent.bytes != entry.bytes)
    };
    let readings: Vec<(&Reading, Vec<Entry>)> = (rows.tables.values().flatten())
        .map(|reading| {
            let images = reading.images.iter().map(by_whole_path);
            (reading, images.filter(waits).collect())
        })
        .collect();
    let bar = super::bar(
        readings.iter().map(|(_, images)| images.len()).sum(),
        0,
        language,
    );
    let (mut saved, mut faults) = (0usize, Vec::new());
    for (reading, images) in readings {
        for images in images.chunks(IMAGES_A_RECORD) {
            save(station, reading, images, &mut faults)?;
            saved += 1;
            for entry in images {
                journal.add(entry)?;
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let report = deliver::once(station, SyncPass::new(Selection::Queued), language)?;
    let sent = outbox::sync_report(&report, language);
    let mut lines = vec![language.pick3(
        format!("La estación guardó {saved} registros nuevos."),
        format!("The station saved {saved} new records."),
        format!("A estação salvou {saved} registros novos."),
    )];
    lines.extend(sent.lines);
    lines.extend(faults.iter().map(|fault| fault.sentence(language)));
    Ok(Submitted {
        clean: sent.clean && faults.is_empty(),
        json: json!({ "saved": saved, "sync": sent.json }),
        lines,
    })
}

/// An image is the same one however its path was typed.
fn by_whole_path(entry: &Entry) -> Entry {
    let whole = std::fs::canonicalize(&entry.file);
    Entry {
        file: whole.map_or_else(|_| entry.file.clone(), |path| path.display().to_string()),
        ..entry.clone()
    }
}

/// Saves a reading with its images; one that has gone since is told, and the reading is saved without it.
fn save(
    station: &mut Phone,
    reading: &Reading,
    images: &[Entry],
    faults: &mut Vec<Failure>,
) -> Result<(), Failure> {
    let mut attachments = Vec::new();
    for entry in images {
        match attach::seal(station, &[PathBuf::from(&entry.file)]) {
            Ok(sealed) => attachments.extend(sealed),
            Err(fault) => faults.push(fault),
        }
    }
    station.tally(&TallyInput {
        texts: reading.texts.clone(),
        table: None,
        attachments,
        record_id: Some(name(reading, images)),
    })?;
    Ok(())
}

/// The same texts from the same images have the same name.
fn name(reading: &Reading, images: &[Entry]) -> RecordId {
    let mut hash = Sha256::new();
    let files = images.iter().map(|entry| entry.file.as_bytes());
    for part in reading.texts.iter().map(Vec::as_slice).chain(files) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut name = [0; 16];
    name.copy_from_slice(hash.split_at(16).0);
    RecordId(name)
}
