//! What a witness's phone does: enrol, capture, keep, and deliver when there is a network.
//!
//! [`Phone`] is the whole of it for a host: an app or a program. "Saved" is said only after the
//! encrypted store has committed to disk; "delivered" only after a receipt signed by headquarters
//! was verified. Everything but [`sync`] works without a network.

// The tests inside share those of the whole crate with the tests outside.
#[cfg(test)]
extern crate self as testigo_phone;

mod attachment;
mod capture;
mod clock;
mod courier;
mod enrol;
mod error;
mod host_clock;
mod host_keys;
mod input;
mod keyset;
mod lock;
mod media;
mod moment;
mod parked;
mod phone;
mod proof;
mod store;
mod store_key;
pub mod sync;
mod typed;
mod view;
mod wipe;

pub use attachment::{AttachmentKind, SealedFile};
pub use clock::Clock;
pub use courier::{Bundled, Load, ReceiptsTaken};
pub use enrol::{Enrolled, invitation};
pub use error::{NextStep, PhoneError};
pub use host_clock::HostClock;
pub use host_keys::{HostKey, HostKeys, HostKeysFault};
pub use input::{HandoverInput, ReportInput, TallyInput};
pub use keyset::{KeysetTaken, TrustView};
pub use lock::Settings;
pub use parked::{Exported, ParkedView};
pub use phone::Phone;
pub use proof::Proof;
pub use store::Recovered;
pub use testigo_sqlite::DatabaseKey;
pub use typed::{TypedField, TypedInput, TypedSheet};
pub use view::{Content, Delivery, HistoryView, OutboxView, Saved, SavedTally};
pub use wipe::Wiped;
