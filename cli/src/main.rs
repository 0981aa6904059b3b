//! The testigo program: a phone in a terminal, headquarters, and an election night in small.
//!
//! Results go to standard output, logs and errors to standard error. Exit status: 0 done; 1 done, but
//! something was refused or could not be read, and is named; 2 wrong usage, or it cannot start.

mod args;
mod attach;
mod backup;
mod bulletins;
mod bundles;
mod catalogue;
mod child;
mod codes;
mod courier;
mod decode;
mod deliver;
mod demo;
mod export;
mod failure;
mod hq;
mod interrupt;
mod key_file;
mod lock;
mod loopback;
mod outbox;
mod outcome;
mod phone;
mod picture;
mod plain;
mod recover;
mod render;
mod replay;
mod rescue;
mod results_file;
mod root;
mod scan;
mod secret;
mod sheet;
mod shell;
mod staff;
mod stdin;
mod table;
mod tally;
mod typed;
mod verify;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use outcome::Outcome;
use std::io::IsTerminal;
use std::process::ExitCode;
use testigo_wire::Language;
use tracing::level_filters::LevelFilter;
use zeroizing_alloc::ZeroAlloc;

/// What is given back is written over first: notes, PINs and keys pass through many buffers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let cli = Cli::parse();
    testigo_scan::silence_caught_panics();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(log_level())
        .init();
    let chosen = chosen(cli.lang.as_deref());
    let language = chosen.unwrap_or_default();
    match run(cli.command, chosen, cli.json) {
        Ok(outcome) => {
            outcome.print(cli.json);
            ExitCode::from(u8::from(!outcome.clean))
        }
        Err(failure) => {
            complain(&failure, language, cli.json);
            ExitCode::from(2)
        }
    }
}

/// How much is written to standard error: what `TESTIGO_LOG` says (error, warn, info, debug, trace), else warnings.
fn log_level() -> LevelFilter {
    (std::env::var("TESTIGO_LOG").ok())
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::WARN)
}

fn run(command: Command, chosen: Option<Language>, as_json: bool) -> Result<Outcome, Failure> {
    let language = chosen.unwrap_or_default();
    match command {
        Command::Demo(args) => demo::run(&args, language, as_json),
        Command::Scan { images } => Ok(scan::run(&images, language, as_json)),
        Command::Tally(args) => match &args.command {
            Some(command) => bulletins::run(command, language),
            None => tally::run(&args.texts, args.election.as_deref(), language),
        },
        Command::Decode(args) => decode::run(&args, language),
        Command::Replay(args) => replay::run(&args, language, as_json),
        Command::Sheet(args) => sheet::run(&args, language),
        Command::Phone(args) => phone::run(args, chosen, as_json),
        Command::Hq(args) => hq::run(args, language, as_json),
        Command::Verify { command } => verify::run(&command, language),
    }
}

/// The language asked for, or the environment's; none where neither says one.
fn chosen(asked: Option<&str>) -> Option<Language> {
    let variables = ["TESTIGO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
    asked
        .map(str::to_owned)
        .into_iter()
        .chain(variables.iter().filter_map(|name| std::env::var(name).ok()))
        .find_map(|tag| Language::from_tag(&tag))
}

fn complain(failure: &Failure, language: Language, as_json: bool) {
    outcome::complain(&format!("testigo: {}", failure.sentence(language)));
    if as_json {
        outcome::say(&failure.json(language).to_string());
    }
}
