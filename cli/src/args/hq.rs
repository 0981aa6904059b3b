use super::{ImportCommand, KeysCommand, KeysetCommand, RootCommand, RotateArgs, keys, staff};
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args)]
pub struct HqArgs {
    /// Headquarters' folder.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    #[command(subcommand)]
    pub command: HqCommand,
}

#[derive(Subcommand)]
pub enum HqCommand {
    /// Makes an empty folder into headquarters: keys, store, keyset and election pack.
    #[command(
        after_help = "Example: testigo hq --data D2 init --pack pack.toml --endpoint https://hq.example.org\n         testigo hq --data TWIN init --pack pack.toml --practice"
    )]
    Init {
        /// The election (`pack.toml`); otherwise Venezuela 2024 with a few of its tables.
        #[arg(long, value_name = "FILE")]
        pack: Option<PathBuf>,
        /// The election's twin for practice: an election of its own. Nothing of it ever counts in the real one, nor the
        /// other way round, and its sheets, codes, pages and phones say PRÁCTICA · PRACTICE.
        #[arg(long)]
        practice: bool,
        /// The address that phones will use: https, or http on this machine.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8470")]
        endpoint: Vec<String>,
        /// The public half of a root that is kept offline (`root.pub` of `testigo hq root new`); otherwise a root is
        /// made here, for practice.
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// SHA-256 of a TLS public key that the addresses may show, where a proxy of your own holds it.
        #[arg(long, value_name = "HEX", value_parser = keys::pin, requires = "root", conflicts_with = "web_certificates")]
        pin: Vec<[u8; 32]>,
        /// A proxy of your own speaks TLS with the web's certificates. Otherwise headquarters speak it themselves
        /// at https addresses, under keys that phones know and no authority vouches for.
        #[arg(long)]
        web_certificates: bool,
    },
    /// The offline root: makes it, signs with it, brings it to paper and back.
    #[command(after_help = "Example: testigo hq --data ROOT root new")]
    Root {
        #[command(subcommand)]
        command: RootCommand,
    },
    /// Copies of headquarters' secret keys.
    #[command(after_help = "Example: testigo hq --data D2 keys backup --out keys.backup")]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Headquarters' signed keys and addresses.
    #[command(after_help = "Example: testigo hq --data D2 keyset install signed")]
    Keyset {
        #[command(subcommand)]
        command: KeysetCommand,
    },
    /// Changes keys or addresses, or revokes a phone: writes what the root has to sign.
    #[command(after_help = "Example: testigo hq --data D2 rotate --seal")]
    Rotate(RotateArgs),
    /// Makes witnesses' enrolment codes and keeps no secret of them: one as an image, or a PDF of many to print and
    /// cut.
    #[command(
        after_help = "Example: testigo hq --data D2 enrol --table 201301006.01 --out witness.png\n         testigo hq --data D2 enrol --tables all --out codes.pdf"
    )]
    Enrol {
        /// The table that the witness is sent to.
        #[arg(long, conflicts_with = "tables")]
        table: Option<String>,
        /// A code for each table: `all` of the election, or a CSV file's first column, a row for each witness.
        #[arg(long, value_name = "FILE.csv|all")]
        tables: Option<String>,
        /// Where it goes: a new file, for its owner only.
        #[arg(long, value_name = "FILE.png|.pdf")]
        out: PathBuf,
    },
    /// Phones under the codes, and how far each is believed; or decides about one.
    #[command(after_help = "Example: testigo hq --data D2 devices")]
    Devices {
        #[command(subcommand)]
        command: Option<staff::DevicesCommand>,
    },
    /// Records that wait for a person; or decides about one.
    #[command(after_help = "Example: testigo hq --data D2 review")]
    Review {
        #[command(subcommand)]
        command: Option<staff::ReviewCommand>,
    },
    /// Receives, and shows the page of results.
    #[command(after_help = "Example: testigo hq --data D2 serve --listen 127.0.0.1:8470")]
    Serve {
        /// The address to listen on.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
        listen: SocketAddr,
        /// A proxy before headquarters has the TLS keys that phones know, and speaks TLS.
        #[arg(long)]
        proxy_speaks_tls: bool,
        /// End when standard input closes, too: for a program that starts headquarters and must not
        /// leave them behind.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Copies headquarters into a folder while they serve; run again, it brings the copy up to date.
    /// No key is in it.
    #[command(after_help = "Example: testigo hq --data D2 backup --out /media/usb/testigo")]
    Backup {
        /// The copy's folder: new, empty, or that of an earlier backup.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Your word that a backup lies elsewhere: verifies every byte of it; what is whole in it is safe
    /// from then on, and phones let their sealed originals go.
    #[command(after_help = "Example: testigo hq --data D2 confirm /media/usb/testigo")]
    Confirm {
        /// The backup's folder.
        copy: PathBuf,
    },
    /// Makes the folder of --data, which must be new or empty, into the headquarters of a backup.
    #[command(
        after_help = "Example: testigo hq --data D3 restore --from /media/usb/testigo --keys /media/safe/keys"
    )]
    Restore {
        /// The backup's folder.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The copy of the `keys` folder.
        #[arg(long, value_name = "DIR")]
        keys: PathBuf,
    },
    #[command(flatten)]
    Import(ImportCommand),
    /// The results and incidents so far.
    #[command(after_help = "Example: testigo hq --data D2 table")]
    Table,
    /// Writes the results so far, a row a table, in the columns of published results (docs/results-file.md).
    #[command(after_help = "Example: testigo hq --data D2 export --out results.csv")]
    Export {
        /// Where they go: a new file; otherwise to standard output.
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
    },
    /// Puts headquarters with a damaged database or damaged attachments to work again: saves what is readable,
    /// keeps the rest beside it, asks phones for what is missing. Stop the server first.
    #[command(after_help = "Example: testigo hq --data D2 recover")]
    Recover {
        /// Begin anew also where no database is, or none that its key opens: what is there is set aside.
        #[arg(long)]
        key_is_right: bool,
    },
    /// Opens a file that arrived with a record, for staff.
    #[command(after_help = "Example: testigo hq --data D2 blob 7 --out photo.jpg")]
    Blob {
        /// Its number (`attachments.files.id` in `testigo hq table --json`).
        id: i64,
        /// Where it goes: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}
