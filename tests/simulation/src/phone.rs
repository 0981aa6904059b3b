//! A phone on a simulated disk, and the truth about what was saved on it.

use crate::disk::Disk;
use crate::template::{SimulatedClock, phone_key};
use fastrand::Rng;
use rusqlite::Connection;
use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use testigo_phone::sync::{Link, Request, Selection, SyncPass};
use testigo_phone::{AttachmentKind, Phone, PhoneError, ReportInput, Saved, TallyInput};
use testigo_wire::{BlobRef, Code, Eid, Epoch, Lane, RecordId, StoreId};

/// `PRAGMA application_id` of a phone's store.
pub const APPLICATION_ID: u32 = 0x5470_686e;

/// What was really put in.
#[derive(Clone)]
pub struct Truth {
    /// Stands in the record's own text.
    pub marker: String,
    /// The record's name, where the phone said "saved".
    pub told: Option<RecordId>,
    /// What its files hold.
    pub files: Vec<Vec<u8>>,
}

/// A request under way.
pub struct Outstanding {
    /// Tells it from earlier ones.
    pub number: u64,
    /// The request.
    pub request: Rc<Request>,
}

/// One phone.
pub struct SimulatedPhone {
    /// Its disk.
    pub disk: Disk,
    /// Its clock.
    pub clock: SimulatedClock,
    /// Its folder.
    pub folder: PathBuf,
    /// The program, while it runs.
    pub phone: Option<Phone>,
    /// A look into its store.
    pub reader: Option<Connection>,
    /// The pass that is going on.
    pub pass: Option<SyncPass>,
    /// The link that it runs over.
    pub link: Option<Link>,
    /// Whatever it sent.
    pub tried: HashSet<Eid>,
    /// What it waits for.
    pub outstanding: Option<Outstanding>,
    /// Whatever left the phone at least once.
    pub sent: HashSet<Eid>,
    /// What was put in.
    pub truths: Vec<Truth>,
}

impl SimulatedPhone {
    /// The phone in this folder, not started.
    pub fn new(folder: &Path, clock: SimulatedClock) -> Self {
        Self {
            disk: Disk::mount(folder),
            clock,
            folder: folder.to_owned(),
            phone: None,
            reader: None,
            pass: None,
            link: None,
            tried: HashSet::new(),
            outstanding: None,
            sent: HashSet::new(),
            truths: Vec::new(),
        }
    }

    /// Starts the program; it may fail where the disk does.
    pub fn start(&mut self) -> Result<(), PhoneError> {
        let phone = Phone::open(&self.folder, &phone_key(), Box::new(self.clock.clone()))?;
        self.phone = Some(phone);
        let path = self.folder.join("phone.db");
        self.reader = testigo_sqlite::open_reader(&path, &phone_key(), APPLICATION_ID).ok();
        Ok(())
    }

    /// Ends the program, wherever it is.
    pub fn stop(&mut self) {
        self.pass = None;
        self.outstanding = None;
        self.reader = None;
        self.phone = None;
    }

    /// Begins a pass over this link.
    pub fn begin_pass(&mut self, link: Link, seed: u64) {
        self.tried.clear();
        self.link = Some(link);
        self.pass = Some(SyncPass::new(Selection::Queued).with_seed(seed).over(link));
    }

    /// Saves something, one time in five with files.
    pub fn capture(&mut self, rng: &mut Rng, marker: String) -> Result<Saved, PhoneError> {
        let with_files = rng.u8(0..5) == 0;
        self.capture_with(rng, with_files, marker)
    }

    /// Saves something.
    pub fn capture_with(
        &mut self,
        rng: &mut Rng,
        with_files: bool,
        marker: String,
    ) -> Result<Saved, PhoneError> {
        let mut truth = Truth {
            marker,
            told: None,
            files: Vec::new(),
        };
        let phone = self.phone.as_mut().expect("a running phone");
        let outcome = Self::put_in(phone, rng, with_files, &mut truth);
        truth.told = outcome.as_ref().ok().map(|saved| saved.record_id);
        self.truths.push(truth);
        outcome
    }

    fn put_in(
        phone: &mut Phone,
        rng: &mut Rng,
        with_files: bool,
        truth: &mut Truth,
    ) -> Result<Saved, PhoneError> {
        let marker = &truth.marker;
        let mut attachments = Vec::new();
        if with_files {
            let thumbnail = (AttachmentKind::Thumbnail, rng.usize(100..6_000));
            let length = match rng.u8(0..8) {
                0 => rng.usize(150_000..260_000),
                _ => rng.usize(1..70_000),
            };
            for (kind, length) in [thumbnail, (AttachmentKind::Whole, length)] {
                let mut bytes = format!("{marker}-file-").into_bytes();
                bytes.resize_with(length.max(bytes.len()), || rng.u8(..));
                let sealed = phone.seal_file(Cursor::new(&bytes), kind)?;
                attachments.push(sealed);
                truth.files.push(bytes);
            }
        }
        let kind = rng.u8(0..10);
        if kind < 3 {
            let texts = vec![format!("acta {marker}").into_bytes()];
            let input = TallyInput {
                texts,
                table: None,
                attachments,
                record_id: None,
            };
            return phone.tally(&input).map(|saved| saved.saved);
        }
        let code = match kind {
            3 => Code::WITNESS_DETAINED,
            4 | 5 => Code::NORMAL,
            _ => Code(rng.u16(20..30)),
        };
        phone.report(&ReportInput {
            code: code.0,
            note: Some(marker.clone()),
            attachments,
            ..ReportInput::default()
        })
    }

