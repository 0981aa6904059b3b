//! Processes of the demo and of a replay: this same program, started anew for each part.

use crate::failure::Failure;
use crate::interrupt;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a signal may take from one process of a group to the next.
const SIGNAL_LAG: Duration = Duration::from_millis(200);

/// This program's own file.
fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::file(Path::new("testigo")))
}

fn broken(what: &str) -> Failure {
    Failure::said(
        format!("Se detuvo a mitad de camino: {what}"),
        format!("It stopped half way: {what}"),
    )
}

/// What is said of a night that a signal ended.
pub fn interrupted() -> Failure {
    Failure::said(
        "Se interrumpió; su carpeta y sus claves se borraron.",
        "Interrupted; its folder and its keys were deleted.",
    )
}

fn parse(line: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(line).map_err(|_| broken(line))?;
    match value.pointer("/error/sentence").and_then(Value::as_str) {
        Some(sentence) => Err(broken(sentence)),
        None => Ok(value),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All processes of a night. SIGINT and SIGTERM kill them, so that the night, which waits for one of
/// them, comes to its end as after any fault and deletes its folder.
#[derive(Clone, Default)]
pub struct Crew(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    interrupted: bool,
    children: Vec<Arc<Mutex<Child>>>,
}

impl Crew {
    /// Listens for the signals from here on.
    pub fn new() -> Result<Self, Failure> {
        let crew = Self::default();
        let signals = interrupt::Signals::listen()?;
        let theirs = crew.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                signals.wait();
                theirs.interrupt();
            })
            .map_err(Failure::file(Path::new("signals")))?;
        Ok(crew)
    }

    fn interrupt(&self) {
        let mut state = lock(&self.0.0);
        state.interrupted = true;
        for child in state.children.drain(..) {
            let _ = lock(&child).kill();
        }
        self.0.1.notify_all();
    }

    /// Whether a signal has come.
    pub fn is_interrupted(&self) -> bool {
        lock(&self.0.0).interrupted
    }

    /// Returns when a signal has come.
    pub fn wait_for_signal(&self) {
        let state = lock(&self.0.0);
        drop(self.0.1.wait_while(state, |state| !state.interrupted));
    }

    /// Asked once a process has ended. A Ctrl-C reaches all processes at once, so that theirs may be
    /// seen first; ours is not far behind.
    fn was_interrupted(&self) -> bool {
        let state = lock(&self.0.0);
        let waited = (self.0.1).wait_timeout_while(state, SIGNAL_LAG, |state| !state.interrupted);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.interrupted
    }

    /// Starts a process that stays: a phone's shell, or headquarters.
    pub fn start(&self, arguments: &[&dyn AsRef<OsStr>]) -> Result<Process, Failure> {
        let mut command = Command::new(program()?);
        command
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        // Under the lock, so that no signal comes between the start and the entry in the list.
        let mut state = lock(&self.0.0);
        if state.interrupted {
            return Err(interrupted());
        }
        let mut child = command
            .spawn()
            .map_err(Failure::file(Path::new("testigo")))?;
        let (id, input, output) = (child.id(), child.stdin.take(), child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        state.children.push(child.clone());
        drop(state);
        let output = output.ok_or_else(|| broken("no output"))?;
        Ok(Process {
            crew: self.clone(),
            child,
            id,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    /// Runs a command to its end and returns the JSON document that it printed.
    pub fn run(&self, arguments: &[&dyn AsRef<OsStr>]) -> Result<Value, Failure> {
        let mut process = self.start(arguments)?;
        process.input = None;
        let answer = process.read()?;
        // The end of its output is the end of the process.
        for _ in process.output.by_ref() {}
        Ok(answer)
    }
}

/// A process. Killed when dropped, with SIGKILL on Unix; if this program is killed itself, the end of
/// its standard input ends it.
pub struct Process {
    crew: Crew,
    child: Arc<Mutex<Child>>,
    id: u32,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Its process number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The next line that it prints, as JSON.
    pub fn read(&mut self) -> Result<Value, Failure> {
        match self.output.next() {
            Some(Ok(line)) => parse(&line),
            _ if self.crew.was_interrupted() => Err(interrupted()),
            _ => Err(broken("a process ended early")),
        }
    }

    /// Writes a line to it and returns its answer.
    pub fn ask(&mut self, line: &str) -> Result<Value, Failure> {
        if let Some(input) = &mut self.input {
            // A process that has ended shows as the end of its output, too, which tells why.
            let _ = writeln!(input, "{line}");
        }
        self.read()
    }

    /// Kills it where it stands.
    pub fn kill(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut state = lock(&self.crew.0.0);
        state
            .children
            .retain(|child| !Arc::ptr_eq(child, &self.child));
        drop(state);
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}
