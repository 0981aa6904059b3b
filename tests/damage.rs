//! Damaged stores of phones and headquarters: told, recovered as far as they can be read, never deleted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Ended, Phone, Stage, TABLE, run};

const PAGE: usize = 4096;

/// Writes these pages with four bytes of one of them changed.
fn damage(path: &Path, whole: &[u8], page: usize) {
    let mut bytes = whole.to_vec();
    for byte in &mut bytes[page * PAGE + 1000..][..4] {
        *byte ^= 0x55;
    }
    write(path, &bytes);
}

/// Writes a database without a log.
fn write(path: &Path, bytes: &[u8]) {
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", path.display()));
    }
    fs::write(path, bytes).unwrap();
}

/// A database whose process was killed: its bytes, and its log's.
struct Killed {
    path: PathBuf,
    whole: Vec<u8>,
    log: Vec<u8>,
}

/// Of the log's header and of each of its frames, with the page.
const LOG_HEADER: usize = 32;
const FRAME: usize = 24 + PAGE;
/// Places in a frame.
const IN_PAGE: usize = 1000;
const IN_NUMBER: usize = 3;
const IN_CODE: usize = 20;

impl Killed {
    fn read(path: PathBuf) -> Self {
        let log = fs::read(path.with_extension("db-wal")).unwrap();
        let whole = fs::read(&path).unwrap();
        Self { path, whole, log }
    }

    /// Frames of its log, and the first of its last transaction: a frame with a size ends one.
    fn frames(&self) -> (usize, usize) {
        let ends: Vec<bool> = self.log[LOG_HEADER..]
            .chunks_exact(FRAME)
            .take_while(|frame| frame[8..16] == self.log[16..24])
            .map(|frame| frame[4..8] != [0; 4])
            .collect();
        let (last, before) = ends.split_last().unwrap();
        assert!(last, "it was killed in the middle");
        let begins = before.iter().rposition(|end| *end).unwrap() + 1;
        (ends.len(), begins)
    }

    /// Logs with another byte: of the header's salts, and at these places of each frame; with the frame.
    fn damaged_logs(&self, places: &[usize]) -> Vec<(Option<usize>, Vec<u8>)> {
        let frames = 0..self.frames().0;
        let of_frame = |n: usize| {
            let begin = LOG_HEADER + n * FRAME;
            places.iter().map(move |at| (Some(n), begin + at))
        };
        [(None, 17)]
            .into_iter()
            .chain(frames.flat_map(of_frame))
            .map(|(frame, at)| {
                let mut log = self.log.clone();
                log[at] ^= 0x55;
                (frame, log)
            })
            .collect()
    }

    fn write(&self, log: &[u8]) {
        write(&self.path, &self.whole);
        fs::write(self.path.with_extension("db-wal"), log).unwrap();
    }
}

/// Recovers, where the damaged file must lie beside afterwards as it was.
fn recovered(path: &Path, recover: impl FnOnce() -> Ended) -> Value {
    let damaged = fs::read(path).unwrap();
    let recovered = recover().json();
    let (aside, other) = match path.file_name().unwrap().to_str() {
        Some("desk.db") => ("desk_aside", "aside"),
        _ => ("aside", "desk_aside"),
    };
    assert!(recovered[other].is_null(), "{recovered}");
    let aside = PathBuf::from(recovered[aside].as_str().expect("not recovered"));
    assert_eq!(aside.parent(), path.parent());
    assert!(fs::read(&aside).unwrap() == damaged, "it was changed");
    recovered
}

