use super::{Ended, Process, run, run_with_input};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A record that the phone said it saved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Saved {
    /// The phone's count.
    pub sequence: u64,
    /// Names the record.
    pub record: String,
}

impl Saved {
    /// From the phone's answer, where it says that it saved.
    pub fn in_answer(answer: &Value) -> Option<Self> {
        Some(Self {
            sequence: answer.get("saved")?.as_u64()?,
            record: answer.get("record")?.as_str()?.to_owned(),
        })
    }
}

/// A phone's folder.
pub struct Phone {
    /// Where it lies.
    pub home: PathBuf,
}

impl Phone {
    /// A new phone in this folder.
    pub fn init(home: PathBuf) -> Self {
        let phone = Self { home };
        phone.run(&["init"]).done();
        phone
    }

    /// One command of its own.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(&[&["phone", "--home", self.home()], arguments].concat())
    }

    /// The same, with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        run_with_input(
            &[&["phone", "--home", self.home()], arguments].concat(),
            input,
        )
    }

    /// The same in a language, and with other options before `phone`.
    pub fn run_in(&self, lang: &str, arguments: &[&str]) -> Ended {
        run(&[&["--lang", lang, "phone", "--home", self.home()], arguments].concat())
    }

    fn home(&self) -> &str {
        self.home.to_str().unwrap()
    }

    /// Enrols with an invitation's image and headquarters' public files.
    pub fn enrol(&self, qr: &Path, public: &Path) -> Ended {
        self.run(&[
            "enrol",
            "--qr",
            qr.to_str().unwrap(),
            "--keyset",
            public.join("keyset.cose").to_str().unwrap(),
            "--pack",
            public.join("pack.cose").to_str().unwrap(),
        ])
    }

    /// Opens its shell.
    pub fn shell(&self) -> Process {
        Process::start(&["phone", "--home", self.home(), "shell"])
    }

    /// Saves a report of "other" with a note.
    pub fn report(&self, note: &str) -> Saved {
        let ended = self.run(&["report", "99", "--note", note]).done();
        Saved::in_answer(&ended.json()).unwrap_or_else(|| panic!("{ended:?}"))
    }

    /// The same with a file.
    pub fn report_with(&self, note: &str, file: &Path) {
        let file = file.to_str().unwrap();
        self.run(&["report", "99", "--note", note, "--attach", file])
            .done();
    }

    /// Saves a sheet's text.
    pub fn tally(&self, text: &str) -> (Saved, Value) {
        let ended = self.run(&["tally", text]).done();
        let json = ended.json();
        let saved = Saved::in_answer(&json).unwrap_or_else(|| panic!("{ended:?}"));
        (saved, json)
    }

    /// Syncs, whatever comes of it.
    pub fn sync(&self) -> Value {
        self.run(&["sync"]).json()
    }

    /// Syncs where nothing is in the way: everything must be delivered.
    pub fn sync_all_well(&self) -> Value {
        let json = self.run(&["sync"]).done().json();
        assert!(json["failure"].is_null(), "{json}");
        assert_eq!(json["remaining"], 0, "{json}");
        assert_eq!(self.queued(), 0);
        json
    }

    /// Syncs where nothing waits: no record goes, at most a question for headquarters' desk.
    pub fn sync_sends_no_record(&self) {
        let json = self.sync_all_well();
        let records = [&json["delivered"], &json["confirmed"], &json["parked"]];
        assert!(records.iter().all(|n| **n == 0), "{json}");
        assert!(json["requests"].as_u64() <= Some(1), "{json}");
        let least = testigo_wire::padding::REQUEST_FLOOR as u64;
        assert!(json["bytes_sent"].as_u64() <= Some(least), "{json}");
    }

    /// How many records wait.
    pub fn queued(&self) -> u64 {
        self.run(&["status"]).done().json()["queued"]
            .as_u64()
            .unwrap()
    }

    /// Its history as `(record, state)`, by sequence, which must run from 1 without a gap. A record that has burned
    /// has no name any more.
    pub fn history(&self) -> Vec<(Saved, String)> {
        let list = self.run(&["list"]).done().json();
        let mut items: Vec<(Saved, String)> = (list.as_array().unwrap().iter())
            .map(|item| {
                let saved = Saved {
                    sequence: item["sequence"].as_u64().unwrap(),
                    record: item["record"].as_str().unwrap_or_default().to_owned(),
                };
                (saved, item["state"].as_str().unwrap().to_owned())
            })
            .collect();
        items.sort();
        let sequences: Vec<u64> = items.iter().map(|(saved, _)| saved.sequence).collect();
        let without_gap: Vec<u64> = (1..=sequences.len() as u64).collect();
        assert_eq!(sequences, without_gap);
        items
    }
}
