//! The searcher: whoever has the phone's folder, a bundle, the wire, or headquarters' disk reads every byte of it and looks
//! for what was said, where, when, and by whom.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use image::{ImageFormat, Rgb, RgbImage};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use support::{
    Exchange, Phone, SHEET, Stage, TABLE, contents, desk_values, ingest_values, phone_database,
    phone_key, values,
};
use testigo_sqlite::DatabaseKey;
use testigo_wire::{BlobSecret, Envelope, Invitation, SealSecretKey, SigningKey, Time, open_whole};

const PIN: &str = "428619";
const DURESS: &str = "777333";
const NOTE: &str = "soldados en la puerta del liceo";
const PHOTO: &str = "foto-de-la-mesa.jpg";
const GIVER: &str = "testigo-Marabunta";
const TAKER: &str = "lancha-Relampago";
const PLACE: &str = "muelle viejo";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A photograph whose name and bytes are looked for.
fn photograph(stage: &Stage) -> PathBuf {
    let picture = RgbImage::from_fn(500, 400, |x, y| {
        Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, (x ^ y) as u8])
    });
    let path = stage.path(PHOTO);
    picture.save_with_format(&path, ImageFormat::Jpeg).unwrap();
    path
}

/// What is looked for: what it is, and bytes that say it.
fn needles(phone: &Phone, photo: &[u8], code: &str) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let text = |text: &str| text.as_bytes().to_vec();
    // Times as texts and as numbers, as the phone itself tells them.
    let mut times = Vec::new();
    for item in phone.run(&["list"]).done().json().as_array().unwrap() {
        let at = item["saved_at"].as_str().unwrap();
        times.push(text(&at[..16]));
        let millis = Time::from_rfc3339(at).unwrap().millis();
        times.push(millis.to_be_bytes()[2..].to_vec());
        times.push(millis.to_le_bytes()[..6].to_vec());
    }
    assert!(times.len() >= 9);
    let invitation = Invitation::from_text(code).unwrap();
    let seed = invitation.capability.signing_key().unwrap().seed();
    BTreeMap::from([
        ("note", vec![text(NOTE), text("soldados"), text("liceo")]),
        ("table", vec![text(TABLE)]),
        ("text of the sheet's code", vec![text(&SHEET[20..50])]),
        ("times", times),
        ("name of a file", vec![text(PHOTO), text("foto-de-la")]),
        (
            "picture",
            vec![
                photo[700..740].to_vec(),
                photo[photo.len() / 2..][..40].to_vec(),
            ],
        ),
        (
            "pseudonyms and place",
            vec![text(GIVER), text(TAKER), text(PLACE)],
        ),
        ("enrolment code", vec![text(&code[9..60]), seed.to_vec()]),
    ])
}

/// Whether any of these stands in the bytes, also as UTF-16 or in another case.
fn found(bytes: &[u8], needles: &[Vec<u8>]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    needles.iter().any(|needle| {
        let wide: Vec<u8> = needle.iter().flat_map(|byte| [*byte, 0]).collect();
        memchr::memmem::find(bytes, needle).is_some()
            || memchr::memmem::find(bytes, &wide).is_some()
            || (needle.is_ascii()
                && memchr::memmem::find(&lower, &needle.to_ascii_lowercase()).is_some())
    })
}

