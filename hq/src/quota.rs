//! How much may come under one capability. Nothing is ever refused for it: what is too much is deferred and
//! comes later, and each believed device keeps a reserve, so that a flood silences nobody.

use std::collections::HashMap;
use testigo_wire::KeyId;

/// A rate: so many at once, and then one more each time that this has passed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// At once.
    pub burst: i64,
    /// Then one in so many milliseconds.
    pub every_ms: i64,
}

/// The rates of what is new.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// The envelopes of all devices of a capability together.
    pub capability: Rate,
    /// The enrolments under a capability: each is a row for ever.
    pub enrolments: Rate,
    /// Beyond it, each believed device. What is in danger leaves a phone first, so it comes first here.
    pub reserve: Rate,
}

impl Rates {
    /// 5,000 a day for a witness's code, and beyond that 30 and one a minute for each of its devices; 20
    /// devices at once and one more every ten minutes.
    pub(crate) const GENEROUS: Self = Self {
        capability: Rate {
            burst: 5_000,
            every_ms: 24 * 3600 * 1000 / 5_000,
        },
        enrolments: Rate {
            burst: 20,
            every_ms: 10 * 60 * 1000,
        },
        reserve: Rate {
            burst: 30,
            every_ms: 60 * 1000,
        },
    };

    /// Of what a courier brings: nothing waits, for nobody may come a second time.
    pub(crate) const CARRIED: Self = {
        let all = Rate {
            burst: 1,
            every_ms: 0,
        };
        Self {
            capability: all,
            enrolments: all,
            reserve: all,
        }
    };
}

/// What has been used, since this server was started.
pub(crate) struct Quotas {
    rates: Rates,
    capabilities: HashMap<KeyId, Used>,
    enrolments: HashMap<KeyId, Used>,
    devices: HashMap<KeyId, Used>,
}

/// When all that was used will have come back (the generic cell rate algorithm, ITU-T I.371).
#[derive(Default)]
struct Used(i64);

impl Used {
    fn take(&mut self, rate: Rate, now: i64) -> bool {
        let all = rate.burst.saturating_mul(rate.every_ms);
        // A clock that was put back must not lock anyone out.
        let back_at = self.0.min(now.saturating_add(all)).max(now);
        let next = back_at.saturating_add(rate.every_ms);
        let fits = next.saturating_sub(now) <= all;
        self.0 = if fits { next } else { back_at };
        fits
    }
}

impl Quotas {
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            rates,
            capabilities: HashMap::new(),
            enrolments: HashMap::new(),
            devices: HashMap::new(),
        }
    }

    /// Whether one more device may be enrolled under this capability now, in milliseconds since the Unix epoch.
    pub(crate) fn take_enrolment(&mut self, capability: KeyId, now: i64) -> bool {
        let used = self.enrolments.entry(capability).or_default();
        used.take(self.rates.enrolments, now)
    }

    /// Whether one more envelope of this device may be kept now, in milliseconds since the Unix epoch.
    pub(crate) fn take(
        &mut self,
        capability: KeyId,
        device: KeyId,
        believed: bool,
        now: i64,
    ) -> bool {
        let Rates {
            capability: common,
            reserve,
            ..
        } = self.rates;
        let used =
            |by: &mut HashMap<KeyId, Used>, of, rate| by.entry(of).or_default().take(rate, now);
        used(&mut self.capabilities, capability, common)
            || (believed && used(&mut self.devices, device, reserve))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        capability: Rate {
            burst: 3,
            every_ms: 1000,
        },
        enrolments: Rate {
            burst: 2,
            every_ms: 10_000,
        },
        reserve: Rate {
            burst: 1,
            every_ms: 10_000,
        },
    };

    fn taken(quotas: &mut Quotas, device: u8, believed: bool, now: i64, asked: usize) -> usize {
        let device = KeyId([device; 8]);
        (0..asked)
            .filter(|_| quotas.take(KeyId([0; 8]), device, believed, now))
            .count()
    }

    #[test]
    fn a_flood_of_one_device_leaves_the_reserve_of_another() {
        let mut quotas = Quotas::new(RATES);
        let start = 1_000_000;
        assert_eq!(taken(&mut quotas, 1, true, start, 100), 4);
        assert_eq!(taken(&mut quotas, 2, true, start, 100), 1);
        // A quarantined one has none: else whoever enrols many had many.
        assert_eq!(taken(&mut quotas, 3, false, start, 100), 0);
        // It comes back bit by bit, and never more than at first.
        assert_eq!(taken(&mut quotas, 3, false, start + 1000, 100), 1);
        assert_eq!(taken(&mut quotas, 3, false, start + 1_000_000, 100), 3);
    }

    #[test]
    fn what_is_carried_never_waits() {
        let mut quotas = Quotas::new(Rates::CARRIED);
        assert_eq!(taken(&mut quotas, 1, false, 1_000_000, 100_000), 100_000);
        assert!((0..1000).all(|_| quotas.take_enrolment(KeyId([0; 8]), 1_000_000)));
    }

    #[test]
    fn enrolments_have_a_rate_of_their_own_by_capability() {
        let mut quotas = Quotas::new(RATES);
        let now = 1_000_000;
        let mut enrolled = |capability, now| quotas.take_enrolment(KeyId([capability; 8]), now);
        assert_eq!([(); 3].map(|()| enrolled(0, now)), [true, true, false]);
        assert!(enrolled(1, now));
        assert!(enrolled(0, now + 10_000));
        assert_eq!(taken(&mut quotas, 1, false, now, 100), 3);
    }

    #[test]
    fn a_clock_that_jumps_locks_nobody_out() {
        let mut quotas = Quotas::new(RATES);
        assert_eq!(taken(&mut quotas, 1, false, 1 << 50, 100), 3);
        assert_eq!(taken(&mut quotas, 1, false, 0, 100), 0);
        assert_eq!(taken(&mut quotas, 1, false, 1000, 100), 1);
        assert_eq!(taken(&mut quotas, 1, false, 10_000, 100), 3);
    }
}
