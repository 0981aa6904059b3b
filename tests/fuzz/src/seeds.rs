//! Good inputs of each kind, from which the fuzzer starts: the corpus of a new target is written by `--bin seeds`.

use crate::objects::{key, keyset, seal};
use testigo_wire::{
    Answer, Ask, BlobReceipt, BlobRef, BlobSecret, Body, BootId, BundleItem, BundleSealer,
    Capability, Code, Deferral, Eid, ElectionId, Enrolment, Envelope, Epoch, Handover, Invitation,
    Notice, NoticeStatus, Pseudonym, Receipt, ReceiptCode, Record, RecordId, Reply, Report,
    ReturnPost, RootId, StoreId, TableId, TallyRecord, Time, series,
};

/// A tally sheet's text of Venezuela 2024.
const SHEET: &str = "110601011.04.1.0001!436,0,0,4,2,0,0,1,0,0,0,0,0,0,0,1,0,2,3,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,136,0,0,0!0!0";

fn time() -> Time {
    Time::from_millis(1_722_200_000_000, -240).unwrap()
}

fn records() -> Vec<Record> {
    vec![
        Record::Report(Report {
            note: Some("two blocks dark".into()),
            started: Some(time()),
            people: Some(3),
            ..Report::new(Code(21))
        }),
        Record::Tally(TallyRecord::new([SHEET.as_bytes().to_vec()])),
        Record::Handover(Handover {
            what: Handover::SHEET,
            from: Pseudonym::new("witness-7").ok(),
            to: Pseudonym::new("boat-2").ok(),
            at: Some(time()),
            place: Some("the jetty".into()),
        }),
    ]
}

fn body(record: &Record) -> Body {
    Body {
        record_id: RecordId([1; 16]),
        store_id: StoreId([2; 16]),
        sequence: 7,
        lane: record.lane(),
        kind: record.kind(),
        table: TableId::new("110601011.04").ok(),
        claimed_at: Some(time()),
        saved_at: time(),
        monotonic_ms: 86_400_000,
        boot_id: BootId([3; 16]),
        last_hq_time: Some(time()),
        since_unlock_ms: Some(1500),
        attachments: vec![],
        warnings: vec![],
        record: record.to_bytes(),
    }
}

struct Objects {
    enrolment: Vec<u8>,
    envelope: Vec<u8>,
    ask: Vec<u8>,
    receipt: Vec<u8>,
    blob_receipt: Vec<u8>,
    notice: Vec<u8>,
    keyset: Vec<u8>,
}

fn objects() -> Objects {
    let election = ElectionId([4; 8]);
    let record = &records()[0];
    let public = seal().public_key().unwrap();
    let blob = BlobRef {
        sha256: [6; 32],
        size: 7,
    };
    Objects {
        enrolment: Enrolment::new(election, key().verifying_key(), StoreId([2; 16]))
            .sign(&key())
            .unwrap(),
        envelope: Envelope::seal(&body(record), election, &public, &key())
            .unwrap()
            .as_bytes()
            .to_vec(),
        ask: Ask::new(Epoch([1; 16]), 9).sign(&key()).unwrap(),
        receipt: Receipt::new(
            StoreId([2; 16]),
            Eid([3; 32]),
            time(),
            ReceiptCode::ACCEPTED,
        )
        .sign(&key())
        .unwrap(),
        blob_receipt: BlobReceipt::new(blob).sign(&key()).unwrap(),
        notice: Notice::new(Eid([3; 32]), NoticeStatus::READ, true, time())
            .sign(&key())
            .unwrap(),
        keyset: keyset().sign(&key()).unwrap(),
    }
}

fn reply(objects: &Objects) -> Reply {
    Reply {
        epoch: Epoch([1; 16]),
        keyset: 1,
        answers: vec![
            Answer::Keyset(objects.keyset.clone()),
            Answer::Receipt(objects.receipt.clone()),
            Answer::Deferred {
                eid: Eid([3; 32]),
                deferral: Deferral::UNKNOWN_DEVICE,
            },
            Answer::Notice {
                number: 3,
                notice: objects.notice.clone(),
            },
            Answer::BlobReceipt(objects.blob_receipt.clone()),
        ],
    }
}

