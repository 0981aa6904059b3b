use crate::headquarters::{KEY, LIMIT, SHEET, Stage, TABLE, await_end, grey, run};
use crate::{FOLDER, part};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testigo_bindings::{
    ContentView, DeliveryView, DetailInput, DetailKind, Explanation, HistoryView, HostError,
    LogLevel, Logger, NextStep, Phone, PhoneObserver, RecordView, ReportInput, Rotation, Scanner,
    StatusView, SyncOutcome, SyncReportView, SyncStop, TallyInput, TallyReading, TestigoError,
    catalogue, phone_exists, set_logger,
};

pub(crate) fn power_cut(note: &str) -> ReportInput {
    ReportInput {
        code: 21,
        note: Some(note.to_owned()),
        ..ReportInput::default()
    }
}

pub(crate) fn sheet() -> TallyInput {
    TallyInput {
        texts: vec![SHEET.as_bytes().to_vec()],
        ..TallyInput::default()
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

pub(crate) fn deliver(phone: &Phone) -> SyncReportView {
    runtime().block_on(phone.sync(None, false)).unwrap()
}

pub(crate) fn assert_explained(explanation: &Explanation, code: &str, next: NextStep) {
    assert_eq!((explanation.code.as_str(), explanation.next), (code, next));
    assert!(explanation.es.len() > 20 && explanation.en.len() > 20);
    assert_ne!(explanation.es, explanation.en);
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn enrol() {
    let mut stage = Stage::new();
    let (keyset, pack) = stage.public();
    let home = stage.path("phone");
    assert!(!phone_exists(home.clone()));
    let phone = Phone::create(home.clone(), KEY.to_vec()).unwrap();
    assert!(phone_exists(home.clone()));
    assert!(matches!(
        Phone::create(home, KEY.to_vec()),
        Err(TestigoError::Enrolment { explanation }) if explanation.code == "phone-exists"
    ));
    let Err(TestigoError::Enrolment { explanation }) = phone.report(power_cut("x")) else {
        panic!("saved without headquarters' keys");
    };
    assert_explained(&explanation, "not-enrolled", NextStep::Enrol);

    let Err(TestigoError::Input { explanation }) =
        phone.enrol("TESTIGO1:AB".to_owned(), keyset.clone(), None)
    else {
        panic!("enrolled with half a code");
    };
    assert_explained(&explanation, "input", NextStep::CorrectInput);
    assert_eq!(explanation.field.as_deref(), Some("code"));
    let (other, _) = Stage::new().public();
    let damaged = keyset[..keyset.len() / 2].to_vec();
    for (keyset, code) in [(other, "other-headquarters"), (damaged, "damaged")] {
        let Err(TestigoError::Enrolment { explanation }) =
            phone.enrol(stage.code(), keyset, Some(pack.clone()))
        else {
            panic!("enrolled: {code}");
        };
        assert_explained(&explanation, code, NextStep::AskCoordinator);
    }
    assert!(!phone.status().unwrap().enrolled);

    let code = stage.code();
    let before = phone.status().unwrap();
    assert_eq!((before.root_words, before.confirmation), (None, None));
    let enrolled = phone.enrol(code.clone(), keyset.clone(), Some(pack.clone()));
    let enrolled = enrolled.unwrap();
    assert_eq!(enrolled.table.as_deref(), Some(TABLE));
    assert_eq!(enrolled.root_words.en, stage.words);
    assert_eq!(enrolled.root_words.es.split(' ').count(), 6);
    assert_ne!(enrolled.root_words.es, enrolled.root_words.en);
    let status = phone.status().unwrap();
    assert_eq!(status.root_words, Some(enrolled.root_words));
    assert_eq!(status.confirmation, enrolled.confirmation);
    assert!(status.enrolled && !status.enrolment_delivered && status.last_contact.is_none());
    assert_eq!(status.table.as_deref(), Some(TABLE));
    let Err(TestigoError::Enrolment { explanation }) = phone.enrol(code, keyset, Some(pack)) else {
        panic!("enrolled twice");
    };
    assert_explained(&explanation, "already-enrolled", NextStep::AskCoordinator);

    let characters = status.confirmation.unwrap().replace(' ', "");
    assert_eq!(characters.len(), 12);
    stage.serve();
    deliver(&phone);
    let data = stage.path("hq");
    run(&["hq", "--data", &data, "devices", "confirm", &characters]);
    let listed = run(&["hq", "--data", &data, "devices"]);
    assert_eq!(listed["devices"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["devices"][0]["state"], "confirmed", "{listed}");
}

pub fn capture_offline() {
    let stage = Stage::new();
    let phone = stage.phone("phone");
    let saved = phone.report(power_cut("two blocks dark")).unwrap();
    assert_eq!((saved.sequence, saved.table.as_deref()), (1, Some(TABLE)));
    assert_eq!((saved.record_id.len(), saved.warnings.len()), (32, 0));
    let backwards = ReportInput {
        started: Some("2024-07-28T14:00:00-04:00".to_owned()),
        ended: Some("2024-07-28T13:00:00-04:00".to_owned()),
        ..power_cut("backwards")
    };
    let doubtful = phone.report(backwards).unwrap();
    assert_eq!(doubtful.warnings[0].code, 12);
    assert!(!doubtful.warnings[0].es.is_empty() && !doubtful.warnings[0].en.is_empty());

    let details = |values: &[(&str, &str)]| ReportInput {
        code: 90,
        details: (values.iter())
            .map(|(field, value)| DetailInput {
                field: (*field).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        ..ReportInput::default()
    };
    let refused = phone.report(details(&[("people", "4")])).unwrap_err();
    let TestigoError::Input { explanation } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(explanation.field.as_deref(), Some("details"));
    assert!(explanation.en.contains("people") && explanation.en.contains("voters"));
    let entry = phone.catalogue().into_iter().find(|entry| entry.code == 90);
    let fields = entry.unwrap().fields;
    assert_eq!(
        fields.iter().map(|f| &*f.name).collect::<Vec<_>>(),
        ["hour", "voters"]
    );
    assert_eq!(fields[1].kind, DetailKind::Number);
    let place = phone.table(TABLE.to_owned()).unwrap();
    assert_eq!((place.registered, place.areas.len()), (535, 3));
    assert!(!phone.election().unwrap().practice && !phone.status().unwrap().practice);

    let tally = phone.tally(sheet()).unwrap();
    let TallyReading::Read { tally: read } = &tally.reading else {
        panic!("{tally:?}");
    };
    assert_eq!((read.table.as_str(), read.valid_votes), (TABLE, 368));
    assert_eq!(read.candidates.iter().map(|c| c.votes).sum::<u64>(), 368);
    let unknown = TallyInput {
        texts: vec![b"no sheet".to_vec()],
        ..TallyInput::default()
    };
    let kept = phone.tally(unknown).unwrap();
    assert!(matches!(kept.reading, TallyReading::NotATally { .. }));
    assert_eq!(kept.saved.sequence, 4);

    let fields = [
        (
            "code",
            ReportInput {
                code: 7,
                ..power_cut("x")
            },
        ),
        ("note", power_cut(&"ñ".repeat(501))),
        (
            "started",
            ReportInput {
                started: Some("at noon".to_owned()),
                ..power_cut("x")
            },
        ),
        (
            "table",
            ReportInput {
                table: Some("no table".to_owned()),
                ..power_cut("x")
            },
        ),
    ];
    for (field, input) in fields {
        let Err(TestigoError::Input { explanation }) = phone.report(input) else {
            panic!("saved: {field}");
        };
        assert_explained(&explanation, "input", NextStep::CorrectInput);
        assert_eq!(explanation.field.as_deref(), Some(field));
    }
    let history = phone.history().unwrap();
    let sequences: Vec<u64> = history.iter().map(|item| item.sequence).collect();
    assert_eq!(sequences, [4, 3, 2, 1]);
    assert!(
        history
            .iter()
            .all(|item| item.delivery == DeliveryView::Queued)
    );
    let RecordView::Report { note, label_en, .. } = &content(&history[3]).record else {
        panic!("{history:?}");
    };
    assert_eq!(
        (note.as_deref(), label_en.as_str()),
        (Some("two blocks dark"), "power cut")
    );
    assert_eq!(phone.status().unwrap().queued, 4);
}

fn content(item: &HistoryView) -> ContentView {
    item.content.clone().unwrap()
}

/// The part of the process that is killed: it says each number once it is saved.
pub fn save_until_killed(home: &str) {
    let phone = Phone::open(home.to_owned(), KEY.to_vec()).unwrap();
    let mut out = std::io::stdout();
    for n in 0.. {
        let saved = phone.report(power_cut(&n.to_string())).unwrap();
        writeln!(out, "{}", saved.sequence).unwrap();
        out.flush().unwrap();
    }
}

pub fn killed_and_reopened() {
    let stage = Stage::new();
    drop(stage.phone("phone"));
    let home = stage.path("phone");
    let mut said = 0;
    for _ in 0..3 {
        let mut process = part("save")
            .env(FOLDER, &home)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        for _ in 0..5 {
            lines.next().unwrap().unwrap();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        // What it had said and nobody had read yet counts as well.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let phone = Phone::open(home.clone(), KEY.to_vec()).unwrap();
        let history = phone.history().unwrap();
        let count = history.len() as u64;
        let mut sequences: Vec<u64> = history.iter().map(|item| item.sequence).collect();
        sequences.reverse();
        assert_eq!(sequences, (1..=count).collect::<Vec<_>>());
        said += 5 + rest.len() as u64;
        // The kill may fall between a commit and the word of it.
        assert!(count >= said && count <= said + 1, "{count} of {said}");
        said = count;
    }
}

pub fn sync() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone");
    phone.report(power_cut("one")).unwrap();
    phone.tally(sheet()).unwrap();
    stage.shut();
    let failed = deliver(&phone);
    let SyncOutcome::Failed { code, es, en, .. } = failed.outcome else {
        panic!("{failed:?}");
    };
    assert_eq!((code.as_str(), failed.remaining), ("no-network", 2));
    assert!(es.len() > 20 && en.len() > 20);
    stage.serve();
    let done = deliver(&phone);
    assert_eq!((done.delivered, done.remaining), (2, 0), "{done:?}");
    assert_eq!(done.outcome, SyncOutcome::Done);
    assert!(done.requests > 0 && done.bytes_sent > 0);
    let again = deliver(&phone);
    // At most it asks what the desk has to say.
    assert_eq!((again.delivered, again.remaining), (0, 0));
    assert!(again.requests <= 1 && again.bytes_sent <= 4096, "{again:?}");
    let held = stage.held();
    assert_eq!(held["results"]["valid_votes"], 368);
    let incidents = held["incidents"]["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["note"], "one");
}

pub fn receipts() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone");
    phone.report(power_cut("one")).unwrap();
    stage.serve();
    assert_eq!(deliver(&phone).delivered, 1);
    stage.shut();
    phone.report(power_cut("two")).unwrap();
    assert!(matches!(
        deliver(&phone).outcome,
        SyncOutcome::Failed { .. }
    ));
    drop(phone);

    let phone = Phone::open(stage.path("phone"), KEY.to_vec()).unwrap();
    let deliveries: Vec<DeliveryView> = (phone.history().unwrap().into_iter())
        .map(|item| item.delivery)
        .collect();
    let [
        DeliveryView::Queued,
        DeliveryView::Delivered { received_at },
    ] = &deliveries[..]
    else {
        panic!("{deliveries:?}");
    };
    let status = phone.status().unwrap();
    assert!(status.enrolment_delivered);
    assert_eq!((status.delivered, status.queued), (1, 1));
    assert_eq!(status.last_contact.as_ref(), Some(received_at));
    stage.serve();
    assert_eq!(deliver(&phone).delivered, 1);
    assert_eq!(stage.incidents(), 2);
}

pub fn cancelled_sync() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone");
    phone.report(power_cut("before")).unwrap();
    let runtime = runtime();

    let stop = Arc::new(SyncStop::new());
    let (stopped, of) = (stop.clone(), phone.clone());
    let waiting = runtime.spawn(async move { of.sync(Some(stopped), false).await });
    let link = stage.asked();
    assert!(phone.status().unwrap().syncing);
    phone.report(power_cut("meanwhile")).unwrap();
    stop.stop();
    let report = runtime.block_on(waiting).unwrap().unwrap();
    assert_eq!(
        (report.outcome, report.remaining),
        (SyncOutcome::Stopped, 2)
    );
    assert!(!phone.status().unwrap().syncing);
    await_end(link);

    let of = phone.clone();
    let waiting = runtime.spawn(async move { of.sync(None, false).await });
    let link = stage.asked();
    waiting.abort();
    assert!(runtime.block_on(waiting).unwrap_err().is_cancelled());
    wait_for("not syncing", || !phone.status().unwrap().syncing);
    await_end(link);

    stage.serve();
    assert_eq!(deliver(&phone).delivered, 2);
    assert_eq!(stage.incidents(), 2);
}

pub fn wrong_key() {
    let stage = Stage::new();
    let phone = stage.phone("phone");
    phone.report(power_cut("kept")).unwrap();
    let before = phone.history().unwrap();
    drop(phone);
    let home = stage.path("phone");
    let Err(TestigoError::Store { explanation }) = Phone::open(home.clone(), vec![8; 32]) else {
        panic!("opened with another key");
    };
    assert_explained(&explanation, "wrong-key", NextStep::KeepAndReport);
    let Err(TestigoError::Input { explanation }) = Phone::open(home.clone(), vec![7; 31]) else {
        panic!("opened with half a key");
    };
    assert_eq!(explanation.field.as_deref(), Some("database_key"));
    let Err(TestigoError::Enrolment { explanation }) =
        Phone::open(stage.path("nothing"), KEY.to_vec())
    else {
        panic!("opened nothing");
    };
    assert_explained(&explanation, "no-phone", NextStep::Enrol);
    let phone = Phone::open(home, KEY.to_vec()).unwrap();
    assert_eq!(phone.history().unwrap(), before);
}

/// Remembers what it is told.
#[derive(Default)]
struct Ear(Mutex<Vec<StatusView>>);

impl PhoneObserver for Ear {
    fn on_status(&self, status: StatusView) -> Result<(), HostError> {
        self.0.lock().unwrap().push(status);
        Ok(())
    }
}

struct Broken;

fn broken() -> HostError {
    HostError::Failed {
        reason: "broken".to_owned(),
    }
}

impl PhoneObserver for Broken {
    fn on_status(&self, _: StatusView) -> Result<(), HostError> {
        Err(broken())
    }
}

impl Logger for Broken {
    fn log(&self, _: LogLevel, _: String, _: String) -> Result<(), HostError> {
        Err(broken())
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl Logger for Lines {
    fn log(&self, level: LogLevel, target: String, message: String) -> Result<(), HostError> {
        assert!(target.starts_with("testigo"), "{target}");
        self.0.lock().unwrap().push((level, message));
        Ok(())
    }
}

pub fn callback_throws() {
    let stage = Stage::new();
    let phone = stage.phone("phone");
    let lines = Arc::new(Lines::default());
    set_logger(lines.clone(), LogLevel::Info).unwrap();
    let refused = set_logger(Arc::new(Broken), LogLevel::Trace);
    assert!(
        matches!(refused, Err(TestigoError::Host { .. })),
        "{refused:?}"
    );

    let ear = Arc::new(Ear::default());
    let broken = phone.observe(Arc::new(Broken));
    let observation = phone.observe(ear.clone());
    phone.report(power_cut("secret words")).unwrap();
    assert_eq!(ear.0.lock().unwrap().last().unwrap().queued, 1);
    broken.stop();
    observation.stop();
    phone.report(power_cut("unheard")).unwrap();
    assert_eq!(ear.0.lock().unwrap().len(), 1);

    let lines = lines.0.lock().unwrap();
    let warned = (lines.iter())
        .filter(|line| line.1 == "an observer failed")
        .count();
    assert_eq!(warned, 1, "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|(level, line)| *level == LogLevel::Info && line == "saved a report")
    );
    let all = format!("{lines:?}");
    assert!(!all.contains("secret") && !all.contains(TABLE), "{all}");
}

pub fn eight_threads() {
    const EACH: u64 = 12;
    let mut stage = Stage::new();
    stage.serve();
    let phone = stage.phone("phone");
    let ear = Arc::new(Ear::default());
    let observation = phone.observe(ear.clone());
    let mut sequences: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let phone = &phone;
                scope.spawn(move || {
                    let save = |n| {
                        let saved = phone.report(power_cut(&format!("{thread}/{n}"))).unwrap();
                        assert!(phone.status().unwrap().enrolled);
                        saved.sequence
                    };
                    let saved: Vec<u64> = (0..EACH).map(save).collect();
                    assert!(phone.history().unwrap().len() as u64 >= EACH);
                    assert_eq!(deliver(phone).outcome, SyncOutcome::Done);
                    saved
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect()
    });
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=8 * EACH).collect::<Vec<_>>());
    let status = phone.status().unwrap();
    assert_eq!((status.delivered, status.queued), (8 * EACH, 0));
    wait_for("the true state", || {
        ear.0.lock().unwrap().last() == Some(&status)
    });
    drop(observation);
    assert_eq!(stage.incidents() as u64, 8 * EACH);
}

/// Memory that this process has in use, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Is called back, and keeps nothing but how often.
#[derive(Default)]
struct Counted(AtomicU32);

impl Counted {
    fn times(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl PhoneObserver for Counted {
    fn on_status(&self, _: StatusView) -> Result<(), HostError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Logger for Counted {
    fn log(&self, _: LogLevel, _: String, _: String) -> Result<(), HostError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

pub fn ten_thousand_calls() {
    let stage = Stage::new();
    let phone = stage.phone("phone");
    phone.report(power_cut("one")).unwrap();
    phone.tally(sheet()).unwrap();
    let scanner = Scanner::new();
    let frame = vec![255; 64 * 48];
    let other_key = vec![8; 32];
    let lines = Arc::new(Counted::default());
    set_logger(lines.clone(), LogLevel::Warn).unwrap();
    let told = Arc::new(Counted::default());
    let call = |n: u32| {
        assert_eq!(catalogue().len(), 39);
        assert_eq!(phone.status().unwrap().queued, 2);
        assert_eq!(phone.history().unwrap().len(), 2);
        assert!(
            phone
                .report(ReportInput {
                    code: 7,
                    ..power_cut("x")
                })
                .is_err()
        );
        let reading = phone.read_tally(vec![SHEET.as_bytes().to_vec()]).unwrap();
        assert!(matches!(reading, TallyReading::Read { .. }));
        assert!(
            scanner
                .scan(&frame, 64, 48, 64, Rotation::None)
                .unwrap()
                .is_empty()
        );
        let observation = phone.observe(told.clone());
        if n.is_multiple_of(100) {
            assert!(Phone::open(stage.path("phone"), other_key.clone()).is_err());
            let stop = Arc::new(SyncStop::new());
            stop.stop();
            let stopped = runtime().block_on(phone.sync(Some(stop), false)).unwrap();
            assert_eq!(stopped.outcome, SyncOutcome::Stopped);
        }
        observation.stop();
    };
    (0..2_000).for_each(call);
    let before = resident_kib();
    (0..10_000).for_each(call);
    let grown = resident_kib().saturating_sub(before);
    // A kilobyte lost in each round would be 10 MB.
    assert!(grown < 4 * 1024, "grew by {grown} KiB");
    let (lines, told) = (lines.times(), told.times());
    assert!(
        lines >= 12_000 && told >= 120,
        "{lines} lines, told {told} times"
    );
}

pub fn scanned_sheet() {
    let mut stage = Stage::new();
    stage.serve();
    let phone = stage.phone("phone");
    let photo = stage.path("sheet.png");
    run(&["sheet", "--text", SHEET, "--out", &photo, "--seed", "7"]);
    let (pixels, width, height) = grey(Path::new(&photo));
    let scanner = Scanner::new();
    let upright = scanner
        .scan(&pixels, width, height, width, Rotation::None)
        .unwrap();
    assert_eq!(upright.len(), 1);
    assert_eq!(upright[0].text.as_deref(), Some(SHEET));
    // The same picture, as a camera held on its side gives it, with a stride beyond its width.
    let stride = height + 16;
    let mut turned = vec![0; (stride * width) as usize];
    for y in 0..height {
        for x in 0..width {
            // A quarter turn clockwise brings it upright again.
            turned[((width - 1 - x) * stride + y) as usize] = pixels[(y * width + x) as usize];
        }
    }
    let codes = scanner
        .scan(&turned, height, width, stride, Rotation::Quarter)
        .unwrap();
    assert_eq!(codes[0].bytes, upright[0].bytes);
    for (a, b) in codes[0].corners.iter().zip(&upright[0].corners) {
        assert!(
            (a.x - b.x).abs() <= 8 && (a.y - b.y).abs() <= 8,
            "{codes:?} {upright:?}"
        );
    }

    let texts = codes.into_iter().map(|code| code.bytes).collect();
    let sheet = TallyInput {
        texts,
        ..TallyInput::default()
    };
    let saved = phone.tally(sheet).unwrap();
    assert!(saved.saved.warnings.is_empty(), "{saved:?}");
    let record = content(&phone.history().unwrap()[0]).record;
    let RecordView::Tally {
        reading: TallyReading::Read { tally },
    } = record
    else {
        panic!("{record:?}");
    };
    assert_eq!(deliver(&phone).delivered, 1);
    let held = stage.held();
    for candidate in tally.candidates {
        let total = (held["results"]["candidates"].as_array().unwrap().iter())
            .find(|total| total["code"] == candidate.code.as_str())
            .unwrap();
        assert_eq!(total["votes"], candidate.votes);
    }
    assert_eq!(held["results"]["valid_votes"], 368);
}
