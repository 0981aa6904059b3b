//! `testigo decode`: folders of images of sheets -> results, and a list of what could not be read.

mod journal;
mod rows;
mod submit;

use crate::args::DecodeArgs;
use crate::failure::Failure;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::picture::Picture;
use crate::tally;
use data_encoding::HEXLOWER;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use journal::{Entry, Journal};
use rows::Rows;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;
use testigo_phone::Phone;
use testigo_wire::Language;

/// Endings of names that are images.
const IMAGES: [&str; 3] = ["png", "jpg", "jpeg"];

/// Reads all images, or goes on where an earlier run was stopped.
pub fn run(args: &DecodeArgs, language: Language) -> Result<Outcome, Failure> {
    // Before hours of reading: what is wrong with the station is told now, and it reads by its own election.
    let mut station = (args.submit.as_deref())
        .map(|home| submit::station(home, args, language))
        .transpose()?;
    let reader = match station.as_ref().and_then(Phone::election) {
        Some(pack) => tally::Reader::of(pack.clone()),
        None => tally::Reader::new(args.election.as_deref())?,
    };
    let (images, faults) = find(&args.paths);
    if images.is_empty() {
        return Err((faults.into_iter().next()).unwrap_or_else(no_images));
    }
    let beside = |ending: &str| {
        let mut path = args.out.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let progress = beside(".progress");
    if args.out.exists() && !progress.exists() {
        return Err(exists(&args.out));
    }
    let (mut journal, mut known) = Journal::open(&progress)?;
    let waiting: Vec<&Image> = (images.iter())
        .filter(|image| {
            let known = known.get(&image.name);
            known.is_none_or(|entry| entry.bytes != image.bytes)
        })
        .collect();
    let started = Instant::now();
    let before = images.len() - waiting.len();
    let stopped = read_all(&waiting, before, args.jobs, language, |entry| {
        journal.add(&entry)?;
        known.insert(entry.file.clone(), entry);
        Ok(())
    })?;
    let looked = (images.iter())
        .filter(|image| known.contains_key(&image.name))
        .count();
    if stopped {
        return Ok(told_to_stop(looked, images.len(), language));
    }

    let found: Vec<Entry> = (images.iter())
        .filter_map(|image| known.remove(&image.name))
        .collect();
    let rows = Rows::of(found, |texts| reader.read(texts), language);
    let unread = beside(".unread.csv");
    rows::write(&rows, &reader.pack, &args.out, language)?;
    rows::write_unread(&rows, &unread)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut outcome = summary(
        &rows,
        &reader,
        &args.out,
        &unread,
        (waiting.len(), seconds),
        language,
    );
    if let Some(station) = &mut station {
        let submitted = submit::run(station, &rows, &beside(".submitted"), language)?;
        outcome.lines.extend(submitted.lines);
        outcome.clean &= submitted.clean;
        if let serde_json::Value::Object(map) = &mut outcome.json {
            map.insert("submitted".to_owned(), submitted.json);
        }
    }
    outcome.clean &= faults.is_empty();
    outcome
        .lines
        .extend(faults.iter().map(|fault| fault.sentence(language)));
    Ok(outcome)
}

/// An image that was found.
struct Image {
    path: PathBuf,
    /// As it is written down.
    name: String,
    bytes: u64,
}

/// All images, each once, by name; and what could not be looked through.
fn find(paths: &[PathBuf]) -> (Vec<Image>, Vec<Failure>) {
    let mut found = BTreeMap::new();
    let mut faults = Vec::new();
    let mut folders = paths.to_vec();
    while let Some(path) = folders.pop() {
        match look_at(&path) {
            Ok(Found::Folder(inner)) => folders.extend(inner),
            Ok(Found::Image(bytes)) => {
                let name = path.display().to_string();
                let once = path.canonicalize().unwrap_or_else(|_| path.clone());
                found.entry(once).or_insert(Image { path, name, bytes });
            }
            Err(fault) => faults.push(fault),
        }
    }
    let mut images: Vec<Image> = found.into_values().collect();
    images.sort_by(|a, b| a.name.cmp(&b.name));
    (images, faults)
}

enum Found {
    /// Folders and images in it; links are not followed.
    Folder(Vec<PathBuf>),
    /// Its size in bytes.
    Image(u64),
}

fn look_at(path: &Path) -> Result<Found, Failure> {
    let kind = std::fs::metadata(path).map_err(Failure::file(path))?;
    if kind.is_file() {
        return Ok(Found::Image(kind.len()));
    }
    if !kind.is_dir() {
        return Err(Failure::file(path)(std::io::ErrorKind::InvalidInput.into()));
    }
    let mut inner = Vec::new();
    for entry in std::fs::read_dir(path).map_err(Failure::file(path))? {
        let entry = entry.map_err(Failure::file(path))?;
        let path = entry.path();
        // What is no regular file, such as a pipe, would be waited for without end.
        if entry
            .file_type()
            .is_ok_and(|kind| kind.is_dir() || (kind.is_file() && is_image(&path)))
        {
            inner.push(path);
        }
    }
    Ok(Found::Folder(inner))
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| IMAGES.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Looks at each image on all cores; returns whether somebody asked to stop.
fn read_all(
    images: &[&Image],
    before: usize,
    jobs: Option<usize>,
    language: Language,
    mut keep: impl FnMut(Entry) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let signals = interrupt::Signals::listen()?;
    let asked = stop.clone();
    // It ends with the program. A second one does not wait for an image that is being opened: every line of the
    // journal is whole.
    std::thread::spawn(move || {
        signals.wait();
        asked.store(true, Ordering::Relaxed);
        if let Ok(again) = interrupt::Signals::listen() {
            again.wait();
            std::process::exit(2);
        }
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = bar(images.len() + before, before, language);
    let next = AtomicUsize::new(0);
    let (send, read) = channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(cores).max(1) {
            let send = send.clone();
            scope.spawn(|| {
                let send = send;
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(image) = images.get(at) else {
                        return;
                    };
                    if send.send(look(image, language)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for entry in read {
            let kept = keep(entry);
            if kept.is_err() {
                stop.store(true, Ordering::Relaxed);
                return kept;
            }
            bar.inc(1);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(stop.load(Ordering::Relaxed) && next.load(Ordering::Relaxed) < images.len())
}

fn look(image: &Image, language: Language) -> Entry {
    let (codes, fault) = match Picture::load(&image.path) {
        Ok(picture) => (picture.scan(), None),
        Err(error) => (Vec::new(), Some(error.sentence(language))),
    };
    Entry {
        file: image.name.clone(),
        bytes: image.bytes,
        codes: (codes.iter())
            .map(|code| HEXLOWER.encode(&code.bytes))
            .collect(),
        fault,
    }
}

fn bar(all: usize, before: usize, language: Language) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr());
    let (rate, left) = language.pick(("imágenes/s", "faltan"), ("images/s", "left"));
    let style = ProgressStyle::with_template(&format!(
        "{{bar:30}} {{pos}}/{{len}}  {{per_sec}} {rate}  {left} {{eta}}"
    ));
    if let Ok(style) = style {
        bar.set_style(style.with_key(
            "per_sec",
            |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{:.1}", state.per_sec());
            },
        ));
    }
    bar.set_position(before as u64);
    bar.reset_eta();
    bar
}

fn no_images() -> Failure {
    Failure::said(
        "No hay ninguna imagen PNG o JPEG en esas carpetas; no se escribió nada.",
        "There is no PNG or JPEG image in these folders; nothing was written.",
    )
}

fn exists(out: &Path) -> Failure {
    let out = out.display();
    Failure::said(
        format!("{out} ya existe y no es de una lectura que siga; elija otro --out."),
        format!("{out} exists already and is not of a run that goes on; choose another --out."),
    )
}

fn told_to_stop(looked: usize, all: usize, language: Language) -> Outcome {
    Outcome {
        lines: vec![language.pick(
            format!("Detenido: {looked} de {all} imágenes vistas. La misma orden continúa."),
            format!("Stopped: {looked} of {all} images looked at. The same command goes on."),
        )],
        json: json!({ "stopped": true, "looked_at": looked, "images": all }),
        clean: false,
    }
}

fn summary(
    rows: &Rows,
    reader: &tally::Reader,
    out: &Path,
    unread: &Path,
    (looked, seconds): (usize, f64),
    language: Language,
) -> Outcome {
    let (read, conflicts) = (rows.read(), rows.conflicts());
    let (tables, not) = (rows.tables.len(), rows.unread.len());
    let totals = rows.totals(&reader.pack);
    let all = read + not;
    let share = match all {
        0 => 0.0,
        all => 100.0 * read as f64 / all as f64,
    };
    let rate = looked as f64 / seconds.max(1e-9);
    let point = |number: f64| {
        let text = format!("{number:.1}");
        language.pick(text.replace('.', ","), text)
    };
    let (shown_share, shown_rate) = (point(share), point(rate));
    let (out, unread) = (out.display(), unread.display());
    let mut lines = vec![
        language.pick(
            format!("Leídas {read} de {all} imágenes ({shown_share} %), {shown_rate} por segundo; mesas: {tables}, en {out}."),
            format!("Read {read} of {all} images ({shown_share} %), {shown_rate} a second; tables: {tables}, in {out}."),
        ),
    ];
    if not > 0 {
        lines.push(language.pick(
            format!("Sin leer: {not}, con el motivo, en {unread}."),
            format!("Not read: {not}, each with its reason, in {unread}."),
        ));
    }
    if conflicts > 0 {
        lines.push(language.pick(
            format!("Mesas con lecturas distintas: {conflicts}; están en el archivo y no en los totales."),
            format!("Tables with differing readings: {conflicts}; they are in the file and not in the totals."),
        ));
    }
    let other_ballots = rows.other_ballots(&reader.pack);
    if other_ballots > 0 {
        lines.push(language.pick(
            format!("Mesas con otra boleta que la de esta elección: {other_ballots}; están en el archivo y no en los totales."),
            format!("Tables with another ballot than this election's: {other_ballots}; they are in the file and not in the totals."),
        ));
    }
    if rows.any_folded() {
        lines.extend(
            totals
                .iter()
                .map(|(code, votes)| format!("{code:>8}  {:>12}", language.thousands(*votes))),
        );
    }
    let votes: serde_json::Map<String, serde_json::Value> = (totals.into_iter())
        .map(|(code, votes)| (code, votes.into()))
        .collect();
    Outcome {
        lines,
        json: json!({
            "images": all,
            "read": read,
            "unread": not,
            "tables": tables,
            "conflicts": conflicts,
            "other_ballots": other_ballots,
            "totals": votes,
            "looked_at": looked,
            "seconds": seconds,
        }),
        clean: not == 0 && conflicts == 0,
    }
}
