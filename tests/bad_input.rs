//! What people, damaged disks and attackers hand in. Each gets an error that names the field and says
//! what to do, and nothing that was saved before is lost by it. What is evidence is saved all the same.
//!
//! Random bytes print their seed; `TESTIGO_TEST_SEED=N` repeats them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use support::{
    Chance, Ended, Exchange, Headquarters, HttpAnswer, LIMIT, OTHER_TABLE, Phone, SHEET, Saved,
    Stage, TABLE, contents, post, run, warnings,
};
use testigo_wire::{Answer, Deferral, Receipt, Reply};

/// It was refused with this code, and the sentence names these words.
#[track_caller]
fn assert_refused(ended: Ended, code: &str, words: &[&str]) {
    let ended = ended.exited(2);
    assert_eq!(ended.text("/error/code"), code, "{ended:?}");
    let sentence = ended.text("/error/sentence");
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    }
}

#[test]
fn a_report_that_cannot_be_understood_names_the_field_and_saves_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let refused = |arguments: &[&str], field: &str| {
        assert_refused(phone.run(arguments), "input", &[field]);
    };
    refused(&["report", "77"], "code");
    refused(&["report", "0"], "code");
    let note = "ñ".repeat(501);
    refused(&["report", "99", "--note", &note], "note");
    refused(&["report", "21", "--started", "half past two"], "started");
    refused(&["report", "21", "--ended", "2024-07-28 14:30"], "ended");
    refused(
        &["report", "21", "--ended", "2024-02-30T14:30:00-04:00"],
        "ended",
    );
    let table = "1".repeat(65);
    refused(&["report", "11", "--table", &table], "table");
    refused(&["report", "11", "--table", "two words"], "table");
    refused(&["tally", SHEET, "--table", &table], "table");
    // Not even a number: that is wrong usage, which clap names.
    let usage = phone.run(&["report", "eleven"]).exited(2);
    assert!(
        usage.err.contains("eleven") || usage.out.contains("eleven"),
        "{usage:?}"
    );

    assert_eq!(phone.history(), []);
    assert_eq!(phone.queued(), 0);

    // What is just within the bounds is taken, letter by letter.
    let note = "ñ".repeat(500);
    phone.report(&note);
    let table = "1".repeat(64);
    phone.run(&["report", "11", "--table", &table]).done();
    phone.sync_all_well();
    let held = stage.hq.held();
    assert_eq!(held.incident(&note)["code"], 99);
    assert_eq!(held.incidents().len(), 2);
    assert!(
        held.incidents()
            .iter()
            .any(|incident| incident["table"] == table.as_str())
    );
}

#[test]
fn an_image_that_is_none_is_named_and_saves_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = stage.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let invitation = std::fs::read(stage.path("phone.png")).unwrap();
    let mut huge =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\0\0\0\0\xa5\xb9\x2a\x9e"
            .to_vec();
    huge.extend_from_slice(&invitation[33..]);
    let mut blank = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(300, 300, image::Luma([255]))
        .write_to(&mut blank, image::ImageFormat::Png)
        .unwrap();
    let blank = blank.into_inner();
    for (path, code) in [
        (
            file("text.jpg", b"this is a text, whatever its name says"),
            "picture",
        ),
        (file("empty.png", b""), "picture"),
        (file("head.png", &invitation[..20]), "picture"),
        (
            file("half.png", &invitation[..invitation.len() / 2]),
            "picture",
        ),
        (file("huge.png", &huge), "picture"),
        (stage.path("missing.png"), "picture"),
        (stage.path(""), "picture"),
        (file("blank.png", &blank), "failed"),
    ] {
        let name = path.to_str().unwrap();
        assert_refused(phone.run(&["tally", "--photo", name]), code, &[name]);
        let scanned = run(&["scan", name]);
        assert_eq!(scanned.status, Some(1), "{scanned:?}");
        let enrolled = phone.enrol(&path, &stage.hq.public());
        assert!(matches!(enrolled.status, Some(1 | 2)), "{enrolled:?}");
    }
    assert_eq!(phone.history(), []);
    phone.tally(SHEET);
    phone.sync_all_well();
    assert_eq!(stage.hq.held().total(), 368);
}

