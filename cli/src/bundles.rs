//! Bundles as people bring them: files, and pictures of a series of QR codes.

use crate::picture::Picture;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use testigo_wire::{Bundle, Language, Series};

/// A bundle that somebody brought.
pub struct Brought {
    /// The file, or the first picture of its codes.
    pub name: PathBuf,
    what: What,
}

enum What {
    File,
    Codes(Series),
}

impl Brought {
    /// Its bytes.
    ///
    /// # Errors
    /// Where the file cannot be read, or codes are missing: it says which.
    pub fn bytes(&self, language: Language) -> io::Result<Vec<u8>> {
        let series = match &self.what {
            What::File => return read(&self.name),
            What::Codes(series) => series,
        };
        series.finish().map_err(|_| {
            let missing: Vec<String> = series.missing().iter().map(usize::to_string).collect();
            io::Error::other(match missing.is_empty() {
                false => language.pick(
                    format!("faltan los códigos {}", missing.join(", ")),
                    format!("codes {} are missing", missing.join(", ")),
                ),
                true => language
                    .pick(
                        "sus códigos no van juntos; léalos de nuevo",
                        "its codes do not belong together; take their pictures again",
                    )
                    .to_owned(),
            })
        })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than the largest: that it is too large must show.
    let most = Bundle::MAX_FILE as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Tells bundles in files from those in pictures of codes, and puts the latter together, in whatever order they come.
pub fn find(files: &[PathBuf]) -> Vec<Brought> {
    let mut found: Vec<Brought> = Vec::new();
    for file in files {
        let codes = match Picture::load(file) {
            Ok(picture) => picture.scan(),
            Err(_) => Vec::new(),
        };
        let mut parts = codes
            .iter()
            .filter(|code| Series::is_part(&code.bytes))
            .peekable();
        if parts.peek().is_none() {
            found.push(Brought {
                name: file.clone(),
                what: What::File,
            });
        }
        for part in parts {
            let taken = found.iter_mut().any(|brought| match &mut brought.what {
                What::Codes(series) => series.add(&part.bytes).is_ok(),
                What::File => false,
            });
            if !taken {
                let mut series = Series::default();
                // What is no code of a series after all stays one without any: it is told as missing.
                let _ = series.add(&part.bytes);
                found.push(Brought {
                    name: file.clone(),
                    what: What::Codes(series),
                });
            }
        }
    }
    found
}
