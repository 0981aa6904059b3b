//! What a phone is handed: files that it cleans and seals, answers from the network, files that couriers bring.

use crate::objects::{key, keyset};
use std::cell::RefCell;
use std::io::Cursor;
use testigo_phone::sync::{Response, Selection, Step, SyncPass};
use testigo_phone::{AttachmentKind, Clock, DatabaseKey, Phone, ReportInput};
use testigo_wire::{BootId, Capability, ElectionId, Invitation, RootId, Time};

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_millis(1_722_200_000_000, -240).unwrap()
    }
    fn monotonic_ms(&self) -> u64 {
        1000
    }
    fn boot_id(&self) -> BootId {
        BootId([3; 16])
    }
}

struct Stage {
    phone: Phone,
    folder: tempfile::TempDir,
}

impl Stage {
    /// An enrolled phone with a record and a file that wait.
    fn new() -> Self {
        // In memory where the system has such a place: each input syncs to the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a temporary folder");
        let secret = DatabaseKey::from_bytes([7; 32]);
        let mut phone = Phone::create(folder.path(), &secret, Box::new(Still)).unwrap();
        let invitation = Invitation {
            capability: Capability::random().unwrap(),
            root: RootId::of(&key().verifying_key()),
            election: ElectionId([4; 8]),
            table: None,
        };
        let keyset = keyset().sign(&key()).unwrap();
        phone.enrol(&invitation, &keyset, None).unwrap();
        let file = phone.seal_file(Cursor::new(b"a file"), AttachmentKind::Whole);
        let input = ReportInput {
            code: 11,
            attachments: vec![file.unwrap()],
            ..ReportInput::default()
        };
        phone.report(&input).unwrap();
        Self { phone, folder }
    }
}

thread_local! {
    static STAGE: RefCell<Stage> = RefCell::new(Stage::new());
}

/// Photographs, films and whatever else somebody attaches; a bundle that somebody asks to carry; receipts that come back.
pub fn media(bytes: &[u8]) {
    STAGE.with_borrow_mut(|stage| {
        let _ = stage
            .phone
            .seal_file(Cursor::new(bytes), AttachmentKind::Whole);
        let _ = stage.phone.import_receipts(bytes);
        // No record takes it on.
        for entry in std::fs::read_dir(stage.folder.path().join("blobs")).unwrap() {
            let path = entry.unwrap().path();
            if path.metadata().is_ok_and(|found| found.len() != 30) {
                std::fs::remove_file(path).unwrap();
            }
        }
    });
}

/// An answer from the network, whatever it is: the first byte chooses status and headers, the rest is the body.
pub fn answers(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let text = || Some(String::from_utf8_lossy(body).into_owned());
    let response = Response {
        status: [200, 201, 204, 301, 400, 404, 409, 410, 429, 460, 500, 503]
            [usize::from(first % 12)],
        media_type: match first / 12 % 3 {
            0 => "application/cbor-seq".to_owned(),
            1 => "text/html".to_owned(),
            _ => String::new(),
        },
        retry_after_s: (first / 36 % 2 == 1).then_some(u32::MAX),
        location: (first / 72 % 2 == 1).then(text).flatten(),
        upload_offset: (first / 144 == 1).then_some(u64::MAX),
        blob_receipt: (first / 72 % 2 == 1).then(text).flatten(),
        body: body.to_vec(),
    };
    STAGE.with_borrow_mut(|stage| {
        let mut pass = SyncPass::new(Selection::Everything).with_seed(1);
        // A pass ends by itself, whatever it is told.
        for _ in 0..100 {
            match pass.step(&mut stage.phone) {
                Ok(Step::Send(_)) => {
                    let _ = pass.reply(&mut stage.phone, Ok(response.clone()));
                }
                Ok(Step::Done(_)) | Err(_) => break,
            }
        }
        assert_eq!(stage.phone.history().unwrap().len(), 1);
    });
}
