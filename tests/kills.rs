//! Phones and headquarters, killed (SIGKILL) at random moments over a bad link, five hundred times. Nothing is
//! lost and nothing doubled.
//!
//! The seed is printed; `TESTIGO_TEST_SEED=N` gives the same faults (the kernel's timing is its own), and
//! `TESTIGO_KILLS=N` another number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use support::{Chance, Headquarters, Phone, Saved, TABLE};
use testigo_proxy::{Link, Proxy};

const KILLS: usize = 500;
const PHONES: usize = 3;

/// The most commands that a phone is given at once: the kill comes in one of them.
const BURST: u64 = 6;

/// Who was killed while it did what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    /// The phone still opened its store.
    Opening,
    Reporting,
    Attaching,
    Syncing,
    Headquarters,
    /// The phone had answered everything: no kill that counts.
    Idle,
}

struct Put {
    phone: usize,
    note: String,
    file: Option<Vec<u8>>,
    /// What the phone said before it died, if it said anything.
    saved: Option<Saved>,
}

struct Night {
    chance: Chance,
    folder: tempfile::TempDir,
    proxy: Proxy,
    hq: Headquarters,
    phones: Vec<Phone>,
    puts: Vec<Put>,
}

impl Night {
    fn new() -> Self {
        let mut chance = Chance::new();
        let folder = tempfile::tempdir().unwrap();
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let here = ([127, 0, 0, 1], 0).into();
        let proxy = Proxy::open(here, nowhere, Link::default(), chance.next()).unwrap();
        let url = format!("http://{}", proxy.address());
        let mut hq = Headquarters::init(folder.path().join("hq"), &url);
        proxy.lead_to(hq.serve(0));
        let phones = (0..PHONES).map(|n| {
            let image = folder.path().join(format!("{n}.png"));
            hq.invite(TABLE, &image);
            let phone = Phone::init(folder.path().join(format!("phone-{n}")));
            phone.enrol(&image, &hq.public()).done();
            phone
        });
        Self {
            phones: phones.collect(),
            chance,
            folder,
            proxy,
            hq,
            puts: Vec::new(),
        }
    }

    /// A link that is good, slow, or breaks.
    fn change_link(&mut self, aim: Victim) {
        let link = match self.chance.below(6) {
            0 => Link::default(),
            1 => Link {
                latency: Duration::from_millis(5),
                rate: 20_000_000,
                ..Link::default()
            },
            2 if aim == Victim::Syncing => Link {
                black_hole: true,
                ..Link::default()
            },
            _ => Link {
                random_percent: 40,
                random_within: 12_000,
                ..Link::default()
            },
        };
        self.proxy.set(link);
    }

    fn wait(&mut self, most_us: u64) {
        std::thread::sleep(Duration::from_micros(self.chance.below(most_us)));
    }

    /// Kills a phone, or headquarters, at some moment; returns what it did then.
    fn kill_one(&mut self, n: usize) -> Victim {
        let aim = match self.chance.below(10) {
            0..=2 => Victim::Reporting,
            3 | 4 => Victim::Attaching,
            5..=7 => Victim::Syncing,
            _ => Victim::Headquarters,
        };
        self.change_link(aim);
        let phone = self.chance.below(PHONES as u64) as usize;
        let mut shell = self.phones[phone].shell();
        // Some are killed while the program still opens its store.
        let mut open = self.chance.below(8) > 0 || aim == Victim::Headquarters;
        if open {
            shell.ask("status");
        }
        match aim {
            Victim::Reporting | Victim::Attaching => {
                let commands: Vec<Put> = (0..1 + self.chance.below(BURST))
                    .map(|i| {
                        let note = format!("note {n}.{i}");
                        let mut command = format!("report 99 --note '{note}'");
                        let file = (aim == Victim::Attaching).then(|| self.file(&note));
                        if let Some((path, _)) = &file {
                            command.push_str(&format!(" --attach '{}'", path.display()));
                        }
                        assert!(shell.tell(&command));
                        Put {
                            phone,
                            note,
                            file: file.map(|(_, bytes)| bytes),
                            saved: None,
                        }
                    })
                    .collect();
                self.wait(20_000);
                let mut answers = shell.kill().into_iter();
                for mut put in commands {
                    let Some(line) = answers.next() else {
                        // It was under way, and may be saved; those behind it were not begun.
                        self.puts.push(put);
                        return if open { aim } else { Victim::Opening };
                    };
                    let answer = serde_json::from_str(&line).unwrap();
                    put.saved = Saved::in_answer(&answer);
                    assert!(put.saved.is_some(), "{answer}");
                    self.puts.push(put);
                    open = true;
                }
                Victim::Idle
            }
            Victim::Syncing => {
                assert!(shell.tell("sync"));
                self.wait(60_000);
                match (shell.kill().is_empty(), open) {
                    (true, true) => aim,
                    (true, false) => Victim::Opening,
                    (false, _) => Victim::Idle,
                }
            }
            _ => {
                assert!(shell.tell("sync"));
                self.wait(60_000);
                self.hq.kill();
                // The phone notices, and says so.
                shell.json();
                let address = self.hq.serve(0);
                self.proxy.lead_to(address);
                aim
            }
        }
    }