fn names(folder: &Path) -> Vec<String> {
    // Who only looks leaves an empty log.
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = entries
        .filter(|entry| entry.metadata().unwrap().len() > 0)
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

/// A phone of twelve records, its store, and the pages of it.
fn phone_of_twelve(stage: &Stage) -> (Phone, PathBuf, Vec<u8>) {
    let phone = stage.phone("phone", TABLE);
    for n in 0..12 {
        phone.report(&format!("note {n:02}"));
    }
    let store = phone.home.join("phone.db");
    let whole = fs::read(&store).unwrap();
    (phone, store, whole)
}

#[test]
fn each_damaged_page_of_a_phone_loses_what_lies_on_it() {
    let stage = Stage::new();
    let (phone, store, whole) = phone_of_twelve(&stage);
    let refused = phone.run(&["recover"]).exited(2);
    assert_eq!(refused.text("/error/code"), "not-damaged");
    let (mut lost, mut unreadable) = (Vec::new(), Vec::new());
    let (mut devices, mut enrolments) = (0, 0);
    for page in 0..whole.len() / PAGE {
        damage(&store, &whole, page);
        let told = phone.run(&["status"]);
        if told.status == Some(2) {
            assert!(told.text("/error/sentence").contains("phone recover"));
        }
        let recovered = recovered(&store, || phone.run(&["recover"]));
        assert!(recovered["gaps"].as_u64().unwrap() > 0, "page {page}");
        let listed = phone.run(&["list"]).done().json();
        let listed = listed.as_array().unwrap();
        let saved = recovered["records"].as_u64().unwrap() as usize;
        lost.push(12 - saved);
        assert_eq!(listed.len(), saved);
        let without = listed.iter().filter(|item| item["what"].is_null()).count();
        unreadable.push(without);
        devices += usize::from(recovered["same_device"] == false);
        let enrolled = phone.run(&["status"]).json()["enrolled"] == true;
        enrolments += usize::from(!enrolled);
        if enrolled {
            phone.report("note 99");
        }
    }
    // A page has room for two envelopes of this size.
    assert_eq!(lost.iter().max(), Some(&2), "{lost:?}");
    // What was sealed is sent. Its readable copy has a page of its own; with the page of their keys all are gone.
    unreadable.sort_unstable();
    unreadable.dedup();
    assert_eq!(unreadable, [0, 1, 12]);
    assert_eq!(devices, 1);
    // The device's own page, and that of headquarters' keys.
    assert_eq!(enrolments, 2);
}

#[test]
fn a_phone_that_is_another_one_now_sends_what_it_was_before() {
    let stage = Stage::new();
    let (phone, store, whole) = phone_of_twelve(&stage);
    phone.report("heard of");
    phone.sync_all_well();
    phone.report("not sent yet");
    let whole = {
        drop(whole);
        fs::read(&store).unwrap()
    };
    let log = format!("{}-wal", store.display());
    let log_before = fs::read(&log).unwrap_or_default();
    for page in 0..whole.len() / PAGE {
        damage(&store, &whole, page);
        fs::write(&log, &log_before).unwrap();
        let recovered = recovered(&store, || phone.run(&["recover"]));
        if recovered["same_device"] == false {
            let qr = stage.path("again.png");
            stage.hq.invite(TABLE, &qr);
            phone.enrol(&qr, &stage.hq.public()).done();
            phone.report("as another");
            phone.sync_all_well();
            let notes = stage.hq.held().notes();
            for note in ["note 00", "heard of", "not sent yet", "as another"] {
                assert_eq!(notes.iter().filter(|n| *n == note).count(), 1, "{notes:?}");
            }
            return;
        }
    }
    panic!("no page has the device");
}

#[test]
fn each_damaged_frame_of_a_phones_log_is_told_and_loses_what_lies_on_it() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("in the file");
    let mut shell = phone.shell();
    for n in 0..6 {
        let answer = shell.ask(&format!("report 99 --note note-{n}"));
        assert_eq!(answer["saved"], n + 2, "{answer}");
    }
    shell.kill();
    let killed = Killed::read(phone.home.join("phone.db"));
    let (_, last) = killed.frames();
    let mut lost = Vec::new();
    for (frame, log) in killed.damaged_logs(&[IN_PAGE, IN_NUMBER, IN_CODE]) {
        killed.write(&log);
        let told = phone.run(&["status"]);
        if frame.is_some_and(|frame| frame >= last) {
            // As a power cut leaves a report that was not called saved yet: nothing tells the two apart.
            let listed = told.done().json()["queued"].as_u64().unwrap();
            assert_eq!(listed, 6, "frame {frame:?}");
            continue;
        }
        let sentence = told.exited(2).text("/error/sentence");
        assert!(sentence.contains("phone recover"), "{sentence}");
        assert_eq!(fs::read(killed.path.with_extension("db-wal")).unwrap(), log);
        let recovered = recovered(&killed.path, || phone.run(&["recover"]));
        let saved = recovered["records"].as_u64().unwrap();
        lost.push(7 - saved);
        phone.run(&["list"]).done();
        assert!(saved == 7 || recovered["gaps"].as_u64() > Some(0));
    }
    // A page has room for two envelopes of this size.
    assert!(lost.iter().all(|lost| *lost <= 2), "{lost:?}");
    assert_eq!(lost[0], 0, "of the header alone nothing is lost");
}

