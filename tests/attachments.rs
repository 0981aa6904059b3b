//! Photographs and other files on their way from a witness's phone to headquarters, with real processes and
//! faults between them. A record is never called delivered while one of its files is missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use data_encoding::{BASE64, HEXLOWER};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use support::{Asked, Chance, HttpAnswer, Phone, SHEET, Stage, TABLE, Way, request};

/// A recording of a form that nobody knows: it must arrive as it is.
const RECORDING: usize = 3_000_000;

fn recording(stage: &Stage, chance: &mut Chance) -> (PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..RECORDING / 8)
        .flat_map(|_| chance.next().to_le_bytes())
        .collect();
    let path = stage.path("recording.bin");
    std::fs::write(&path, &bytes).unwrap();
    (path, bytes)
}

/// A photograph with a place in its EXIF block, and the same without.
fn photograph(stage: &Stage) -> (PathBuf, Vec<u8>) {
    let picture = RgbImage::from_fn(1200, 900, |x, y| {
        Rgb([
            (x * 7 % 256) as u8,
            (y * 5 % 256) as u8,
            ((x ^ y) % 256) as u8,
        ])
    });
    let plain = stage.path("plain.jpg");
    picture.save_with_format(&plain, ImageFormat::Jpeg).unwrap();
    let plain = std::fs::read(plain).unwrap();
    let place = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0 10.4806 N 66.9036 W";
    let mut segment = vec![0xff, 0xe1];
    segment.extend((place.len() as u16 + 2).to_be_bytes());
    segment.extend(place);
    let mut with_place = plain.clone();
    with_place.splice(2..2, segment);
    let path = stage.path("photo.jpg");
    std::fs::write(&path, with_place).unwrap();
    (path, plain)
}

fn states(phone: &Phone) -> Vec<String> {
    (phone.history().into_iter())
        .map(|(_, state)| state)
        .collect()
}

/// The files of the incident with this note.
fn files(stage: &Stage, note: &str) -> Vec<Value> {
    let incident = stage.hq.held().incident(note).clone();
    let attachments = &incident["attachments"];
    let files = attachments["files"].as_array().unwrap().clone();
    assert_eq!(attachments["named"], files.len());
    let held = files.iter().filter(|file| file["held"] == true).count();
    assert_eq!(attachments["held"], held);
    files
}

fn opened(stage: &Stage, file: &Value) -> Vec<u8> {
    let id = file["id"].as_u64().unwrap();
    stage.hq.opened(id, &stage.path(&format!("opened {id}")))
}

/// The recording is held, once and whole, and everything is delivered.
fn assert_arrived(stage: &Stage, phone: &Phone, note: &str, bytes: &[u8]) {
    assert_eq!(states(phone), ["delivered"]);
    let files = files(stage, note);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0]["held"], true);
    assert!(opened(stage, &files[0]) == bytes, "other bytes arrived");
    let uploads = support::contents(&stage.hq.data().join("uploads"));
    assert!(uploads.is_empty(), "{:?}", uploads.keys());
}

/// Bytes of attachments that the phone sent.
fn sent(asked: &[Asked]) -> usize {
    (asked.iter())
        .filter(|asked| asked.what.starts_with("PATCH "))
        .map(|asked| asked.bytes)
        .sum()
}

/// A tus request, as any client makes it.
fn tus(
    stage: &Stage,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> HttpAnswer {
    let address = stage.hq.address();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    request(address, &[head.as_bytes(), body].concat())
}

const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");
const STREAM: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

fn header<'a>(answer: &'a HttpAnswer, name: &str) -> Option<&'a str> {
    (answer.head.lines())
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

fn metadata(sha256: &str, token: &str) -> String {
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value.as_bytes()));
    [pair("sha256", sha256), pair("token", token)].join(",")
}

