//! What `testigo replay` is told.

use super::layout::LayoutArgs;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct ReplayArgs {
    /// The file of results, a row a table (docs/results-file.md).
    #[arg(value_name = "RESULTS.csv")]
    pub file: PathBuf,
    /// Compare with this file instead: such as another publication of the same results.
    #[arg(long, value_name = "FILE.csv")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub layout: LayoutArgs,
    /// Repeats faults and how votes are spread over parties.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How often each request is lost, doubled or left without its answer, and a phone loses power before it has
    /// sent: from 0 to 0.5. Above 0, headquarters are killed now and then, too.
    #[arg(long, value_name = "RATE", default_value_t = 0.05, value_parser = rate)]
    pub loss: f64,
    /// Threads that work as phones; otherwise as many as this machine has cores.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=0.5).contains(&rate) => Ok(rate),
        _ => Err("a number from 0 to 0.5, such as 0.05".to_owned()),
    }
}
