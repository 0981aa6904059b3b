//! A way without any network: what waits goes in one sealed file that anyone may carry, and the receipts come
//! back as another.

use crate::attachment::sealed_path;
use crate::error::disk;
use crate::store::{Device, Settled, Store, enrolment_eid};
use crate::sync::Selection;
use crate::{AttachmentKind, HandoverInput, KeysetTaken, Phone, PhoneError, Saved};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;
use testigo_wire::{
    Answer, BlobReceipt, BlobRef, BlobSecret, Bundle, BundleItem, BundleSealer, Epoch, Handover,
    MAX_PIECE, Receipt, ReturnPost,
};

/// Records read from the store at a time.
const BATCH: usize = 64;
/// As much of a file as shows that it is a bundle, in bytes.
const BUNDLE_HEAD: u64 = 4096;

/// What goes into a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Records alone: small enough for a series of QR codes.
    Records,
    /// Records and their sealed files.
    RecordsAndFiles,
}

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Records in it.
    pub records: u64,
    /// Records that wait and had no room in it: they go with the next one, once the receipts of this one are
    /// back.
    pub left_out: u64,
    /// Sealed files in it.
    pub files: u64,
    /// Sealed files that wait and are not in it: for want of room, because records alone were asked for, or because
    /// they cannot be read.
    pub files_left_out: u64,
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
    /// Files that headquarters has, as this phone did not know.
    pub files: u64,
    /// Receipts of what was settled before.
    pub known: u64,
    /// Whether anything in the file is for this phone. Where nothing is, it is of others, or damaged: that looks the
    /// same.
    pub for_this_phone: bool,
    /// Receipts that name this phone and were not signed by headquarters, or were damaged.
    pub unverified: u64,
    /// The file is of an earlier run of headquarters than the phone has heard of, who may have lost since what
    /// it says: nothing was taken from it.
    pub outdated: bool,
    /// Version of the newer keyset that came with it and holds now.
    pub keyset: Option<u64>,
}

impl Phone {
    /// Writes what waits, with the enrolment, into one file that headquarters alone can open
    /// (`docs/bundle-format.md`); with [`Selection::Everything`] also what was delivered and is not safe yet.
    /// `None`, and nothing written, where there is nothing to carry. Nothing changes in the outbox: what is
    /// carried waits until a receipt comes back, on whatever way. Files come behind all records. Each call seals anew, so that two files
    /// cannot be told to be of one phone.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`]; [`PhoneError::StorageFull`] or [`PhoneError::Disk`] where `out` fails; or
    /// where the store fails. Then what was written so far is of no use.
    pub fn bundle(
        &self,
        selection: Selection,
        load: Load,
        out: &mut dyn Write,
    ) -> Result<Option<Bundled>, PhoneError> {
        let everything = selection == Selection::Everything;
        let hq = self.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let mut rows = self.store.to_carry(everything, None, BATCH)?;
        let files = self.store.files_to_carry(everything)?;
        let hidden = self.hidden()?;
        // What was saved under duress goes along with others, and never alone: who holds the phone would see that there is
        // something.
        let unseen = rows.len() < BATCH
            && (rows.iter()).all(|row| hidden.contains(&row.sequence.unsigned_abs()));
        let nothing = unseen && (files.is_empty() || load == Load::Records);
        if nothing && hq.enrolment_receipt.is_some() {
            return Ok(None);
        }
        let seal_key = (self.trusted()?.keyset.seal.first()).ok_or(PhoneError::NotEnrolled)?;
        let fault = PhoneError::Damaged;
        let (mut sealer, head) =
            BundleSealer::new(seal_key, &BlobSecret::random()?).map_err(fault)?;
        let mut out = Counted { out, bytes: 0 };
        out.write(&head)?;
        out.write(&sealer.add(&hq.enrolment).map_err(fault)?)?;
        let secret = BundleItem::Return(return_secret(&self.store.device()?)?);
        out.write(
            &sealer
                .add(&secret.to_bytes().map_err(fault)?)
                .map_err(fault)?,
        )?;
        let (mut records, mut left_out) = (0, 0);
        while let Some(last) = rows.last().map(|row| (row.lane, row.sequence)) {
            for row in &rows {
                // Behind the first that has no room, none goes: a later one is not more urgent.
                if left_out > 0 || !sealer.has_room(row.bytes.len()) {
                    left_out += 1;
                    continue;
                }
                out.write(&sealer.add(&row.bytes).map_err(fault)?)?;
                records += u64::from(!hidden.contains(&row.sequence.unsigned_abs()));
            }
            rows = self.store.to_carry(everything, Some(last), BATCH)?;
        }
        let mut carried = 0;
        if load == Load::RecordsAndFiles {
            for blob in &files {
                carried += u64::from(self.add_file(blob, &mut sealer, &mut out)?);
            }
        }
        out.write(&sealer.finish().map_err(fault)?)?;
        out.out.flush().map_err(disk)?;
        Ok(Some(Bundled {
            records,
            left_out,
            files: carried,
            files_left_out: files.len() as u64 - carried,
            bytes: out.bytes,
        }))
    }

