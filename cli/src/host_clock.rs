use chrono::{Local, TimeDelta};
use std::time::Instant;
use testigo_phone::Clock;
use testigo_wire::{BootId, Time};

/// This machine's clocks.
pub struct HostClock {
    started: Instant,
    boot_id: BootId,
    wrong_by: TimeDelta,
}

impl HostClock {
    /// `wrong_by_minutes` is for drills.
    pub fn new(wrong_by_minutes: i64) -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| u128::from_str_radix(&text.trim().replace('-', ""), 16).ok());
        Self {
            started: Instant::now(),
            // Elsewhere than on Linux, the program's own start stands in for the machine's.
            boot_id: boot_id.map_or_else(
                || BootId::random().unwrap_or(BootId([0; 16])),
                |id| BootId(id.to_be_bytes()),
            ),
            wrong_by: TimeDelta::try_minutes(wrong_by_minutes).unwrap_or_default(),
        }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Time {
        let now = Local::now().fixed_offset();
        Time::from(now.checked_add_signed(self.wrong_by).unwrap_or(now))
    }

    fn monotonic_ms(&self) -> u64 {
        let since_boot = std::fs::read_to_string("/proc/uptime")
            .ok()
            .and_then(|text| {
                let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
                Some((seconds * 1000.0) as u64)
            });
        since_boot.unwrap_or_else(|| self.started.elapsed().as_millis() as u64)
    }

    fn boot_id(&self) -> BootId {
        self.boot_id
    }
}