/// A copy of a phone's folder.
fn copy(phone: &Phone, to: PathBuf) -> Phone {
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&phone.home).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    Phone { home: to }
}

/// A phone with a few records, none of them sent.
fn phone_with_records(stage: &Stage) -> (Phone, Vec<Saved>) {
    let phone = stage.phone("phone", TABLE);
    let saved = (0..20)
        .map(|n| phone.report(&format!("note {n}")))
        .collect();
    (phone, saved)
}

/// What lies in a phone's folder, but for the traces of a mere look by SQLite: an empty log, and the
/// index of a log, which is made anew at each opening.
fn kept(phone: &Phone) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut kept = contents(&phone.home);
    kept.retain(|path, bytes| {
        let name = path.to_str().unwrap();
        !(name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty())
    });
    kept
}

/// Nothing a person may try on a store that cannot be opened changes a byte of it.
fn assert_left_alone(phone: &Phone) {
    let before = kept(phone);
    for arguments in [
        &["list"][..],
        &["status"],
        &["report", "11"],
        &["sync"],
        &["tally", SHEET],
        &["shell"],
        &["init"],
    ] {
        let ended = phone.run(arguments).exited(2);
        let code = ended.text("/error/code");
        let expected = match arguments {
            ["init"] => &["phone-exists"][..],
            _ => &[
                "host-key-gone",
                "wrong-key",
                "store-damaged",
                "store-not-opened",
            ],
        };
        assert!(
            expected.contains(&code.as_str()),
            "{arguments:?}: {ended:?}"
        );
        assert!(!ended.text("/error/sentence").is_empty());
        assert!(kept(phone) == before, "{arguments:?} changed something");
    }
}

#[test]
fn a_truncated_store_is_told_and_left_as_it_is() {
    let stage = Stage::new();
    let (phone, saved) = phone_with_records(&stage);
    let whole = std::fs::metadata(phone.home.join("phone.db"))
        .unwrap()
        .len();
    assert!(whole > 8 * 4096, "{whole}");
    for (n, length) in [
        0,
        1,
        16,
        4095,
        4096,
        4097,
        8192,
        whole / 2,
        whole - 4096,
        whole - 1,
    ]
    .into_iter()
    .enumerate()
    {
        let truncated = copy(&phone, stage.path(&format!("truncated {n}")));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(truncated.home.join("phone.db"))
            .unwrap();
        file.set_len(length).unwrap();
        drop(file);
        assert_left_alone(&truncated);
    }
    // The whole one has lost nothing.
    let kept: Vec<Saved> = phone
        .history()
        .into_iter()
        .map(|(saved, _)| saved)
        .collect();
    assert_eq!(kept, saved);
    assert_eq!(phone.sync_all_well()["delivered"], 20);
    assert_eq!(stage.hq.held().incidents().len(), 20);
}

#[test]
fn a_log_without_its_store_is_told_and_left_as_it_is() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut shell = phone.shell();
    shell.ask("report 11");
    shell.ask("report 21");
    shell.kill();
    let store = phone.home.join("phone.db");
    let bytes = std::fs::read(&store).unwrap();
    std::fs::remove_file(&store).unwrap();
    assert_left_alone(&phone);
    // With the store back, the log gives what was saved last.
    std::fs::write(&store, bytes).unwrap();
    assert_eq!(phone.history().len(), 2);
}

#[test]
fn the_largest_record_is_read_as_it_was_saved() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut saved = 0;
    for size in [64_000, 64_800, 65_400, 65_500, 66_000, 70_000] {
        let ended = phone.run_with_input(&["tally", "-"], &vec![b'x'; size]);
        if ended.status == Some(2) {
            assert_refused(ended, "input", &["texts"]);
        } else {
            saved += 1;
        }
    }
    assert!(saved >= 3, "{saved}");
    assert_eq!(phone.history().len(), saved);
    phone.sync_all_well();
    assert_eq!(stage.hq.api("/v1/health")["unreadable"], 0);
    let unread = stage.hq.held().results["unread_sheets"].clone();
    assert_eq!(unread.as_array().unwrap().len(), saved);
}

