mod courier;
mod hq;
mod keys;
mod layout;
mod lock;
mod replay;
pub mod staff;
mod tally;
mod verify;

pub use courier::{CarryCommand, ImportCommand};
pub use hq::{HqArgs, HqCommand};
pub use keys::{KeysCommand, KeysetCommand, PaperArgs, RootCommand, RotateArgs};
pub use lock::{DuressCommand, PinCommand, WipeAfter};
pub use replay::ReplayArgs;
pub use tally::{DecodeArgs, TallyArgs, TallyCommand};
pub use verify::VerifyCommand;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A witness's phone in a terminal, headquarters, and an election night in small.
#[derive(Parser)]
#[command(
    name = "testigo",
    version,
    max_term_width = 100,
    after_help = "Example: testigo demo --lang en"
)]
pub struct Cli {
    /// Language of sentences: es, en or pt; otherwise the first of TESTIGO_LANG, LC_ALL, LC_MESSAGES and
    /// LANG that is one of them; otherwise (with LANG=C, too) the first of the phone's election, otherwise es. In
    /// Portuguese the catalogue, warnings, progress and failures are said, the rest in Spanish.
    #[arg(long, global = true, value_name = "es|en|pt")]
    pub lang: Option<String>,
    /// One JSON document (or one a line) on standard output, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// The whole night in small, narrated: each line is a thing that really happened.
    #[command(after_help = "Example: testigo demo --seed 7")]
    Demo(DemoArgs),
    /// Reads the QR codes of images.
    #[command(after_help = "Example: testigo scan sheet.jpg --json")]
    Scan {
        /// Image files (PNG or JPEG).
        #[arg(required = true)]
        images: Vec<PathBuf>,
    },
    /// Reads the texts of one tally sheet's QR codes and checks them: table, votes, what vouches for them, what is
    /// doubtful.
    #[command(
        args_conflicts_with_subcommands = true,
        subcommand_negates_reqs = true,
        after_help = "Example: testigo tally - < text.txt"
    )]
    Tally(TallyArgs),
    /// Reads folders of images of sheets: results by table, totals, and a list of what could not be read. A run that was
    /// stopped goes on with the same command.
    #[command(
        after_help = "Example: testigo decode photographs --out results.csv\n         testigo decode photographs --out results.csv --submit STATION --election D2/public/pack.cose --keyset D2/public/keyset.cose --qr station.png"
    )]
    Decode(DecodeArgs),
    /// Plays a published election once more, a phone for each table, and holds headquarters' count against the file.
    /// Exit status: 0 equal to the last vote, 1 where a row differs or has a fault, which is named.
    #[command(after_help = "Example: testigo replay results.csv --loss 0.1 --seed 7")]
    Replay(ReplayArgs),
    /// Draws a practice tally sheet and photographs it.
    #[command(after_help = "Example: testigo sheet --text - --out sheet.jpg < text.txt")]
    Sheet(SheetArgs),
    /// A phone in a terminal, on the very core that phones run.
    #[command(after_help = "Example: testigo phone --home D report 21 --note \"two blocks dark\"")]
    Phone(PhoneArgs),
    /// Headquarters.
    #[command(after_help = "Example: testigo hq --data D2 serve")]
    Hq(HqArgs),
    /// Checks for anyone, without a network. Exit status: 0 verified, 1 not.
    #[command(
        after_help = "Example: testigo verify receipt receipt.cbor --keyset keyset.cose --envelope envelope.cose"
    )]
    Verify {
        #[command(subcommand)]
        command: VerifyCommand,
    },
}

#[derive(Args)]
pub struct DemoArgs {
    /// Varies the sheets, the reports and the damage done to the photographs.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A photograph of a tally sheet of your own, instead of the one that is drawn.
    #[arg(long, value_name = "FILE")]
    pub photo: Option<PathBuf>,
    /// Leave headquarters running at the end, to look at its page.
    #[arg(long)]
    pub serve: bool,
}

