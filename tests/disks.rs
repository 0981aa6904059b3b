//! Real disks that are full or read-only: a tmpfs of a few megabytes under a phone, and under headquarters.
//!
//! Mounting needs root, or a kernel that gives users a namespace of their own: the test runs itself again in one.
//! Where neither is possible it says so; the README lists it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Chance, Headquarters, Phone, Proxy, TABLE, contents};

/// Says that it is inside of a namespace of its own.
const INSIDE: &str = "TESTIGO_MOUNTS_INSIDE";

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether this process may mount. If not, runs the test again where it may, and returns false.
fn may_mount(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    if succeeds("mount", &["-t", "tmpfs", "-o", "size=64k", "none", path]) {
        assert!(succeeds("umount", &[path]));
        return true;
    }
    if std::env::var_os(INSIDE).is_none() && succeeds("unshare", &["-Urm", "true"]) {
        let again = Command::new("unshare")
            .args(["-Urm", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .unwrap();
        assert!(again.success());
        return false;
    }
    println!("skipped: a tmpfs needs root or user namespaces (kernel.unprivileged_userns_clone=1)");
    false
}

/// A tmpfs, unmounted at the end.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf, size: &str) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let options = format!("size={size}");
        let text = path.to_str().unwrap();
        assert!(succeeds(
            "mount",
            &["-t", "tmpfs", "-o", &options, "none", text]
        ));
        Self(path)
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(succeeds(
            "mount",
            &["-o", &options, self.0.to_str().unwrap()]
        ));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        succeeds("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

struct Night {
    chance: Chance,
    proxy: Proxy,
    hq: Headquarters,
    folder: tempfile::TempDir,
}

impl Night {
    fn new(hq: PathBuf, folder: tempfile::TempDir) -> Self {
        let proxy = Proxy::open();
        let hq = Headquarters::init(hq, &proxy.url());
        Self {
            chance: Chance::new(),
            proxy,
            hq,
            folder,
        }
    }

    fn serve(&mut self) {
        let address = self.hq.serve(0);
        self.proxy.lead_to(address);
    }

    fn phone(&self, home: PathBuf) -> Phone {
        let image = self.folder.path().join("witness.png");
        self.hq.invite(TABLE, &image);
        let phone = Phone::init(home);
        phone.enrol(&image, &self.hq.public()).done();
        phone
    }

    fn file(&mut self, name: &str, bytes: usize) -> PathBuf {
        let path = self.folder.path().join(name);
        let bytes: Vec<u8> = (0..bytes / 8)
            .flat_map(|_| self.chance.next().to_le_bytes())
            .collect();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Saves a report, with a file where one is given. The code of the error where it was not saved.
fn report(phone: &Phone, note: &str, file: Option<&Path>) -> Result<(), String> {
    let mut arguments = vec!["report", "99", "--note", note];
    let path = file.map(|file| file.to_str().unwrap().to_owned());
    if let Some(path) = &path {
        arguments.extend(["--attach", path]);
    }
    let ended = phone.run(&arguments);
    match ended.status {
        Some(0) => Ok(()),
        Some(2) => Err(ended.text("/error/code")),
        _ => panic!("{ended:?}"),
    }
}

fn code(failure: &Value) -> &str {
    failure["failure"]["code"].as_str().unwrap_or_default()
}

#[test]
fn a_phone_whose_disk_is_full_says_so_and_loses_nothing() {
    if !may_mount("a_phone_whose_disk_is_full_says_so_and_loses_nothing") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "1400k");
    let mut night = Night::new(folder.path().join("hq"), folder);
    night.serve();
    let phone = night.phone(disk.0.join("phone"));
    let large = night.file("large", 90_000);
    let mut saved = Vec::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..60 {
        let note = format!("note {n:02}");
        let file = (n % 3 == 0).then_some(large.as_path());
        match report(&phone, &note, file) {
            Ok(()) => saved.push(note),
            Err(code) => *refused.entry(code).or_default() += 1,
        }
        if refused.values().sum::<usize>() > 12 {
            break;
        }
    }
    println!(
        "on a full disk: {} saved, refused: {refused:?}",
        saved.len()
    );
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["storage-full"]);
    assert!(saved.len() > 3);
    let half = contents(&phone.home.join("blobs"));
    assert!(
        half.keys().all(|path| path.extension().is_none()),
        "{:?}",
        half.keys()
    );

    disk.remount("size=16m");
    report(&phone, "note 99", Some(&large)).unwrap();
    saved.push("note 99".to_owned());
    assert_eq!(phone.history().len(), saved.len());
    phone.sync_all_well();
    assert_eq!(night.hq.held().notes(), saved);
}

/// Takes all the room that is left.
fn fill(disk: &Disk) -> PathBuf {
    let filler = disk.0.join("filler");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(&filler).unwrap();
    for size in [65_536, 4_096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    filler
}

#[test]
fn what_is_saved_is_read_and_delivered_from_a_full_disk() {
    if !may_mount("what_is_saved_is_read_and_delivered_from_a_full_disk") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "4m");
    let mut night = Night::new(folder.path().join("hq"), folder);
    night.serve();
    let phone = night.phone(disk.0.join("phone"));
    let large = night.file("large", 90_000);
    let mut notes: Vec<String> = (0..150).map(|n| format!("note {n:03}")).collect();
    for (n, note) in notes.iter().enumerate() {
        report(&phone, note, (n % 50 == 0).then_some(large.as_path())).unwrap();
    }

    let filler = fill(&disk);
    assert_eq!(phone.history().len(), notes.len());
    assert_eq!(phone.queued(), notes.len() as u64);
    // What is kept for delivering is not for more records.
    assert_eq!(report(&phone, "no room", None).unwrap_err(), "storage-full");
    assert_eq!(phone.history().len(), notes.len());
    let synced = phone.sync_all_well();
    assert_eq!(synced["delivered"], notes.len(), "{synced}");
    assert_eq!(synced["attachments_delivered"], 3, "{synced}");
    assert_eq!(night.hq.held().notes(), notes);
    assert!((phone.history().iter()).all(|(_, state)| state == "delivered"));
    // The desk's word on them has room, too.
    assert_eq!(phone.sync_all_well()["delivered"], 0);
    // Nor does somebody else get what was taken back.
    fill(&disk);
    assert_eq!(phone.history().len(), notes.len());
    assert_eq!(phone.sync_all_well()["delivered"], 0);

    std::fs::remove_file(filler).unwrap();
    report(&phone, "note 999", Some(&large)).unwrap();
    notes.push("note 999".to_owned());
    // The room was taken back, and is there the next time, too.
    let filler = fill(&disk);
    phone.sync_all_well();
    assert_eq!(night.hq.held().notes(), notes);
    std::fs::remove_file(filler).unwrap();
}

#[test]
fn the_last_room_of_a_disk_goes_to_a_record_and_not_to_the_reserve() {
    if !may_mount("the_last_room_of_a_disk_goes_to_a_record_and_not_to_the_reserve") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "4m");
    let night = Night::new(folder.path().join("hq"), folder);
    let phone = night.phone(disk.0.join("phone"));
    std::fs::remove_file(phone.home.join("reserve")).unwrap();
    let filler = fill(&disk);
    let length = std::fs::metadata(&filler).unwrap().len();
    let file = std::fs::File::options().write(true).open(&filler).unwrap();
    file.set_len(length - 300_000).unwrap();
    for note in ["one", "two", "three"] {
        report(&phone, note, None).unwrap();
    }
    assert_eq!(phone.history().len(), 3);
}

#[test]
fn a_phone_that_is_open_when_the_disk_fills_up_delivers_all_the_same() {
    if !may_mount("a_phone_that_is_open_when_the_disk_fills_up_delivers_all_the_same") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "16m");
    let mut night = Night::new(folder.path().join("hq"), folder);
    night.serve();
    let phone = night.phone(disk.0.join("phone"));
    let mut shell = phone.shell();
    let mut notes: Vec<String> = (0..90).map(|n| format!("note {n:03}")).collect();
    for note in &notes {
        let saved = shell.ask(&format!("report 99 --note '{note}'"));
        assert!(saved["saved"].is_u64(), "{saved}");
    }
    let filler = fill(&disk);
    // The log may have room left over.
    for n in 0..40 {
        let note = format!("note {n:03} on a full disk");
        let answer = shell.ask(&format!("report 99 --note '{note}'"));
        if answer["saved"].is_u64() {
            notes.push(note);
            continue;
        }
        assert_eq!(answer["error"]["code"], "storage-full");
        break;
    }
    notes.sort();
    let synced = shell.ask("sync");
    assert_eq!(synced["delivered"], notes.len(), "{synced}");
    assert_eq!(night.hq.held().notes(), notes);
    std::fs::remove_file(filler).unwrap();
    assert!(shell.ask("report 99 --note last")["saved"].is_u64());
    assert_eq!(shell.ask("sync")["delivered"], 1);
}

#[test]
fn headquarters_whose_disk_is_full_give_no_receipt_and_lose_nothing() {
    if !may_mount("headquarters_whose_disk_is_full_give_no_receipt_and_lose_nothing") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "1200k");
    let home = folder.path().join("phone");
    let mut night = Night::new(disk.0.join("hq"), folder);
    night.serve();
    let phone = night.phone(home);
    let large = night.file("large", 200_000);
    let mut notes = Vec::new();
    let mut failures: BTreeMap<String, usize> = BTreeMap::new();
    let mut held_back = 0;
    for n in 0..24 {
        let note = format!("note {n:02}");
        report(&phone, &note, (n % 4 == 0).then_some(large.as_path())).unwrap();
        notes.push(note);
        let synced = phone.sync();
        *failures.entry(code(&synced).to_owned()).or_default() += 1;
        held_back += usize::from(synced["attachments_remaining"] != 0 || synced["remaining"] != 0);
    }
    println!("on a full disk: {failures:?}, {held_back} times something was left");
    assert!(held_back > 0, "{failures:?}");
    assert!(night.hq.lives());
    let delivered = phone
        .history()
        .iter()
        .filter(|(_, state)| state == "delivered")
        .count();
    assert!(delivered < notes.len());

    // Files leave the last gibibyte to records; now there is no room for these either.
    let filler = disk.0.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    let mut refused = 0;
    for n in 0..200 {
        let note = format!("note {n} without room");
        report(&phone, &note, None).unwrap();
        notes.push(note);
        let synced = phone.sync();
        if synced["remaining"] != 0 {
            assert_eq!(code(&synced), "headquarters-fault", "{synced}");
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "the disk never was full for a record");
    assert!(night.hq.lives());
    std::fs::remove_file(filler).unwrap();

    // No byte of it is taken from the machine before it is written.
    disk.remount("size=3g");
    night.hq.kill();
    night.serve();
    // What headquarters did not take waits apart, for an hour at most.
    for hours in 0..8 {
        let minutes = (hours * 61).to_string();
        let home = phone.home.to_str().unwrap();
        support::run(&[
            "phone",
            "--home",
            home,
            "--clock-wrong-by-minutes",
            &minutes,
            "sync",
        ]);
        if phone
            .history()
            .iter()
            .all(|(_, state)| state == "delivered")
        {
            break;
        }
    }
    let history = phone.history();
    assert!(
        history.iter().all(|(_, state)| state == "delivered"),
        "{history:?}"
    );
    notes.sort();
    assert_eq!(night.hq.held().notes(), notes);
}

#[test]
fn on_a_read_only_disk_nothing_is_said_to_be_saved_and_nothing_is_lost() {
    if !may_mount("on_a_read_only_disk_nothing_is_said_to_be_saved_and_nothing_is_lost") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::mount(folder.path().join("disk"), "16m");
    let mut night = Night::new(disk.0.join("hq"), folder);
    night.serve();
    let phone = night.phone(disk.0.join("phone"));
    report(&phone, "note 0", None).unwrap();
    night.hq.kill();
    disk.remount("ro");

    assert_eq!(
        report(&phone, "note 1", None).unwrap_err(),
        "store-not-opened"
    );
    let data = night.hq.path().to_owned();
    let refused = support::run(&["hq", "--data", &data, "serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert_eq!(refused.text("/error/code"), "headquarters");

    disk.remount("rw");
    night.serve();
    report(&phone, "note 2", None).unwrap();
    phone.sync_all_well();
    assert_eq!(night.hq.held().notes(), ["note 0", "note 2"]);
}
