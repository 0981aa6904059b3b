//! `testigo scan`: images -> the texts of their QR codes.

use crate::outcome::Outcome;
use crate::picture::Picture;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use testigo_wire::Language;

/// Scans each image; one that cannot be read is named and does not stop the rest.
pub fn run(images: &[PathBuf], language: Language, as_json: bool) -> Outcome {
    let mut clean = true;
    for image in images {
        let outcome = one(image, language);
        clean &= outcome.clean;
        outcome.print(as_json);
    }
    Outcome {
        lines: Vec::new(),
        json: json!({ "files": images.len(), "all_read": clean }),
        clean,
    }
}

fn one(image: &Path, language: Language) -> Outcome {
    let file = image.display().to_string();
    let picture = match Picture::load(image) {
        Ok(picture) => picture,
        Err(error) => {
            let sentence = error.sentence(language);
            return Outcome {
                lines: vec![sentence.clone()],
                json: json!({ "file": file, "error": sentence }),
                clean: false,
            };
        }
    };
    let started = Instant::now();
    let codes = picture.scan();
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let mut lines: Vec<String> = (codes.iter())
        .map(|code| format!("{file}: {}", code.text_lossy()))
        .collect();
    if codes.is_empty() {
        lines.push(language.pick(
            format!("{file}: no se pudo leer ningún código QR"),
            format!("{file}: no QR code could be read"),
        ));
    }
    let list: Vec<Value> = (codes.iter())
        .map(|code| {
            let hex = code.bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let corners: Vec<[i32; 2]> = code.corners.iter().map(|c| [c.x, c.y]).collect();
            json!({ "text": code.text(), "hex": hex, "corners": corners })
        })
        .collect();
    Outcome {
        clean: !codes.is_empty(),
        lines,
        json: json!({ "file": file, "ms": ms, "codes": list }),
    }
}