fn create(stage: &Stage, sha256: &str, size: usize, token: &str) -> HttpAnswer {
    let metadata = metadata(sha256, token);
    let size = size.to_string();
    let headers = [
        TUS,
        ("Upload-Length", &size),
        ("Upload-Metadata", &metadata),
    ];
    tus(stage, "POST", "/v1/blobs", &headers, b"")
}

/// Saves a report with the recording and syncs without a byte of the recording coming through; returns
/// its SHA-256 and size as the phone told them in clear.
fn announced(stage: &Stage, phone: &Phone, file: &Path) -> (String, usize) {
    phone.report_with("recording", file);
    stage.proxy.set_for_chunks(0, Way::RequestCut { at: 0 });
    phone.sync();
    let asked = stage.proxy.take_asked();
    let create = (asked.iter()).find(|asked| asked.what == "POST /v1/blobs");
    let create = create.unwrap_or_else(|| panic!("{asked:?}"));
    let size = create.header("upload-length").unwrap().parse().unwrap();
    let sha256 = (create.header("upload-metadata").unwrap().split(','))
        .find_map(|pair| pair.strip_prefix("sha256 "))
        .map(|value| String::from_utf8(BASE64.decode(value.as_bytes()).unwrap()).unwrap())
        .unwrap();
    (sha256, size)
}

#[test]
fn a_photograph_arrives_byte_for_byte_and_without_its_place() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (photo, plain) = photograph(&stage);
    phone.report_with("the door", &photo);
    let status = phone.run(&["status"]).done().json();
    assert_eq!(status["attachments_queued"], 2, "{status}");
    let report = phone.sync_all_well();
    assert_eq!(report["attachments_delivered"], 2, "{report}");
    assert_eq!(states(&phone), ["delivered"]);

    let files = files(&stage, "the door");
    let (small, whole): (Vec<_>, Vec<_>) =
        (files.iter()).partition(|file| file["thumbnail"] == true);
    assert_eq!((small.len(), whole.len()), (1, 1));
    assert_eq!(whole[0]["media_type"], "image/jpeg");
    assert!(opened(&stage, whole[0]) == plain, "other bytes arrived");
    let small = image::load_from_memory(&opened(&stage, small[0])).unwrap();
    assert_eq!((small.width(), small.height()), (320, 240));

    // Neither side keeps anything that can be read without a key.
    for folder in [stage.hq.data(), &phone.home] {
        for (path, bytes) in support::contents(folder) {
            assert!(
                !bytes.windows(7).any(|seven| seven == b"10.4806"),
                "{path:?}"
            );
            assert!(!bytes.windows(4).any(|four| four == b"JFIF"), "{path:?}");
        }
    }
    // The small picture went first.
    let chunks = stage.proxy.take_asked();
    let lengths: Vec<usize> = (chunks.iter())
        .filter(|asked| asked.what == "POST /v1/blobs")
        .map(|asked| asked.header("upload-length").unwrap().parse().unwrap())
        .collect();
    assert!(lengths[0] < lengths[1], "{lengths:?}");

    // A number that nobody has, and a file that is there already, are told and nothing is written.
    let out = stage.path("nobody");
    for (id, out) in [("999", out.as_path()), ("1", photo.as_path())] {
        let out = out.to_str().unwrap();
        support::run(&["hq", "--data", stage.hq.path(), "blob", id, "--out", out]).exited(2);
    }
    assert!(!out.exists());
}

#[test]
fn a_sheets_photograph_goes_with_its_texts() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let photo = stage.path("sheet.jpg");
    let out = photo.to_str().unwrap();
    support::run(&["sheet", "--text", SHEET, "--out", out]).done();
    phone.run(&["tally", "--photo", out]).done();
    phone.sync_all_well();
    assert_eq!(states(&phone), ["delivered"]);
    let held = stage.hq.held();
    let attachments = &held.table(TABLE)["attachments"];
    assert_eq!(
        (&attachments["named"], &attachments["held"]),
        (&2.into(), &2.into())
    );
}