#[derive(Args)]
pub struct SheetArgs {
    /// The QR code's text, or - for standard input: a table of Venezuela 2024 as the built-in
    /// election knows it.
    #[arg(long)]
    pub text: String,
    /// Where the photograph goes.
    #[arg(long, value_name = "FILE.png|.jpg")]
    pub out: PathBuf,
    /// Varies the damage done to the photograph.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Args)]
pub struct PhoneArgs {
    /// The phone's folder.
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// For drills: the phone's clock is wrong by this many minutes.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    pub clock_wrong_by_minutes: i64,
    /// Where something must be read: the PIN is the first line of standard input.
    #[arg(long)]
    pub pin_stdin: bool,
    #[command(subcommand)]
    pub command: PhoneCommand,
}

#[derive(Subcommand, Clone)]
pub enum PhoneCommand {
    /// Makes a new phone. Its key lies beside it in a file, so it is for trying out only.
    #[command(after_help = "Example: testigo phone --home D init")]
    Init,
    /// Enrols with a witness's code; needs no network.
    #[command(
        after_help = "Example: testigo phone --home D enrol --qr witness.png --keyset keyset.cose --pack pack.cose"
    )]
    Enrol {
        /// Image of the enrolment QR code.
        #[arg(long, value_name = "IMAGE", required_unless_present = "typed")]
        qr: Option<PathBuf>,
        /// Read the typed code from standard input instead.
        #[arg(long, conflicts_with = "qr")]
        typed: bool,
        /// Headquarters' keys (`public/keyset.cose`).
        #[arg(long, value_name = "FILE")]
        keyset: PathBuf,
        /// The election (`public/pack.cose`).
        #[arg(long, value_name = "FILE")]
        pack: Option<PathBuf>,
    },
    /// Saves a report; see `testigo phone catalogue` for the numbers.
    #[command(
        after_help = "Example: testigo phone --home D report 10 --delay-minutes 95\n         testigo phone --home D report 90 --field hour=10:00 --field voters=212"
    )]
    Report {
        /// The catalogue's number.
        code: u16,
        /// The table; otherwise the witness's own.
        #[arg(long)]
        table: Option<String>,
        /// Own words, at most 500 characters.
        #[arg(long)]
        note: Option<String>,
        /// How late, in minutes.
        #[arg(long, value_name = "N")]
        delay_minutes: Option<u32>,
        /// When it started, such as 2024-07-28T14:30:00-04:00.
        #[arg(long, value_name = "TIME")]
        started: Option<String>,
        /// When it ended.
        #[arg(long, value_name = "TIME")]
        ended: Option<String>,
        /// How many people were involved.
        #[arg(long, value_name = "N")]
        people: Option<u32>,
        /// What else the catalogue asks for, as often as needed; `testigo phone catalogue CODE` names the fields.
        #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
        fields: Vec<(String, String)>,
        /// A photograph, film or recording that belongs to it; place, time and device are taken out.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
    },
    /// Reads a tally sheet and saves it; the photograph goes with it.
    #[command(
        after_help = "Example: testigo phone --home D tally --photo sheet.jpg\n         testigo phone --home D tally --typed --attach sheet.jpg"
    )]
    Tally {
        /// A photograph of the sheet; of a record of several codes that were photographed one by one, each of them.
        #[arg(long, value_name = "FILE", required_unless_present_any = ["text", "typed"])]
        photo: Vec<PathBuf>,
        /// No code can be read: asks for the numbers on the paper, twice. A photograph goes with --attach.
        #[arg(long, conflicts_with_all = ["photo", "text", "table"])]
        typed: bool,
        /// The text of its QR code, or of each of them, or - for one code on standard input.
        #[arg(conflicts_with = "photo")]
        text: Vec<String>,
        /// The table, where it is not the sheet's own.
        #[arg(long)]
        table: Option<String>,
        /// Another file that belongs to it.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
    },
    /// The catalogue of what can be reported: that of the phone's election, otherwise the built-in one. With a
    /// number, what to do and which fields `report --field` takes.
    #[command(
        visible_alias = "codes",
        after_help = "Example: testigo phone --home D catalogue 90"
    )]
    Catalogue {
        /// A number of it.
        code: Option<u16>,
    },
    /// Everything saved, with headquarters' receipts.
    #[command(after_help = "Example: testigo phone --home D list")]
    List,
    /// Writes what headquarters signed for a record to a file, for `testigo verify receipt`: receipt,
    /// receipts of its files and latest notice, one behind the other (a CBOR sequence).
    #[command(after_help = "Example: testigo phone --home D receipt 3 --out receipt.cbor")]
    Receipt {
        /// The record's number.
        sequence: u64,
        /// Where it goes: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The sealed envelope, too, while the phone has it.
        #[arg(long, value_name = "FILE")]
        envelope: Option<PathBuf>,
    },
    /// What waits and why, when headquarters was last reached, and when it is tried again.
    #[command(after_help = "Example: testigo phone --home D status")]
    Status {
        /// For a link that costs money, such as mobile data; otherwise for the one that the last pass went over.
        #[arg(long)]
        metered: bool,
    },
    /// Delivers what waits.
    #[command(after_help = "Example: testigo phone --home D sync --watch")]
    Sync {
        /// Send again what was delivered before, too; headquarters changes nothing by it.
        #[arg(long)]
        all: bool,
        /// The link costs money, such as mobile data: keep to the budget.
        #[arg(long)]
        metered: bool,
        /// Stay, and deliver what is saved from now on, waiting longer after each failure; ends with
        /// Ctrl-C.
        #[arg(long, conflicts_with = "all")]
        watch: bool,
    },
    /// Shows or sets what files may cost on links that charge for data; records always go.
    #[command(
        after_help = "Example: testigo phone --home D budget --bytes-a-day 10000000 --photos-on-metered no"
    )]
    Budget {
        /// Bytes in 24 hours, or `none` for no limit.
        #[arg(long, value_name = "N|none", value_parser = limit)]
        bytes_a_day: Option<Limit>,
        /// Whether photographs, films and recordings travel over such links.
        #[arg(long, value_name = "yes|no", value_parser = clap::builder::BoolishValueParser::new())]
        photos_on_metered: Option<bool>,
    },
    /// What headquarters refused: for each, a person decides.
    #[command(after_help = "Example: testigo phone --home D parked")]
    Parked,
    /// Lets a refused record go again with the next sync.
    #[command(after_help = "Example: testigo phone --home D retry 7")]
    Retry {
        /// Its number.
        number: u64,
    },
    /// Writes a record and its files, sealed as they are, into a new folder to be carried elsewhere.
    #[command(after_help = "Example: testigo phone --home D export 7 --out folder")]
    Export {
        /// Its number.
        number: u64,
        /// The folder: a new one.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    #[command(flatten)]
    Carry(CarryCommand),
    /// Takes headquarters' newer keys and addresses from a file; a sync does so by itself.
    #[command(after_help = "Example: testigo phone --home D keyset keyset.cose")]
    Keyset {
        /// `public/keyset.cose` of headquarters.
        file: PathBuf,
    },
    /// The PIN that opens what can be read here. PINs are typed on the terminal, or come one a line on standard input.
    #[command(after_help = "Example: testigo phone --home D pin set")]
    Pin {
        #[command(subcommand)]
        command: PinCommand,
    },
    /// A second PIN, for who is made to open the phone: it shows check-ins and no other content.
    #[command(after_help = "Example: testigo phone --home D duress set --alarm yes")]
    Duress {
        #[command(subcommand)]
        command: DuressCommand,
    },
    /// Locks: for the shell; every command by itself begins locked.
    #[command(after_help = "Example: testigo phone --home D lock")]
    Lock,
    /// Unlocks: for the shell; by itself it checks the PIN.
    #[command(after_help = "Example: testigo phone --home D unlock")]
    Unlock,
    /// Shows or sets what is kept to be read, and when the phone is wiped.
    #[command(after_help = "Example: testigo phone --home D settings --burn no --wipe-after 10")]
    Settings {
        /// Whether what can be read of a record goes once headquarters has signed for it.
        #[arg(long, value_name = "yes|no", value_parser = clap::builder::BoolishValueParser::new())]
        burn: Option<bool>,
        /// Wipe after so many wrong PINs in a row (at least 3), or `none`.
        #[arg(long, value_name = "N|none", value_parser = lock::wipe_after)]
        wipe_after: Option<WipeAfter>,
    },
    /// Destroys this phone: its keys first, then its files. Without --yes it says what would be lost.
    #[command(after_help = "Example: testigo phone --home D wipe --yes")]
    Wipe {
        /// Really.
        #[arg(long)]
        yes: bool,
    },
    /// Puts a phone with a damaged store to work again: saves what is readable, keeps the rest beside it.
    #[command(after_help = "Example: testigo phone --home D recover")]
    Recover {
        /// Set the store aside also where its key opens nothing of it: with a wrong key it looks the same.
        #[arg(long)]
        key_is_right: bool,
    },
    /// Stays open and takes these commands line by line, as an app would.
    #[command(after_help = "Example: testigo phone --home D shell")]
    Shell,
}

/// A field of the catalogue and what is written in it.
fn field(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once('=')
        .ok_or("NAME=VALUE, such as voters=212")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A number of bytes, or none.
#[derive(Clone, Copy)]
pub struct Limit(pub Option<u64>);

fn limit(text: &str) -> Result<Limit, std::num::ParseIntError> {
    if text == "none" {
        return Ok(Limit(None));
    }
    text.parse().map(|bytes| Limit(Some(bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_help_of_every_command_has_an_example() {
        let mut waiting = vec![Cli::command()];
        while let Some(command) = waiting.pop() {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example: testigo ")),
                "{}",
                command.get_name()
            );
            waiting.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn every_example_is_understood() {
        let mut waiting = vec![Cli::command()];
        let mut tried = 0;
        while let Some(command) = waiting.pop() {
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines() {
                let Some(at) = line.find("testigo ") else {
                    continue;
                };
                let words = shlex::split(&line[at..]).unwrap();
                let words = words
                    .iter()
                    .take_while(|word| !["|", "<", ">"].contains(&word.as_str()));
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{line}: {error}");
                }
                tried += 1;
            }
            waiting.extend(command.get_subcommands().cloned());
        }
        assert!(tried > 50, "{tried}");
    }
}