fn bundle(objects: &Objects) -> Vec<u8> {
    let (mut sealer, mut file) = BundleSealer::new(
        &seal().public_key().unwrap(),
        &BlobSecret::from_bytes([8; 32]),
    )
    .unwrap();
    let blob = BlobRef {
        sha256: [6; 32],
        size: 7,
    };
    let piece = BundleItem::Piece {
        blob,
        offset: 0,
        bytes: b"a piece",
    };
    let items = [
        objects.enrolment.clone(),
        BundleItem::Return(BlobSecret::from_bytes([5; 32]))
            .to_bytes()
            .unwrap(),
        objects.envelope.clone(),
        piece.to_bytes().unwrap(),
    ];
    for item in items {
        file.extend(sealer.add(&item).unwrap());
    }
    file.extend(sealer.finish().unwrap());
    file
}

fn post(objects: &Objects) -> Vec<u8> {
    let mut post = ReturnPost::default();
    post.add(&BlobSecret::from_bytes([5; 32]), &reply(objects))
        .unwrap();
    post.to_bytes().to_vec()
}

fn invitation() -> Vec<u8> {
    let invitation = Invitation {
        capability: Capability::random().unwrap(),
        root: RootId([1; 16]),
        election: ElectionId([4; 8]),
        table: TableId::new("110601011.04").ok(),
    };
    invitation.to_text().as_bytes().to_vec()
}

fn request(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\n\n", body].concat()
}

fn requests(objects: &Objects) -> Vec<Vec<u8>> {
    let sent = [&objects.enrolment[..], &objects.envelope, &objects.ask].concat();
    vec![
        request(
            "POST\n/v1/envelopes\ncontent-type:application/cbor-seq",
            &sent,
        ),
        request("GET\n/v1/results\naccept:application/json", b""),
        request("GET\n/\naccept-language:es", b""),
        request(
            "POST\n/v1/blobs\ntus-resumable:1.0.0\nupload-length:7\nupload-metadata:sha256 BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY=,token AQEBAQEBAQEBAQEBAQEBAQ==",
            b"",
        ),
        request(
            "PATCH\n/v1/blobs/00000000000000000000000000000000\ntus-resumable:1.0.0\nupload-offset:0\ncontent-type:application/offset+octet-stream\nupload-checksum:sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            b"a chunk",
        ),
        request(
            "HEAD\n/v1/blobs/00000000000000000000000000000000\ntus-resumable:1.0.0",
            b"",
        ),
        request("OPTIONS\n/v1/blobs\ntus-resumable:1.0.0", b""),
        request("GET\n/v1/incidents?after=1", b""),
    ]
}

/// Small files of each form, all of them with metadata to take out.
fn files() -> Vec<Vec<u8>> {
    let jpeg = b"\xff\xd8\xff\xe1\x00\x0cExif\0\0MM\xff\xdb\x00\x04\0\0\xff\xc0\x00\x08\x08\0\x01\0\x01\0\xff\xda\x00\x03\0\x55\xff\xd9";
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\x04tEXtabcd\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82";
    let webp = b"RIFF\x1e\0\0\0WEBPVP8 \x04\0\0\0\0\0\0\0EXIF\x04\0\0\0MM\0\x2a";
    let mp4 = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x1cmoov\0\0\0\x0cudta\0\0\0\0\0\0\0\x08free\0\0\0\x08mdat";
    vec![jpeg.to_vec(), png.to_vec(), webp.to_vec(), mp4.to_vec()]
}

/// Good inputs of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let objects = objects();
    match target {
        "objects" => vec![
            objects.envelope,
            objects.enrolment,
            objects.ask,
            objects.receipt,
            objects.blob_receipt,
            objects.notice,
            objects.keyset,
        ],
        "bodies" => {
            let records = records();
            let padded = records
                .iter()
                .map(|r| body(r).to_padded().unwrap().to_vec());
            padded.chain(records.iter().map(Record::to_bytes)).collect()
        }
        "replies" => vec![reply(&objects).to_bytes()],
        "bundles" => vec![bundle(&objects), post(&objects)],
        "codes" => {
            let parts = series(&[7; 1500]).unwrap().join("\n").into_bytes();
            vec![
                invitation(),
                parts,
                b"boat-2".to_vec(),
                b"2024-07-28T21:30:00-04:00".to_vec(),
            ]
        }
        "tally" => vec![SHEET.as_bytes().to_vec()],
        // A square with something like a finder pattern.
        "scan" => vec![[&[21, 21][..], &[0; 220], &[255; 221]].concat()],
        "media" => files(),
        "answers" => {
            let body = reply(&objects).to_bytes();
            vec![
                [&[0][..], &body].concat(),
                [&[84][..], b"/v1/blobs/1"].concat(),
            ]
        }
        "http" => requests(&objects),
        _ => Vec::new(),
    }
}
