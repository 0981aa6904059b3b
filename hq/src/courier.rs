//! What comes out of a courier's bundle: enrolments and envelopes go the way of what comes over the network, signatures
//! and all; sealed files are put together from their pieces, where an accepted envelope names them.

use crate::blobs::Held;
use crate::door;
use crate::init::Headquarters;
use crate::quota::Rates;
use crate::ring::SealKeys;
use crate::store::{Brought, Store, receipt};
use crate::writer::{Clerk, Item};
use crate::{Clock, HqError};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use testigo_wire::{
    Answer, BlobReceipt, BlobRef, BlobSecret, Bundle, BundleItem, Deferral, Eid, Epoch, MAX_BUNDLE,
    Receipt, ReceiptCode, Reply, SigningKey, WireError, open_whole,
};

/// How many things share one transaction, so that headquarters can write between.
const BATCH: usize = 64;

/// What was in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// Enrolments.
    pub enrolments: u64,
    /// Records that headquarters did not have.
    pub new: u64,
    /// Records that it had already: nothing changed by them.
    pub known: u64,
    /// Records that it signed it will not take.
    pub refused: u64,
    /// What it has not taken, and why. It may be brought again.
    pub deferred: Vec<Deferral>,
    /// Files that headquarters did not have.
    pub files: u64,
    /// Files that it had already.
    pub files_known: u64,
    /// Files that no record names which it has, or that are not whole. They may be brought again.
    pub files_deferred: u64,
    /// Receipts for the way back.
    pub receipts: u64,
}

/// Takes in what couriers bring.
pub(crate) struct Courier {
    clerk: Clerk,
    held: Held,
    receipt_key: SigningKey,
    clock: Arc<dyn Clock>,
    epoch: Epoch,
    /// The keyset's version.
    keyset: u64,
}

/// What a bundle's way back takes.
pub(crate) struct ReturnLetter {
    pub secret: BlobSecret,
    pub reply: Reply,
}

impl Courier {
    pub(crate) fn of(hq: &Headquarters, clock: Arc<dyn Clock>) -> Result<Self, HqError> {
        let receipt_key = hq.receipt_key()?;
        Ok(Self {
            clerk: Clerk::new(
                hq.identity,
                receipt_key.clone(),
                clock.clone(),
                Rates::CARRIED,
            ),
            held: Held::open(&hq.folder)?,
            receipt_key,
            clock,
            epoch: hq.identity.epoch,
            keyset: hq.keyset.version,
        })
    }

    /// Opens a bundle that a phone brought as a file.
    pub(crate) fn open_brought(
        &self,
        brought: &Brought,
        keys: &SealKeys,
    ) -> Result<Bundle, WireError> {
        let sealed = self.held.get(&brought.sha256).unwrap_or_default();
        let file = open_whole(&brought.secret, &sealed)?;
        let key =
            (keys.get(Bundle::seal_kid(&file)?)).ok_or(WireError::Sealed { what: "bundle" })?;
        Bundle::open(&file, key)
    }

    /// Takes a bundle in. Where it says how, there is a letter for the way back.
    pub(crate) fn take_in(
        &mut self,
        store: &mut Store,
        bundle: &Bundle,
    ) -> Result<(Carried, Option<ReturnLetter>), HqError> {
        let mut carried = Carried::default();
        let mut answers = Vec::new();
        let mut signed = Vec::new();
        let mut secret = None;
        let mut gathering: Option<Gathering> = None;
        for item in bundle.items() {
            match BundleItem::read(item) {
                BundleItem::Signed(item) => {
                    signed.push(item);
                    if signed.len() == BATCH {
                        self.records(store, &mut signed, &mut carried, &mut answers)?;
                    }
                }
                BundleItem::Return(found) => secret = Some(found),
                BundleItem::Piece {
                    blob,
                    offset,
                    bytes,
                } => {
                    self.records(store, &mut signed, &mut carried, &mut answers)?;
                    if offset == 0 {
                        carried.files_deferred += u64::from(gathering.is_some());
                        gathering = Some(Gathering::new(blob));
                    }
                    let Some(file) = gathering.as_mut() else {
                        continue;
                    };
                    if !file.add(&blob, offset, bytes) {
                        gathering = None;
                        carried.files_deferred += 1;
                    } else if file.is_complete() {
                        self.file(store, file, &mut carried, &mut answers)?;
                        gathering = None;
                    }
                }
            }
        }
        self.records(store, &mut signed, &mut carried, &mut answers)?;
        carried.files_deferred += u64::from(gathering.is_some());
        carried.receipts = answers.len() as u64;
        tracing::info!(
            new = carried.new,
            known = carried.known,
            files = carried.files,
            "bundle"
        );
        let reply = Reply {
            epoch: self.epoch,
            keyset: self.keyset,
            answers,
        };
        Ok((carried, secret.map(|secret| ReturnLetter { secret, reply })))
    }

