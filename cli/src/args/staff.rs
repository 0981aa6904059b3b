//! What people at headquarters decide.

use clap::{Args, Subcommand};

/// For the history of decisions.
#[derive(Args)]
pub struct Why {
    /// A sign of who decides, and no name.
    #[arg(long, value_name = "SIGN")]
    pub by: Option<String>,
    /// The reason.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

#[derive(Subcommand)]
pub enum DevicesCommand {
    /// Confirms the device whose 12 characters a witness has read out (`testigo phone status` shows them). Others under
    /// the same code wait for review from then on.
    #[command(after_help = "Example: testigo hq --data D2 devices confirm 8bva cwdf n836")]
    Confirm {
        /// The characters as heard; spaces and small letters are forgiven.
        #[arg(required = true)]
        heard: Vec<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Takes the trust in a device back: what arrives from then on is kept and waits for review.
    #[command(
        after_help = "Example: testigo hq --data D2 devices revoke 0f3a9c21d4e5b687 --from 2024-07-28T16:00:00-04:00 --why seized"
    )]
    Revoke {
        /// Its short name, as `testigo hq devices` lists it.
        device: String,
        /// From when on, by headquarters' clock; otherwise now.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// All devices under its code, and those that will enrol with it.
        #[arg(long)]
        whole_code: bool,
        #[command(flatten)]
        why: Why,
    },
    /// Takes a revocation back that was a mistake.
    #[command(
        after_help = "Example: testigo hq --data D2 devices trust 0f3a9c21d4e5b687 --why found"
    )]
    Trust {
        /// Its short name.
        device: String,
        #[command(flatten)]
        why: Why,
    },
    /// A witness has a new phone: confirms it by its characters and revokes the old one.
    #[command(
        after_help = "Example: testigo hq --data D2 devices replace 0f3a9c21d4e5b687 8bva cwdf n836 --why lost"
    )]
    Replace {
        /// Short name of the old one.
        device: String,
        /// The new one's characters as heard.
        #[arg(required = true)]
        heard: Vec<String>,
        /// From when on the old one is revoked; otherwise now.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// A witness is sent to another table. Their phone is not told: they name it with `--table`.
    #[command(
        after_help = "Example: testigo hq --data D2 devices reassign 0f3a9c21d4e5b687 --table 110601011.04"
    )]
    Reassign {
        /// Its short name.
        device: String,
        /// The table.
        #[arg(long)]
        table: String,
        #[command(flatten)]
        why: Why,
    },
    /// Whether records of devices that nobody has confirmed count provisionally, as they do at first, or wait.
    #[command(after_help = "Example: testigo hq --data D2 devices unconfirmed wait")]
    Unconfirmed {
        /// `count` or `wait`.
        #[arg(value_parser = ["count", "wait"])]
        what: String,
        #[command(flatten)]
        why: Why,
    },
    /// Every decision about devices and records, the oldest first.
    #[command(after_help = "Example: testigo hq --data D2 devices history")]
    History,
}

#[derive(Subcommand)]
pub enum ReviewCommand {
    /// Lets a record count, whatever its device is.
    #[command(after_help = "Example: testigo hq --data D2 review count 12 --why \"paper seen\"")]
    Count {
        /// Its number, as `testigo hq review` lists it.
        number: i64,
        #[command(flatten)]
        why: Why,
    },
    /// Decides a conflict: the version of this record counts, and those of its table that differ are set aside. `count`
    /// and `set-aside` take it back, record by record.
    #[command(
        after_help = "Example: testigo hq --data D2 review choose 12 --why \"photograph compared\""
    )]
    Choose {
        /// Its number, as `testigo hq table` shows it beside each version.
        number: i64,
        #[command(flatten)]
        why: Why,
    },
    /// Sets a record aside, whatever its device is: it is kept and waits.
    #[command(
        after_help = "Example: testigo hq --data D2 review set-aside 12 --why \"another hand\""
    )]
    SetAside {
        /// Its number.
        number: i64,
        #[command(flatten)]
        why: Why,
    },
}