#[test]
fn a_store_under_another_key_is_told_and_left_as_it_is() {
    let stage = Stage::new();
    let (phone, _) = phone_with_records(&stage);
    let other = Phone::init(stage.path("other"));
    let strange = copy(&phone, stage.path("strange"));
    std::fs::copy(
        other.home.join("unsafe-key"),
        strange.home.join("unsafe-key"),
    )
    .unwrap();
    assert_left_alone(&strange);
    // With its own key back it opens, and nothing is missing.
    std::fs::copy(
        phone.home.join("unsafe-key"),
        strange.home.join("unsafe-key"),
    )
    .unwrap();
    assert_eq!(strange.history().len(), 20);
    strange.sync_all_well();
    assert_eq!(stage.hq.held().incidents().len(), 20);
}

#[test]
fn a_key_that_is_missing_or_short_is_told() {
    let stage = Stage::new();
    let (phone, _) = phone_with_records(&stage);
    let key = phone.home.join("unsafe-key");
    let bytes = std::fs::read(&key).unwrap();
    std::fs::write(&key, &bytes[..31]).unwrap();
    let before = contents(&phone.home);
    phone.run(&["report", "11"]).exited(2);
    assert!(contents(&phone.home) == before);
    std::fs::remove_file(&key).unwrap();
    let before = contents(&phone.home);
    // A new key beside an old store would only hide what is wrong.
    for command in [&["report", "11"][..], &["init"]] {
        let sentence = phone.run(command).exited(2).text("/error/sentence");
        assert!(sentence.contains("key is missing"), "{sentence}");
        assert!(contents(&phone.home) == before);
    }
    std::fs::write(&key, &bytes).unwrap();
    assert_eq!(phone.history().len(), 20);
}

/// Streams a body of 100 MiB, in chunks of HTTP/1.1 or with its length said before; returns the answer,
/// which may come long before the end.
fn post_100_mib(address: SocketAddr, chunked: bool) -> HttpAnswer {
    const SIZE: usize = 100 << 20;
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    let length = match chunked {
        true => "Transfer-Encoding: chunked".to_owned(),
        false => format!("Content-Length: {SIZE}"),
    };
    let head = format!(
        "POST /v1/envelopes HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/cbor-seq\r\n{length}\r\n\r\n"
    );
    let mut reader = stream.try_clone().unwrap();
    let answer = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        // Up to the end, or to where the link breaks: the answer stands before that.
        while let Ok(n @ 1..) = reader.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..n]);
        }
        bytes
    });
    let mut writer = &stream;
    writer.write_all(head.as_bytes()).unwrap();
    let piece = [&b"10000\r\n"[..], &vec![0x40; 0x10000], b"\r\n"].concat();
    let piece = if chunked {
        &piece[..]
    } else {
        &piece[7..7 + 0x10000]
    };
    for _ in 0..SIZE / 0x10000 {
        if writer.write_all(piece).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    HttpAnswer::parse(&answer.join().unwrap())
}

#[test]
fn a_body_of_100_mib_is_refused_and_headquarters_live_on() {
    let mut stage = Stage::new();
    for chunked in [false, true] {
        post_100_mib(stage.hq.address(), chunked).problem(413);
        assert!(stage.hq.lives());
    }
    let phone = stage.phone("phone", TABLE);
    phone.report("after");
    phone.sync_all_well();
    stage.hq.held().incident("after");
}

