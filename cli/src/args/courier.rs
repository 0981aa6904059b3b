//! What goes by hand.

use clap::Subcommand;
use std::path::PathBuf;

/// Of a phone.
#[derive(Subcommand, Clone)]
pub enum CarryCommand {
    /// Writes what waits, photographs included, into one file sealed to headquarters that anyone may carry there: its
    /// carrier sees a size and nothing else. What is carried waits until its receipt is back.
    #[command(
        after_help = "Example: testigo phone --home D bundle --out bundle.bin\n         testigo phone --home D bundle --codes pictures"
    )]
    Bundle {
        /// Where it goes: a new file.
        #[arg(long, value_name = "FILE", required_unless_present = "codes")]
        out: Option<PathBuf>,
        /// Records alone, without their files.
        #[arg(long)]
        no_files: bool,
        /// Instead of a file, a series of QR codes for a few records, without their files: pictures in a new folder.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "no_files"])]
        codes: Option<PathBuf>,
        /// Also what was delivered and is not safe at headquarters yet.
        #[arg(long)]
        all: bool,
    },
    /// Takes other people's bundles along: they go to headquarters with the next sync, as one sealed file each. What is in
    /// them this phone cannot tell.
    #[command(after_help = "Example: testigo phone --home D carry bundle.bin")]
    Carry {
        /// Bundles' files, or photographs of all their codes.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Saves that a sheet on paper passed from one person to another, each by a pseudonym.
    #[command(
        after_help = "Example: testigo phone --home D handover --from witness-7 --to boat-2 --place \"the jetty\""
    )]
    Handover {
        /// Who gave it: never a name, a telephone or an identity number.
        #[arg(long, value_name = "PSEUDONYM")]
        from: String,
        /// Who has it now.
        #[arg(long, value_name = "PSEUDONYM")]
        to: String,
        /// The sheet's table; otherwise the witness's own.
        #[arg(long)]
        table: Option<String>,
        /// Where, at most 100 characters.
        #[arg(long)]
        place: Option<String>,
        /// When, such as 2024-07-28T21:30:00-04:00; otherwise now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// A photograph that belongs to it; place, time and device are taken out.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
    },
    /// Takes in the receipts that a courier brought back from headquarters.
    #[command(after_help = "Example: testigo phone --home D receipts receipts.bin")]
    Receipts {
        /// The file that `testigo hq import --receipts` wrote.
        file: PathBuf,
    },
}

/// Of headquarters.
#[derive(Subcommand)]
pub enum ImportCommand {
    /// Takes in what couriers brought, while headquarters serve. It opens bundles with the seal key, which is the
    /// desk's. What was brought before changes nothing.
    #[command(
        after_help = "Example: testigo hq --data D2 import bundle.bin --receipts receipts.bin"
    )]
    Import {
        /// Files of `testigo phone bundle`, or photographs of all their codes.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where the receipts for the way back go: a new file, for `testigo phone receipts`. Only the phones that they are
        /// for can open them.
        #[arg(long, value_name = "FILE")]
        receipts: Option<PathBuf>,
    },
    /// Takes in what waits on a phone that was brought because its key store lost its key: opens its folder with the key
    /// that lies there sealed to headquarters. Its readable history stays closed.
    #[command(after_help = "Example: testigo hq --data D2 rescue /media/usb/phone-7")]
    Rescue {
        /// The phone's folder, or a copy of it.
        folder: PathBuf,
    },
    /// Who had each sheet on paper in their hands, by hand-over records.
    #[command(after_help = "Example: testigo hq --data D2 custody --table 201301006.01")]
    Custody {
        /// One table's sheet only.
        #[arg(long)]
        table: Option<String>,
    },
}
