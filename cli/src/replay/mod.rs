//! `testigo replay`: a published election once more, through real phones and real headquarters, and their count held
//! against the file that it came from.
//!
//! Each row becomes the text of its sheet's QR code. A phone of its own captures it: a store on disk, sealed and
//! signed by the core that phones run. It is delivered over loopback HTTP to headquarters in a process of their
//! own, through faults that the seed repeats. Rows go in batches, so that disk and memory stay bounded.

mod book;
mod election;
mod faults;
mod headquarters;
mod phones;
mod shown;
mod wire;

use crate::args::ReplayArgs;
use crate::child::{Crew, interrupted};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::sheet::Chance;
use book::{Book, Difference};
use faults::{Fault, Faults};
use headquarters::Headquarters;
use phones::{Stand, capture};
use serde_json::json;
use shown::Shown;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testigo_hq::ResultsView;
use testigo_wire::Language;

/// Phones of one thread that are on disk at the same time; each has a reserve of 1 MiB there.
const BATCH: usize = 64;
/// Threads of each job: most of a phone's work is waiting for its disk.
const THREADS: usize = 8;
/// The most differences that are named.
const NAMED: usize = 50;

/// How long each part took, all batches together.
#[derive(Default)]
struct Times {
    capture: Duration,
    wire: Duration,
    headquarters: Duration,
}

/// Runs it; exit status 1 where a row has a fault or the totals differ.
pub fn run(args: &ReplayArgs, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    // The client that reads headquarters' API finds its cryptography here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let jobs = match args.jobs {
        Some(jobs) => jobs.get(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut book = Book::read(&args.file, &args.layout.layout(), language)?;
    let crew = Crew::new()?;
    let folder = tempfile::tempdir().map_err(Failure::file(Path::new("temp")))?;
    let source = election::source(folder.path(), &book)?;
    let sheets = election::sheets(&mut book, &source, args.seed, language)?;
    if book.rows.is_empty() {
        return Err(Failure::said(
            "En el archivo no hay ninguna fila que repetir.",
            "There is no row in the file to be replayed.",
        ));
    }
    let mut hq = Headquarters::make(folder.path(), &source, crew.clone())?;
    let mut shown = Shown::new(&book, language, as_json);
    let faults = Faults::default();
    let stand = Stand::new(folder.path(), &hq, &book, &sheets, args, &faults)?;
    hq.start()?;
    let mut times = Times::default();
    let mut chance = Chance::from_seed(args.seed);
    let mut from = 0;
    while from < book.rows.len() {
        let to = book.rows.len().min(from + BATCH * jobs);
        night(
            &stand,
            &mut hq,
            from..to,
            jobs,
            &mut chance,
            &mut times,
            &mut shown,
            &crew,
        )?;
        from = to;
        shown.counted(from, || hq.results())?;
    }
    let results = hq.results()?;
    let export = Book::read_export(&hq.export()?, &book, language)?;
    shown.end();
    let other = match &args.against {
        Some(path) => Some(Book::read(path, &args.layout.layout(), language)?),
        None => None,
    };
    let published = other.as_ref().unwrap_or(&book);
    let differences = published.differences(&export);
    let faulty = book.faulty + other.as_ref().map_or(0, |other| other.faulty);
    let ended = Ended {
        book: &book,
        results: &results,
        differences,
        faulty,
        faults: &faults,
        times,
    };
    Ok(ended.outcome(published, language))
}

/// One batch: captured on all threads, then delivered, then opened by headquarters' desk.
#[expect(
    clippy::too_many_arguments,
    reason = "all parts of a night meet here and nowhere else"
)]
fn night(
    stand: &Stand<'_>,
    hq: &mut Headquarters,
    rows: std::ops::Range<usize>,
    jobs: usize,
    chance: &mut Chance,
    times: &mut Times,
    shown: &mut Shown,
    crew: &Crew,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let next = AtomicUsize::new(rows.start);
    let seats = Mutex::new(Vec::with_capacity(rows.len()));
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs * THREADS {
            scope.spawn(|| {
                loop {
                    let row = next.fetch_add(1, Ordering::Relaxed);
                    if row >= rows.end {
                        break;
                    }
                    let seat = match crew.is_interrupted() {
                        true => Err(interrupted()),
                        false => capture(stand, row),
                    };
                    match seat {
                        Ok(seat) => faults::lock(&seats).push(seat),
                        Err(failure) => {
                            next.store(rows.end, Ordering::Relaxed);
                            faults::lock(&failed).get_or_insert(failure);
                        }
                    }
                }
            });
        }
    });
    if let Some(failure) = failed
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        return Err(failure);
    }
    let mut seats = seats
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    seats.sort_by_key(|seat| seat.row);
    times.capture += begun.elapsed();
    let begun = Instant::now();
    // At least once, so that it is tried with few rows, too.
    let killed = stand.loss > 0.0 && (rows.start == 0 || chance.between(0.0, 1.0) < stand.loss);
    let kill_at = killed.then(|| chance.below(rows.len()));
    let mut arrived = 0;
    wire::deliver(seats, stand, jobs * THREADS, crew, || {
        if kill_at == Some(arrived) {
            hq.restart()?;
            stand.faults.add(Fault::HqKilled);
        }
        arrived += 1;
        shown.delivered();
        Ok(())
    })?;
    times.wire += begun.elapsed();
    hq.wait_for_desk()?;
    times.headquarters += begun.elapsed();
    Ok(())
}

