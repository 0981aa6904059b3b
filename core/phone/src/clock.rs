use testigo_wire::{BootId, Time};

/// The host's clocks. They are written into records and never believed.
pub trait Clock: Send {
    /// What the phone's clock shows.
    fn now(&self) -> Time;
    /// Milliseconds since the phone's start.
    fn monotonic_ms(&self) -> u64;
    /// Names that start.
    fn boot_id(&self) -> BootId;
    /// Milliseconds since the person unlocked the phone, where the host knows.
    fn since_unlock_ms(&self) -> Option<u64> {
        None
    }
}
