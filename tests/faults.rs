//! Faults between a witness's phone and headquarters. After each of them nothing is lost and nothing
//! is doubled: every record that a phone called saved is in headquarters' API exactly once.
//!
//! Random faults print their seed; `TESTIGO_TEST_SEED=N` repeats them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use support::{
    Chance, Exchange, Headquarters, LIMIT, OTHER_SHEET, OTHER_TABLE, Phone, SHEET, Saved, Stage,
    TABLE, Way, post, warnings,
};

/// Headquarters hold these notes, each once, and nothing else.
fn assert_held(hq: &Headquarters, notes: &[String]) {
    let mut expected = notes.to_vec();
    expected.sort();
    let held = hq.held();
    assert_eq!(held.notes(), expected);
    assert_eq!(hq.api("/v1/health")["unreadable"], 0);
}

/// Every record in the phone's history is delivered.
fn assert_all_delivered(phone: &Phone) {
    let history = phone.history();
    assert!(
        history.iter().all(|(_, state)| state == "delivered"),
        "{history:?}"
    );
}

fn failure(report: &Value) -> &str {
    report["failure"]["code"].as_str().unwrap_or_default()
}

#[test]
fn killed_right_after_saved() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut notes = Vec::new();
    let mut saved = Vec::new();
    for round in 1..=10u64 {
        let note = format!("round {round}");
        let mut shell = phone.shell();
        let answer = shell.ask(&format!("report 99 --note '{note}'"));
        std::thread::sleep(Duration::from_micros(chance.below(5_000)));
        let unread = shell.kill();
        assert!(unread.is_empty(), "{unread:?}");
        let record = Saved::in_answer(&answer).unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(record.sequence, round);
        saved.push(record);
        notes.push(note);
    }
    let kept: Vec<Saved> = phone
        .history()
        .into_iter()
        .map(|(saved, _)| saved)
        .collect();
    assert_eq!(kept, saved);
    assert_eq!(phone.sync_all_well()["delivered"], 10);
    phone.sync_sends_no_record();
    assert_all_delivered(&phone);
    assert_held(&stage.hq, &notes);
}

#[test]
fn killed_during_a_burst_of_saves() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut answered = Vec::new();
    for round in 0..6 {
        let mut shell = phone.shell();
        for n in 0..60 {
            assert!(shell.tell(&format!("report 99 --note 'burst {round}, {n}'")));
        }
        let read_before = chance.below(30);
        for _ in 0..read_before {
            answered.push(Saved::in_answer(&shell.json()).unwrap());
        }
        std::thread::sleep(Duration::from_micros(chance.below(3_000)));
        for line in shell.kill() {
            let answer = serde_json::from_str(&line).unwrap();
            answered.push(Saved::in_answer(&answer).unwrap());
        }
    }
    // A record may have been committed whose answer nobody heard: it is kept, too, and once.
    let history = phone.history();
    let kept: Vec<&Saved> = history.iter().map(|(saved, _)| saved).collect();
    for saved in &answered {
        assert!(
            kept.contains(&saved),
            "{saved:?} was called saved and is not there"
        );
    }
    assert!(
        history.len() <= answered.len() + 6,
        "more than one unheard in a round"
    );
    assert_eq!(phone.sync_all_well()["delivered"], history.len());
    let notes = stage.hq.held().notes();
    assert_eq!(notes.len(), history.len());
    assert!(
        notes.windows(2).all(|pair| pair[0] != pair[1]),
        "one twice: {notes:?}"
    );
    assert_all_delivered(&phone);
}

