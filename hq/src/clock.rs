use chrono::Utc;
use testigo_wire::Time;

/// Headquarters' clock: the time in receipts and notices.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// The clock of the machine that this runs on, in UTC.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from(Utc::now().fixed_offset())
    }
}
