use serde_json::Value;

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
    #[allow(clippy::print_stdout, reason = "the program's own output")]
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", self.json);
        } else {
            for line in &self.lines {
                println!("{line}");
            }
        }
    }
}
