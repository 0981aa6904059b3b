//! The phone against a headquarters made of the wire format alone.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod attachments;
mod capture;
mod courier;
mod keyset;
mod notices;
mod outbox;
mod recover;
mod support;
mod sync;
