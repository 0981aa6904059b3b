use super::{Ended, LIMIT, Process, get, run, run_with_input};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testigo_wire::{Keyset, RootId};

/// Headquarters: a folder, and a process while it serves.
pub struct Headquarters {
    data: PathBuf,
    root: RootId,
    server: Option<(Process, SocketAddr)>,
}

impl Headquarters {
    /// New ones whose phones will send to `endpoint`.
    pub fn init(data: PathBuf, endpoint: &str) -> Self {
        Self::init_with(data, &["--endpoint", endpoint])
    }

    /// New ones with these options.
    pub fn init_with(data: PathBuf, options: &[&str]) -> Self {
        let path = data.to_str().unwrap();
        let made = run(&[&["hq", "--data", path, "init"], options].concat()).done();
        let root = u128::from_str_radix(&made.text("/root"), 16).unwrap();
        Self {
            root: RootId(root.to_be_bytes()),
            data,
            server: None,
        }
    }

    /// New ones under a root that is kept elsewhere, of which this is the public half. They wait for its signature.
    pub fn init_for_root(data: PathBuf, endpoint: &str, public: &Path) -> Self {
        let path = data.to_str().unwrap();
        let public = public.to_str().unwrap();
        let arguments = ["init", "--endpoint", endpoint, "--root", public];
        let made = run(&[&["hq", "--data", path][..], &arguments].concat()).done();
        let root = u128::from_str_radix(&made.text("/root"), 16).unwrap();
        Self {
            root: RootId(root.to_be_bytes()),
            data,
            server: None,
        }
    }