    fn file(&mut self, note: &str) -> (PathBuf, Vec<u8>) {
        let length = 1 + self.chance.below(150_000) / 8;
        let bytes: Vec<u8> = (0..length)
            .flat_map(|_| self.chance.next().to_le_bytes())
            .collect();
        let path = self.folder.path().join(format!("file of {note}"));
        std::fs::write(&path, &bytes).unwrap();
        (path, bytes)
    }

    /// Everything heals, and everything arrives.
    fn deliver(&mut self) {
        self.proxy.set(Link::default());
        for phone in &self.phones {
            let report = phone.sync_all_well();
            assert_eq!(report["attachments_remaining"], 0, "{report}");
        }
    }
}

#[test]
fn whoever_is_killed_whenever_nothing_is_lost_and_nothing_doubled() {
    let kills = std::env::var("TESTIGO_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let mut night = Night::new();
    let mut killed: BTreeMap<Victim, usize> = BTreeMap::new();
    let mut counted = 0;
    for n in 0.. {
        let victim = night.kill_one(n);
        *killed.entry(victim).or_default() += 1;
        counted += usize::from(victim != Victim::Idle);
        if counted == kills {
            break;
        }
    }
    let link = night.proxy.counts();
    night.deliver();

    let held = night.hq.held();
    let notes = held.notes();
    let mut arrived = 0;
    let mut files = 0;
    for put in &night.puts {
        let times = notes.iter().filter(|note| **note == put.note).count();
        arrived += times;
        match put.saved {
            Some(_) => assert_eq!(times, 1, "{:?} was saved", put.note),
            None => assert!(times <= 1, "{:?} is doubled", put.note),
        }
        if let (Some(bytes), 1) = (&put.file, times) {
            let file = &held.incident(&put.note)["attachments"]["files"][0];
            assert_eq!(file["held"], true, "{:?}", put.note);
            let out = night.folder.path().join(format!("opened {}", put.note));
            let opened = night.hq.opened(file["id"].as_u64().unwrap(), &out);
            assert!(opened == *bytes, "{:?}: other bytes arrived", put.note);
            files += 1;
        }
    }
    assert_eq!(
        arrived,
        notes.len(),
        "something is there that was not put in"
    );
    let saved = night.puts.iter().filter(|put| put.saved.is_some()).count();
    for (n, phone) in night.phones.iter().enumerate() {
        let history = phone.history();
        assert!(
            history.iter().all(|(_, state)| state == "delivered"),
            "{history:?}"
        );
        let records: Vec<Saved> = history.into_iter().map(|(saved, _)| saved).collect();
        let told = night.puts.iter().filter(|put| put.phone == n);
        for saved in told.filter_map(|put| put.saved.as_ref()) {
            let is_it = |record: &Saved| record.sequence == saved.sequence;
            assert!(
                records.iter().any(is_it),
                "{saved:?} is gone from phone {n}"
            );
        }
    }
    println!("killed while at work: {counted}; {killed:?}");
    println!("the link meanwhile: {link}");
    println!(
        "records: {} put in, {saved} called saved before the kill, {arrived} arrived, {files} files",
        night.puts.len()
    );
    assert!(
        killed
            .keys()
            .filter(|victim| **victim != Victim::Idle)
            .count()
            == 5
            && saved > 0
            && files > 0,
        "too tame a night"
    );
    assert!(link.cut + link.reset + link.refused > 0, "too good a link");
}
