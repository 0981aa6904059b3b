//! The texts of a tally sheet's QR codes -> a checked result.
//!
//! Nothing is believed from a phone: whoever holds the texts works the result out anew, with this
//! crate. What is doubtful is a [`Doubt`] beside the result; only what is no tally sheet at all, or one that was misread
//! or altered, is an error, and even that text is kept as evidence by the caller.

mod brazil;
pub mod bulletins;
mod chain;
mod declared;
mod doubt;
mod not_a_tally;
mod number;
mod read;
mod standing;
mod tally;
mod typed;

pub use declared::write;
pub use doubt::Doubt;
pub use not_a_tally::{NotATally, VotesField, Wants};
pub use read::{MAX_TEXT, read};
pub use standing::{NoStanding, Standing, Vouch, Who};
pub use tally::{CandidateVotes, Contest, SlotVotes, Tally};
pub use typed::{TypingForm, TypingSlot, read_typed};
