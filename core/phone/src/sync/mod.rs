//! Delivery: a state machine that is handed clock, network and disk, and one shell around it.
//!
//! [`SyncPass`] decides what to send and what a reply means; it does no network itself. [`Client`]
//! is the shell for a real network. A pass ends when nothing is left that was not asked about, or at
//! the first failure, which counts against no row: everything simply waits for the next pass.

mod client;
mod failure;
mod pass;
mod upload;

pub use client::{Client, sync};
pub use failure::{NetworkFault, SyncFailure};
pub use pass::{Method, Request, Response, Selection, Step, SyncPass, SyncReport};