#[test]
fn each_damaged_frame_of_headquarters_log_is_told_and_loses_what_lies_on_it() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let notes: Vec<String> = (0..4).map(|n| format!("note {n:02}")).collect();
    for note in &notes {
        phone.report(note);
        phone.sync_all_well();
    }
    assert_eq!(stage.hq.held().notes(), notes);
    stage.hq.kill();
    let killed = Killed::read(stage.hq.data().join("hq.db"));
    let (_, last) = killed.frames();
    let mut lost = Vec::new();
    for (frame, log) in killed.damaged_logs(&[IN_PAGE]) {
        killed.write(&log);
        let told = run(&["hq", "--data", stage.hq.path(), "table"]);
        if frame.is_some_and(|frame| frame >= last) {
            told.done();
            continue;
        }
        let sentence = told.exited(2).text("/error/sentence");
        assert!(sentence.contains(" recover"), "{sentence}");
        let recovered = recovered(&killed.path, || recover_hq(&stage, &[]));
        let saved = recovered["records"].as_u64().unwrap();
        lost.push(4 - saved);
        assert!(saved == 4 || recovered["gaps"].as_u64() > Some(0));
    }
    assert!(lost.iter().all(|lost| *lost <= 2), "{lost:?}");
    assert_eq!(lost[0], 0, "of the header alone nothing is lost");
    // The last transaction was the desk's: its work is done again.
    let mut log = killed.log.clone();
    log[LOG_HEADER + last * FRAME + IN_PAGE] ^= 0x55;
    killed.write(&log);
    stage.serve_again();
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), notes);
    assert!(stage.hq.ends_by_itself("-TERM"));
    // Behind a recovery all come again, too.
    let mut log = killed.log.clone();
    log[LOG_HEADER + IN_PAGE] ^= 0x55;
    killed.write(&log);
    recovered(&killed.path, || recover_hq(&stage, &[]));
    all_come_again(&mut stage, &phone, notes);
}

/// Headquarters of forty records and two photographs that were stopped: the notes, the database and its bytes.
fn headquarters_of_forty(stage: &mut Stage, phone: &Phone) -> (Vec<String>, PathBuf, Vec<u8>) {
    let mut notes: Vec<String> = (0..38).map(|n| format!("note {n:02}")).collect();
    for note in &notes {
        phone.report(note);
    }
    for n in 38..40 {
        let other = stage.path(&format!("{n}.bin"));
        fs::write(&other, vec![n; 3000]).unwrap();
        notes.push(format!("note {n}"));
        phone.report_with(&notes[usize::from(n)], &other);
    }
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), notes);
    assert!(stage.hq.ends_by_itself("-TERM"));
    let path = stage.hq.data().join("hq.db");
    // Where the connection that closes last only reads, the log is not brought in: here all must be in one file.
    let log = path.with_extension("db-wal");
    while fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        stage.serve_again();
        assert!(stage.hq.ends_by_itself("-TERM"));
    }
    let whole = fs::read(&path).unwrap();
    (notes, path, whole)
}

fn recover_hq(stage: &Stage, flags: &[&str]) -> Ended {
    let mut words = vec!["hq", "--data", stage.hq.path(), "recover"];
    words.extend(flags);
    run(&words)
}

/// Headquarters serve again and hold all of these once phones have heard of the new run.
fn all_come_again(stage: &mut Stage, phone: &Phone, mut notes: Vec<String>) {
    stage.serve_again();
    // The phone hears of the new run beside the receipt of something new.
    phone.report("note 99");
    phone.sync_all_well();
    phone.sync_all_well();
    notes.push("note 99".to_owned());
    assert_eq!(stage.hq.held().notes(), notes);
}

/// Attachments that headquarters hold.
fn files(stage: &Stage) -> usize {
    let entries = fs::read_dir(stage.hq.data().join("blobs")).unwrap();
    let whole = |name: &str| name.len() == 64;
    entries
        .filter(|entry| whole(entry.as_ref().unwrap().file_name().to_str().unwrap()))
        .count()
}

#[test]
fn each_damaged_page_of_headquarters_loses_what_lies_on_it() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (notes, path, whole) = headquarters_of_forty(&mut stage, &phone);
    assert_eq!(files(&stage), 2);
    let refused = recover_hq(&stage, &[]).exited(2);
    assert!(refused.text("/error/sentence").contains("not damaged"));
    let lost: Vec<u64> = (0..whole.len() / PAGE)
        .map(|page| {
            damage(&path, &whole, page);
            let recovered = recovered(&path, || recover_hq(&stage, &[]));
            assert!(recovered["gaps"].as_u64().unwrap() > 0, "page {page}");
            assert_eq!(recovered["lost_files"], 0, "page {page}");
            40 - recovered["records"].as_u64().unwrap()
        })
        .collect();
    // A page has room for two envelopes of this size.
    assert!(lost.iter().all(|lost| *lost <= 2), "{lost:?}");
    let worst = (0..lost.len()).max_by_key(|page| lost[*page]).unwrap();
    assert!(lost[worst] > 0, "{lost:?}");
    damage(&path, &whole, worst);
    // Who serves nevertheless is told as soon as the page is needed, instead of failing for ever.
    let listen = ["--listen", "127.0.0.1:0"];
    let ended = run(&[&["hq", "--data", stage.hq.path(), "serve"], &listen[..]].concat());
    let ended = ended.exited(2);
    assert!(ended.out.contains("listening"), "{ended:?}");
    assert!(ended.err.contains("is damaged"), "{ended:?}");
    assert!(ended.err.contains(" recover"), "{ended:?}");
    recovered(&path, || recover_hq(&stage, &[]));
    all_come_again(&mut stage, &phone, notes);
}