    /// One command of theirs, with this on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let arguments = [&["hq", "--data", self.path()], arguments].concat();
        run_with_input(&arguments, input.as_bytes())
    }

    /// Those that `hq restore` made in this folder out of a backup of these.
    pub fn restored(&self, data: PathBuf) -> Self {
        Self {
            root: self.root,
            data,
            server: None,
        }
    }

    /// The root's short name, in hexadecimal.
    pub fn root(&self) -> String {
        self.root.to_string()
    }

    /// One command of theirs.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        run(&[&["hq", "--data", self.path()], arguments].concat())
    }

    /// Starts to serve on a free port, or on this one.
    pub fn serve(&mut self, port: u16) -> SocketAddr {
        let listen = format!("127.0.0.1:{port}");
        let mut process =
            Process::start(&["hq", "--data", self.path(), "serve", "--listen", &listen]);
        let line = process.json();
        let address = (line["listening"].as_str())
            .and_then(|text| text.split_once("://")?.1.parse().ok())
            .unwrap_or_else(|| panic!("{line}"));
        self.server = Some((process, address));
        address
    }

    /// Kills the serving process (SIGKILL).
    pub fn kill(&mut self) {
        if let Some((process, _)) = self.server.take() {
            process.kill();
        }
    }

    /// Sends the serving process a signal; whether it then comes to its end with exit status 0.
    #[cfg(unix)]
    pub fn ends_by_itself(&mut self, signal: &str) -> bool {
        let (process, _) = self.server.take().expect("headquarters do not serve");
        process.ends_after(signal) == Some(0)
    }

    /// Whether the process that serves still lives.
    pub fn lives(&mut self) -> bool {
        self.server
            .as_mut()
            .is_some_and(|(process, _)| process.lives())
    }

    /// Waits until it serves under the keyset in its folder.
    pub fn takes_up_its_keyset(&self) {
        let since = Instant::now();
        let installed = std::fs::read(self.public().join("keyset.cose")).unwrap();
        let question = b"GET /v1/keyset HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n";
        // Between two keysets a connection may end without an answer.
        let serves_it = || {
            let mut answer = Vec::new();
            let mut stream = TcpStream::connect(self.address()).unwrap();
            let _ = stream.write_all(question);
            let _ = stream.read_to_end(&mut answer);
            answer.ends_with(&installed)
        };
        while !serves_it() {
            assert!(since.elapsed() < LIMIT, "the keyset is not taken up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("headquarters do not serve").1
    }

    /// Its folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its folder, as an argument.
    pub fn path(&self) -> &str {
        self.data.to_str().unwrap()
    }

    /// The folder of what it gives to phones.
    pub fn public(&self) -> PathBuf {
        self.data.join("public")
    }

    /// Its keyset, verified under the root that `init` named.
    pub fn keyset(&self) -> Keyset {
        let bytes = std::fs::read(self.public().join("keyset.cose")).unwrap();
        Keyset::verify(&bytes, self.root).unwrap()
    }

    /// Makes an invitation's image.
    pub fn invite(&self, table: &str, image: &Path) {
        run(&[
            "hq",
            "--data",
            self.path(),
            "enrol",
            "--table",
            table,
            "--out",
            image.to_str().unwrap(),
        ])
        .done();
    }

    /// Opens the attachment of this number.
    pub fn opened(&self, id: u64, out: &Path) -> Vec<u8> {
        let id = id.to_string();
        let out_text = out.to_str().unwrap();
        run(&["hq", "--data", self.path(), "blob", &id, "--out", out_text]).done();
        std::fs::read(out).unwrap()
    }

    /// A document of the API.
    pub fn api(&self, path: &str) -> Value {
        let answer = get(self.address(), path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// What it holds, once the desk has opened everything that has arrived.
    pub fn held(&self) -> Held {
        let since = Instant::now();
        while self.api("/v1/health")["unopened"] != 0 {
            assert!(since.elapsed() < LIMIT, "the desk does not come to an end");
            std::thread::sleep(Duration::from_millis(5));
        }
        Held {
            results: self.api("/v1/results"),
            incidents: self.api("/v1/incidents"),
        }
    }
}

/// What headquarters' API shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// `GET /v1/results`.
    pub results: Value,
    /// `GET /v1/incidents`.
    pub incidents: Value,
}

impl Held {
    /// The incidents.
    pub fn incidents(&self) -> &[Value] {
        self.incidents["incidents"].as_array().unwrap()
    }

    /// The incident with this note, which must be there exactly once.
    pub fn incident(&self, note: &str) -> &Value {
        let mut with_note = self.incidents().iter().filter(|i| i["note"] == note);
        let first = with_note
            .next()
            .unwrap_or_else(|| panic!("no {note:?} in {self:?}"));
        assert!(with_note.next().is_none(), "{note:?} twice in {self:?}");
        first
    }

    /// The notes of all incidents, sorted.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = (self.incidents().iter())
            .map(|incident| incident["note"].as_str().unwrap_or_default().to_owned())
            .collect();
        notes.sort();
        notes
    }

    /// The table, as the results show it.
    pub fn table(&self, id: &str) -> &Value {
        (self.results["rows"].as_array().unwrap().iter())
            .find(|table| table["table"] == id)
            .unwrap_or_else(|| panic!("no table {id} in {}", self.results))
    }

    /// A candidate's total.
    pub fn votes(&self, code: &str) -> u64 {
        (self.results["candidates"].as_array().unwrap().iter())
            .find(|candidate| candidate["code"] == code)
            .and_then(|candidate| candidate["votes"].as_u64())
            .unwrap_or_else(|| panic!("no candidate {code} in {}", self.results))
    }

    /// The votes of all candidates.
    pub fn total(&self) -> u64 {
        (self.results["candidates"].as_array().unwrap().iter())
            .map(|candidate| candidate["votes"].as_u64().unwrap())
            .sum()
    }
}

/// The numbers of the doubts beside an incident, a table or an unread sheet.
pub fn warnings(item: &Value) -> Vec<u64> {
    (item["warnings"].as_array().unwrap().iter())
        .map(|warning| warning["code"].as_u64().unwrap())
        .collect()
}
