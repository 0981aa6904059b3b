//! The desk: opens what ingest kept, adds headquarters' own doubts, and sorts it into readings of tally
//! sheets and incidents. It keeps whatever it cannot read, and never waits for anything.

use crate::alarm::Alarm;
use crate::courier::Courier;
use crate::ring::SealKeys;
use crate::store::{DeskStore, Finding, Opened, Pen, Unopened};
use crate::{Clock, HqError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use testigo_wire::{
    Body, ElectionPack, Envelope, KeyId, Keyset, Record, SigningKey, TableId, Warning, WireError,
};

/// How many envelopes are opened before they are written down.
const BATCH: u32 = 64;
/// How long it sleeps when nobody wakes it: another process may have written.
const NAP: Duration = Duration::from_secs(1);
/// After so many passes in a row that found nothing it looks through everything again: what came from a device
/// that was not known then may be opened now, behind a damaged database.
const LOOK_BACK: u32 = 600;
/// How far a phone's clock may be from headquarters' before it is flagged, in milliseconds.
const CLOCK_TOLERANCE: i64 = 10 * 60 * 1000;

/// Opens what ingest kept and files it.
pub struct Desk {
    store: DeskStore,
    seal_keys: SealKeys,
    /// Devices and capabilities that the root has revoked.
    revoked: Vec<KeyId>,
    /// `None`: nobody could verify what the desk says, so it says nothing.
    key: Option<SigningKey>,
    pack: ElectionPack,
    clock: Arc<dyn Clock>,
    /// Takes in the bundles that phones brought.
    courier: Courier,
    /// Everything up to this arrival was looked at.
    seen: i64,
    /// Passes in a row that found nothing.
    idle: u32,
}

impl Desk {
    pub(crate) fn new(
        store: DeskStore,
        seal_keys: SealKeys,
        keyset: &Keyset,
        key: Option<SigningKey>,
        pack: ElectionPack,
        clock: Arc<dyn Clock>,
        courier: Courier,
    ) -> Self {
        Self {
            store,
            seal_keys,
            revoked: keyset.revoked.clone(),
            key,
            pack,
            clock,
            courier,
            seen: 0,
            idle: 0,
        }
    }

    /// Starts its thread, which ends once all who could wake it are gone and nothing is left to open.
    pub(crate) fn start(
        mut self,
        wake: Receiver<()>,
        alarm: Alarm,
    ) -> Result<JoinHandle<()>, HqError> {
        std::thread::Builder::new()
            .name("hq-desk".into())
            .spawn(move || {
                loop {
                    let busy = match self.pass() {
                        Ok(opened) => opened > 0,
                        Err(error) => {
                            tracing::error!(%error, "the desk could not write; it tries again");
                            if let HqError::Store(error) = &error {
                                alarm.heed(error);
                            }
                            false
                        }
                    };
                    if !busy && wake.recv_timeout(NAP) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            })
            .map_err(HqError::Server)
    }

    /// Opens a batch and says what became of it, signs for records that are safe since, and takes in a bundle that a
    /// phone brought; returns how many of all there were. What the desk knows is written in its own database first and said
    /// in ingest's then: where one of them fails, the next pass goes on from there.
    ///
    /// # Errors
    /// [`HqError`].
    pub fn pass(&mut self) -> Result<usize, HqError> {
        if self.idle >= LOOK_BACK {
            self.idle = 0;
            self.seen = 0;
        }
        let waiting = self.store.unopened(self.seen, BATCH)?;
        let findings: Vec<Finding> = waiting
            .iter()
            .map(|envelope| Finding {
                arrival: envelope.arrival,
                opened: self.read(envelope).ok().map(Box::new),
            })
            .collect();
        let pen = self.key.as_ref().map(|key| Pen {
            key,
            pack: &self.pack,
            now: self.clock.now(),
        });
        let owed = match &pen {
            Some(pen) => self.store.tell_owed(pen)?,
            None => 0,
        };
        self.store.tell_beliefs()?;
        if !findings.is_empty() {
            self.store.keep_findings(&findings, pen.as_ref())?;
            let unreadable = findings.iter().filter(|f| f.opened.is_none()).count();
            tracing::info!(opened = findings.len(), unreadable, "desk");
        }
        let safe = match &pen {
            Some(pen) => self.store.ingest().tell_safe(pen)?,
            None => 0,
        };
        match findings.last() {
            Some(last) => {
                self.seen = last.arrival;
                self.idle = 0;
            }
            None => self.idle += 1,
        }
        Ok(findings.len() + owed + safe + usize::from(self.open_bundle()?))
    }

    /// Takes in one of the bundles that phones brought as files; `false` where none waits.
    fn open_bundle(&mut self) -> Result<bool, HqError> {
        let Some(brought) = self.store.unopened_bundle()? else {
            return Ok(false);
        };
        let held = match self.courier.open_brought(&brought, &self.seal_keys) {
            Ok(bundle) => {
                let (carried, _) = self.courier.take_in(self.store.ingest(), &bundle)?;
                Some((carried.new, carried.files))
            }
            // It stays as it is, an attachment like others.
            Err(error) => {
                tracing::warn!(%error, "a phone brought a bundle that cannot be opened");
                None
            }
        };
        let now = self.clock.now().millis();
        self.store.keep_brought(brought.attachment, now, held)?;
        Ok(true)
    }

    fn read(&self, unopened: &Unopened) -> Result<Opened, WireError> {
        let key = unopened
            .key()
            .ok_or(WireError::Signature { what: "device" })?;
        let envelope = Envelope::parse(&unopened.bytes)?.verify(&key)?;
        let seal_key = self.seal_keys.get(envelope.seal_kid());
        let body = envelope.open(seal_key.ok_or(WireError::Sealed { what: "record" })?)?;
        let record = body.record()?;
        let tally = match &record {
            Record::Tally(record) => {
                let texts: Vec<&[u8]> = record.texts().collect();
                Some(testigo_tally::read(&texts, Some(&self.pack)))
            }
            Record::Typed(typed) => Some(Ok(testigo_tally::read_typed(typed, Some(&self.pack)))),
            Record::Report(_) | Record::Handover(_) | Record::Unknown { .. } => None,
        };
        let mut flags: BTreeSet<Warning> = body.warnings.iter().copied().collect();
        flags.extend(clock(&body, unopened));
        if self.is_revoked(key.key_id()) || self.is_revoked(unopened.capability) {
            flags.insert(Warning::DEVICE_REVOKED);
        }
        match &tally {
            Some(Ok(tally)) => {
                flags.extend(tally.doubts.iter().map(testigo_tally::Doubt::warning));
                if body
                    .table
                    .as_ref()
                    .is_some_and(|table| *table != tally.table)
                {
                    flags.insert(Warning::TABLE_DIFFERS);
                }
            }
            Some(Err(_)) => {
                flags.insert(Warning::NOT_A_TALLY);
            }
            None => {}
        }
        let tally = tally.and_then(Result::ok);
        let table = body.table.as_ref().or(tally.as_ref().map(|t| &t.table));
        // Where the witness is sent to is headquarters' to say, and a phone may not have heard of it.
        if unopened.assigned_table.is_some() {
            flags.remove(&Warning::TABLE_NOT_ASSIGNED);
        }
        flags.extend(
            table
                .into_iter()
                .flat_map(|table| self.place(table, unopened)),
        );
        Ok(Opened {
            body,
            record,
            tally,
            flags,
        })
    }

    /// Whether the root has taken back its trust in a device or capability.
    fn is_revoked(&self, kid: KeyId) -> bool {
        self.revoked.contains(&kid)
    }

    /// Is the table the election's, and the witness's?
    fn place(&self, table: &TableId, unopened: &Unopened) -> impl Iterator<Item = Warning> {
        let unknown = self.pack.table(table).is_none();
        let assigned = unopened.assigned_table.as_deref();
        let elsewhere = assigned.is_some_and(|assigned| assigned != table.as_str());
        [
            (unknown, Warning::TABLE_UNKNOWN),
            (elsewhere, Warning::TABLE_NOT_ASSIGNED),
        ]
        .into_iter()
        .filter_map(|(doubtful, warning)| doubtful.then_some(warning))
    }
}

/// A record cannot have been saved after it arrived, nor before the witness was invited.
fn clock(body: &Body, unopened: &Unopened) -> Option<Warning> {
    let saved_at = body.saved_at.millis();
    if saved_at > unopened.received_at.saturating_add(CLOCK_TOLERANCE) {
        Some(Warning::CLOCK_AHEAD)
    } else if saved_at
        < unopened
            .capability_created_at
            .saturating_sub(CLOCK_TOLERANCE)
    {
        Some(Warning::CLOCK_BEHIND)
    } else {
        None
    }
}