#[test]
fn a_lost_reply_or_a_cut_request_is_sent_again_and_counted_once() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut notes = Vec::new();
    let ways = [
        Way::RequestCut { at: 0 },
        Way::RequestCut { at: chance.next() },
        Way::ReplyLost,
        Way::ReplyCut { at: chance.next() },
        Way::RequestCut { at: chance.next() },
        Way::ReplyCut { at: chance.next() },
        Way::ReplyLost,
    ];
    for (round, way) in ways.into_iter().enumerate() {
        for n in 0..3 {
            let note = format!("{round}.{n}");
            phone.report(&note);
            notes.push(note);
        }
        stage.proxy.set(way.clone());
        let report = phone.sync();
        assert_eq!(failure(&report), "no-network", "{way:?}: {report}");
        assert_eq!(report["delivered"], 0, "{way:?}: {report}");
        assert_eq!(phone.queued(), 3, "{way:?}");
        stage.proxy.take_exchanges();

        stage.proxy.set(Way::Clear);
        assert_eq!(phone.sync_all_well()["delivered"], 3, "{way:?}");
        // The first request that comes through carries the enrolment as well.
        let things = stage.verify_receipts(&stage.proxy.take_exchanges());
        assert_eq!(things, if round == 0 { 4 } else { 3 }, "{way:?}");
        assert_held(&stage.hq, &notes);
    }
    assert_all_delivered(&phone);
}

#[test]
fn the_same_envelopes_again_change_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let notes: Vec<String> = (0..5).map(|n| format!("note {n}")).collect();
    for note in &notes {
        phone.report(note);
    }
    phone.tally(SHEET);
    assert_eq!(phone.sync_all_well()["delivered"], 6);
    let first = stage.hq.held();
    assert_eq!(first.total(), 368);

    for _ in 0..2 {
        let again = phone.run(&["sync", "--all"]).done().json();
        assert_eq!(again["confirmed"], 6, "{again}");
        assert_eq!(again["delivered"], 0, "{again}");
        assert_eq!(stage.hq.held(), first);
    }
    let exchanges = stage.proxy.take_exchanges();
    assert_eq!(stage.verify_receipts(&exchanges), 7);

    // Whoever recorded the traffic and sends it again gets the same receipts and changes nothing.
    for exchange in &exchanges {
        let replayed = post(stage.hq.address(), &exchange.request);
        assert_eq!(replayed.status, 200);
        let reply = replayed_exchange(&exchange.request, &replayed.body);
        stage.verify_receipts(&[exchange.clone(), reply]);
    }
    assert_eq!(stage.hq.held(), first);
    assert_held(&stage.hq, &notes);
}

fn replayed_exchange(request: &[u8], reply_body: &[u8]) -> Exchange {
    let mut reply = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    reply.extend_from_slice(reply_body);
    Exchange {
        request: request.to_vec(),
        reply,
    }
}

#[test]
fn two_syncs_at_once_deliver_once() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut notes = Vec::new();
    for round in 0..4 {
        for n in 0..10 {
            let note = format!("{round}.{n}");
            phone.report(&note);
            notes.push(note);
        }
        let reports: Vec<Value> = std::thread::scope(|scope| {
            let syncs: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| phone.run(&["sync"]).done().json()))
                .collect();
            syncs.into_iter().map(|sync| sync.join().unwrap()).collect()
        });
        let delivered: u64 = reports
            .iter()
            .map(|r| r["delivered"].as_u64().unwrap())
            .sum();
        assert_eq!(delivered, 10, "{reports:?}");
        assert_eq!(phone.queued(), 0);
        assert_held(&stage.hq, &notes);
    }
    stage.verify_receipts(&stage.proxy.take_exchanges());
    assert_all_delivered(&phone);
}

