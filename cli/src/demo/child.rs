//! The demo's processes: this same program, started anew for each part.

use crate::failure::Failure;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// This program's own file.
fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::file(Path::new("testigo")))
}

fn broken(what: &str) -> Failure {
    Failure::said(
        format!("La demostración se detuvo: {what}"),
        format!("The demo stopped: {what}"),
    )
}

fn parse(line: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(line).map_err(|_| broken(line))?;
    match value.pointer("/error/sentence").and_then(Value::as_str) {
        Some(sentence) => Err(broken(sentence)),
        None => Ok(value),
    }
}

/// Runs a command to its end and returns the JSON document that it printed.
pub fn run(arguments: &[&dyn AsRef<OsStr>]) -> Result<Value, Failure> {
    let output = Command::new(program()?)
        .arg("--json")
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::file(Path::new("testigo")))?;
    parse(String::from_utf8_lossy(&output.stdout).trim())
}

/// A process that stays: a phone's shell, or headquarters. Killed when dropped, with SIGKILL on Unix.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it.
    pub fn start(arguments: &[&dyn AsRef<OsStr>]) -> Result<Self, Failure> {
        let mut child = Command::new(program()?)
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(Failure::file(Path::new("testigo")))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| broken("no output"))?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints, as JSON.
    pub fn read(&mut self) -> Result<Value, Failure> {
        match self.output.next() {
            Some(Ok(line)) => parse(&line),
            _ => Err(broken("a process ended early")),
        }
    }

    /// Writes a line to it and returns its answer.
    pub fn ask(&mut self, line: &str) -> Result<Value, Failure> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{line}").map_err(Failure::file(Path::new("testigo")))?;
        }
        self.read()
    }

    /// Kills it where it stands.
    pub fn kill(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
