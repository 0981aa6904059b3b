//! The program: nights by seed, a few at a time, and what became of them.

use crate::faults::{Counts, Fault};
use crate::template::Template;
use crate::world::World;
use crate::{images, oracle};
use clap::Parser;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Lets nights happen and says what became of them.
#[derive(Parser)]
#[command(
    after_help = "Examples: simulate --seeds 10000\n          simulate --seed 4711 --trace\n          simulate --power-cuts"
)]
struct Arguments {
    /// How many nights.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One night only, this one.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print what happens, line by line.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Instead: the states that a power cut may leave of a phone's and headquarters' disk; every legal one,
    /// where not more than five pieces were unsynced.
    #[arg(long)]
    power_cuts: bool,
    /// Nights at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// What a night was.
struct Night {
    phones: usize,
    records: usize,
    counts: Counts,
    outcome: Result<(), String>,
    trace: Vec<String>,
}

fn night(template: &Template, seed: u64) -> Night {
    let mut world = World::new(template, seed);
    let outcome = world.run();
    world.count_disks();
    let outcome = outcome.and_then(|()| oracle::check(&world));
    for phone in &mut world.phones {
        phone.stop();
    }
    let outcome = outcome.and_then(|()| oracle::check_stores(&world));
    world.hq.stop();
    Night {
        phones: world.phones.len(),
        records: world.phones.iter().map(|phone| phone.truths.len()).sum(),
        counts: std::mem::take(&mut world.counts),
        outcome,
        trace: std::mem::take(&mut world.trace),
    }
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

fn power_cuts(template: &Template) -> ExitCode {
    match images::run(template) {
        Ok(disks) => {
            for (disk, tried) in disks {
                println!(
                    "{disk}: power cut at {} changes of the disk (at {} of them every legal state, at the \
                     others a selection): {} different states opened, and all went on",
                    tried.cuts, tried.whole, tried.states
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (from, seeds) = match arguments.seed {
        Some(seed) => (seed, 1),
        None => (arguments.from, arguments.seeds),
    };
    let template = Template::new();
    if arguments.power_cuts {
        return power_cuts(&template);
    }
    let next = AtomicU64::new(from);
    let failed = AtomicBool::new(false);
    let nights = Mutex::new(Vec::new());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(night) = catch_unwind(|| night(&template, seed)) else {
                        failed.store(true, Ordering::Relaxed);
                        println!("SEED {seed} FAILED: it panicked, see above");
                        return;
                    };
                    if arguments.trace {
                        println!("{}", night.trace.join("\n"));
                    }
                    if let Err(error) = &night.outcome {
                        failed.store(true, Ordering::Relaxed);
                        println!("SEED {seed} FAILED: {error}");
                        println!("Again, line by line: simulate --seed {seed} --trace");
                    }
                    let mut nights = nights
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    nights.push((night.phones, night.records, night.counts));
                }
            });
        }
    });
    let nights = nights
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut counts = Counts::default();
    for (_, _, night) in &nights {
        counts.merge(night);
    }
    for fault in Fault::ALL {
        println!(
            "{:>10}  {fault}",
            counts.0.get(&fault).copied().unwrap_or_default()
        );
    }
    let of =
        |number: fn(&(usize, usize, Counts)) -> u64| median(nights.iter().map(number).collect());
    println!(
        "{} nights, {} records; median of a night: {} phones, {} records, {} faults that happened; {} s",
        nights.len(),
        nights.iter().map(|(_, records, _)| records).sum::<usize>(),
        of(|night| night.0 as u64),
        of(|night| night.1 as u64),
        of(|night| night.2.total()),
        started.elapsed().as_secs(),
    );
    match failed.into_inner() {
        true => ExitCode::FAILURE,
        false => {
            println!("0 lost, 0 doubled.");
            ExitCode::SUCCESS
        }
    }
}