#[test]
fn one_bit_changed_on_the_way_is_never_taken_for_the_truth() {
    let mut chance = Chance::new();
    let stage = Stage::new();
    let mut notes = Vec::new();
    for round in 0..24 {
        // Each phone's first request carries its enrolment: damage finds that, too.
        let phone = stage.phone(&format!("phone {round}"), TABLE);
        for n in 0..2 {
            let note = format!("{round}.{n}");
            phone.report(&note);
            notes.push(note);
        }
        let at = chance.next();
        let way = match round % 2 {
            0 => Way::RequestBit { at },
            _ => Way::ReplyBit { at },
        };
        stage.proxy.set(way.clone());
        let damaged = phone.sync();
        // Whatever it reports as delivered, headquarters hold; and never anything that nobody saved.
        let held = stage.hq.held().notes();
        let here = held
            .iter()
            .filter(|note| note.starts_with(&format!("{round}.")));
        assert!(
            here.count() as u64 >= damaged["delivered"].as_u64().unwrap(),
            "{way:?}"
        );
        assert!(
            held.iter().all(|note| notes.contains(note)),
            "{way:?}: {held:?}"
        );
        assert!(
            held.windows(2).all(|pair| pair[0] != pair[1]),
            "{way:?}: {held:?}"
        );

        stage.proxy.set(Way::Clear);
        phone.sync_all_well();
        assert_all_delivered(&phone);
        assert_held(&stage.hq, &notes);
    }
}

fn http(status: &str, headers: &str, body: &str) -> Way {
    let length = body.len();
    Way::Answer(
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes(),
    )
}

#[test]
fn a_captive_portal_is_never_success() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let notes = ["a", "b"].map(str::to_owned);
    for note in &notes {
        phone.report(note);
    }
    let page = "<!doctype html><title>Wi-Fi</title><p>Log in</p>";
    for way in [
        http("200 OK", "Content-Type: text/html\r\n", page),
        http("200 OK", "", ""),
        http("204 No Content", "", ""),
        http("302 Found", "Location: http://127.0.0.1:9/login\r\n", ""),
    ] {
        stage.proxy.set(way.clone());
        for (lang, words) in [("en", "log-in page"), ("es", "página de acceso")] {
            let ended = phone.run_in(lang, &["sync"]).exited(1);
            let report = ended.json();
            assert_eq!(failure(&report), "portal", "{way:?}: {report}");
            assert_eq!(report["delivered"], 0);
            let sentence = ended.text("/failure/sentence");
            assert!(sentence.contains(words), "{sentence}");
        }
        assert_eq!(phone.queued(), 2);
    }
    // One that copies headquarters' media type still cannot sign.
    let kind = "Content-Type: application/cbor-seq\r\n";
    for body in ["", "\u{1}", page] {
        stage.proxy.set(http("200 OK", kind, body));
        let report = phone.sync();
        assert_eq!(failure(&report), "not-headquarters", "{report}");
        assert_eq!(phone.queued(), 2);
    }
    assert_held(&stage.hq, &[]);
    stage.proxy.set(Way::Clear);
    assert_eq!(phone.sync_all_well()["delivered"], 2);
    assert_held(&stage.hq, &notes);
}

#[test]
fn a_busy_or_failing_headquarters_is_asked_again() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("a");
    for (status, code) in [
        ("503 Service Unavailable", "busy"),
        ("429 Too Many Requests", "busy"),
        ("500 Internal Server Error", "headquarters-fault"),
        ("507 Insufficient Storage", "headquarters-fault"),
    ] {
        stage.proxy.set(http(status, "Retry-After: 86400\r\n", ""));
        let ended = phone.run(&["sync"]).exited(1);
        assert_eq!(failure(&ended.json()), code, "{status}");
        // Nobody makes a phone wait for longer than five minutes.
        assert!(!ended.out.contains("86400"), "{ended:?}");
        assert_eq!(phone.queued(), 1);
    }
    stage.proxy.set(Way::Clear);
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    assert_held(&stage.hq, &["a".to_owned()]);
}

