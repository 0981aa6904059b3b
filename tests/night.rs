//! The night as its people live it: the demo, and the same by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use support::{Headquarters, OTHER_SHEET, OTHER_TABLE, Phone, SHEET, TABLE, get, run};

/// What the demo prints for a person.
fn demo(lang: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", lang, "demo", "--seed", "7"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}\n{err}");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_demo_ends_with_the_sheets_total_in_both_languages() {
    let total = |lines: &[String], words: &str| -> u64 {
        let last = lines.last().unwrap();
        let rest = last.strip_prefix(words).unwrap_or_else(|| panic!("{last}"));
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let en = demo("en");
    let es = demo("es");
    let votes = total(&en, "Total at headquarters: ");
    assert!(
        en.last().unwrap().ends_with("equal to the sheets' sum"),
        "{en:?}"
    );
    assert!(
        es.last().unwrap().ends_with("igual a la suma de las actas"),
        "{es:?}"
    );
    // The same seed is the same night.
    assert_eq!(total(&es, "Total en la central: "), votes);
    assert!(votes > 0);
    assert_eq!(en.len(), es.len());
}

#[test]
fn by_hand_from_an_empty_folder_to_the_total() {
    let folder = tempfile::tempdir().unwrap();
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut hq = Headquarters::init(
        folder.path().join("D2"),
        &format!("http://127.0.0.1:{port}"),
    );
    let enrol = |name: &str, table: &str| -> Phone {
        let image = folder.path().join(format!("{name}.png"));
        hq.invite(table, &image);
        let phone = Phone::init(folder.path().join(name));
        let enrolled = phone.enrol(&image, &hq.public()).done();
        assert_eq!(enrolled.text("/table"), table);
        phone
    };
    let phone = enrol("witness", TABLE);
    let other = enrol("another", OTHER_TABLE);

    // The day, without a network.
    let mut shell = phone.shell();
    for line in [
        "report 11",
        "report 10 --delay-minutes 95",
        "report 21 --started 2024-07-28T14:05:00-04:00 --ended 2024-07-28T14:40:00-04:00",
        "report 43 --people 3 --note 'se llevaron la máquina'",
    ] {
        assert!(shell.ask(line)["saved"].is_u64(), "{line}");
    }
    let tally = shell.ask(&format!("tally {SHEET}"));
    assert_eq!(tally["saved"], 5, "{tally}");
    assert_eq!(tally["tally"]["valid_votes"], 368);
    assert_eq!(tally["tally"]["candidates"][0]["votes"], 188);
    let failed = shell.ask("sync");
    assert_eq!(failed["failure"]["code"], "no-network", "{failed}");
    shell.kill();
    assert_eq!(phone.queued(), 5);
    assert_eq!(
        other
            .run_with_input(&["tally", "-"], OTHER_SHEET.as_bytes())
            .done()
            .json()["saved"],
        1
    );

    // The night, with one.
    assert_eq!(hq.serve(port).port(), port);
    assert_eq!(phone.sync_all_well()["delivered"], 5);
    phone.sync_sends_no_record();
    assert_eq!(other.sync_all_well()["delivered"], 1);

    let held = hq.held();
    let codes: Vec<u64> = held
        .incidents()
        .iter()
        .map(|i| i["code"].as_u64().unwrap())
        .collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [10, 11, 21, 43], "{codes:?}");
    let of = |code: u64| held.incidents().iter().find(|i| i["code"] == code).unwrap();
    assert_eq!(of(10)["delay_minutes"], 95);
    assert_eq!(of(21)["started"], "2024-07-28T14:05:00-04:00");
    assert_eq!(of(21)["ended"], "2024-07-28T14:40:00-04:00");
    assert_eq!(of(43)["people"], 3);
    assert_eq!(of(43)["note"], "se llevaron la máquina");
    assert_eq!(of(11)["label"]["es"], "no abrió");
    assert_eq!(of(11)["table"], TABLE);
    assert_eq!(held.total(), 368 + 581);
    assert_eq!(held.results["tables"]["reported"], 2);

    // The page says the same in both languages.
    for lang in ["es", "en"] {
        let page = get(hq.address(), &format!("/?lang={lang}"));
        assert_eq!(page.status, 200);
        assert!(
            page.head.contains("content-type: text/html"),
            "{}",
            page.head
        );
        let page = String::from_utf8(page.body).unwrap();
        for word in [
            "Edmundo González",
            "Nicolás Maduro",
            TABLE,
            "se llevaron la máquina",
        ] {
            assert!(page.contains(word), "{word} is not on the page");
        }
    }

    // And so does the command, on the running headquarters' folder and after them.
    for running in [true, false] {
        if !running {
            hq.kill();
        }
        let table = run(&["hq", "--data", hq.path(), "table"]).done();
        assert!(table.out.contains("se llevaron"), "{}", table.out);
        assert!(table.out.contains(TABLE), "{}", table.out);
    }
}
