use clap::Subcommand;

#[derive(Subcommand, Clone)]
pub enum PinCommand {
    /// Sets the first PIN: from then on the phone starts locked.
    #[command(after_help = "Example: testigo phone --home D pin set")]
    Set,
    /// Sets another one; the present one is asked for first.
    #[command(after_help = "Example: testigo phone --home D pin change")]
    Change,
    /// Takes it away, and a duress PIN with it.
    #[command(after_help = "Example: testigo phone --home D pin remove")]
    Remove,
}

#[derive(Subcommand, Clone)]
pub enum DuressCommand {
    /// Sets it, or another one; the PIN is asked for first.
    #[command(after_help = "Example: testigo phone --home D duress set --alarm yes")]
    Set {
        /// Whether headquarters are told each time that it is given.
        #[arg(long, value_name = "yes|no", default_value = "yes", action = clap::ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
        alarm: bool,
    },
    /// Takes it away, where there is one.
    #[command(after_help = "Example: testigo phone --home D duress remove")]
    Remove,
}

/// A number of wrong PINs, or none.
#[derive(Clone, Copy)]
pub struct WipeAfter(pub Option<u32>);

pub fn wipe_after(text: &str) -> Result<WipeAfter, std::num::ParseIntError> {
    if text == "none" {
        return Ok(WipeAfter(None));
    }
    text.parse().map(|wrong| WipeAfter(Some(wrong)))
}
