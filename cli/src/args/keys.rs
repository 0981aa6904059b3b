use clap::{Args, Subcommand};
use std::path::PathBuf;
use testigo_wire::KeyId;

/// The offline root: `--data` is its folder, on a machine without a network.
#[derive(Subcommand)]
pub enum RootCommand {
    /// Makes a root in a new folder, under a passphrase that is asked for (or read from standard input), and says its
    /// six words.
    #[command(after_help = "Example: testigo hq --data ROOT root new")]
    New,
    /// Shows in plain words what headquarters' request changes, and signs it under the passphrase.
    #[command(
        after_help = "Example: testigo hq --data ROOT root sign keyset-request.cbor --out signed"
    )]
    Sign {
        /// `keyset-request.cbor` of headquarters' folder.
        request: PathBuf,
        /// Where keyset and election pack go: a new folder, for `testigo hq keyset install`.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Writes the root's key for paper: whole, or in shares of which some bring it back.
    #[command(
        after_help = "Example: testigo hq --data ROOT root paper --shares 5 --need 3 --out papers"
    )]
    Paper(PaperArgs),
    /// Makes the root's folder anew out of its papers, typed line by line, under a new passphrase.
    #[command(after_help = "Example: testigo hq --data ROOT2 root restore < papers/paper-1.txt")]
    Restore,
    /// Says the six words again; also those of headquarters' root, in their folder.
    #[command(after_help = "Example: testigo hq --data ROOT root words")]
    Words,
}

#[derive(Args)]
pub struct PaperArgs {
    /// So many shares, each for somebody else; otherwise one paper holds all.
    #[arg(long, value_name = "N", requires = "need")]
    pub shares: Option<u8>,
    /// So many of them bring the key back.
    #[arg(long, value_name = "K", requires = "shares")]
    pub need: Option<u8>,
    /// A new folder with one file for each paper; otherwise all are shown.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Headquarters' secret keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Wraps all of `keys/` into one file, under a passphrase that is asked for, or with --paper under a key on paper.
    #[command(after_help = "Example: testigo hq --data D2 keys backup --out keys.backup")]
    Backup {
        /// The new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Lock it by a fresh key that only the paper holds, instead of a passphrase.
        #[arg(long)]
        paper: bool,
        /// So many shares of that key.
        #[arg(long, value_name = "N", requires_all = ["need", "paper"])]
        shares: Option<u8>,
        /// So many of them open the file.
        #[arg(long, value_name = "K", requires = "shares")]
        need: Option<u8>,
        /// A new folder with one file for each paper; otherwise all are shown.
        #[arg(long, value_name = "DIR", requires = "paper")]
        papers: Option<PathBuf>,
    },
    /// Brings back the keys that are missing. What is there stays.
    #[command(after_help = "Example: testigo hq --data D2 keys restore keys.backup")]
    Restore {
        /// The file.
        file: PathBuf,
        /// It was locked by paper: the papers are typed, or read from standard input.
        #[arg(long)]
        paper: bool,
        /// Into this folder instead of headquarters' own `keys`, for `testigo hq restore --keys`.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

/// Headquarters' signed keys and addresses.
#[derive(Subcommand)]
pub enum KeysetCommand {
    /// Takes in what the root signed. A server that runs takes it up by itself, within a second or two.
    #[command(after_help = "Example: testigo hq --data D2 keyset install signed")]
    Install {
        /// The folder that `testigo hq root sign` wrote, or a keyset alone.
        from: PathBuf,
    },
}

#[derive(Args)]
pub struct RotateArgs {
    /// A new key that records are sealed to. Earlier ones go on opening what comes under them.
    #[arg(long)]
    pub seal: bool,
    /// A new key that signs receipts.
    #[arg(long)]
    pub receipt: bool,
    /// A new key that signs the desk's notices.
    #[arg(long)]
    pub desk: bool,
    /// The keys that are replaced are in other hands: what they sign is believed no more.
    #[arg(long)]
    pub seized: bool,
    /// The addresses from now on, all of them: https, or http on this machine.
    #[arg(long, value_name = "URL")]
    pub endpoint: Vec<String>,
    /// The next key of headquarters' own TLS, which phones know already, comes into use, and one more is made.
    #[arg(long, conflicts_with = "pin")]
    pub tls: bool,
    /// SHA-256 of the TLS public keys that they may show from now on, all of them.
    #[arg(long, value_name = "HEX", value_parser = pin)]
    pub pin: Vec<[u8; 32]>,
    /// A device or enrolment code that is no longer believed, by its short name.
    #[arg(long, value_name = "HEX", value_parser = kid)]
    pub revoke: Vec<KeyId>,
}

impl RotateArgs {
    /// Whether anything is to change.
    pub fn is_empty(&self) -> bool {
        !(self.seal || self.receipt || self.desk || self.tls)
            && self.endpoint.is_empty()
            && self.pin.is_empty()
            && self.revoke.is_empty()
    }
}

/// A pin: 64 hexadecimal digits.
pub fn pin(text: &str) -> Result<[u8; 32], String> {
    hex(text).ok_or_else(|| "64 hexadecimal digits".to_owned())
}

fn kid(text: &str) -> Result<KeyId, String> {
    hex(text)
        .map(KeyId)
        .ok_or_else(|| "16 hexadecimal digits".to_owned())
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.to_ascii_lowercase();
    let bytes = data_encoding::HEXLOWER.decode(digits.as_bytes()).ok()?;
    bytes.try_into().ok()
}
