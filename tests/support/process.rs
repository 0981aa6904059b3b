use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a test waits for anything before it fails: far more than anything takes.
pub const LIMIT: Duration = Duration::from_secs(120);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testigo"));
    command
        .args(arguments)
        .env("TESTIGO_LANG", "en")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Ended {
    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.out.trim())
            .unwrap_or_else(|error| panic!("not one JSON document ({error}): {self:?}"))
    }

    /// The text at a pointer into the document.
    pub fn text(&self, pointer: &str) -> String {
        match self.json().pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            _ => panic!("no text at {pointer}: {self:?}"),
        }
    }

    /// It must have exited with 0.
    pub fn done(self) -> Self {
        self.exited(0)
    }

    /// It must have exited with this status.
    pub fn exited(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }
}

/// Runs a command to its end, as one JSON document.
pub fn run(arguments: &[&str]) -> Ended {
    run_with_input(arguments, b"")
}

/// The same, with this on its standard input.
pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = program(&[&["--json"], arguments].concat()).spawn().unwrap();
    let out = reading(child.stdout.take().unwrap());
    let err = reading(child.stderr.take().unwrap());
    // A program that ends without reading all of it closes the pipe; that is its good right.
    let _ = child.stdin.take().unwrap().write_all(input);
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Ended {
        status: status.code(),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

fn reading(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A command that stays. Killed with SIGKILL when dropped.
pub struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    err: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts it; each line it writes is a JSON document.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = program(&[&["--json"], arguments].concat()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // A line without its end was never said to the end.
            while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take().unwrap(),
            err: Some(reading(child.stderr.take().unwrap())),
            lines,
            child,
        }
    }

    /// The next line; `None` once the process has ended.
    pub fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("a process says nothing"),
        }
    }

    /// The next line as JSON.
    pub fn json(&mut self) -> Value {
        let Some(line) = self.line() else {
            let _ = self.child.kill();
            let err = self.err.take().map(|err| err.join().unwrap());
            panic!("a process ended early: {}", err.unwrap_or_default());
        };
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Gives it a line without waiting for the answer; false where it has ended.
    pub fn tell(&mut self, line: &str) -> bool {
        writeln!(self.input, "{line}").is_ok()
    }

    /// Gives it a line and returns its answer.
    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn ask(&mut self, line: &str) -> Value {
        assert!(self.tell(line), "a process ended before {line:?}");
        self.json()
    }

    /// Kills it where it stands (SIGKILL); returns the whole lines that it had said and nobody had
    /// read yet.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.line()).collect()
    }

    /// Sends it a signal such as `-TERM` and returns its exit status; `None` where the signal itself
    /// ended it.
    #[cfg(unix)]
    pub fn ends_after(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(since.elapsed() < LIMIT, "a process does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