#[test]
fn cbor_bombs_are_refused_and_headquarters_live_on() {
    let mut chance = Chance::new();
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("before");
    phone.sync_all_well();
    let real = stage.proxy.take_exchanges().pop().unwrap().request;
    let things = Exchange::things(&real);
    let held = stage.hq.held();

    let huge = [0xff; 8];
    let mut bombs: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0x81; 1_000_000],
        vec![0xa1; 1_000_000],
        vec![0xd2; 1_000_000],
        vec![0xc1; 500_000],
        vec![0x9f; 500_000],
        vec![0xbf, 0xff],
        vec![0; 1_000_000],
        [&[0x9b][..], &huge].concat(),
        [&[0xbb][..], &huge].concat(),
        [&[0x5b][..], &huge].concat(),
        [&[0x7b][..], &huge].concat(),
        [&[0xd2, 0x84, 0x5b][..], &huge].concat(),
        // A COSE_Sign1 whose payload is a bomb of its own.
        [
            &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0, 0x59, 0xff, 0xff][..],
            &[0x81; 0xffff],
            &[0x40],
        ]
        .concat(),
        b"<!doctype html>".to_vec(),
    ];
    for _ in 0..30 {
        let length = chance.below(3_000) as usize;
        bombs.push((0..length).map(|_| chance.next() as u8).collect());
        // Real traffic with its end cut off, and with a byte changed.
        bombs.push(real[..chance.below(real.len() as u64) as usize].to_vec());
        let mut changed = real.clone();
        changed[chance.below(real.len() as u64) as usize] ^= 1 + chance.below(255) as u8;
        bombs.push(changed);
    }
    for bomb in &bombs {
        let answer = post(stage.hq.address(), bomb);
        let head = &bomb[..bomb.len().min(32)];
        match answer.status {
            400 | 413 => drop(answer.problem(answer.status)),
            200 => {
                let reply = Reply::from_bytes(&answer.body).unwrap();
                for answer in reply.answers {
                    match answer {
                        Answer::Deferred { deferral, .. } => assert!(
                            [
                                Deferral::MALFORMED,
                                Deferral::SIGNATURE,
                                Deferral::UNKNOWN_DEVICE,
                                Deferral::UNKNOWN_CAPABILITY
                            ]
                            .contains(&deferral),
                            "{deferral:?} for {head:02x?}"
                        ),
                        // A thing of the real traffic that was left whole.
                        Answer::Receipt(bytes) => {
                            let receipt = Receipt::from_kept(&bytes).unwrap();
                            assert!(things.contains(&receipt.eid), "{receipt:?}");
                        }
                        Answer::Notice { .. }
                        | Answer::BlobReceipt(_)
                        | Answer::Keyset(_)
                        | Answer::Unknown => {
                            panic!("{answer:?} for {head:02x?}")
                        }
                    }
                }
            }
            status => panic!("{status} for {head:02x?}: {answer:?}"),
        }
    }
    assert!(stage.hq.lives());
    assert_eq!(stage.hq.held(), held);
    phone.report("after");
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), ["after", "before"]);
}

#[test]
fn other_requests_get_problem_documents() {
    let stage = Stage::new();
    let address = stage.hq.address();
    support::get(address, "/v1/nothing").problem(404);
    support::get(address, "/v1/envelopes").problem(405);
    let html = "POST /v1/envelopes HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx";
    support::request(address, html.as_bytes()).problem(415);
}

