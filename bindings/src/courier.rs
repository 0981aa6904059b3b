//! What goes by hand, and who has a sheet on paper.

use crate::attachment::sealed;
use crate::error::caught;
use crate::{Phone, SavedView, SealedFile, TestigoError};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use testigo_phone::sync::Selection;
use testigo_phone::{Load, PhoneError};
use testigo_wire::{MAX_RETURN_POST, Series, series};

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BundleView {
    /// Records in it.
    pub records: u64,
    /// Records that wait and had no room in it.
    pub records_left_out: u64,
    /// Sealed files in it.
    pub files: u64,
    /// Sealed files that wait and are not in it.
    pub files_left_out: u64,
    /// Bytes of the file: a size class.
    pub bytes: u64,
}

/// A bundle as QR codes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BundleCodesView {
    /// What it holds; files never are in it.
    pub bundle: BundleView,
    /// The text of each code, to be drawn one after the other.
    pub codes: Vec<String>,
}

/// What a file of receipts said to this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReceiptsView {
    /// Whether anything in it is for this phone. Where nothing is, it is of others, or damaged: that looks the same.
    pub for_this_phone: bool,
    /// Records that headquarters has, as this phone did not know.
    pub received: u64,
    /// Files that headquarters has, as this phone did not know.
    pub files: u64,
    /// Records that headquarters refused.
    pub parked: u64,
    /// The file is from before headquarters came back from a backup: it does not count.
    pub outdated: bool,
    /// Receipts that headquarters did not sign: they do not count.
    pub unverified: u64,
}

/// A tally sheet on paper that passed from one person to another.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct HandoverInput {
    /// Who gave it, by a pseudonym such as `witness-7`: never a name, a telephone or an identity number.
    pub from: String,
    /// Who has it now.
    pub to: String,
    /// The sheet's table; the witness's own where it is not given.
    #[uniffi(default = None)]
    pub table: Option<String>,
    /// When, RFC 3339; now where it is not given.
    #[uniffi(default = None)]
    pub at: Option<String>,
    /// Where, at most 100 characters.
    #[uniffi(default = None)]
    pub place: Option<String>,
    /// Files that belong to it, at most 16, from `Phone.seal_file`.
    #[uniffi(default = [])]
    pub attachments: Vec<Arc<SealedFile>>,
}

#[uniffi::export]
impl Phone {
    /// Writes what waits, its files included, into a new file that headquarters alone can open and anyone may carry.
    /// Nothing, and no file, where nothing waits. What is carried waits until a receipt comes back. Other calls on
    /// the phone wait meanwhile.
    ///
    /// # Errors
    /// `Enrolment` where the phone has not enrolled; `Input` with the code `file-unreadable` where the path cannot be made a
    /// new file; `StorageFull` and `Store`. In each case no file is left.
    pub fn bundle(&self, path: String) -> Result<Option<BundleView>, TestigoError> {
        caught(|| {
            let bundled = (self.shared.phone()).bundle_to(
                Selection::Queued,
                Load::RecordsAndFiles,
                Path::new(&path),
            )?;
            Ok(bundled.map(BundleView::from))
        })
    }

    /// The same as a series of QR codes, for a few records and without their files: another phone reads them from this
    /// one's screen. Nothing where nothing waits, or where it is too much for codes: write a file then.
    ///
    /// # Errors
    /// `Enrolment` and `Store`.
    pub fn bundle_codes(&self) -> Result<Option<BundleCodesView>, TestigoError> {
        caught(|| {
            let mut whole = Vec::new();
            let bundled =
                (self.shared.phone()).bundle(Selection::Queued, Load::Records, &mut whole)?;
            let codes = series(&whole).ok();
            Ok(
                (bundled.zip(codes)).map(|(bundled, codes)| BundleCodesView {
                    bundle: bundled.into(),
                    codes,
                }),
            )
        })
    }

    /// Takes a bundle along that somebody else's phone made: it goes to headquarters with the next sync. What is in it
    /// this phone cannot tell.
    ///
    /// # Errors
    /// `Input` where the file cannot be read, `Enrolment` where it is no bundle or this phone has not enrolled; `StorageFull`
    /// and `Store`.
    pub fn carry(&self, path: String) -> Result<SavedView, TestigoError> {
        self.changing("took a bundle along", |phone| {
            let file = File::open(path).map_err(PhoneError::File)?;
            Ok(phone.carry(file)?.into())
        })
    }

    /// The same with the texts of a series of codes, in any order, as `CodeView.bytes` gives them.
    ///
    /// # Errors
    /// As `carry`; `Enrolment` also while codes are missing: ask `missing_codes`.
    pub fn carry_codes(&self, codes: Vec<Vec<u8>>) -> Result<SavedView, TestigoError> {
        self.changing("took a bundle along", |phone| {
            let whole = together(&codes).finish().map_err(PhoneError::Damaged)?;
            Ok(phone.carry(Cursor::new(whole))?.into())
        })
    }

    /// Takes in the receipts that a courier brought back.
    ///
    /// # Errors
    /// `Input` where the file cannot be read, `Enrolment` where it holds no receipts; then nothing changes. `Store`.
    pub fn import_receipts(&self, path: String) -> Result<ReceiptsView, TestigoError> {
        self.changing("took in receipts", |phone| {
            let mut bytes = Vec::new();
            // One byte more than the largest: that it is too large must show.
            let most = MAX_RETURN_POST as u64 + 1;
            File::open(path)
                .and_then(|file| file.take(most).read_to_end(&mut bytes))
                .map_err(PhoneError::File)?;
            let taken = phone.import_receipts(&bytes)?;
            Ok(ReceiptsView {
                for_this_phone: taken.for_this_phone,
                received: taken.received,
                files: taken.files,
                parked: taken.parked,
                outdated: taken.outdated,
                unverified: taken.unverified,
            })
        })
    }

    /// Saves that a tally sheet on paper passed from one person to another.
    ///
    /// # Errors
    /// As `report`.
    pub fn hand_over(&self, input: HandoverInput) -> Result<SavedView, TestigoError> {
        self.changing("saved a hand-over", |phone| {
            Ok(phone.hand_over(&input.into())?.into())
        })
    }
}

/// The numbers, from 1, of the codes that are still missing of the series that the first of these texts belongs to. Codes of
/// others are passed over. None before the first code is there.
#[uniffi::export]
pub fn missing_codes(codes: Vec<Vec<u8>>) -> Vec<u32> {
    (together(&codes).missing().into_iter())
        .filter_map(|n| u32::try_from(n).ok())
        .collect()
}

fn together(codes: &[Vec<u8>]) -> Series {
    let mut series = Series::default();
    for code in codes {
        // One of another series changes nothing.
        let _ = series.add(code);
    }
    series
}

impl From<testigo_phone::Bundled> for BundleView {
    fn from(bundled: testigo_phone::Bundled) -> Self {
        Self {
            records: bundled.records,
            records_left_out: bundled.left_out,
            files: bundled.files,
            files_left_out: bundled.files_left_out,
            bytes: bundled.bytes,
        }
    }
}

impl From<HandoverInput> for testigo_phone::HandoverInput {
    fn from(input: HandoverInput) -> Self {
        Self {
            table: input.table,
            from: input.from,
            to: input.to,
            at: input.at,
            place: input.place,
            attachments: sealed(&input.attachments),
        }
    }
}