/// What is told at the end.
struct Ended<'a> {
    book: &'a Book,
    results: &'a ResultsView,
    differences: Vec<Difference>,
    faulty: u64,
    faults: &'a Faults,
    times: Times,
}

impl Ended<'_> {
    fn outcome(&self, published: &Book, language: Language) -> Outcome {
        let rows = self.book.rows.len();
        let states: BTreeSet<&str> = self.book.rows.iter().map(|row| &*row.state).collect();
        let mut lines = vec![language.pick(
            format!(
                "{rows} actas de {} estados, contadas por la central:",
                states.len()
            ),
            format!(
                "{rows} records of {} states, counted by headquarters:",
                states.len()
            ),
        )];
        for candidate in &self.results.candidates {
            lines.push(format!("  {:<28} {:>10}", candidate.name, candidate.votes));
        }
        lines.push(language.pick(
            format!(
                "  válidos {}, nulos {}",
                self.results.valid_votes, self.results.null_votes
            ),
            format!(
                "  valid {}, null {}",
                self.results.valid_votes, self.results.null_votes
            ),
        ));
        let happened = self.faults.all();
        let list = happened
            .iter()
            .map(|(fault, n)| format!("{} {n}", fault.label(language)));
        let list = list.collect::<Vec<_>>().join(", ");
        lines.push(language.pick(
            format!("Fallas que ocurrieron: {list}"),
            format!("Faults that happened: {list}"),
        ));
        let rate = |time: Duration| match time.as_secs_f64() {
            seconds if seconds > 0.0 => rows as f64 / seconds,
            _ => 0.0,
        };
        let Times {
            capture,
            wire,
            headquarters,
        } = &self.times;
        let (a, b, c) = (rate(*capture), rate(*wire), rate(*headquarters));
        lines.push(language.pick(
            format!("Filas por segundo: captura {a:.1}, envío hasta el recibo {b:.1}, central hasta contarlas {c:.1}"),
            format!("Rows a second: capture {a:.1}, wire until the receipt {b:.1}, headquarters until counted {c:.1}"),
        ));
        for difference in self.differences.iter().take(NAMED) {
            lines.push(difference.sentence(&published.name, language));
        }
        let more = self.differences.len().saturating_sub(NAMED);
        if more > 0 {
            lines.push(language.pick(format!("y {more} más"), format!("and {more} more")));
        }
        let equal = self.differences.is_empty();
        let faulty = self.faulty;
        lines.push(match (equal, faulty) {
            (true, 0) => language.pick("totales iguales", "totals equal").to_owned(),
            (true, _) => language.pick(
                format!("totales iguales sin las {faulty} filas con fallas"),
                format!("totals equal without the {faulty} rows with faults"),
            ),
            (false, _) => language
                .pick("los totales difieren", "totals differ")
                .to_owned(),
        });
        let json = json!({
            "records": rows,
            "states": states.len(),
            "candidates": self.results.candidates,
            "valid_votes": self.results.valid_votes,
            "null_votes": self.results.null_votes,
            "faults": happened.iter().map(|(fault, n)| (fault.code(), *n)).collect::<std::collections::BTreeMap<_, _>>(),
            "rows_a_second": { "capture": a, "wire": b, "headquarters": c },
            "faulty_rows": faulty,
            "differences": self.differences.iter().map(|d| d.sentence(&published.name, language)).collect::<Vec<_>>(),
            "equal": equal,
        });
        Outcome {
            lines,
            json,
            clean: equal && faulty == 0,
        }
    }
}
