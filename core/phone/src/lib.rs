//! What a witness's phone does: enrol, capture, keep, and deliver when there is a network.
//!
//! [`Phone`] is the whole of it for a host: an app or a program. "Saved" is said only after the
//! encrypted store has committed to disk; "delivered" only after a receipt signed by headquarters
//! was verified. Everything but [`sync`] works without a network.

mod attachment;
mod capture;
mod clock;
mod courier;
mod enrol;
mod error;
mod host_clock;
mod input;
mod keyset;
mod media;
mod moment;
mod parked;
mod phone;
mod proof;
mod store;
pub mod sync;
mod view;

pub use attachment::{AttachmentKind, SealedFile};
pub use clock::Clock;
pub use courier::{Bundled, Load, ReceiptsTaken};
pub use enrol::{Enrolled, invitation};
pub use error::{NextStep, PhoneError};
pub use host_clock::HostClock;
pub use input::{HandoverInput, ReportInput, TallyInput};
pub use keyset::{KeysetTaken, TrustView};
pub use parked::{Exported, ParkedView};
pub use phone::Phone;
pub use proof::Proof;
pub use store::Recovered;
pub use testigo_sqlite::DatabaseKey;
pub use view::{Delivery, HistoryView, OutboxView, Saved, SavedTally};