#[test]
fn a_phone_killed_in_the_middle_goes_on_where_it_was() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, bytes) = recording(&stage, &mut chance);
    phone.report_with("recording", &file);
    stage.proxy.take_asked();
    for _ in 0..3 {
        let before = stage.proxy.stopped();
        let at = chance.next();
        stage.proxy.set_for_chunks(1, Way::Stalls { at });
        let mut shell = phone.shell();
        assert!(shell.tell("sync"));
        stage.proxy.wait_until_stopped(before);
        shell.kill();
        assert_eq!(states(&phone), ["received"]);
    }
    stage.proxy.set(Way::Clear);
    assert_eq!(phone.sync_all_well()["attachments_delivered"], 1);
    assert_arrived(&stage, &phone, "recording", &bytes);
    // What was under way in each of the three kills went twice, and nothing else.
    let asked = stage.proxy.take_asked();
    let stalled: usize = 3 * 128 * 1024;
    assert!(
        sent(&asked) <= RECORDING + RECORDING / 1000 + stalled,
        "{}",
        sent(&asked)
    );
    let created = asked.iter().filter(|asked| asked.what == "POST /v1/blobs");
    assert_eq!(created.count(), 1);
}

#[test]
fn headquarters_killed_in_the_middle_go_on_where_they_were() {
    let mut chance = Chance::new();
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, bytes) = recording(&stage, &mut chance);
    phone.report_with("recording", &file);
    stage.proxy.take_asked();
    for _ in 0..2 {
        let before = stage.proxy.stopped();
        let at = chance.next();
        stage.proxy.set_for_chunks(2, Way::Stalls { at });
        let mut shell = phone.shell();
        assert!(shell.tell("sync"));
        stage.proxy.wait_until_stopped(before);
        stage.restart_hq();
        let report = shell.json();
        assert_eq!(report["failure"]["code"], "no-network", "{report}");
        drop(shell);
        assert_eq!(states(&phone), ["received"]);
    }
    stage.proxy.set(Way::Clear);
    assert_eq!(phone.sync_all_well()["attachments_delivered"], 1);
    assert_arrived(&stage, &phone, "recording", &bytes);
    let asked = stage.proxy.take_asked();
    assert!(
        sent(&asked) <= RECORDING + RECORDING / 1000 + 2 * 256 * 1024,
        "{}",
        sent(&asked)
    );
}

#[test]
fn a_lost_last_reply_gives_the_receipt_on_the_next_sync() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let file = stage.path("small.bin");
    std::fs::write(&file, b"sixteen bytes...").unwrap();
    phone.report_with("small", &file);
    stage.proxy.set_for_chunks(0, Way::ReplyLost);
    let report = phone.sync();
    assert_eq!(report["failure"]["code"], "no-network", "{report}");
    // Headquarters hold it; the phone has no receipt and says so.
    assert_eq!(files(&stage, "small")[0]["held"], true);
    assert_eq!(states(&phone), ["received"]);
    stage.proxy.take_asked();

    stage.proxy.set(Way::Clear);
    let report = phone.sync_all_well();
    assert_eq!(report["attachments_delivered"], 1, "{report}");
    assert_eq!(sent(&stage.proxy.take_asked()), 0);
    assert_arrived(&stage, &phone, "small", b"sixteen bytes...");
}

