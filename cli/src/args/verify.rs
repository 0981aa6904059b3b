//! What anyone can check without a network.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum VerifyCommand {
    /// Receipts, receipts of files and notices, as `testigo phone receipt` writes them.
    #[command(
        after_help = "Example: testigo verify receipt receipt.cbor --keyset keyset.cose --envelope envelope.cose"
    )]
    Receipt {
        /// The file with what headquarters signed.
        file: PathBuf,
        /// Headquarters' keys (`public/keyset.cose`).
        #[arg(long, value_name = "FILE")]
        keyset: PathBuf,
        /// The root that the keyset must be signed by, as `hq init` showed it.
        #[arg(long, value_name = "HEX")]
        root: Option<String>,
        /// The sealed envelope that they must be about.
        #[arg(long, value_name = "FILE")]
        envelope: Option<PathBuf>,
        /// The same by its SHA-256.
        #[arg(long, value_name = "HEX", conflicts_with = "envelope")]
        eid: Option<String>,
    },
}
