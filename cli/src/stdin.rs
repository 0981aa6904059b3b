use crate::failure::Failure;
use std::io::{BufRead, Read};
use std::path::Path;

/// The most that is read from standard input, in bytes.
const LIMIT: u64 = 64 * 1024;

/// One line, such as a typed enrolment code.
pub fn line() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LIMIT)
        .read_line(&mut line)
        .map_err(Failure::file(Path::new("stdin")))?;
    Ok(line)
}

/// The text itself, or all of standard input where it is `-`; the line's end is not part of it.
pub fn text_or_stdin(text: &str) -> Result<Vec<u8>, Failure> {
    if text != "-" {
        return Ok(text.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(Failure::file(Path::new("stdin")))?;
    while bytes
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        bytes.pop();
    }
    Ok(bytes)
}
