//! For tests: headquarters in a folder, and witnesses made of the wire format alone.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::PackSource;
use crate::init::Headquarters;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use testigo_wire::{
    Attachment, BlobRef, BlobSecret, Body, BootId, Code, ElectionId, Enrolment, Envelope, Lane,
    Record, RecordId, Report, SealPublicKey, SigningKey, StoreId, TableId, Time,
};

/// Headquarters that do not serve yet.
pub(crate) struct Stage {
    pub data: PathBuf,
    pub hq: Headquarters,
    _folder: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hq");
        Self {
            hq: headquarters(&data),
            data,
            _folder: folder,
        }
    }

    /// Headquarters that are there already.
    pub fn over(data: &Path) -> Self {
        Self {
            hq: Headquarters::open(data).unwrap(),
            data: data.to_owned(),
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A witness with a code of their own.
    pub fn witness(&self) -> Witness {
        let mut capability = None;
        crate::invite(&self.data, None, |invitation| {
            capability = Some(invitation.capability.signing_key().unwrap());
            Ok::<_, crate::HqError>(())
        })
        .unwrap();
        let seal = &self.hq.keyset.seal;
        Witness {
            capability: capability.unwrap(),
            device: SigningKey::random().unwrap(),
            store: StoreId::random().unwrap(),
            election: self.hq.identity.election,
            seal: seal.first().unwrap().clone(),
            saved: 0,
        }
    }
}

/// New headquarters in this folder.
pub(crate) fn headquarters(data: &Path) -> Headquarters {
    let pack = PackSource::venezuela_2024().unwrap();
    let endpoints = ["http://127.0.0.1:1".to_owned()];
    crate::init(data, &pack, &endpoints, crate::Certificates::Own).unwrap();
    Headquarters::open(data).unwrap()
}

/// A device under a capability.
pub(crate) struct Witness {
    pub capability: SigningKey,
    pub device: SigningKey,
    store: StoreId,
    election: ElectionId,
    seal: SealPublicKey,
    saved: u64,
}

impl Witness {
    /// Another device under the same capability.
    pub fn other_device(&self) -> Self {
        Self {
            capability: self.capability.clone(),
            device: SigningKey::random().unwrap(),
            store: StoreId::random().unwrap(),
            seal: self.seal.clone(),
            ..*self
        }
    }

    pub fn enrolment(&self) -> Vec<u8> {
        let key = self.device.verifying_key();
        let enrolment = Enrolment::new(self.election, key, self.store);
        enrolment.sign(&self.capability).unwrap()
    }

    /// A new sealed report.
    pub fn envelope(&mut self) -> Vec<u8> {
        self.envelope_with(&[])
    }

    /// The same with these files.
    pub fn envelope_with(&mut self, files: &[BlobRef]) -> Vec<u8> {
        self.saved += 1;
        let record = Record::Report(Report::new(Code(11)));
        let now = Time::from_rfc3339("2024-07-28T12:00:00-04:00").unwrap();
        let body = Body {
            record_id: RecordId::random().unwrap(),
            store_id: self.store,
            sequence: self.saved,
            lane: record.lane(),
            kind: record.kind(),
            table: Some(TableId::new("201301006.01").unwrap()),
            claimed_at: None,
            saved_at: now,
            monotonic_ms: 1,
            boot_id: BootId([1; 16]),
            last_hq_time: None,
            since_unlock_ms: None,
            attachments: (files.iter())
                .map(|blob| Attachment {
                    blob: *blob,
                    secret: BlobSecret::random().unwrap(),
                    lane: Lane::PHOTO,
                    media_type: "image/jpeg".into(),
                    size: blob.size,
                })
                .collect(),
            warnings: Vec::new(),
            record: record.to_bytes(),
        };
        let envelope = Envelope::seal(&body, self.election, &self.seal, &self.device).unwrap();
        envelope.as_bytes().to_vec()
    }
}
