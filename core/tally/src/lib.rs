//! The texts of a tally sheet's QR codes -> a checked result.
//!
//! Nothing is believed from a phone: whoever holds the texts works the result out anew, with this
//! crate. What is doubtful is a [`Doubt`] beside the result; only what is no tally sheet at all is an
//! error, and even that text is kept as evidence by the caller.

mod doubt;
mod not_a_tally;
mod standing;
mod tally;
mod venezuela;

pub use doubt::Doubt;
pub use not_a_tally::{NotATally, VotesField};
pub use standing::{NoStanding, Standing, Vouch, Who};
pub use tally::{CandidateVotes, Contest, MAX_TEXT, SlotVotes, Tally, read};
