//! A way without any network: what waits goes in one sealed file that anyone may carry, and the receipts come
//! back as another.

use crate::error::disk;
use crate::store::{Settled, Store, enrolment_eid};
use crate::sync::Selection;
use crate::{Phone, PhoneError};
use std::io::Write;
use testigo_wire::{Answer, BlobSecret, BundleSealer, Receipt, Reply, WireError};

/// Records read from the store at a time.
const BATCH: usize = 64;

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Records in it.
    pub records: u64,
    /// Records that wait and had no room in it: they go with the next one, once the receipts of this one are
    /// back.
    pub left_out: u64,
    /// Attachments of what waits. A bundle holds none: they wait for a network.
    pub attachments_left: u64,
    /// Bytes of the file, which tell a size class and nothing else.
    pub bytes: u64,
}

/// What a file of receipts said to this phone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptsTaken {
    /// Records that headquarters has, as this phone did not know.
    pub received: u64,
    /// Records that headquarters refused: they are parked.
    pub parked: u64,
    /// Receipts of what was settled before.
    pub known: u64,
    /// Receipts that name this phone and were not signed by headquarters, or were damaged.
    pub unverified: u64,
    /// The file is of an earlier run of headquarters than the phone has heard of, who may have lost since what
    /// it says: nothing was taken from it.
    pub outdated: bool,
}

impl Phone {
    /// Writes what waits, with the enrolment, into one file that headquarters alone can open
    /// (`docs/bundle-format.md`); with [`Selection::Everything`] also what was delivered and is not safe yet.
    /// `None`, and nothing written, where there is nothing to carry. Nothing changes in the outbox: what is
    /// carried waits until a receipt comes back, on whatever way. Each call seals anew, so that two files
    /// cannot be told to be of one phone.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`]; [`PhoneError::StorageFull`] or [`PhoneError::Disk`] where `out` fails; or
    /// where the store fails. Then what was written so far is of no use.
    pub fn bundle(
        &self,
        selection: Selection,
        out: &mut dyn Write,
    ) -> Result<Option<Bundled>, PhoneError> {
        let everything = selection == Selection::Everything;
        let hq = self.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let mut rows = self.store.to_carry(everything, None, BATCH)?;
        if rows.is_empty() && hq.enrolment_receipt.is_some() {
            return Ok(None);
        }
        let seal_key = (self.trusted()?.keyset.seal.first()).ok_or(PhoneError::NotEnrolled)?;
        let fault = PhoneError::Damaged;
        let (mut sealer, head) =
            BundleSealer::new(seal_key, &BlobSecret::random()?).map_err(fault)?;
        let mut out = Counted { out, bytes: 0 };
        out.write(&head)?;
        out.write(&sealer.add(&hq.enrolment).map_err(fault)?)?;
        let (mut records, mut left_out) = (0, 0);
        while let Some(last) = rows.last().map(|row| (row.lane, row.sequence)) {
            for row in &rows {
                // Behind the first that has no room, none goes: a later one is not more urgent.
                if left_out > 0 || !sealer.has_room(row.bytes.len()) {
                    left_out += 1;
                    continue;
                }
                out.write(&sealer.add(&row.bytes).map_err(fault)?)?;
                records += 1;
            }
            rows = self.store.to_carry(everything, Some(last), BATCH)?;
        }
        out.write(&sealer.finish().map_err(fault)?)?;
        out.out.flush().map_err(disk)?;
        Ok(Some(Bundled {
            records,
            left_out,
            attachments_left: self.outbox()?.attachments_queued,
            bytes: out.bytes,
        }))
    }

    /// Takes a file of receipts that came back from headquarters, as `testigo hq import` writes it: what it
    /// says of this phone's records counts as in a sync, once its signature is verified. What is of other
    /// phones is passed over without a word.
    ///
    /// # Errors
    /// [`PhoneError::Damaged`] where it is no such file; then nothing changes. [`PhoneError::NotEnrolled`], or
    /// where the store fails.
    pub fn import_receipts(&mut self, file: &[u8]) -> Result<ReceiptsTaken, PhoneError> {
        let keyset = &self.trusted()?.keyset;
        let reply = Reply::from_bytes(file).map_err(|_| no_receipts())?;
        let device = self.store.device()?;
        let mut taken = ReceiptsTaken::default();
        let mut receipts = Vec::new();
        for answer in &reply.answers {
            let Answer::Receipt(bytes) = answer else {
                continue;
            };
            let own = Receipt::from_kept(bytes).is_ok_and(|r| r.store_id == device.store_id);
            if !own {
                continue;
            }
            match Receipt::verify(bytes, keyset) {
                Ok(receipt) => receipts.push((receipt, bytes)),
                Err(_) => taken.unverified += 1,
            }
        }
        let Some(newest) = receipts
            .iter()
            .map(|(receipt, _)| receipt.received_at.millis())
            .max()
        else {
            return Ok(taken);
        };
        // The epoch is not signed, and a file may lie about for days. Where it names another run than the phone
        // knows, what headquarters signed last tells which of the two came later.
        let heard = self.store.ask()?;
        let other_run = heard.is_some_and(|ask| ask.epoch != reply.epoch);
        if other_run && (device.last_hq_time).is_some_and(|heard| newest <= heard.millis()) {
            taken.outdated = true;
            return Ok(taken);
        }
        let hq = self.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let enrolment = enrolment_eid(&hq);
        let settled = self.store.note(|tx| {
            let mut settled = Settled::default();
            // First: what another run took before waits again, unless a receipt here says that this one has it.
            Store::settle_epoch(tx, reply.epoch)?;
            for (receipt, bytes) in &receipts {
                if receipt.eid != enrolment {
                    settled.take(tx, receipt, bytes)?;
                } else if !receipt.code.is_refusal() {
                    Store::settle_enrolment(tx, Some(bytes))?;
                }
            }
            Ok(settled)
        })?;
        Ok(ReceiptsTaken {
            received: settled.received,
            parked: settled.parked,
            known: settled.known,
            ..taken
        })
    }
}

fn no_receipts() -> PhoneError {
    PhoneError::Damaged(WireError::Malformed {
        what: "receipts",
        reason: "another kind of file".to_owned(),
    })
}

/// Counts what is written.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PhoneError> {
        self.out.write_all(bytes).map_err(disk)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}
