//! `testigo decode`: folders of photographs of sheets in, a row a table out, and a list of what could not be read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Ended, OTHER_SHEET, OTHER_TABLE, SHEET, Stage, TABLE, run};

/// The two codes of the manual's example of 2018.
const PAIR: [&str; 2] = [
    "QRBU:1:2 VRQR:1.5 VRCH:20180618 ORIG:VOTA ORLC:LEG PROC:15000 DTPL:20181007 PLEI:15100 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:9 SECA:16 AGRE:17.18.19.100 IDUE:1333898 IDCA:610860347874160324266426 VERS:6.28.2.1 LOCA:4 APTO:51 COMP:30 FALT:21 HBMA:0 DTAB:20181007 HRAB:173122 DTFC:20181007 HRFC:180755 IDEL:15103 CARG:6 TIPO:1 VERC:201807111207 PART:91 9101:1 9102:1 9103:1 9104:1 9105:1 LEGP:1 TOTP:6 PART:92 9201:1 9202:1 9203:1 9204:1 9205:1 LEGP:1 TOTP:6 PART:93 9301:1 9302:1 9303:1 9304:1 9305:1 LEGP:1 TOTP:6 PART:94 9401:1 9402:1 9403:1 9404:1 9405:1 LEGP:1 TOTP:6 PART:95 9501:1 9502:1 9503:1 9504:2 LEGP:1 TOTP:6 APTA:51 NOMI:25 LEGC:5 BRAN:0 NULO:0 TOTC:30 CARG:7 TIPO:1 VERC:201807111207 PART:91 91001:1 91002:1 91003:1 LEGP:3 TOTP:6 PART:92 92001:1 92002:1 92003:1 LEGP:3 TOTP:6 PART:93 93001:1 93002:1 93003:1 LEGP:3 TOTP:6 PART:94 94001:1 HASH:153DD1E96C876F062459DC9ACDF640D38BEBC4490C794826D8E7EB3CF4761BD39AFC560BAEF3895A9D3C59F16CDE61028DF07FED861234A0F91C7005AD94F797",
    "QRBU:2:2 VRQR:1.5 VRCH:20180618 94002:1 94003:1 LEGP:4 TOTP:7 APTA:51 NOMI:12 LEGC:13 BRAN:0 NULO:5 TOTC:30 CARG:5 TIPO:0 VERC:201807111207 911:8 921:3 931:3 941:5 951:7 APTA:51 NOMI:26 BRAN:0 NULO:34 TOTC:60 CARG:3 TIPO:0 VERC:201807111207 91:5 92:8 93:2 94:4 95:6 APTA:51 NOMI:25 BRAN:3 NULO:2 TOTC:30 IDEL:15101 CARG:1 TIPO:0 VERC:201807111207 91:7 92:6 93:3 94:6 95:5 APTA:51 NOMI:27 BRAN:2 NULO:1 TOTC:30 HASH:266788CFBB06EE77DB520DB89C2E60C51F60574E6E322C5F620FE71E691DCBA1E33DB16E2397683E18FE89B7D6F9F9252E6DD318735902EFC109F2E1F61015BF ASSI:0DFEC66ECE3848066CA83EDAA7B9C70CA84D7F40279FD3D44742BCB5BB360D233A89B94686E11C50D363D182A2800BFA6748A8B66BE888394E533F77E9B9B50B",
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A photograph of a practice sheet, damaged by its seed.
fn sheet(out: &Path, content: &str, seed: u64) {
    let seed = seed.to_string();
    run(&[
        "sheet",
        "--text",
        content,
        "--out",
        text(out),
        "--seed",
        &seed,
    ])
    .done();
}

fn decode(folder: &Path, out: &Path) -> Ended {
    run(&["decode", text(folder), "--out", text(out)])
}

/// The lines of a CSV file, by column.
fn rows(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// A picture of a code that is no sheet's.
fn enrolment_code(folder: &Path) -> std::path::PathBuf {
    let hq = folder.join("hq");
    run(&["hq", "--data", text(&hq), "init"]).done();
    let out = folder.join("code.png");
    run(&["hq", "--data", text(&hq), "enrol", "--out", text(&out)]).done();
    out
}

#[test]
fn a_folder_of_photographs_becomes_results_and_a_list_of_what_was_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir_all(images.join("inner")).unwrap();
    sheet(&images.join("a.jpg"), SHEET, 1);
    sheet(&images.join("inner/b.png"), SHEET, 2);
    sheet(&images.join("c.jpg"), OTHER_SHEET, 3);
    // Another sheet of the second table: ten votes more for one.
    let differs = OTHER_SHEET.replace("406,0,1!", "416,0,1!");
    sheet(&images.join("d.jpg"), &differs, 4);
    std::fs::write(images.join("e.png"), b"no image").unwrap();
    std::fs::write(images.join("notes.txt"), b"passed over").unwrap();
    image::GrayImage::from_pixel(200, 200, image::Luma([255]))
        .save(images.join("f.png"))
        .unwrap();

    let out = folder.path().join("results.csv");
    let ended = decode(&images, &out).exited(1);
    let said = ended.json();
    assert_eq!(
        (&said["images"], &said["read"], &said["unread"]),
        (&6.into(), &4.into(), &2.into())
    );
    assert_eq!(
        (&said["tables"], &said["conflicts"]),
        (&2.into(), &1.into())
    );
    // What differs is in no total.
    let total: u64 = (said["totals"].as_object().unwrap().values())
        .map(|votes| votes.as_u64().unwrap())
        .sum();
    assert_eq!(total, 368);

    let found = rows(&out);
    assert_eq!(found.len(), 3);
    let of = |table: &str| -> Vec<_> {
        let (centre, table) = table.split_once('.').unwrap();
        (found.iter())
            .filter(|row| row["CENTRO"] == centre && row["MESA"] == table)
            .collect()
    };
    let [once] = of(TABLE)[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (once["VOTOS_VALIDOS"].as_str(), once["RE"].as_str()),
        ("368", "535")
    );
    assert_eq!(
        (once["ESTADO_MESA"].as_str(), once["RESPALDO"].as_str()),
        ("reported", "plain-code")
    );
    let files: Vec<String> = serde_json::from_str(&once["ARCHIVOS"]).unwrap();
    assert!(
        files[0].ends_with("a.jpg") && files[1].ends_with("b.png"),
        "{files:?}"
    );
    let twice = of(OTHER_TABLE);
    assert!(twice.iter().all(|row| row["ESTADO_MESA"] == "conflict"));
    let votes: Vec<&str> = twice
        .iter()
        .map(|row| row["VOTOS_VALIDOS"].as_str())
        .collect();
    assert_eq!(votes, ["581", "591"]);

    let unread = rows(&folder.path().join("results.csv.unread.csv"));
    let reasons: Vec<_> = unread.iter().map(|row| row["CODE"].as_str()).collect();
    assert_eq!(reasons, ["image", "no-code"]);
    assert!(
        unread[0]["REASON"].contains("not a PNG or JPEG"),
        "{unread:?}"
    );

    // As JSON lines.
    let lines = folder.path().join("results.jsonl");
    decode(&images, &lines).exited(1);
    let lines: Vec<Value> = (std::fs::read_to_string(&lines).unwrap().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["table"], TABLE);
    assert_eq!(lines[2]["valid"], 368);

    // A foreign code beside the sheet makes no other reading of it.
    let beside = folder.path().join("beside");
    std::fs::create_dir(&beside).unwrap();
    sheet(&beside.join("a.png"), SHEET, 1);
    let photo = image::open(beside.join("a.png")).unwrap().to_rgb8();
    let code = image::open(enrolment_code(folder.path()))
        .unwrap()
        .to_rgb8();
    let (width, height) = (
        photo.width() + code.width(),
        photo.height().max(code.height()),
    );
    let mut both = image::RgbImage::from_pixel(width, height, image::Rgb([255; 3]));
    image::imageops::replace(&mut both, &photo, 0, 0);
    image::imageops::replace(&mut both, &code, i64::from(photo.width()), 0);
    both.save(beside.join("b.png")).unwrap();
    let said = decode(&beside, &folder.path().join("beside.csv"))
        .done()
        .json();
    assert_eq!((&said["read"], &said["conflicts"]), (&2.into(), &0.into()));
    let row = &rows(&folder.path().join("beside.csv"))[0];
    assert!(
        row["AVISOS"].split(' ').any(|number| number == "14"),
        "{row:?}"
    );

    // No image at all, and a path that is not there beside one that is.
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    decode(&empty, &folder.path().join("empty.csv")).exited(2);
    let partly = folder.path().join("partly.csv");
    let paths = [
        "decode",
        text(&beside),
        text(&beside),
        "not there",
        "--out",
        text(&partly),
    ];
    let partly = run(&paths).exited(1).json();
    assert_eq!(partly["images"], 2);

    // Somebody else's file stays.
    let taken = folder.path().join("taken.csv");
    std::fs::write(&taken, "mine").unwrap();
    decode(&images, &taken).exited(2);
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "mine");
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    sheet(&images.join("a.jpg"), SHEET, 5);
    sheet(&images.join("b.jpg"), OTHER_SHEET, 6);
    let out = folder.path().join("results.csv");
    assert_eq!(decode(&images, &out).done().json()["looked_at"], 2);
    let whole = std::fs::read(&out).unwrap();
    // As after a power cut in the middle of the second.
    let progress = folder.path().join("results.csv.progress");
    let journal = std::fs::read(&progress).unwrap();
    std::fs::write(&progress, &journal[..journal.len() - 30]).unwrap();
    std::fs::remove_file(&out).unwrap();
    let again = decode(&images, &out).done().json();
    assert_eq!(
        (&again["looked_at"], &again["read"]),
        (&1.into(), &2.into())
    );
    assert_eq!(std::fs::read(&out).unwrap(), whole);
    // An image that is another one now is looked at again, and new ones are taken in.
    sheet(&images.join("b.jpg"), SHEET, 7);
    sheet(&images.join("c.jpg"), SHEET, 8);
    let more = decode(&images, &out).done().json();
    assert_eq!(
        (&more["looked_at"], &more["tables"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn practice_sheets_photographed_in_a_hurry_are_read_and_none_is_read_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    let sheets = 24;
    for seed in 0..sheets {
        let content = if seed % 2 == 0 { SHEET } else { OTHER_SHEET };
        sheet(&images.join(format!("{seed}.jpg")), content, 100 + seed);
    }
    let out = folder.path().join("results.csv");
    let said = decode(&images, &out).json();
    let read = said["read"].as_u64().unwrap();
    assert!(read * 100 >= sheets * 92, "{said}");
    // One row for each of the two sheets: a wrong one would be another.
    assert_eq!(
        (&said["tables"], &said["conflicts"]),
        (&2.into(), &0.into())
    );
    let valid: Vec<_> = rows(&out)
        .iter()
        .map(|row| row["VOTOS_VALIDOS"].clone())
        .collect();
    assert_eq!(valid, ["581", "368"]);
}

#[test]
fn a_scanning_station_sends_its_readings_as_any_phone_does() {
    let mut stage = Stage::new();
    let images = stage.path("images");
    std::fs::create_dir(&images).unwrap();
    sheet(&images.join("a.jpg"), SHEET, 1);
    sheet(&images.join("b.png"), SHEET, 2);
    sheet(&images.join("c.jpg"), OTHER_SHEET, 3);
    let (out, station) = (stage.path("results.csv"), stage.path("station"));
    let code = stage.path("code.png");
    stage.hq.run(&["enrol", "--out", text(&code)]).done();
    let public = stage.hq.public();
    let (keyset, pack) = (public.join("keyset.cose"), public.join("pack.cose"));
    let submit = |more: &[&str]| {
        let arguments = ["decode", text(&images), "--out", text(&out)];
        let to = ["--submit", text(&station), "--election", text(&pack)];
        run(&[&arguments[..], &to, more].concat())
    };
    // It has to enrol first, and says so before it looks at thousands of images.
    let refused = submit(&[]).exited(2);
    assert!(refused.err.contains("--keyset"), "{refused:?}");
    assert!(!out.exists());

    stage.hq.kill();
    let enrol = ["--keyset", text(&keyset), "--qr", text(&code)];
    let offline = submit(&enrol).exited(1).json();
    assert_eq!(offline["tables"], 2);
    assert_eq!(offline["submitted"]["saved"], 2, "{offline}");
    assert!(!offline["submitted"]["sync"]["failure"].is_null());
    stage.serve_again();
    let sent = submit(&[]).done().json();
    assert_eq!(sent["submitted"]["saved"], 0, "{sent}");
    let counted = |stage: &Stage| {
        let held = stage.hq.held();
        let of = |table: &str| {
            let row = held.table(table);
            let files = row["attachments"]["files"].as_array().unwrap();
            let whole = files.iter().filter(|file| file["thumbnail"] == false);
            let arrived = whole.filter(|file| file["held"] == true).count();
            (row["readings"].as_u64().unwrap(), arrived)
        };
        (held.total(), of(TABLE), of(OTHER_TABLE))
    };
    assert_eq!(counted(&stage), (368 + 581, (1, 2), (1, 1)));

    // As if it had been killed behind a record and before the journal's line: saved again, counted once.
    std::fs::remove_file(stage.path("results.csv.submitted")).unwrap();
    assert_eq!(submit(&[]).done().json()["submitted"]["saved"], 2);
    assert_eq!(counted(&stage), (368 + 581, (1, 2), (1, 1)));

    // An image that comes later goes after the others.
    sheet(&images.join("d.jpg"), OTHER_SHEET, 9);
    assert_eq!(submit(&[]).done().json()["submitted"]["saved"], 1);
    assert_eq!(counted(&stage), (368 + 581, (1, 2), (2, 2)));
}

/// A picture of nothing but this code.
fn code(out: &Path, text: &str) {
    let code = qrcode::QrCode::new(text).unwrap();
    let (width, modules) = (code.width() as u32, code.to_colors());
    let side = (width + 8) * 4;
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let inside = |at: u32| (at / 4).checked_sub(4).filter(|at| *at < width);
        let dark = (inside(x).zip(inside(y)))
            .is_some_and(|(x, y)| modules[(y * width + x) as usize] == qrcode::Color::Dark);
        image::Luma([if dark { 0 } else { 255 }])
    });
    picture.save(out).unwrap();
}

#[test]
fn a_record_photographed_code_by_code_is_put_together() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    // A lone part before, its own parts in the other order, and a part without a second behind.
    code(&images.join("a.png"), PAIR[0]);
    code(&images.join("b.png"), PAIR[1]);
    code(&images.join("c.png"), PAIR[0]);
    code(&images.join("d.png"), &PAIR[0].replace("9101:1", "9101:2"));
    let out = folder.path().join("results.csv");
    let said = decode(&images, &out).exited(1).json();
    assert_eq!(
        (
            &said["read"],
            &said["unread"],
            &said["tables"],
            &said["conflicts"]
        ),
        (&2.into(), &2.into(), &1.into(), &0.into()),
        "{said}"
    );
    let files: Vec<String> = serde_json::from_str(&rows(&out)[0]["ARCHIVOS"]).unwrap();
    assert!(
        files[0].ends_with("a.png") && files[1].ends_with("b.png"),
        "{files:?}"
    );
    let unread = rows(&folder.path().join("results.csv.unread.csv"));
    let reasons: Vec<_> = unread.iter().map(|row| row["CODE"].as_str()).collect();
    assert_eq!(reasons, ["not-a-tally", "not-a-tally"]);
    assert!(unread[0]["REASON"].contains("code 2 of 2"), "{unread:?}");

    std::fs::remove_file(images.join("a.png")).unwrap();
    let said = decode(&images, &folder.path().join("turned.csv"))
        .exited(1)
        .json();
    assert_eq!(
        (&said["read"], &said["unread"]),
        (&2.into(), &1.into()),
        "{said}"
    );

    // A phone takes its photographs together.
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let photos = ["c.png", "b.png"].map(|name| text(&images.join(name)).to_owned());
    let saved = phone.run(&["tally", "--photo", &photos[0], "--photo", &photos[1]]);
    let saved = saved.json();
    assert!(saved["saved"].is_number(), "{saved}");
    let alone = phone.run(&["tally", "--photo", &photos[0]]).json();
    assert_ne!(
        saved["tally"], alone["tally"],
        "one code of two says what is missing"
    );
}
