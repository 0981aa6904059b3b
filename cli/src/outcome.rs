use crate::plain::plain;
use serde_json::Value;
use std::io::Write;

/// What a command found: the same once as lines for a person and once as a document for a program.
pub struct Outcome {
    /// For a person.
    pub lines: Vec<String>,
    /// For a program.
    pub json: Value,
    /// Everything went well, or something was refused or could not be read (exit status 1).
    pub clean: bool,
}

impl Outcome {
    /// Everything went well.
    pub fn clean(lines: Vec<String>, json: Value) -> Self {
        Self {
            lines,
            json,
            clean: true,
        }
    }

    /// Writes it to standard output, as one JSON line or as lines of text.
    pub fn print(&self, json: bool) {
        if json {
            say(&self.json.to_string());
        } else {
            for line in &self.lines {
                say(&plain(line));
            }
        }
    }
}

/// A line of results. A reader that has gone away (`| head`) must not end what is under way.
///
/// It is written at once with its end: in parts it would pass through the standard library's buffer and stay there.
pub fn say(line: &str) {
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// What a person is told beside the results.
pub fn complain(line: &str) {
    // Its own lines stay apart: some errors show the place of a mistake below it.
    for line in line.lines() {
        let _ = writeln!(std::io::stderr(), "{}", plain(line));
    }
}