#[test]
fn a_damaged_database_of_the_desk_is_made_anew_out_of_the_envelopes() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    headquarters_of_forty(&mut stage, &phone);
    let devices = stage.hq.run(&["devices"]).done().json();
    let device = devices["devices"][0]["device"].as_str().unwrap().to_owned();
    for word in ["revoke", "trust"] {
        stage.hq.run(&["devices", word, &device]).done();
    }
    stage.serve_again();
    phone.sync_all_well();
    let held = stage.hq.held();
    assert!(stage.hq.ends_by_itself("-TERM"));
    let path = stage.hq.data().join("desk.db");
    let log = path.with_extension("db-wal");
    while fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        stage.serve_again();
        assert!(stage.hq.ends_by_itself("-TERM"));
    }
    let whole = fs::read(&path).unwrap();
    let decisions = |stage: &Stage| -> usize {
        let history = stage.hq.run(&["devices", "history"]).done().json();
        history["decisions"].as_array().unwrap().len()
    };
    let mut lost = 0;
    for page in 0..whole.len() / PAGE {
        damage(&path, &whole, page);
        let recovered = recovered(&path, || recover_hq(&stage, &[]));
        assert_eq!(recovered["records"], 40);
        lost += 2 - decisions(&stage);
    }
    assert_eq!(lost, 2, "those of the page that they lie on, and no others");
    // The desk has opened nothing yet; then everything is as it was, and no phone is told anything again.
    damage(&path, &whole, 0);
    recovered(&path, || recover_hq(&stage, &[]));
    stage.serve_again();
    assert_eq!(stage.hq.held(), held);
    phone.sync_sends_no_record();
    let told = phone.run(&["sync"]).done().json();
    assert_eq!(told["notices"], 0, "{told}");
    assert_eq!(decisions(&stage), 2);
    // Where it is not there at all, only who says so gets an empty one.
    assert!(stage.hq.ends_by_itself("-TERM"));
    write(&path, &[]);
    fs::remove_file(&path).unwrap();
    for command in ["recover", "table"] {
        let refused = run(&["hq", "--data", stage.hq.path(), command]).exited(2);
        let sentence = refused.text("/error/sentence");
        assert!(sentence.contains("recover --key-is-right"), "{sentence}");
        assert!(sentence.contains("desk.db"), "{sentence}");
    }
    recover_hq(&stage, &["--key-is-right"]);
    stage.serve_again();
    assert_eq!(stage.hq.held(), held);
    // And not where its key is lost: it comes out of `keys backup`.
    assert!(stage.hq.ends_by_itself("-TERM"));
    fs::remove_file(stage.hq.data().join("keys/database-desk.key")).unwrap();
    for command in ["recover", "table"] {
        let refused = run(&["hq", "--data", stage.hq.path(), command]).exited(2);
        let sentence = refused.text("/error/sentence");
        assert!(sentence.contains("keys restore"), "{sentence}");
        assert!(sentence.contains("recover --key-is-right"), "{sentence}");
    }
    // Where there is none, another key begins another database.
    let anew = recovered(&path, || recover_hq(&stage, &["--key-is-right"]));
    assert_eq!(anew["desk_anew"], true);
    stage.serve_again();
    assert_eq!(stage.hq.held().notes(), held.notes());
    assert_eq!(decisions(&stage), 0);
}

#[test]
fn headquarters_whose_database_is_cut_goes_on_with_the_rest() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (notes, path, whole) = headquarters_of_forty(&mut stage, &phone);
    write(&path, &whole[..whole.len() / 2 + 77]);
    let refused = run(&["hq", "--data", stage.hq.path(), "table"]).exited(2);
    assert!(refused.text("/error/sentence").contains(" recover"));
    let recovered = recovered(&path, || recover_hq(&stage, &[]));
    assert!(recovered["records"].as_u64().unwrap() < 40);
    all_come_again(&mut stage, &phone, notes);
}

