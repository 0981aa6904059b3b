//! What the end-to-end tests stand on: real processes of the program, a proxy that damages what
//! passes through it, and headquarters' API as anyone may read it.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests; each file is a program of its own and uses its part of this"
)]

mod chance;
mod database;
mod headquarters;
mod http;
mod phone;
mod process;
mod proxy;
mod published;
mod stage;

pub use chance::Chance;
pub use database::{
    desk_values, ingest_values, key_file, phone_database, phone_key, unwrapped, values,
};
pub use headquarters::{Headquarters, Held, warnings};
pub use http::{HttpAnswer, get, post, request};
pub use phone::{Phone, Saved};
pub use process::{Ended, LIMIT, Process, run, run_with_input};
pub use proxy::{Asked, Exchange, Proxy, Way};
pub use published::published;
pub use stage::{PASSPHRASE, Stage, contents};

/// The text of a real sheet of 28 July 2024: 368 valid votes, 535 registered voters.
pub const SHEET: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";
/// Its polling table.
pub const TABLE: &str = "201301006.01";
/// The text of another one: 581 valid votes.
pub const OTHER_SHEET: &str = "110601011.04.1.0001!122,1,0,0,4,2,0,0,2,1,0,1,2,1,0,0,0,5,0,2,0,0,0,0,0,0,0,0,1,0,0,0,0,8,22,406,0,1!0!0";
/// Its polling table.
pub const OTHER_TABLE: &str = "110601011.04";