#[test]
fn a_doubtful_sheet_is_evidence_and_says_what_is_doubtful() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);

    // More votes than voters: kept, shown, and marked.
    let (_, too_many) = phone.tally(&SHEET.replace("7,155,1,1", "7,955,1,1"));
    assert_eq!(too_many["warnings"], serde_json::json!([5]), "{too_many}");
    assert!(!too_many["sentences"][0].as_str().unwrap().is_empty());
    // A table that the election does not have.
    let (_, unknown) = phone.tally(&SHEET.replace(TABLE, "999999999.01"));
    assert_eq!(unknown["warnings"], serde_json::json!([3, 4]), "{unknown}");
    // Another witness's table.
    let (_, elsewhere) = phone.tally(&SHEET.replace(TABLE, OTHER_TABLE));
    assert_eq!(elsewhere["warnings"], serde_json::json!([4]), "{elsewhere}");
    // What no format reads: a web address, another number of slots, no text at all, other bytes.
    let texts: [&[u8]; 4] = [
        b"https://example.org/acta?id=1",
        b"201301006.01.1.0001!1,2,3!0!0",
        b"",
        b"\xff\xfe\x00binary",
    ];
    for text in texts {
        let ended = phone.run_with_input(&["tally", "-"], text).exited(1);
        let json = ended.json();
        assert!(Saved::in_answer(&json).is_some(), "{json}");
        assert_eq!(json["warnings"], serde_json::json!([6]), "{json}");
        assert!(json["tally"]["not_a_tally"].is_string(), "{json}");
    }
    // A report of a table that nobody knows.
    phone
        .run(&[
            "report",
            "11",
            "--table",
            "Escuela-Bolívar/3",
            "--note",
            "elsewhere",
        ])
        .done();

    assert_eq!(phone.sync_all_well()["delivered"], 8);
    let held = stage.hq.held();
    let table = held.table(TABLE);
    assert_eq!(warnings(table), [5]);
    assert_eq!(table["readings"], 1);
    assert_eq!(warnings(held.table(OTHER_TABLE)), [4]);
    let outside = held.results["outside_pack"].as_array().unwrap();
    assert_eq!(outside.len(), 1, "{outside:?}");
    assert_eq!(outside[0]["table"], "999999999.01");
    assert_eq!(warnings(&outside[0]), [3, 4]);
    // Only the election's own tables are in the total.
    assert_eq!(held.results["tables"]["reported"], 2);
    assert_eq!(held.total(), 368 + 800 + 368);
    // Kept word for word, and in no total.
    let unread = held.results["unread_sheets"].as_array().unwrap();
    let mut found: Vec<&str> = unread
        .iter()
        .map(|u| u["texts"][0].as_str().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "",
            "201301006.01.1.0001!1,2,3!0!0",
            "https://example.org/acta?id=1",
            "\u{fffd}\u{fffd}\0binary",
        ]
    );
    assert!(
        unread.iter().all(|sheet| warnings(sheet) == [6]),
        "{unread:?}"
    );
    let report = held.incident("elsewhere");
    assert_eq!(report["table"], "Escuela-Bolívar/3");
    assert_eq!(warnings(report), [3, 4]);
}

#[test]
fn headquarters_are_never_made_over_others() {
    let stage = Stage::new();
    let before = contents(&stage.hq.public());
    let keys = contents(&stage.hq.data().join("keys"));
    let again = || run(&["hq", "--data", stage.hq.path(), "init"]);
    assert_refused(again(), "headquarters", &[stage.hq.path(), "already"]);
    assert!(contents(&stage.hq.public()) == before);
    assert_eq!(contents(&stage.hq.data().join("keys")), keys);
    let phone = stage.phone("phone", TABLE);
    phone.report("after");
    phone.sync_all_well();
    stage.hq.held().incident("after");

    // Nor in a folder with something else in it.
    let folder = stage.path("full");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("thesis.txt"), "years of work").unwrap();
    let before = contents(&folder);
    let made = run(&["hq", "--data", folder.to_str().unwrap(), "init"]);
    assert_refused(made, "headquarters", &["not empty"]);
    assert!(contents(&folder) == before);
}

#[test]
fn headquarters_that_are_not_there_are_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let missing = folder.path().join("missing");
    for data in [&empty, &missing] {
        let data = data.to_str().unwrap();
        let init = format!("hq --data {data} init");
        for command in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["table"],
            &["enrol", "--out", "never.png"],
        ] {
            let ended = run(&[&["hq", "--data", data], command].concat());
            assert_refused(ended, "headquarters", &[&init]);
        }
    }
    assert!(contents(&empty).is_empty());
    assert!(!missing.exists());
    assert!(!Path::new("never.png").exists());
}

#[test]
fn a_port_that_is_taken_is_told() {
    let mut stage = Stage::new();
    let taken = stage.hq.address().to_string();
    let second = run(&["hq", "--data", stage.hq.path(), "serve", "--listen", &taken]);
    assert_refused(second, "headquarters", &[&taken]);
    assert!(stage.hq.lives());
}