#[test]
fn nobody_elses_upload_poisons_ones_own() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, bytes) = recording(&stage, &mut chance);
    let (sha256, size) = announced(&stage, &phone, &file);

    // Whoever knows the hash may begin uploads of their own, and no more than a few.
    let mut uploads = Vec::new();
    for token in 0..7 {
        let created = create(&stage, &sha256, size, &format!("{token:032x}"));
        assert_eq!(created.status, 201, "{created:?}");
        assert!(header(&created, "upload-expires").is_some(), "{created:?}");
        uploads.push(header(&created, "location").unwrap().to_owned());
    }
    create(&stage, &sha256, size, &"f".repeat(32)).problem(409);
    // The same pair is the same upload.
    let again = create(&stage, &sha256, size, &format!("{:032x}", 3));
    assert_eq!(header(&again, "location").unwrap(), uploads[3]);

    // Half of one is garbage for ever; a whole of garbage is found out and removed.
    let garbage = vec![7; size];
    let half = [TUS, STREAM, ("Upload-Offset", "0")];
    let answer = tus(&stage, "PATCH", &uploads[0], &half, &garbage[..size / 2]);
    assert_eq!(answer.status, 204, "{answer:?}");
    let answer = tus(&stage, "PATCH", &uploads[1], &half, &garbage);
    assert_eq!(answer.problem(422)["code"], "hash");
    assert_eq!(tus(&stage, "HEAD", &uploads[1], &[TUS], b"").status, 404);
    assert_eq!(files(&stage, "recording")[0]["held"], false);
    assert_eq!(states(&phone), ["received"]);

    stage.proxy.set(Way::Clear);
    assert_eq!(phone.sync_all_well()["attachments_delivered"], 1);
    assert_arrived(&stage, &phone, "recording", &bytes);
    // The others are told that it is held.
    let answer = tus(&stage, "HEAD", &uploads[0], &[TUS], b"");
    assert_eq!(header(&answer, "upload-offset").unwrap(), size.to_string());
    assert!(header(&answer, "testigo-blob-receipt").is_some());
    let created = create(&stage, &sha256, size, &"e".repeat(32));
    assert_eq!(created.status, 201);
    assert!(header(&created, "testigo-blob-receipt").is_some());
}

#[test]
fn what_no_envelope_names_is_refused() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, _) = recording(&stage, &mut chance);
    let (sha256, size) = announced(&stage, &phone, &file);
    let token = "0".repeat(32);
    let other = HEXLOWER.encode(&Sha256::digest(b"something else"));
    assert_eq!(
        create(&stage, &other, size, &token).problem(403)["code"],
        "not_named"
    );
    assert_eq!(
        create(&stage, &sha256, size - 1, &token).problem(403)["code"],
        "not_named"
    );
    create(&stage, &sha256, 5 << 30, &token).problem(413);
    create(&stage, "no hash", size, &token).problem(400);
    create(&stage, &sha256, size, "no token").problem(400);
}

