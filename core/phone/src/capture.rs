//! Capture: one transaction from the witness's input to a sealed row on disk.

use crate::attachment::sealed_path;
use crate::lock::Opened;
use crate::store::{insert, next_sequence};
use crate::{Phone, PhoneError, ReportInput, Saved, SavedTally, SealedFile, TallyInput};
use std::io::ErrorKind;
use testigo_tally::{Doubt, NotATally, Tally};
use testigo_wire::{Body, Envelope, Handover, Record, RecordId, TableId, Time, Warning, WireError};

impl Phone {
    /// Saves a report. Whatever is doubtful about it is saved with it as a warning.
    ///
    /// # Errors
    /// [`PhoneError::Input`] naming the field that cannot be understood; [`PhoneError::NotEnrolled`];
    /// or why the store failed. In each case nothing was saved.
    pub fn report(&mut self, input: &ReportInput) -> Result<Saved, PhoneError> {
        let (record, mut warnings) = input.record(self.catalogue())?;
        let hq = self.trusted()?;
        let table = input.table()?.or_else(|| hq.assigned_table.clone());
        if let (Some(table), Some(pack)) = (&table, &hq.pack)
            && pack.table(table).is_none()
        {
            warnings.push(Warning::TABLE_UNKNOWN);
        }
        self.capture(record, table, warnings, &input.attachments, false, None)
    }

    /// Saves a report that nobody but its witness is to see on this phone.
    pub(crate) fn report_quietly(&mut self, input: &ReportInput) -> Result<(), PhoneError> {
        let (record, warnings) = input.record(self.catalogue())?;
        let table = self.trusted()?.assigned_table.clone();
        self.capture(record, table, warnings, &[], true, None)
            .map(drop)
    }

    /// Saves a tally sheet's texts word for word, and reads them. What is no known sheet, or has
    /// sums that fail, is saved all the same.
    ///
    /// # Errors
    /// As [`Phone::report`].
    pub fn tally(&mut self, input: &TallyInput) -> Result<SavedTally, PhoneError> {
        let record = input.record()?;
        let named = input.table()?;
        let reading = self.read_tally(&input.texts);
        let mut warnings: Vec<Warning> = match &reading {
            Ok(tally) => tally.doubts.iter().map(Doubt::warning).collect(),
            Err(_) => vec![Warning::NOT_A_TALLY],
        };
        let on_sheet = reading.as_ref().ok().map(|tally| tally.table.clone());
        if named.is_some() && on_sheet.is_some() && named != on_sheet {
            warnings.push(Warning::TABLE_DIFFERS);
        }
        let table = (named.or(on_sheet)).or_else(|| self.own_table().cloned());
        let (files, name) = (&input.attachments, input.record_id);
        let saved = self.capture(record, table, warnings, files, false, name)?;
        Ok(SavedTally { saved, reading })
    }

    /// Reads a sheet's texts without saving anything.
    ///
    /// # Errors
    /// [`NotATally`] where they are no sheet of a known format.
    pub fn read_tally(&self, texts: &[Vec<u8>]) -> Result<Tally, NotATally> {
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        testigo_tally::read(&texts, self.election())
    }

    /// Saves that something passed from hand to hand.
    pub(crate) fn keep_handover(
        &mut self,
        handover: Handover,
        table: Option<TableId>,
        files: &[SealedFile],
    ) -> Result<Saved, PhoneError> {
        let unknown = table.as_ref().zip(self.election());
        let warnings = (unknown.is_some_and(|(table, pack)| pack.table(table).is_none()))
            .then_some(Warning::TABLE_UNKNOWN);
        self.capture(
            Record::Handover(handover),
            table,
            warnings.into_iter().collect(),
            files,
            false,
            None,
        )
    }

    pub(crate) fn capture(
        &mut self,
        record: Record,
        table: Option<TableId>,
        mut warnings: Vec<Warning>,
        files: &[SealedFile],
        quiet: bool,
        name: Option<RecordId>,
    ) -> Result<Saved, PhoneError> {
        let hq = self.hq.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let device = self.store.device()?;
        let saved_at = self.clock.now();
        if table.is_some() && hq.assigned_table.is_some() && table != hq.assigned_table {
            warnings.push(Warning::TABLE_NOT_ASSIGNED);
        }
        if saved_at
            < device
                .last_hq_time
                .map_or(hq.keyset.issued_at, |t| t.max(hq.keyset.issued_at))
        {
            warnings.push(Warning::CLOCK_BEHIND);
        }
        for file in files {
            warnings.extend(&file.warnings);
            if !sealed_path(&self.store, &file.blob()).exists() {
                return Err(PhoneError::File(ErrorKind::NotFound.into()));
            }
        }
        warnings.sort_unstable();
        warnings.dedup();
        let seal_key = hq.keyset.seal.first().ok_or(PhoneError::NotEnrolled)?;
        let mut body = Body {
            record_id: match name {
                Some(name) => name,
                None => RecordId::random()?,
            },
            store_id: device.store_id,
            sequence: 0,
            lane: record.lane(),
            kind: record.kind(),
            table,
            claimed_at: claimed_at(&record),
            saved_at,
            monotonic_ms: self.clock.monotonic_ms(),
            boot_id: self.clock.boot_id(),
            last_hq_time: device.last_hq_time,
            since_unlock_ms: self.clock.since_unlock_ms(),
            attachments: files.iter().map(|file| file.attachment.clone()).collect(),
            warnings,
            record: record.to_bytes(),
        };
        let readable = hq.pack.as_ref().is_none_or(|pack| !pack.no_history);
        // Whoever looks on while the duress PIN has it open must see what was just saved.
        let seen = matches!(self.opened.as_deref(), Some(Opened::Harmless { .. }));
        let harmless = !quiet && (record.is_harmless() || seen);
        self.store.save(|tx| {
            body.sequence = next_sequence(tx)?;
            let envelope = Envelope::seal(&body, hq.keyset.election, seal_key, &device.key())
                .map_err(|error| too_large(&record, error))?;
            insert(tx, &envelope, &body, quiet)?;
            if readable {
                let sequence = i64::try_from(body.sequence).unwrap_or(i64::MAX);
                let padded = body.to_padded().map_err(PhoneError::Damaged)?;
                (self.history).insert(tx, device.store_id, sequence, &padded, harmless)?;
            }
            Ok(())
        })?;
        // Whoever holds a locked phone must not learn from it where its witness is.
        let shown = !self.is_locked()?;
        Ok(Saved {
            record_id: body.record_id,
            sequence: body.sequence,
            table: body.table.filter(|_| shown),
            warnings: (body.warnings.into_iter())
                .filter(|warning| shown || *warning != Warning::TABLE_NOT_ASSIGNED)
                .collect(),
        })
    }
}

/// The time that the witness gives for what happened.
fn claimed_at(record: &Record) -> Option<Time> {
    match record {
        Record::Report(report) => report.started.or(report.ended),
        Record::Handover(handover) => handover.at,
        Record::Tally(_) | Record::Typed(_) | Record::Unknown { .. } => None,
    }
}

fn too_large(record: &Record, error: WireError) -> PhoneError {
    match (record, error) {
        (Record::Tally(_), WireError::TooLarge { limit, .. }) => PhoneError::input(
            "texts",
            format!("todos juntos pasan de los {limit} bytes que caben en un registro"),
            format!("all of them together exceed the {limit} bytes that a record holds"),
            format!("todos juntos passam dos {limit} bytes que cabem em um registro"),
        ),
        (_, error) => PhoneError::Damaged(error),
    }
}