#[test]
fn an_invitation_to_a_table_that_is_not_there_is_refused() {
    let stage = Stage::new();
    let out = stage.path("none.png");
    let ended = run(&[
        "hq",
        "--data",
        stage.hq.path(),
        "enrol",
        "--table",
        "999999999.01",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_refused(ended, "headquarters", &["999999999.01"]);
    assert!(!out.exists());
}

#[test]
fn a_phone_enrols_once_and_with_one_headquarters() {
    let stage = Stage::new();
    let other = Headquarters::init(stage.path("other hq"), &stage.proxy.url());
    let image = stage.path("witness.png");
    stage.hq.invite(TABLE, &image);
    let others = stage.path("others.png");
    other.invite(TABLE, &others);

    let nowhere = Phone {
        home: stage.path("nowhere"),
    };
    assert_refused(nowhere.run(&["report", "11"]), "no-phone", &["phone init"]);
    assert!(!nowhere.home.exists());

    let phone = Phone::init(stage.path("phone"));
    assert_refused(phone.run(&["init"]), "phone-exists", &[]);
    assert_refused(phone.run(&["report", "11"]), "not-enrolled", &["enrol"]);
    assert_refused(phone.run(&["tally", SHEET]), "not-enrolled", &["enrol"]);
    assert_refused(phone.run(&["sync"]), "not-enrolled", &["enrol"]);

    // Another headquarters' keyset; another one's code; a keyset and a pack of two.
    assert_refused(
        phone.enrol(&image, &other.public()),
        "other-headquarters",
        &["coordinator"],
    );
    assert_refused(
        phone.enrol(&others, &stage.hq.public()),
        "other-headquarters",
        &["coordinator"],
    );
    let mixed = stage.path("mixed");
    std::fs::create_dir(&mixed).unwrap();
    std::fs::copy(
        stage.hq.public().join("keyset.cose"),
        mixed.join("keyset.cose"),
    )
    .unwrap();
    std::fs::copy(other.public().join("pack.cose"), mixed.join("pack.cose")).unwrap();
    let ended = phone.enrol(&image, &mixed).exited(2);
    assert!(
        ["damaged", "other-headquarters"].contains(&ended.text("/error/code").as_str()),
        "{ended:?}"
    );
    // Damaged files.
    for name in ["keyset.cose", "pack.cose"] {
        let damaged = stage.path(&format!("damaged {name}"));
        std::fs::create_dir(&damaged).unwrap();
        for (path, mut bytes) in contents(&stage.hq.public()) {
            if path.file_name().unwrap() == name {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            std::fs::write(damaged.join(path.file_name().unwrap()), bytes).unwrap();
        }
        let ended = phone.enrol(&image, &damaged).exited(2);
        assert!(
            ["damaged", "other-headquarters"].contains(&ended.text("/error/code").as_str()),
            "{ended:?}"
        );
    }
    assert_refused(phone.run(&["report", "11"]), "not-enrolled", &["enrol"]);

    // None of it has used up the code.
    phone.enrol(&image, &stage.hq.public()).done();
    phone.report("mine");
    assert_refused(
        phone.enrol(&image, &stage.hq.public()),
        "already-enrolled",
        &[],
    );
    assert_refused(
        phone.enrol(&others, &other.public()),
        "already-enrolled",
        &[],
    );
    phone.sync_all_well();
    stage.hq.held().incident("mine");
}

#[test]
fn a_shell_survives_whatever_it_is_told() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut shell = phone.shell();
    for line in [
        "report 'not closed",
        "report",
        "report 77",
        "dance",
        "--help",
        "init",
        "shell",
        "tally --photo /nowhere.jpg",
        "enrol --qr /nowhere.png --keyset /nowhere",
    ] {
        let answer = shell.ask(line);
        assert!(answer["error"]["sentence"].is_string(), "{line}: {answer}");
    }
    assert_eq!(shell.ask("report 11")["saved"], 1);
    drop(shell);
    phone.sync_all_well();
    assert_eq!(stage.hq.held().incidents().len(), 1);
}