    fn records(
        &mut self,
        store: &mut Store,
        signed: &mut Vec<&[u8]>,
        carried: &mut Carried,
        answers: &mut Vec<Answer>,
    ) -> Result<(), HqError> {
        if signed.is_empty() {
            return Ok(());
        }
        let brought: Vec<_> = (signed.drain(..))
            .map(|item| (item.to_vec(), door::Brought::read(item)))
            .collect();
        let keys = store.keys(&door::signers(&brought))?;
        let entered = door::check(brought, keys, self.clerk.election())
            .items
            .into_iter();
        // A question is of a phone that waits for its answer: here nobody does.
        let entered: Vec<_> = entered
            .map(|(bytes, item)| match item {
                Item::Ask(..) => (bytes, Item::NotYet(Deferral::MALFORMED)),
                item => (bytes, item),
            })
            .collect();
        self.write(store, entered, carried, answers)
    }

    /// Holds a file that is whole, and signs for it.
    fn file(
        &mut self,
        store: &mut Store,
        file: &Gathering,
        carried: &mut Carried,
        answers: &mut Vec<Answer>,
    ) -> Result<(), HqError> {
        let blob = &file.blob;
        if !file.is_right() || !store.is_named(blob)? {
            carried.files_deferred += 1;
            return Ok(());
        }
        let kept = match store.blob_receipt(blob)? {
            Some(receipt) => {
                carried.files_known += 1;
                receipt
            }
            None => {
                self.held.put(blob, &file.bytes)?;
                let receipt = BlobReceipt::new(*blob)
                    .sign(&self.receipt_key)
                    .map_err(HqError::keys)?;
                carried.files += 1;
                store.keep_blob(blob, self.clock.now().millis(), &receipt)?
            }
        };
        answers.push(Answer::BlobReceipt(kept));
        Ok(())
    }

    fn write(
        &mut self,
        store: &mut Store,
        entered: Vec<(Vec<u8>, Item)>,
        carried: &mut Carried,
        answers: &mut Vec<Answer>,
    ) -> Result<(), HqError> {
        let mut transaction = store.begin()?;
        let savepoint = transaction.savepoint()?;
        // Inside the write lock: nobody comes between this look and what is kept.
        let mut before = Vec::with_capacity(entered.len());
        for (bytes, item) in &entered {
            let known = receipt(&savepoint, Eid::of(bytes))?.is_some();
            before.push((matches!(item, Item::Enrolment(..)), known));
        }
        let answered = self.clerk.answer(&savepoint, entered)?;
        savepoint.commit()?;
        transaction.commit()?;
        for (answer, (enrolment, known)) in answered.into_iter().zip(before) {
            match &answer {
                Answer::Receipt(bytes) => {
                    let code = Receipt::from_kept(bytes).map_or(ReceiptCode::ACCEPTED, |r| r.code);
                    let count = match (enrolment, code.is_refusal(), known) {
                        (true, ..) => &mut carried.enrolments,
                        (_, true, _) => &mut carried.refused,
                        (_, _, true) => &mut carried.known,
                        _ => &mut carried.new,
                    };
                    *count += 1;
                    answers.push(answer);
                }
                Answer::Deferred { deferral, .. } => carried.deferred.push(*deferral),
                Answer::Notice { .. }
                | Answer::BlobReceipt(_)
                | Answer::Keyset(_)
                | Answer::Unknown => {}
            }
        }
        Ok(())
    }
}

/// A file that is put together from its pieces.
struct Gathering {
    blob: BlobRef,
    bytes: Vec<u8>,
}

impl Gathering {
    fn new(blob: BlobRef) -> Self {
        Self {
            blob,
            bytes: Vec::new(),
        }
    }

    /// Adds the next piece; `false` where it is not the next one of this file.
    fn add(&mut self, blob: &BlobRef, offset: u64, bytes: &[u8]) -> bool {
        let length = self.bytes.len() as u64;
        let next = *blob == self.blob && offset == length && blob.size <= MAX_BUNDLE as u64;
        let fits = next && length + bytes.len() as u64 <= self.blob.size && !bytes.is_empty();
        if fits {
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }

    fn is_complete(&self) -> bool {
        self.bytes.len() as u64 == self.blob.size
    }

    fn is_right(&self) -> bool {
        Sha256::digest(&self.bytes).as_slice() == self.blob.sha256
    }
}
