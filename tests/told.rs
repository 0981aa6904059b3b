//! What a person is told, and with which exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{Headquarters, Phone, SHEET, TABLE, run, run_with_input};

/// Runs a command for a person.
fn told(lang: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", lang])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn enrolled(folder: &Path, hq: &Headquarters, name: &str) -> Phone {
    let image = folder.join(format!("{name}.png"));
    hq.invite(TABLE, &image);
    let phone = Phone::init(folder.join(name));
    phone.enrol(&image, &hq.public()).done();
    phone
}

#[test]
fn the_table_tells_whatever_is_doubtful_or_in_no_total() {
    let folder = tempfile::tempdir().unwrap();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut hq = Headquarters::init(folder.path().join("D2"), &endpoint);
    let phone = enrolled(folder.path(), &hq, "witness");
    let impossible = SHEET.replace("!140,", "!9140,");
    let outside = SHEET.replace("201301006.01", "010101001.01");
    for sheet in [impossible.as_str(), &outside] {
        phone.run(&["tally", sheet]).done();
    }
    phone.run(&["tally", "no sheet \u{202e}"]).exited(1);
    hq.serve(port);
    assert_eq!(phone.sync_all_well()["delivered"], 3);
    // The desk may still be at work: `table` waits for it.
    let shown = text(&told("en", &["hq", "--data", hq.path(), "table"]).stdout);
    for line in [
        "Counted tables with doubts about their sheets: 1",
        "Table 201301006.01 (EDO. ",
        "): with doubts",
        "! There are more votes than voters registered at the table.",
        "Sheet of table 010101001.01, which is not this election's: kept, in no total",
        "Code not recognised, record 4, table 201301006.01",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let unread = &hq.held().results["unread_sheets"][0];
    assert_eq!(unread["hex"][0], "6e6f20736865657420e280ae");
}

#[test]
fn what_could_steer_a_terminal_is_shown_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Headquarters::init(folder.path().join("D2"), "http://127.0.0.1:1");
    let phone = enrolled(folder.path(), &hq, "witness");
    let note = "a\u{1b}[2Jb\u{202e}c\nd";
    phone.run(&["report", "21", "--note", note]).done();
    let home = folder.path().join("witness");
    let list = text(&told("en", &["phone", "--home", home.to_str().unwrap(), "list"]).stdout);
    assert!(list.contains(r"a\u{1b}[2Jb\u{202e}c\u{a}d"), "{list}");
    let json = phone.run(&["list"]).done().json();
    assert!(json[0]["what"].as_str().unwrap().contains(note), "{json}");
}

#[test]
fn a_shell_that_refused_a_line_ends_with_1_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Headquarters::init(folder.path().join("D2"), "http://127.0.0.1:1");
    enrolled(folder.path(), &hq, "witness");
    let home = folder.path().join("witness");
    let home = home.to_str().unwrap();
    let shell = |input: &str| run_with_input(&["phone", "--home", home, "shell"], input.as_bytes());
    shell("report 21\nstatus\nreport 20 --note=--json\n").done();
    for (line, says) in [
        ("report 9999", "9999"),
        ("shell", "open already"),
        ("list --json", "--json is given when the shell is started"),
        ("--home=elsewhere list", "when the shell is started"),
        ("report 'x", "quotation mark"),
    ] {
        let ended = shell(&format!("{line}\nstatus\n")).exited(1);
        assert!(ended.out.contains(says), "{line}: {}", ended.out);
        assert!(ended.out.contains("queued"), "{line}: {}", ended.out);
    }
}

#[test]
fn an_address_that_phones_refuse_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("D2");
    for address in ["not a url", "http://example.com"] {
        let init = [
            "hq",
            "--data",
            data.to_str().unwrap(),
            "init",
            "--endpoint",
            address,
        ];
        let ended = run(&init).exited(2);
        assert!(ended.out.contains("https://"), "{}", ended.out);
        assert!(!data.exists());
    }
}

#[test]
fn a_witnesss_code_is_its_owners_alone_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Headquarters::init(folder.path().join("D2"), "http://127.0.0.1:1");
    let image = folder.path().join("witness.png");
    hq.invite(TABLE, &image);
    #[cfg(unix)]
    {
        let metadata = std::fs::metadata(&image).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = std::fs::read(&image).unwrap();
    let enrol = [
        "hq",
        "--data",
        hq.path(),
        "enrol",
        "--out",
        image.to_str().unwrap(),
    ];
    let ended = run(&enrol).exited(2);
    assert!(ended.err.contains("witness.png"), "{}", ended.err);
    assert_eq!(std::fs::read(&image).unwrap(), before);
}

#[test]
fn errors_are_spanish_in_spanish() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Headquarters::init(folder.path().join("D2"), "http://127.0.0.1:1");
    let out = folder.path().join("new.png");
    let out = out.to_str().unwrap();
    for (arguments, es, en) in [
        (
            vec!["scan", "none.jpg"],
            "no existe",
            "there is no such file",
        ),
        (
            vec!["tally", "x", "--election", "none.cose"],
            "no existe",
            "does not exist",
        ),
        (
            vec![
                "hq",
                "--data",
                hq.path(),
                "enrol",
                "--table",
                "a b",
                "--out",
                out,
            ],
            "no identifica una mesa",
            "no polling table's identifier",
        ),
    ] {
        for (lang, says) in [("es", es), ("en", en)] {
            let ended = told(lang, &arguments);
            let all = text(&ended.stdout) + &text(&ended.stderr);
            assert!(!ended.status.success() && all.contains(says), "{all}");
            assert!(!all.contains('\u{1b}'), "{all}");
        }
    }
}