    /// The same into a new file for its owner only, durably. Where there is nothing to carry, or it cannot be written,
    /// no file is left.
    ///
    /// # Errors
    /// As [`Phone::bundle`]; [`PhoneError::File`] where the file cannot be made, such as where it is there already, or
    /// cannot be made durable.
    pub fn bundle_to(
        &self,
        selection: Selection,
        load: Load,
        path: &Path,
    ) -> Result<Option<Bundled>, PhoneError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut writer = BufWriter::new(options.open(path).map_err(PhoneError::File)?);
        let written = self
            .bundle(selection, load, &mut writer)
            .and_then(|bundled| {
                writer.get_ref().sync_all().map_err(PhoneError::File)?;
                Ok(bundled)
            });
        if !matches!(written, Ok(Some(_))) {
            // Half a bundle opens nowhere, and an empty file only looks like one.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    /// Adds a sealed file piece by piece, where it has room and can be read.
    fn add_file(
        &self,
        blob: &BlobRef,
        sealer: &mut BundleSealer,
        out: &mut Counted<'_>,
    ) -> Result<bool, PhoneError> {
        let Ok(mut file) = File::open(sealed_path(&self.store, blob)) else {
            return Ok(false);
        };
        let right_size = file.metadata().is_ok_and(|found| found.len() == blob.size);
        if !right_size || !sealer.has_room_for_pieces(blob.size) {
            return Ok(false);
        }
        let mut piece = vec![0; MAX_PIECE];
        let mut offset = 0;
        while offset < blob.size {
            let left = usize::try_from(blob.size - offset).unwrap_or(MAX_PIECE);
            let bytes = piece.get_mut(..left.min(MAX_PIECE)).unwrap_or_default();
            file.read_exact(bytes).map_err(PhoneError::File)?;
            let item = BundleItem::Piece {
                blob: *blob,
                offset,
                bytes,
            };
            let item = item.to_bytes().map_err(PhoneError::Damaged)?;
            out.write(&sealer.add(&item).map_err(PhoneError::Damaged)?)?;
            offset += bytes.len() as u64;
        }
        Ok(true)
    }

    /// Takes a bundle that somebody else's phone made, to bring it to headquarters: as a file sealed once more, which
    /// goes with a record of its own. What is in it this phone cannot tell.
    ///
    /// # Errors
    /// [`PhoneError::Damaged`] where it is no bundle; else as [`Phone::seal_file`] and [`Phone::report`].
    pub fn carry(&mut self, mut bundle: impl Read + Seek) -> Result<Saved, PhoneError> {
        let mut head = Vec::new();
        (bundle.by_ref().take(BUNDLE_HEAD).read_to_end(&mut head))
            .and_then(|_| bundle.rewind())
            .map_err(PhoneError::File)?;
        Bundle::seal_kid(&head).map_err(PhoneError::Damaged)?;
        let file = self.seal_file(bundle, AttachmentKind::Bundle)?;
        self.keep_handover(
            Handover {
                what: Handover::BUNDLE,
                from: None,
                to: None,
                at: None,
                place: None,
            },
            None,
            &[file],
        )
    }

    /// Saves that a tally sheet on paper passed from one person to another: a link of its chain of custody.
    ///
    /// # Errors
    /// As [`Phone::report`].
    pub fn hand_over(&mut self, input: &HandoverInput) -> Result<Saved, PhoneError> {
        let handover = input.handover()?;
        let table = input.table()?.or_else(|| self.own_table().cloned());
        self.keep_handover(handover, table, &input.attachments)
    }

    /// Takes a file of receipts that came back from headquarters, as `testigo hq import` writes it: what it
    /// says of this phone's records counts as in a sync, once its signature is verified. What is of other
    /// phones is passed over without a word.
    ///
    /// # Errors
    /// [`PhoneError::Damaged`] where it is no such file; then nothing changes. [`PhoneError::NotEnrolled`], or
    /// where the store fails.
    pub fn import_receipts(&mut self, file: &[u8]) -> Result<ReceiptsTaken, PhoneError> {
        self.trusted()?;
        let device = self.store.device()?;
        let replies =
            ReturnPost::open(file, &return_secret(&device)?).map_err(PhoneError::Damaged)?;
        let mut taken = ReceiptsTaken {
            for_this_phone: !replies.is_empty(),
            ..ReceiptsTaken::default()
        };
        for answer in replies.iter().flat_map(|reply| &reply.answers) {
            let Answer::Keyset(signed) = answer else {
                continue;
            };
            match self.take_keyset(signed) {
                Ok(KeysetTaken::Newer(version)) => taken.keyset = Some(version),
                // One that does not count takes nothing from the receipts.
                Ok(_) | Err(PhoneError::OtherHeadquarters(_) | PhoneError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let keyset = &self.trusted()?.keyset;
        // One bundle's letter at a time: each names its own run of headquarters' store.
        let mut letters = Vec::with_capacity(replies.len());
        for reply in replies {
            let mut letter = Letter {
                epoch: reply.epoch,
                receipts: Vec::new(),
                files: Vec::new(),
            };
            for answer in reply.answers {
                match answer {
                    Answer::Receipt(bytes) => match Receipt::verify(&bytes, keyset) {
                        Ok(receipt) if receipt.store_id == device.store_id => {
                            letter.receipts.push((receipt, bytes));
                        }
                        _ => taken.unverified += 1,
                    },
                    Answer::BlobReceipt(bytes) => match BlobReceipt::verify(&bytes, keyset) {
                        Ok(receipt) => letter.files.push((receipt.blob.sha256, bytes)),
                        Err(_) => taken.unverified += 1,
                    },
                    Answer::Deferred { .. }
                    | Answer::Notice { .. }
                    | Answer::Keyset(_)
                    | Answer::Unknown => {}
                }
            }
            letters.push(letter);
        }
        for letter in &letters {
            self.take_letter(letter, &mut taken)?;
        }
        Ok(taken)
    }

    fn take_letter(
        &mut self,
        letter: &Letter,
        taken: &mut ReceiptsTaken,
    ) -> Result<(), PhoneError> {
        let device = self.store.device()?;
        let newest = (letter.receipts.iter())
            .map(|(receipt, _)| receipt.received_at.millis())
            .max();
        let Some(newest) = newest else {
            return Ok(());
        };
        // The epoch is not signed, and a file may lie about for days. Where it names another run than the phone
        // knows, what headquarters signed last tells which of the two came later.
        let heard = self.store.ask()?;
        let other_run = heard.is_some_and(|ask| ask.epoch != letter.epoch);
        if other_run && (device.last_hq_time).is_some_and(|heard| newest <= heard.millis()) {
            taken.outdated = true;
            return Ok(());
        }
        let hq = self.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let enrolment = enrolment_eid(&hq);
        let (settled, files) = self.store.note(|tx| {
            let mut settled = Settled::default();
            // First: what another run took before waits again, unless a receipt here says that this one has it.
            Store::settle_epoch(tx, letter.epoch)?;
            for (receipt, bytes) in &letter.receipts {
                if receipt.eid != enrolment {
                    settled.take(tx, receipt, bytes)?;
                } else if !receipt.code.is_refusal() {
                    Store::settle_enrolment(tx, Some(bytes))?;
                }
            }
            let mut files = 0;
            for (sha256, bytes) in &letter.files {
                files += u64::from(Store::settle_file(tx, sha256, bytes)?);
            }
            Ok((settled, files))
        })?;
        taken.received += settled.received;
        taken.parked += settled.parked;
        taken.known += settled.known;
        taken.files += files;
        Ok(())
    }
}

/// What came back for one bundle of this phone's, its signatures verified.
struct Letter {
    epoch: Epoch,
    receipts: Vec<(Receipt, Vec<u8>)>,
    files: Vec<([u8; 32], Vec<u8>)>,
}

/// What receipts for this phone are sealed under on the way back: of the device's key, which never leaves it, by
/// HKDF-SHA256 (RFC 5869), so that nothing more has to be kept.
fn return_secret(device: &Device) -> Result<BlobSecret, PhoneError> {
    BlobSecret::derived(device.seed(), b"testigo/1/return").map_err(PhoneError::Damaged)
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
