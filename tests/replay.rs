//! `testigo replay` and `testigo hq export`: a made-up election through real phones and headquarters, to the last vote.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Ended, Headquarters, published, run};

fn file(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn replay(path: &Path, more: &[&str]) -> Ended {
    run(&[&["replay", path.to_str().unwrap()], more].concat())
}

#[test]
fn the_count_is_the_files_through_faults_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "results.csv", published(24));
    let ended = replay(&path, &["--loss", "0.5", "--seed", "7"]).done();
    let found = ended.json();
    assert_eq!(
        (&found["equal"], &found["records"]),
        (&true.into(), &24.into())
    );
    assert_eq!(found["states"], 3);
    for fault in [
        "phone_cut",
        "request_lost",
        "reply_lost",
        "request_doubled",
        "headquarters_killed",
    ] {
        assert!(
            found["faults"][fault].as_u64().unwrap() > 0,
            "{fault}: {found}"
        );
    }
    // The count was seen as it rose.
    assert!(
        ended.err.contains("24 of 24 records, 3 states"),
        "{}",
        ended.err
    );
    for (language, last) in [("en", "totals equal"), ("es", "totales iguales")] {
        let ran = Command::new(env!("CARGO_BIN_EXE_testigo"))
            .args([
                "--lang",
                language,
                "replay",
                path.to_str().unwrap(),
                "--loss",
                "0",
            ])
            .output()
            .unwrap();
        let out = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(out.lines().last(), Some(last), "{out}");
        assert!(ran.status.success());
    }
}

#[test]
fn one_altered_row_in_either_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = published(4);
    let path = file(folder.path(), "results.csv", &text);
    // One vote from one candidate to another in line 3: every sum stays as it is.
    let altered: Vec<String> = (text.lines().enumerate())
        .map(|(n, line)| {
            let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            if n == 2 {
                for (at, by) in [(11, 1), (12, -1)] {
                    fields[at] = (fields[at].parse::<i64>().unwrap() + by).to_string();
                }
            }
            fields.join(",")
        })
        .collect();
    let other = file(folder.path(), "altered.csv", altered.join("\n"));
    for (one, against) in [(&path, &other), (&other, &path)] {
        let ended = replay(one, &["--against", against.to_str().unwrap()]).exited(1);
        let found = ended.json();
        assert_eq!(found["equal"], false);
        let named = found["differences"].as_array().unwrap();
        // Two candidates, of the state and of its row.
        assert_eq!(named.len(), 4, "{named:?}");
        for (at, place) in [
            (0, "state \"EDO. PEÑA 2\", "),
            (2, "line 3, table 020000001.01, "),
        ] {
            let said = named[at].as_str().unwrap();
            assert!(said.contains(place), "{said}");
        }
    }
}

#[test]
fn rows_with_faults_are_named_and_the_rest_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = published(3);
    let first = text.lines().nth(1).unwrap().to_owned();
    for bad in [
        "1,too,short".to_owned(),
        first.replacen(
            "MP. UNO,1,PQ. 0,10000001,1,",
            "MP. UNO,1,PQ. 0,10000001,2,x",
            1,
        ),
        first.clone(),
        // A centre of ten digits: no sheet has one.
        first.replacen("10000001", "1000000001", 1),
    ] {
        text.push_str(&bad);
        text.push('\n');
    }
    let path = file(folder.path(), "results.csv", text);
    let ended = replay(&path, &["--loss", "0"]).exited(1);
    let found = ended.json();
    assert_eq!(
        (&found["records"], &found["equal"]),
        (&3.into(), &true.into())
    );
    assert_eq!(found["faulty_rows"], 4);
    // No rows are no equal totals.
    let only_heading = file(folder.path(), "none.csv", published(0));
    replay(&only_heading, &[]).exited(2);
    for line in [5, 6, 7, 8] {
        let place = format!("results.csv, line {line}");
        assert!(ended.err.contains(&place), "{place}: {}", ended.err);
    }
}

#[test]
fn latin_1_and_other_names_of_columns_and_candidates_do() {
    let folder = tempfile::tempdir().unwrap();
    let text = "ESTADO;CENTRO;MESA;INSCRITOS;VOTOS_VALIDOS;VOTOS_NULOS;ANA;NUÑEZ\n\
                ÑUBLE;1;1;90;30;1;10;20\nÑUBLE;1;2;90;3;0;1;2\n";
    let latin_1: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let path = file(folder.path(), "results.csv", latin_1);
    let found = replay(&path, &["--column", "registered=INSCRITOS"])
        .done()
        .json();
    assert_eq!(found["equal"], true);
    assert_eq!(found["candidates"][1]["code"], "NUÑEZ");
    assert_eq!(found["candidates"][1]["votes"], 22);
    let ended = replay(&path, &[]).exited(2);
    assert!(ended.out.contains("--column registered=NAME"), "{ended:?}");
}

#[test]
fn headquarters_export_a_row_a_table_with_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Headquarters::init(folder.path().join("hq"), "http://127.0.0.1:9");
    let out = folder.path().join("results.csv");
    hq.run(&["export", "--out", out.to_str().unwrap()]).done();
    let written = std::fs::read_to_string(&out).unwrap();
    let heading = "EDO,MUN,PAR,CENTRO,MESA,RE,VOTOS_VALIDOS,VOTOS_NULOS,NM,";
    assert!(written.starts_with(heading), "{written}");
    assert_eq!(written.lines().count(), 13);
    let row =
        "EDO. YARACUY,MP. MANUEL MONGE,CM. YUMARE,201301006,01,535,,,,,,,,,,,,,expected,0,0,0,0,";
    assert!(written.lines().any(|line| line == row), "{written}");
    // What is there is not written over.
    hq.run(&["export", "--out", out.to_str().unwrap()])
        .exited(2);
}
