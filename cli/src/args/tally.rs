//! What sheets and bulletins say.

use super::layout::LayoutArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use testigo_tally::bulletins::Share;

#[derive(Args)]
pub struct TallyArgs {
    /// The text of each code, or - for standard input, a code a line.
    #[arg(required = true, value_name = "TEXT")]
    pub texts: Vec<String>,
    /// An election pack (`public/pack.cose` of headquarters) to check against, keys included: whether its own signature
    /// is headquarters' is not asked, so take it from them. Otherwise Venezuela 2024 with a few of its tables, or a
    /// bulletin of Brazil without a pack.
    #[arg(long, value_name = "FILE")]
    pub election: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<TallyCommand>,
}

#[derive(Subcommand)]
pub enum TallyCommand {
    /// What arithmetic says of a series of partial official totals. A CSV file, the earliest first: a heading
    /// `bulletin,records,CANDIDATE,...`, then a line for each with its name, the percentage of the records that it counts,
    /// and the votes; what was not published stays empty. Exit status: 1 where figures contradict each other.
    #[command(after_help = "Example: testigo tally bulletins bulletins.csv")]
    Bulletins {
        /// The file.
        file: PathBuf,
        /// Results in hand (docs/results-file.md), whose sums are held against each bulletin; columns of the same names.
        #[arg(long, value_name = "RESULTS.csv")]
        held: Option<PathBuf>,
        #[command(flatten)]
        layout: LayoutArgs,
    },
    /// Published results by table beside those in hand: where they differ. Exit status: 1 where they do.
    #[command(after_help = "Example: testigo tally tables published.csv results.csv")]
    Tables {
        /// What was published (docs/results-file.md).
        published: PathBuf,
        /// What is in hand.
        held: PathBuf,
        #[command(flatten)]
        layout: LayoutArgs,
    },
    /// Which part of the records to come the second needs, where the first leads.
    #[command(
        after_help = "Example: testigo tally lead --by 30 --at 40 --next 45 --others 4.6 --ahead 7"
    )]
    Lead {
        /// The lead, in percentage points of the votes counted.
        #[arg(long, value_name = "PERCENT", value_parser = share)]
        by: Share,
        /// Which part of all records is counted.
        #[arg(long, value_name = "PERCENT", value_parser = share)]
        at: Share,
        /// Which part of all records comes next; otherwise all that is left.
        #[arg(long, value_name = "PERCENT", value_parser = share)]
        next: Option<Share>,
        /// What all others get of it.
        #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "0")]
        others: Share,
        /// By how many points the second is to lead then; otherwise they are level.
        #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "0")]
        ahead: Share,
    },
}

fn share(text: &str) -> Result<Share, String> {
    Share::from_percent(text).ok_or_else(|| "a percentage from 0 to 100, such as 96.87".to_owned())
}

/// Images of sheets, read in bulk.
#[derive(Args)]
pub struct DecodeArgs {
    /// Images, and folders of them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where the results go: a CSV file, or JSON lines where the name ends in .jsonl. Beside it come FILE.unread.csv with
    /// what could not be read, and FILE.progress, by which a run that was stopped goes on.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// An election pack; otherwise Venezuela 2024.
    #[arg(long, value_name = "FILE")]
    pub election: Option<PathBuf>,
    /// Also sends each reading with its images to headquarters, sealed, as a phone does: this folder is the scanning
    /// station's phone, made and enrolled at the first run. What cannot be sent now waits there.
    #[arg(long, value_name = "DIR")]
    pub submit: Option<PathBuf>,
    /// The station's enrolment code as an image; otherwise it comes on standard input. At the first run only.
    #[arg(long, value_name = "IMAGE", requires = "submit")]
    pub qr: Option<PathBuf>,
    /// `public/keyset.cose` of headquarters. At the first run only.
    #[arg(long, value_name = "FILE", requires_all = ["submit", "election"])]
    pub keyset: Option<PathBuf>,
    /// Images at a time; otherwise one for each core.
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
}
