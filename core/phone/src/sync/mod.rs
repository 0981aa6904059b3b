//! Delivery: a state machine that is handed clock, network and disk, and one shell around it.
//!
//! [`SyncPass`] decides what to send and what a reply means; it does no network itself. [`Client`]
//! is the shell for a real network. A pass ends when nothing is left that was not asked about, or at
//! the first failure of the last address, which counts against no row: everything simply waits for the next
//! pass, and [`Pace`] says when that is due. A record or file that headquarters itself did not take waits
//! apart, longer each time, and holds up nothing else. [`Budget`] bounds what files cost on a metered link.
//! [`Progress`] is the one snapshot of it all.

mod budget;
mod client;
mod end;
mod exchange;
mod failure;
mod files;
mod judge;
mod keyset;
mod notices;
mod pace;
mod pass;
mod progress;
mod tls;
mod upload;

pub(crate) use budget::Spent;
pub use budget::{Budget, Link};
pub use client::{Client, sync};
pub use exchange::{Method, Request, Response, Selection, Step, SyncReport};
pub use failure::{NetworkFault, SyncFailure};
pub use pace::Pace;
pub(crate) use pace::row_wait_ms;
pub use pass::SyncPass;
pub use progress::{Held, LaneLeft, Progress};