#[test]
fn the_protocol_as_any_client_speaks_it() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, _) = recording(&stage, &mut chance);
    let (sha256, size) = announced(&stage, &phone, &file);
    let sealed = std::fs::read(phone.home.join("blobs").join(&sha256)).unwrap();
    assert_eq!(sealed.len(), size);

    let options = tus(&stage, "OPTIONS", "/v1/blobs", &[], b"");
    assert_eq!(options.status, 204);
    assert_eq!(
        header(&options, "tus-extension"),
        Some("creation,checksum,expiration")
    );
    assert_eq!(
        header(&options, "tus-checksum-algorithm"),
        Some("sha1,sha256")
    );
    let created = create(&stage, &sha256, size, &"a".repeat(32));
    let upload = header(&created, "location").unwrap().to_owned();
    let offset = || {
        let answer = tus(&stage, "HEAD", &upload, &[TUS], b"");
        assert_eq!(answer.status, 200);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(header(&answer, "upload-length").unwrap(), size.to_string());
        header(&answer, "upload-offset")
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let patch =
        |headers: &[(&str, &str)], body: &[u8]| tus(&stage, "PATCH", &upload, headers, body);
    let zero = ("Upload-Offset", "0");

    // Nothing of a refused request is kept.
    let version = patch(&[("Tus-Resumable", "0.2.2"), STREAM, zero], b"x");
    version.problem(412);
    assert_eq!(header(&version, "tus-version"), Some("1.0.0"));
    patch(&[TUS, ("Content-Type", "text/plain"), zero], b"x").problem(415);
    patch(&[TUS, STREAM], b"x").problem(400);
    patch(&[TUS, STREAM, ("Upload-Offset", "1")], b"x").problem(409);
    // Whoever is still sending a whole chunk hears why it is refused, too.
    let elsewhere = [TUS, STREAM, ("Upload-Offset", "1")];
    patch(&elsewhere, &sealed[..1 << 20]).problem(409);
    patch(&[TUS, STREAM, zero], &vec![0; size + 1]).problem(413);
    let chunk = &sealed[..100_000];
    let sha1 = format!("sha1 {}", BASE64.encode(&sha1::Sha1::digest(chunk)));
    let right = format!("sha256 {}", BASE64.encode(&Sha256::digest(chunk)));
    let wrong = patch(
        &[TUS, STREAM, zero, ("Upload-Checksum", &right)],
        &sealed[1..100_001],
    );
    assert_eq!(wrong.problem(460)["code"], "checksum");
    patch(&[TUS, STREAM, zero, ("Upload-Checksum", "md5 AA==")], chunk).problem(400);
    tus(&stage, "DELETE", &upload, &[TUS], b"").problem(405);
    let nothing = tus(&stage, "HEAD", "/v1/blobs/nothing", &[TUS], b"");
    assert_eq!(nothing.status, 404);
    assert_eq!(offset(), 0);

    // Both checksums; then, by POST alone, all the rest in one request.
    let first = patch(&[TUS, STREAM, zero, ("Upload-Checksum", &sha1)], chunk);
    assert_eq!((first.status, offset()), (204, 100_000));
    assert!(header(&first, "upload-expires").is_some());
    let chunk = &sealed[100_000..150_000];
    let sha256_of = format!("sha256 {}", BASE64.encode(&Sha256::digest(chunk)));
    let at = ("Upload-Offset", "100000");
    let second = patch(&[TUS, STREAM, at, ("Upload-Checksum", &sha256_of)], chunk);
    assert_eq!((second.status, offset()), (204, 150_000));
    let over = ("X-HTTP-Method-Override", "PATCH");
    let at = ("Upload-Offset", "150000");
    let last = tus(
        &stage,
        "POST",
        &upload,
        &[TUS, STREAM, at, over],
        &sealed[150_000..],
    );
    assert_eq!(last.status, 204, "{last:?}");
    assert_eq!(header(&last, "upload-offset").unwrap(), size.to_string());
    assert!(header(&last, "testigo-blob-receipt").is_some());
    assert_eq!(offset(), size);
    // What another client brought whole need not come again.
    stage.proxy.set(Way::Clear);
    stage.proxy.take_asked();
    assert_eq!(phone.sync_all_well()["attachments_delivered"], 1);
    assert!(sent(&stage.proxy.take_asked()) < size);
}

#[test]
fn records_go_before_files_also_in_the_middle_of_one() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (file, bytes) = recording(&stage, &mut chance);
    phone.report_with("recording", &file);
    phone.report("before");
    let before = stage.proxy.stopped();
    stage.proxy.set_for_chunks(2, Way::Held);
    let mut shell = phone.shell();
    assert!(shell.tell("sync"));
    stage.proxy.wait_until_stopped(before);
    phone.report("meanwhile");
    stage.proxy.set(Way::Clear);
    let report = shell.json();
    assert!(report["failure"].is_null(), "{report}");
    assert_eq!(
        (&report["delivered"], &report["attachments_delivered"]),
        (&3.into(), &1.into())
    );
    let asked = stage.proxy.take_asked();
    let order: Vec<&str> = (asked.iter())
        .map(|asked| asked.what.split("/v1/blobs/").next().unwrap())
        .collect();
    // Both records, the upload's creation, two chunks and the one that was held; then the new record.
    assert_eq!(
        order[..7],
        [
            "POST /v1/envelopes",
            "POST /v1/blobs",
            "PATCH ",
            "PATCH ",
            "PATCH ",
            "POST /v1/envelopes",
            "PATCH "
        ]
    );
    let files = files(&stage, "recording");
    assert!(opened(&stage, &files[0]) == bytes);
    assert_eq!(states(&phone), ["delivered"; 3]);
}