#[test]
fn headquarters_without_their_database_begin_anew_where_asked_to() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (notes, path, whole) = headquarters_of_forty(&mut stage, &phone);
    let mut other_salt = whole.clone();
    other_salt[3] ^= 1;
    let text = b"Dear diary,\n".repeat(900);
    for damaged in [Some(&other_salt), Some(&text), Some(&Vec::new()), None] {
        match damaged {
            Some(bytes) => write(&path, bytes),
            None => fs::remove_file(&path).unwrap(),
        }
        let before = names(stage.hq.data());
        for command in ["recover", "table"] {
            let refused = run(&["hq", "--data", stage.hq.path(), command]).exited(2);
            let sentence = refused.text("/error/sentence");
            assert!(sentence.contains("recover --key-is-right"), "{sentence}");
        }
        assert_eq!(names(stage.hq.data()), before);
        let flags = ["--key-is-right"];
        let recovered = match damaged {
            Some(_) => recovered(&path, || recover_hq(&stage, &flags)),
            None => recover_hq(&stage, &flags).json(),
        };
        assert_eq!(recovered["records"], 0);
        assert_eq!(recovered["aside"].is_null(), damaged.is_none());
        assert!(!stage.hq.data().join("hq.new").exists());
    }
    all_come_again(&mut stage, &phone, notes);
    assert_eq!(files(&stage), 2);
}

#[test]
fn headquarters_finish_what_a_power_cut_interrupted() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (notes, path, _) = headquarters_of_forty(&mut stage, &phone);
    // The old one is set aside, and the new one does not have its name yet.
    let (new, aside) = (
        path.with_extension("new"),
        path.with_extension("db.aside-1"),
    );
    fs::copy(&path, &new).unwrap();
    fs::rename(&path, &aside).unwrap();
    let recovered = recover_hq(&stage, &[]).done().json();
    assert_eq!(recovered["aside"].as_str(), aside.to_str());
    assert_eq!(recovered["records"], 40);
    all_come_again(&mut stage, &phone, notes);
}

#[test]
fn attachments_that_headquarters_lost_are_asked_for_again() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let (notes, ..) = headquarters_of_forty(&mut stage, &phone);
    let blobs = stage.hq.data().join("blobs");
    let held = names(&blobs);
    let before: Vec<Vec<u8>> = (held.iter())
        .map(|name| fs::read(blobs.join(name)).unwrap())
        .collect();
    fs::remove_file(blobs.join(&held[0])).unwrap();
    let mut other = before[1].clone();
    other[7] ^= 1;
    fs::write(blobs.join(&held[1]), &other).unwrap();
    let recovered = recover_hq(&stage, &[]).exited(1).json();
    assert_eq!(recovered["lost_files"], 2);
    assert_eq!(recovered["records"], 40);
    assert!(recovered["aside"].is_null());
    let aside = blobs.join(format!("{}.aside-1", held[1]));
    assert_eq!(fs::read(aside).unwrap(), other);
    let refused = recover_hq(&stage, &[]).exited(2);
    assert!(refused.text("/error/sentence").contains("not damaged"));
    all_come_again(&mut stage, &phone, notes);
    for (name, bytes) in held.iter().zip(before) {
        assert_eq!(fs::read(blobs.join(name)).unwrap(), bytes);
    }
}

#[test]
fn a_phone_whose_store_is_none_begins_anew_and_keeps_the_file() {
    let stage = Stage::new();
    let (phone, store, whole) = phone_of_twelve(&stage);
    let mut other_salt = whole.clone();
    other_salt[3] ^= 1;
    let text = b"Dear diary,\n".repeat(900);
    for damaged in [&other_salt, &text] {
        write(&store, damaged);
        let before = names(&phone.home);
        for command in ["recover", "status"] {
            let sentence = phone.run(&[command]).exited(2).text("/error/sentence");
            assert!(sentence.contains("recover --key-is-right"), "{sentence}");
        }
        assert_eq!(names(&phone.home), before);
        let recovered = recovered(&store, || phone.run(&["recover", "--key-is-right"]));
        assert_eq!(recovered["records"], 0);
        assert_eq!(recovered["same_device"], false);
    }
    // Cut short it is still its own.
    write(&store, &whole[..whole.len() / 2 + 77]);
    let told = phone.run(&["status"]).exited(2).text("/error/sentence");
    assert!(told.contains("phone recover"), "{told}");
    let recovered = recovered(&store, || phone.run(&["recover"]));
    assert!(recovered["gaps"].as_u64().unwrap() > 0);
}