#[test]
fn another_headquarters_cannot_take_delivery() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut other = Headquarters::init(stage.path("other"), &stage.proxy.url());
    other.serve(0);

    for (round, notes) in [vec!["a"], vec!["a", "b"]].into_iter().enumerate() {
        // The second time the phone has its enrolment's receipt already.
        phone.report(notes[round]);
        stage.proxy.lead_to(other.address());
        let report = phone.run(&["sync"]).exited(1).json();
        let deferred = report["deferrals"]
            .as_array()
            .is_some_and(|d| !d.is_empty());
        assert!(
            failure(&report) == "not-headquarters" || deferred,
            "{report}"
        );
        assert_eq!(report["delivered"], 0, "{report}");
        assert_eq!(report["parked"], 0, "{report}");
        assert_eq!(phone.queued(), 1);
        assert_held(&other, &[]);

        stage.proxy.lead_to(stage.hq.address());
        assert_eq!(phone.sync_all_well()["delivered"], 1);
        let notes: Vec<String> = notes.into_iter().map(str::to_owned).collect();
        assert_held(&stage.hq, &notes);
    }
    stage.hq.kill();
}

#[test]
fn an_old_reply_does_not_deliver_what_is_new() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("old");
    phone.sync_all_well();
    let old = stage.proxy.take_exchanges().pop().unwrap().reply;
    phone.report("new");
    stage.proxy.set(Way::Answer(old));
    let report = phone.run(&["sync"]).exited(1).json();
    assert_eq!(report["delivered"], 0, "{report}");
    assert_eq!(phone.queued(), 1);
    assert_held(&stage.hq, &["old".to_owned()]);
    stage.proxy.set(Way::Clear);
    phone.sync_all_well();
    assert_held(&stage.hq, &["new".to_owned(), "old".to_owned()]);
}

#[test]
fn nobody_between_reads_what_travels() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let note = "a word that stands in no protocol";
    phone.report(note);
    phone.tally(SHEET);
    phone.sync_all_well();
    let exchanges = stage.proxy.take_exchanges();
    assert_eq!(stage.verify_receipts(&exchanges), 3);
    for bytes in exchanges.iter().flat_map(|e| [&e.request, &e.reply]) {
        for secret in [note, TABLE, "201301006", "140,7,10,8"] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret:?} travels in clear");
        }
    }
    // Nor does it lie open on the phone's disk.
    for (path, bytes) in support::contents(&phone.home) {
        for secret in [note, TABLE] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret:?} lies open in {}", path.display());
        }
    }
}

#[test]
fn a_clock_that_is_three_days_wrong_is_flagged_and_loses_nothing() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("right");
    for (note, minutes) in [("ahead", "4320"), ("behind", "-4320")] {
        let wrong = format!("--clock-wrong-by-minutes={minutes}");
        let saved = phone
            .run(&[&wrong, "report", "99", "--note", note])
            .done()
            .json();
        assert!(saved["saved"].is_u64(), "{saved}");
        // The clock is as wrong when it sends.
        let report = phone.run(&[&wrong, "sync"]).done().json();
        assert_eq!(report["remaining"], 0, "{report}");
    }
    let held = stage.hq.held();
    assert_held(&stage.hq, &["ahead", "behind", "right"].map(str::to_owned));
    let flags = |note| warnings(held.incident(note));
    assert_eq!(flags("right"), Vec::<u64>::new());
    assert_eq!(flags("behind"), [1]);
    assert_eq!(flags("ahead"), [2]);
    assert_all_delivered(&phone);
}

#[test]
fn headquarters_killed_between_and_during_syncs() {
    let mut chance = Chance::new();
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut notes = Vec::new();
    for round in 0..8 {
        for n in 0..5 {
            let note = format!("{round}.{n}");
            phone.report(&note);
            notes.push(note);
        }
        if round % 4 == 0 {
            // Between: nobody is there.
            stage.hq.kill();
            assert_eq!(failure(&phone.sync()), "no-network");
        } else {
            // During: some time after the request has begun to arrive.
            let begun = stage.proxy.begun();
            let wait = Duration::from_micros(chance.below(8_000));
            std::thread::scope(|scope| {
                let sync = scope.spawn(|| phone.sync());
                let since = Instant::now();
                while stage.proxy.begun() == begun && since.elapsed() < LIMIT {
                    std::thread::yield_now();
                }
                std::thread::sleep(wait);
                stage.hq.kill();
                let report = sync.join().unwrap();
                let delivered = report["delivered"].as_u64().unwrap();
                assert!(
                    delivered == 5 || failure(&report) == "no-network",
                    "{report}"
                );
            });
        }
        stage.serve_again();
        phone.sync_all_well();
        assert_held(&stage.hq, &notes);
    }
    assert_all_delivered(&phone);
    // And what was answered before the kills still stands.
    let before = stage.hq.held();
    let again = phone.run(&["sync", "--all"]).done().json();
    assert_eq!(again["confirmed"], notes.len(), "{again}");
    stage.restart_hq();
    assert_eq!(stage.hq.held(), before);
    stage.verify_receipts(&stage.proxy.take_exchanges()[..1]);
}

