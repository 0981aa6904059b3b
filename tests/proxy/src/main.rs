//! A bad link by hand: stands between a phone and headquarters until Ctrl-C.

use clap::Parser;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use testigo_proxy::{Link, Proxy};
use tokio::runtime::Builder;
use tokio::signal::ctrl_c;
use tokio::time::timeout;

/// How often it says what happened.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// Stands between a phone and headquarters and makes the link bad; once a second, and at its end, it says what
/// happened.
#[derive(Parser)]
#[command(
    name = "testigo-proxy",
    after_help = "Example: testigo-proxy --listen 127.0.0.1:9470 --to 127.0.0.1:8470 --rate 50k --latency 300"
)]
struct Arguments {
    /// Where phones connect.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where headquarters serve.
    #[arg(long, value_name = "ADDRESS")]
    to: SocketAddr,
    /// Milliseconds that each byte takes, one way.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Bits a second, each way: 50k, 2m; otherwise as fast as it goes.
    #[arg(long, value_name = "BITS", value_parser = rate, default_value = "0")]
    rate: u64,
    /// Cuts each connection off behind so many bytes.
    #[arg(long, value_name = "BYTES")]
    cut_after: Option<u64>,
    /// Resets each connection behind so many bytes.
    #[arg(long, value_name = "BYTES", conflicts_with = "cut_after")]
    reset_after: Option<u64>,
    /// Takes everything and answers nothing.
    #[arg(long)]
    black_hole: bool,
    /// Of a hundred connections so many are refused, cut off or reset by chance.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    random: u8,
    /// The most bytes that pass before a fault by chance.
    #[arg(long, value_name = "BYTES", default_value_t = 100_000)]
    random_within: u64,
    /// Repeats the faults by chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn rate(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let (number, factor) = match lower.strip_suffix('k') {
        Some(number) => (number, 1_000),
        None => match lower.strip_suffix('m') {
            Some(number) => (number, 1_000_000),
            None => (lower.as_str(), 1),
        },
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a number such as 50k or 2m".to_owned())?;
    number
        .checked_mul(factor)
        .ok_or_else(|| "too large".to_owned())
}

#[allow(clippy::print_stderr, reason = "a program for people")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let link = Link {
        latency: Duration::from_millis(arguments.latency),
        rate: arguments.rate,
        cut_after: arguments.cut_after,
        reset_after: arguments.reset_after,
        black_hole: arguments.black_hole,
        random_percent: arguments.random,
        random_within: arguments.random_within,
    };
    let proxy = match Proxy::open(arguments.listen, arguments.to, link, arguments.seed) {
        Ok(proxy) => proxy,
        Err(error) => {
            eprintln!("cannot listen on {}: {error}", arguments.listen);
            return ExitCode::from(2);
        }
    };
    eprintln!(
        "{} leads to {}; Ctrl-C ends it",
        proxy.address(),
        arguments.to
    );
    match say_until_ctrl_c(&proxy) {
        Ok(()) => {
            eprintln!("In all: {}", proxy.counts());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot wait for Ctrl-C: {error}");
            ExitCode::from(2)
        }
    }
}

#[allow(clippy::print_stderr, reason = "a program for people")]
fn say_until_ctrl_c(proxy: &Proxy) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ended = ctrl_c();
        tokio::pin!(ended);
        let mut said = proxy.counts();
        loop {
            if let Ok(ended) = timeout(SAY_EVERY, &mut ended).await {
                return ended;
            }
            let counts = proxy.counts();
            if counts != said {
                eprintln!("{counts}");
                said = counts;
            }
        }
    })
}
