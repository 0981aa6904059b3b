use crate::Clock;
use chrono::{Local, TimeDelta};
use std::time::Instant;
use testigo_wire::{BootId, Time};

/// The clocks of the machine that this runs on.
///
/// Where the system tells neither the time since its start nor a name for it (a phone may keep both
/// from apps), the program's own start stands in for the machine's.
pub struct HostClock {
    started: Instant,
    started_after_ms: u64,
    boot_id: BootId,
    wrong_by: TimeDelta,
}

impl HostClock {
    /// `wrong_by_minutes` is for drills; 0 otherwise.
    pub fn new(wrong_by_minutes: i64) -> Self {
        let started = Instant::now();
        let (boot_id, started_after_ms) = machine_start().unwrap_or_else(|| {
            let program = BootId::random().unwrap_or(BootId([0; BootId::LEN]));
            (program, 0)
        });
        Self {
            started,
            started_after_ms,
            boot_id,
            wrong_by: TimeDelta::try_minutes(wrong_by_minutes).unwrap_or_default(),
        }
    }
}

/// The name of the machine's start and the milliseconds since, where Linux tells both: one without
/// the other would compare times of different starts.
fn machine_start() -> Option<(BootId, u64)> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let boot_id = u128::from_str_radix(&boot_id.trim().replace('-', ""), 16).ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some((BootId(boot_id.to_be_bytes()), (seconds * 1000.0) as u64))
}

impl Clock for HostClock {
    fn now(&self) -> Time {
        let now = Local::now().fixed_offset();
        Time::from(now.checked_add_signed(self.wrong_by).unwrap_or(now))
    }

    fn monotonic_ms(&self) -> u64 {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.started_after_ms.saturating_add(since)
    }

    fn boot_id(&self) -> BootId {
        self.boot_id
    }
}
