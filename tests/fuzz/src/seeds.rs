//! Good inputs of each kind, from which the fuzzer starts: the corpus of a new target is written by `--bin seeds`.

use crate::codes::declaring;
use crate::objects::{key, keyset, seal};
use testigo_wire::{
    Answer, Ask, BlobReceipt, BlobRef, BlobSecret, Body, BootId, BundleItem, BundleSealer,
    Capability, Code, Deferral, Eid, ElectionId, Enrolment, Envelope, Epoch, Handover, Invitation,
    Notice, NoticeStatus, Pseudonym, Receipt, ReceiptCode, Record, RecordId, Reply, Report,
    ReturnPost, RootId, StoreId, TableId, TallyRecord, Time, TypedTally, cbor, series,
};

/// A tally sheet's text of Venezuela 2024.
const SHEET: &str = "110601011.04.1.0001!436,0,0,4,2,0,0,1,0,0,0,0,0,0,0,1,0,2,3,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,136,0,0,0!0!0";

/// A bulletin of Brazil of 2016, and the two codes of the manual's of 2018.
const BULLETINS: [&str; 2] = [
    "QRBU:1:1 VRQR:1.4 ORIG:VOTA PROC:185 DTPL:20161030 PLEI:188 TURN:2 FASE:O UNFE:PE MUNI:24570 ZONA:101 SECA:1 IDUE:1186497 IDCA:370757488588388650453081 VERS:5.25.0.1 LOCA:1015 APTO:394 COMP:295 FALT:99 DTAB:20161030 HRAB:080000 DTFC:20161030 HRFC:170047 IDEL:221 CARG:11 TIPO:0 VERC:201610061907 12:112 22:130 NOMI:242 BRAN:17 NULO:36 TOTC:295 HASH:CF20FE84112DE58617D7711C6B7E1DAB658C47C0536F53EE77E1477CD9CE70C43AF6FBFBD4964B85B5BAE4C6AB47713A65754192CDE193E340C3DAB69D21155D ASSI:7206F91EEAD3F194CB46FFEA1A82073033ADEAB5CCBFB16B9E305FDACB48F6B5F8595F723CB5754028E02125E60C52E8AFA0237F60BF3CE16CB96AF7047F6F06",
    "QRBU:1:2 VRQR:1.5 VRCH:20180618 ORIG:VOTA ORLC:LEG PROC:15000 DTPL:20181007 PLEI:15100 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:9 SECA:16 AGRE:17.18.19.100 IDUE:1333898 IDCA:610860347874160324266426 VERS:6.28.2.1 LOCA:4 APTO:51 COMP:30 FALT:21 HBMA:0 DTAB:20181007 HRAB:173122 DTFC:20181007 HRFC:180755 IDEL:15103 CARG:6 TIPO:1 VERC:201807111207 PART:91 9101:1 9102:1 9103:1 9104:1 9105:1 LEGP:1 TOTP:6 PART:92 9201:1 9202:1 9203:1 9204:1 9205:1 LEGP:1 TOTP:6 PART:93 9301:1 9302:1 9303:1 9304:1 9305:1 LEGP:1 TOTP:6 PART:94 9401:1 9402:1 9403:1 9404:1 9405:1 LEGP:1 TOTP:6 PART:95 9501:1 9502:1 9503:1 9504:2 LEGP:1 TOTP:6 APTA:51 NOMI:25 LEGC:5 BRAN:0 NULO:0 TOTC:30 CARG:7 TIPO:1 VERC:201807111207 PART:91 91001:1 91002:1 91003:1 LEGP:3 TOTP:6 PART:92 92001:1 92002:1 92003:1 LEGP:3 TOTP:6 PART:93 93001:1 93002:1 93003:1 LEGP:3 TOTP:6 PART:94 94001:1 HASH:153DD1E96C876F062459DC9ACDF640D38BEBC4490C794826D8E7EB3CF4761BD39AFC560BAEF3895A9D3C59F16CDE61028DF07FED861234A0F91C7005AD94F797\nQRBU:2:2 VRQR:1.5 VRCH:20180618 94002:1 94003:1 LEGP:4 TOTP:7 APTA:51 NOMI:12 LEGC:13 BRAN:0 NULO:5 TOTC:30 CARG:5 TIPO:0 VERC:201807111207 911:8 921:3 931:3 941:5 951:7 APTA:51 NOMI:26 BRAN:0 NULO:34 TOTC:60 CARG:3 TIPO:0 VERC:201807111207 91:5 92:8 93:2 94:4 95:6 APTA:51 NOMI:25 BRAN:3 NULO:2 TOTC:30 IDEL:15101 CARG:1 TIPO:0 VERC:201807111207 91:7 92:6 93:3 94:6 95:5 APTA:51 NOMI:27 BRAN:2 NULO:1 TOTC:30 HASH:266788CFBB06EE77DB520DB89C2E60C51F60574E6E322C5F620FE71E691DCBA1E33DB16E2397683E18FE89B7D6F9F9252E6DD318735902EFC109F2E1F61015BF ASSI:0DFEC66ECE3848066CA83EDAA7B9C70CA84D7F40279FD3D44742BCB5BB360D233A89B94686E11C50D363D182A2800BFA6748A8B66BE888394E533F77E9B9B50B",
];
/// Sheets of the formats that the fuzzed pack declares.
const DECLARED: [&str; 3] = [
    "7992739871;3;A:1,B:2;0;3;0",
    "{\"table\":\"7\",\"votes\":{\"A\":1,\"B\":2},\"blank\":0,\"total\":3,\"hash\":\"00\",\"signature\":\"00\"}",
    "P2/2 blank=0 total=3 #00\nP1/2 table=7 votes=A:1,B:2 #00",
];

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
        Record::Typed(TypedTally {
            table: TableId::new("110601011.04").unwrap(),
            votes: vec![140, 7],
            blank: None,
            null: Some(3),
            total: Some(150),
            printed_hash: Some("9f86d081".into()),
            machine_code: None,
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
        "tally" => [&[SHEET][..], &BULLETINS, &DECLARED]
            .concat()
            .into_iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        "formats" => {
            let mut pack = declaring().clone();
            pack.tables.truncate(1);
            let texts = [&BULLETINS[..1], &DECLARED].concat();
            let seeds = texts.iter().enumerate().map(|(n, text)| {
                let mut pack = pack.clone();
                pack.formats.rotate_left((n + 3) % 4);
                pack.formats.truncate(1);
                [&cbor::to_vec(&pack)[..], text.as_bytes()].concat()
            });
            seeds.collect()
        }
        "packs" => crate::packs::pack_seeds(),
        "elections" => crate::packs::election_seeds(),
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