#[test]
fn nobody_answers_at_the_address() {
    let mut stage = Stage::new();
    // A port on which nobody listens: this test holds none open, and headquarters take it later.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut hq = Headquarters::init(stage.path("quiet"), &format!("http://127.0.0.1:{port}"));
    let image = stage.path("quiet.png");
    hq.invite(TABLE, &image);
    let phone = Phone::init(stage.path("phone"));
    phone.enrol(&image, &hq.public()).done();
    phone.report("a");
    for (lang, sentence) in [
        (
            "en",
            "Headquarters cannot be reached. Everything is saved and will be sent when there is a network.",
        ),
        (
            "es",
            "No hay conexión con la central. Todo está guardado y se enviará cuando haya red.",
        ),
    ] {
        let ended = phone.run_in(lang, &["sync"]).exited(1);
        assert_eq!(failure(&ended.json()), "no-network");
        assert_eq!(ended.text("/failure/sentence"), sentence);
        assert_eq!(phone.queued(), 1);
    }
    hq.serve(port);
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    assert_held(&hq, &["a".to_owned()]);
    stage.hq.kill();
}

#[test]
fn a_request_larger_than_one_batch_arrives_whole() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut shell = phone.shell();
    let notes: Vec<String> = (0..150).map(|n| format!("note {n:03}")).collect();
    for note in &notes {
        shell.ask(&format!("report 99 --note '{note}'"));
    }
    let report = shell.ask("sync");
    assert_eq!(report["delivered"], 150, "{report}");
    assert!(report["requests"].as_u64().unwrap() > 1, "{report}");
    assert_eq!(stage.verify_receipts(&stage.proxy.take_exchanges()), 151);
    assert_held(&stage.hq, &notes);
    drop(shell);
    assert_all_delivered(&phone);
}

#[test]
fn two_devices_with_the_same_sheet_count_once() {
    let stage = Stage::new();
    for name in ["first", "second"] {
        let phone = stage.phone(name, TABLE);
        phone.tally(SHEET);
        phone.sync_all_well();
    }
    let held = stage.hq.held();
    assert_eq!(held.results["tables"]["reported"], 1);
    assert_eq!(
        (held.votes("EG"), held.votes("NM"), held.total()),
        (167, 188, 368)
    );
    assert_eq!(held.table(TABLE)["state"], "reported");
}

#[test]
fn two_devices_with_differing_sheets_are_a_conflict() {
    let stage = Stage::new();
    let differing = SHEET.replace("7,155,1,1", "7,156,1,1");
    for (name, sheet) in [("first", SHEET), ("second", &differing)] {
        let phone = stage.phone(name, TABLE);
        phone.tally(sheet);
        phone.sync_all_well();
    }
    let other = stage.phone("other", OTHER_TABLE);
    other.tally(OTHER_SHEET);
    other.sync_all_well();
    let held = stage.hq.held();
    // Both are kept, a person decides, and no other table is touched by it.
    assert_eq!(held.table(TABLE)["state"], "conflict");
    assert_eq!(held.total(), 581);
    assert_eq!(held.table(OTHER_TABLE)["state"], "reported");
    let versions = held.table(TABLE)["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert!(
        versions.iter().all(|version| version["readings"] == 1),
        "{versions:?}"
    );
}