/// Headquarters that serve and write down all that they can say of it.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(stage: &Stage, log: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_testigo"))
            .args(["--json", "hq", "--data", stage.hq.path()])
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("TESTIGO_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = said["listening"].as_str().unwrap();
        let address = address.trim_start_matches("http://").parse().unwrap();
        stage.proxy.lead_to(address);
        Self { child, address }
    }

    /// Waits until the desk has opened everything.
    fn settled(&self) {
        while support::get(self.address, "/v1/health").json()["unopened"] != 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whatever ingest keeps, opened with the key of its database: all tables, none left out.
fn ingest_tables(data: &Path) -> Vec<u8> {
    let values = ingest_values(data);
    for table in [
        "identity",
        "capability",
        "arrival",
        "device",
        "named_blob",
        "blob",
        "notice",
    ] {
        assert!(
            values.iter().any(|(of, _)| of == table),
            "{table} is empty: nothing would be looked through"
        );
    }
    (values.into_iter())
        .flat_map(|(_, value)| [value, b" ".to_vec()].concat())
        .collect()
}

/// The keys that a machine with ingest alone has (docs/keys.md): its database's, those of receipts and of TLS.
fn is_ingests(name: &str) -> bool {
    name == "database.key" || name.starts_with("receipt") || name.starts_with("tls")
}

/// Tries ingest's keys, and every 32 bytes in a row of its database, on all that is sealed in headquarters' folder: none is
/// the desk's, and none opens anything but ingest's own database. Returns what ingest's files are made of.
fn opened_by_ingest(data: &Path) -> Vec<u8> {
    let keys = contents(&data.join("keys"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (ingests, desks): (Vec<_>, Vec<_>) =
        (keys.into_iter()).partition(|(path, _)| is_ingests(&name(path)));
    let names: Vec<String> = desks.iter().map(|(path, _)| name(path)).collect();
    assert_eq!(
        names,
        ["database-desk.key", "desk.key", "root.key", "seal.key"],
        "the desk's and the root's"
    );
    let names: Vec<String> = ingests.iter().map(|(path, _)| name(path)).collect();
    assert_eq!(
        names,
        ["database.key", "receipt.key"],
        "this stage speaks no TLS"
    );

    let mut material: Vec<u8> = Vec::new();
    let mut candidates: Vec<[u8; 32]> = Vec::new();
    let values = ingest_values(data).into_iter().map(|(_, value)| value);
    let files = ingests.into_iter().map(|(_, bytes)| bytes);
    for bytes in values.chain(files) {
        candidates.extend(
            bytes
                .windows(32)
                .map(|key| <[u8; 32]>::try_from(key).unwrap()),
        );
        material.extend(bytes);
    }
    candidates.sort_unstable();
    candidates.dedup();
    assert!(candidates.len() > 1000, "{}", candidates.len());
    for (path, bytes) in &desks {
        let key: [u8; 32] = bytes.as_slice().try_into().unwrap();
        let there = memchr::memmem::find(&material, &key).is_some();
        assert!(!there, "{} is in what ingest has", path.display());
    }

    // Sealed envelopes, files, enrolment codes: whatever opens one of them would be in here.
    let codes = std::fs::read_to_string(data.join("capabilities")).unwrap();
    let codes: Vec<Vec<u8>> = (codes.lines().filter(|line| !line.is_empty()))
        .map(|line| data_encoding::HEXLOWER.decode(line.as_bytes()).unwrap())
        .collect();
    assert!(!codes.is_empty());
    let blobs: Vec<Vec<u8>> = contents(&data.join("blobs")).into_values().collect();
    let opens_codes = |key: &[u8; 32]| {
        let derived = BlobSecret::derived(key, b"testigo/1/capabilities").unwrap();
        let secrets = [BlobSecret::from_bytes(*key), derived];
        (secrets.iter()).any(|secret| {
            let mut letters = codes.iter();
            letters.any(|code| secret.open_letter(b"testigo/1/capabilities", code).is_ok())
        })
    };
    for key in &candidates {
        assert!(!opens_codes(key));
        let secret = BlobSecret::from_bytes(*key);
        assert!(
            blobs
                .iter()
                .all(|sealed| open_whole(&secret, sealed).is_err())
        );
    }
    // The looking itself works: the desk's key opens them.
    let desk: [u8; 32] = (desks.iter())
        .find_map(|(path, bytes)| (name(path) == "database-desk.key").then_some(bytes))
        .map(|bytes| bytes.as_slice().try_into().unwrap())
        .unwrap();
    assert!(opens_codes(&desk));

    // Nor does any of its keys open the desk's database.
    let id = u32::from_be_bytes(*b"TsHD");
    let opens = |key: [u8; 32]| {
        let key = DatabaseKey::from_bytes(key);
        testigo_sqlite::open_reader(&data.join("desk.db"), &key, id).is_ok()
    };
    for key in ["database.key", "receipt.key"] {
        assert!(!opens(support::key_file(&data.join("keys"), key)), "{key}");
    }
    assert!(opens(desk));
    material
}

#[test]
fn a_day_of_use_leaves_nothing_to_be_read() {
    let mut stage = Stage::new();
    stage.hq.kill();
    let log = stage.path("log");
    let serving = Serving::start(&stage, &log);
    let image = stage.path("phone.png");
    stage.hq.invite(TABLE, &image);
    let phone = Phone::init(stage.path("phone"));
    phone.enrol(&image, &stage.hq.public()).done();
    let scanned = support::run(&["scan", text(&image)]).done().out;
    let scanned: serde_json::Value = serde_json::from_str(scanned.lines().next().unwrap()).unwrap();
    let code = scanned["codes"][0]["text"].as_str().unwrap().to_owned();
    let path = photograph(&stage);
    let photo = std::fs::read(&path).unwrap();

    phone.report_with(NOTE, &path);
    phone.tally(SHEET);
    let handover = ["handover", "--from", GIVER, "--to", TAKER, "--place", PLACE];
    phone.run(&handover).done();
    let needles = needles(&phone, &photo, &code);
    let pins = format!("{PIN}\n{DURESS}\n");
    phone
        .run_with_input(&["pin", "set"], pins.as_bytes())
        .done();
    phone
        .run_with_input(&["duress", "set"], pins.as_bytes())
        .done();
    let bundle = stage.path("bundle.bin");
    phone.run(&["bundle", "--out", text(&bundle)]).done();
    phone.sync_all_well();
    phone.sync_all_well();
    serving.settled();
    // Something waits still, behind the PIN; and the duress PIN was given.
    phone.report_with(NOTE, &path);
    phone.tally(SHEET);
    phone.run(&handover).done();
    let shown = phone.run_with_input(&["--pin-stdin", "list"], format!("{DURESS}\n").as_bytes());

    let mut places: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let all = |folder: &Path| -> Vec<u8> {
        // With their names, as a searcher sees them.
        (contents(folder).into_iter())
            .flat_map(|(path, bytes)| [path.to_str().unwrap().as_bytes().to_vec(), bytes].concat())
            .collect()
    };
    places.insert("the phone's folder", all(&phone.home));
    places.insert("a list under duress", shown.done().out.into_bytes());
    let store = phone_database(&phone.home);
    let values = values(&store, None)
        .into_iter()
        .flat_map(|(_, value)| value);
    places.insert("the phone's store, its key in hand", values.collect());
    let queued: u64 =
        (store.query_row("SELECT count(*) FROM envelope WHERE state = 0", [], |row| {
            row.get(0)
        }))
        .unwrap();
    assert_eq!(queued, 4);
    let readable: u64 =
        (store.query_row("SELECT count(*) FROM sealed_history", [], |row| row.get(0))).unwrap();
    assert_eq!(readable, 4, "what was delivered has burned");
    places.insert("a bundle", std::fs::read(&bundle).unwrap());
    let mut wire = Vec::new();
    for exchange in stage.proxy.take_exchanges() {
        wire.extend(exchange.request);
        wire.extend(exchange.reply);
    }
    for asked in stage.proxy.take_asked() {
        wire.extend(format!("{asked:?}").into_bytes());
    }
    places.insert("the wire", wire);
    let data = stage.hq.data();
    let mut disk = Vec::new();
    for (path, bytes) in contents(data) {
        // What is in `public` is for everybody.
        if !path.starts_with(data.join("public")) {
            disk.extend(path.to_str().unwrap().as_bytes());
            disk.extend(bytes);
        }
    }
    places.insert("headquarters' disk", disk);
    places.insert("ingest's tables, its keys in hand", ingest_tables(data));
    places.insert(
        "what ingest's keys open of its files",
        opened_by_ingest(data),
    );
    places.insert("headquarters' log", std::fs::read(&log).unwrap());

    let mut failed = Vec::new();
    println!("{:<36}{:>10}  looked for, not found", "place", "bytes");
    for (place, bytes) in &places {
        assert!(
            bytes.len() > 100,
            "{place} is empty: nothing was looked through"
        );
        let mut missing = Vec::new();
        for (what, needles) in &needles {
            let excepted = match *place {
                // They have times of their own, of the same minute.
                "headquarters' log" | "a list under duress" => *what == "times",
                // The election's pack names all tables, the row beside it the witness's own; SECURITY.md says so.
                "the phone's store, its key in hand" => matches!(*what, "table" | "times"),
                _ => false,
            };
            if excepted {
                continue;
            }
            match found(bytes, needles) {
                true => failed.push(format!("{what} in {place}")),
                false => missing.push(*what),
            }
        }
        println!("{place:<36}{:>10}  {}", bytes.len(), missing.join(", "));
    }
    assert!(failed.is_empty(), "READABLE: {failed:?}");

    // The looking itself works: the desk's tables, under its own key, have all of it; so has what staff sees.
    let desk: Vec<u8> = (desk_values(data).into_iter())
        .flat_map(|(_, value)| [value, b" ".to_vec()].concat())
        .collect();
    for what in [
        "note",
        "table",
        "text of the sheet's code",
        "pseudonyms and place",
    ] {
        assert!(found(&desk, &needles[what]), "{what}");
    }
    let shown = stage.hq.run(&["table"]).done().out + &stage.hq.run(&["custody"]).done().out;
    for what in ["note", "table", "pseudonyms and place"] {
        assert!(found(shown.as_bytes(), &needles[what]), "{what}");
    }
}

/// Everything of a phone that may be a key: every 32 bytes in a row of its store, of its key files, and of what they
/// open.
fn candidates(home: &Path) -> Vec<[u8; 32]> {
    let mut material = vec![phone_key(home).to_vec()];
    for name in ["unsafe-key", "unsafe-history-key", "store-key"] {
        material.push(std::fs::read(home.join(name)).unwrap());
    }
    material.extend(
        (values(&phone_database(home), None).into_iter())
            .filter(|(table, _)| {
                table != "headquarters" && table != "envelope" && table != "sealed_history"
            })
            .map(|(_, value)| value),
    );
    let mut found: Vec<[u8; 32]> = (material.iter())
        .flat_map(|bytes| bytes.windows(32).map(|key| key.try_into().unwrap()))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn recorded_traffic_opens_with_no_key_of_the_device() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let path = photograph(&stage);
    phone.report_with(NOTE, &path);
    phone.tally(SHEET);
    phone.sync_all_well();
    let device = (phone_database(&phone.home))
        .query_row("SELECT seed FROM device", [], |row| {
            row.get::<_, Vec<u8>>(0)
        })
        .unwrap();
    let device = SigningKey::from_seed(&device.try_into().unwrap()).verifying_key();
    let (mut envelopes, mut uploads) = (Vec::new(), Vec::new());
    for exchange in stage.proxy.take_exchanges() {
        for thing in Exchange::items(&exchange.request).unwrap_or_default() {
            let envelope = Envelope::parse(&thing).and_then(|envelope| envelope.verify(&device));
            envelopes.extend(envelope.ok());
        }
    }
    for (_, bytes) in contents(&stage.hq.data().join("blobs")) {
        uploads.push(bytes);
    }
    assert_eq!(
        (envelopes.len(), uploads.len()),
        (2, 2),
        "a file and its small picture"
    );

    let candidates = candidates(&phone.home);
    assert!(candidates.len() > 100, "{}", candidates.len());
    for candidate in &candidates {
        let key = SealSecretKey::from_bytes(candidate);
        assert!(
            envelopes
                .iter()
                .all(|envelope| envelope.open(&key).is_err())
        );
        let secret = BlobSecret::from_bytes(*candidate);
        assert!(
            uploads
                .iter()
                .all(|sealed| open_whole(&secret, sealed).is_err())
        );
    }
    // The looking itself works: headquarters' key opens all of it.
    let key = std::fs::read(stage.hq.data().join("keys/seal.key")).unwrap();
    let key = SealSecretKey::from_bytes(&key.try_into().unwrap());
    let bodies: Vec<_> = (envelopes.iter())
        .map(|envelope| envelope.open(&key).unwrap())
        .collect();
    for attachment in bodies.iter().flat_map(|body| &body.attachments) {
        assert!(
            uploads
                .iter()
                .any(|sealed| open_whole(&attachment.secret, sealed).is_ok())
        );
    }
}