    /// Rows that were never sent: identity and lane.
    pub fn never_sent(&self) -> Vec<(Eid, Lane)> {
        let Some(reader) = &self.reader else {
            return Vec::new();
        };
        let mut query = reader
            .prepare_cached("SELECT eid, lane FROM envelope WHERE state = 0")
            .expect("the phone's table");
        let rows = query
            .query_map([], |row| Ok((Eid(row.get(0)?), Lane(row.get(1)?))))
            .expect("the phone's rows");
        rows.flatten()
            .filter(|(eid, _)| !self.sent.contains(eid))
            .collect()
    }

    /// Records that wait and are of a witness in danger.
    pub fn in_danger(&self) -> Vec<Eid> {
        self.eids("SELECT eid FROM envelope WHERE state = 0 AND lane = 0")
    }

    /// Records that count as delivered.
    pub fn delivered(&self) -> Vec<Eid> {
        self.eids("SELECT eid FROM envelope WHERE state = 1")
    }

    fn eids(&self, sql: &str) -> Vec<Eid> {
        let Some(reader) = &self.reader else {
            return Vec::new();
        };
        let mut query = reader.prepare_cached(sql).expect("the phone's table");
        let rows = query.query_map([], |row| row.get(0).map(Eid));
        rows.expect("the phone's rows").flatten().collect()
    }

    /// Whether photographs may go over mobile data.
    pub fn photos_on_metered(&self) -> bool {
        let budget = self.phone.as_ref().map(Phone::budget);
        budget.is_none_or(|budget| budget.is_ok_and(|budget| budget.photos_on_metered))
    }

    /// The lane of a row.
    pub fn lane(&self, eid: &Eid) -> Option<Lane> {
        let reader = self.reader.as_ref()?;
        let lane = reader.query_row("SELECT lane FROM envelope WHERE eid = ?1", [eid.0], |row| {
            row.get(0).map(Lane)
        });
        lane.ok()
    }

    /// The store's name, which only headquarters know besides.
    pub fn store_id(&self) -> Option<StoreId> {
        let reader = self.reader.as_ref()?;
        let id = reader.query_row("SELECT store_id FROM device", [], |row| row.get(0));
        id.ok().map(StoreId)
    }

    /// The run of headquarters' store that the phone knows.
    pub fn epoch(&self) -> Option<Epoch> {
        let reader = self.reader.as_ref()?;
        let epoch = reader.query_row("SELECT epoch FROM headquarters", [], |row| row.get(0));
        epoch.ok().flatten().map(Epoch)
    }

    /// Hashes of files that count as delivered.
    pub fn delivered_files(&self) -> Vec<[u8; 32]> {
        let Some(reader) = &self.reader else {
            return Vec::new();
        };
        let mut query = reader
            .prepare_cached("SELECT sha256 FROM attachment WHERE receipt IS NOT NULL")
            .expect("the phone's table");
        let rows = query.query_map([], |row| row.get(0));
        rows.expect("the phone's rows").flatten().collect()
    }

    /// Files that may go now, without those that wait apart, the most urgent first.
    pub fn due_files(&self) -> Vec<(BlobRef, Lane)> {
        let Some(reader) = &self.reader else {
            return Vec::new();
        };
        let mut query = reader
            .prepare_cached(
                "SELECT sha256, attachment.size, attachment.lane FROM attachment JOIN envelope USING (sequence)
                 WHERE envelope.state = 1 AND attachment.receipt IS NULL AND NOT EXISTS (
                     SELECT 1 FROM setback WHERE setback.sha256 = attachment.sha256)
                 ORDER BY attachment.lane",
            )
            .expect("the phone's table");
        let rows = query.query_map([], |row| {
            let blob = BlobRef {
                sha256: row.get(0)?,
                size: row.get(1)?,
            };
            Ok((blob, Lane(row.get(2)?)))
        });
        rows.expect("the phone's rows").flatten().collect()
    }

    /// The desk's word on each record; `None` where there is none yet.
    pub fn notices(&self) -> Vec<(Eid, Option<Vec<u8>>)> {
        let reader = self.reader.as_ref().expect("a running phone");
        let mut query = reader
            .prepare("SELECT eid, notice FROM envelope")
            .expect("the phone's table");
        let rows = query.query_map([], |row| Ok((Eid(row.get(0)?), row.get(1)?)));
        rows.expect("the phone's rows").flatten().collect()
    }

    /// Kept receipts by identity of what they are for, of everything that counts as delivered.
    pub fn receipts(&self) -> Vec<(Eid, Vec<u8>)> {
        let reader = self.reader.as_ref().expect("a running phone");
        let mut query = reader
            .prepare("SELECT eid, receipt FROM envelope WHERE state = 1")
            .expect("the phone's table");
        let rows = query
            .query_map([], |row| Ok((Eid(row.get(0)?), row.get(1)?)))
            .expect("the phone's rows");
        rows.flatten().collect()
    }
}
