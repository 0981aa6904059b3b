use crate::failure::Failure;
use std::io::{ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The most that is read from standard input, in bytes.
const LIMIT: u64 = 64 * 1024;
/// Longer lines move in memory while they are read.
const LINE: usize = 1024;

/// One line with its end, such as a command, a PIN or a typed enrolment code; empty at the end of input.
///
/// It is read letter by letter, past the standard library's buffer: what went through that would stay in it, and
/// what is asked for next must find the line behind.
pub fn line() -> Result<Zeroizing<String>, Failure> {
    let failed = || Failure::file(Path::new("stdin"));
    let mut input = unbuffered().map_err(failed())?;
    let mut line = Zeroizing::new(Vec::with_capacity(LINE));
    let mut letter = [0];
    while line.last() != Some(&b'\n') && input.read(&mut letter).map_err(failed())? == 1 {
        if line.len() as u64 >= LIMIT {
            return Err(failed()(ErrorKind::InvalidData.into()));
        }
        line.extend_from_slice(&letter);
    }
    match str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(failed()(ErrorKind::InvalidData.into())),
    }
}

#[cfg(unix)]
fn unbuffered() -> std::io::Result<std::fs::File> {
    let input = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned()?;
    Ok(input.into())
}

#[cfg(not(unix))]
fn unbuffered() -> std::io::Result<std::io::Stdin> {
    Ok(std::io::stdin())
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
