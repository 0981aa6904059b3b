//! Reads published bulletins of Brazil under their states' keys, then changes every character of them to every other.
//!
//! `cargo run --release -p testigo-tally --example bulletins -- KEYS VERSION FILE...`: a folder of 32-byte keys whose names
//! tell the state (`opeqrcode.pub`, `simulated2018-sac.pub`), their version in bulletins (`-` for none), and files with a bulletin a line, or, as `.json`, lists of codes by name.
//! Ends with 1 where a bulletin does not verify, or a changed one is read as signed.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an example"
)]

use std::path::Path;
use std::process::ExitCode;
use testigo_tally::{Vouch, read};
use testigo_wire::{ElectionId, ElectionPack, Format, NamedKey, VerifyingKey};

/// `opeqrcode.pub` and `simulated2018-sac.pub` are of `PE` and `AC`.
fn state(name: &str) -> String {
    let stem = name.trim_end_matches(".pub").trim_end_matches("qrcode");
    stem[stem.len() - 2..].to_uppercase()
}

fn pack(keys: &Path, version: &str) -> ElectionPack {
    let mut formats = vec![Format::boletim_de_urna()];
    for entry in std::fs::read_dir(keys).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "pub") {
            let bytes: [u8; 32] = std::fs::read(&path).unwrap().try_into().unwrap();
            let state = state(path.file_name().unwrap().to_str().unwrap());
            formats[0].keys.push(NamedKey {
                name: match version {
                    "-" => state,
                    version => format!("{state}.{version}"),
                },
                key: VerifyingKey::from_bytes(&bytes).unwrap(),
            });
        }
    }
    println!("{} keys", formats[0].keys.len());
    ElectionPack {
        formats,
        ..ElectionPack::new(ElectionId([0; 8]), "")
    }
}

fn bulletins(file: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).unwrap();
    if file.extension().is_some_and(|ext| ext == "json") {
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        let codes = |list: serde_json::Value| serde_json::from_value(list).unwrap();
        return json.into_iter().map(|(_, list)| codes(list)).collect();
    }
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| vec![line.to_owned()]).collect()
}

/// Changed ones that were tried, those that were read all the same, and those read as signed.
fn change_all(codes: &[String], pack: &ElectionPack) -> (u64, u64, u64) {
    let (mut tried, mut passed, mut signed) = (0, 0, 0);
    for n in 0..codes.len() {
        let mut changed: Vec<Vec<u8>> =
            codes.iter().map(|code| code.clone().into_bytes()).collect();
        for at in 0..changed[n].len() {
            let was = changed[n][at];
            for byte in (b' '..=b'~').filter(|byte| *byte != was) {
                changed[n][at] = byte;
                let texts: Vec<&[u8]> = changed.iter().map(Vec::as_slice).collect();
                tried += 1;
                if let Ok(tally) = read(&texts, Some(pack)) {
                    passed += 1;
                    signed += u64::from(tally.vouch >= Vouch::SIGNATURE);
                }
            }
            changed[n][at] = was;
        }
    }
    (tried, passed, signed)
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(keys), Some(version)) = (args.next(), args.next()) else {
        println!("bulletins KEYS VERSION FILE...");
        return ExitCode::from(2);
    };
    let pack = pack(Path::new(&keys), &version);
    let mut wrong = false;
    for file in args {
        let bulletins = bulletins(Path::new(&file));
        let (mut verified, mut sum) = (0, (0, 0, 0));
        for codes in &bulletins {
            let texts: Vec<&[u8]> = codes.iter().map(String::as_bytes).collect();
            match read(&texts, Some(&pack)) {
                Ok(tally) if tally.vouch == Vouch::SIGNATURE => verified += 1,
                Ok(tally) => println!("{}: {}", tally.table, tally.vouch),
                Err(error) => println!("{error}"),
            }
            let (tried, passed, signed) = change_all(codes, &pack);
            sum = (sum.0 + tried, sum.1 + passed, sum.2 + signed);
        }
        println!(
            "{file}: {verified} of {} verified; {} changed ones tried, {} read, {} of them as signed",
            bulletins.len(),
            sum.0,
            sum.1,
            sum.2
        );
        wrong |= verified < bulletins.len() || sum.2 > 0;
    }
    ExitCode::from(u8::from(wrong))
}
