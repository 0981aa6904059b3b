//! How long to wait: after a pass, and for one thing that headquarters did not take. Pure: clock and
//! randomness are handed in as numbers.

use super::{SyncFailure, SyncReport};

const SECOND_MS: u64 = 1_000;
/// The wait after the first failed pass; each further one doubles it.
const FIRST_MS: u64 = 15 * SECOND_MS;
/// The longest wait between passes.
pub(super) const LONGEST_MS: u64 = 15 * 60 * SECOND_MS;
/// The longest one while a witness in danger waits: a minute of radio is worth it.
pub(super) const DANGER_MS: u64 = 60 * SECOND_MS;
/// The first wait of one thing, once it was not taken twice.
const ROW_FIRST_MS: u64 = 30 * SECOND_MS;
/// The longest wait of one thing.
pub(crate) const ROW_LONGEST_MS: u64 = 60 * 60 * SECOND_MS;

/// When the next pass is due: exponential with jitter between 15 seconds and 15 minutes.
///
/// Headquarters' `Retry-After` (at most five minutes) lengthens a wait, but not while a witness in danger
/// waits: then no wait is longer than a minute, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Passes in a row that got nowhere.
    pub failures: u32,
}

impl Pace {
    /// Milliseconds from the end of this pass to the next; `None` where nothing is left that waiting could
    /// help. `chance` is a uniformly random number: it spreads the phones of a whole country.
    pub fn after(&mut self, report: &SyncReport, chance: u32) -> Option<u64> {
        let held = report.held.records + report.held.files + report.held.over_budget;
        let left = report.remaining + report.attachments_remaining + u64::from(report.unintroduced);
        let asked_for = left.saturating_sub(held + report.held.unmetered_only);
        let stuck = report.failure.is_some() || asked_for > report.attachments_missing;
        if !stuck {
            self.failures = 0;
            return (held > 0).then(|| {
                let due = report.held.due_in_ms.unwrap_or(LONGEST_MS);
                due.clamp(SECOND_MS, LONGEST_MS)
            });
        }
        self.failures = self.failures.saturating_add(1);
        let wait = jittered(doubled(FIRST_MS, self.failures - 1, LONGEST_MS), chance);
        if report.danger_waits {
            return Some(wait.min(DANGER_MS));
        }
        let asked = match report.failure {
            Some(SyncFailure::Busy { retry_after_s }) => u64::from(retry_after_s) * SECOND_MS,
            _ => 0,
        };
        Some(wait.max(asked).min(LONGEST_MS))
    }
}

/// How long a phone with nothing left waits until it asks again: for the desk's word, and whether headquarters
/// came back from a backup and want something again.
pub(super) fn listening_ms(chance: u32) -> u64 {
    jittered(LONGEST_MS, chance)
}

/// How long one record or file waits after it was not taken `tries` times in a row. The first time is free:
/// damage on the way is the link's fault, and rare.
pub(crate) fn row_wait_ms(tries: u32, chance: u32) -> u64 {
    match tries {
        0 | 1 => 0,
        _ => jittered(doubled(ROW_FIRST_MS, tries - 2, ROW_LONGEST_MS), chance),
    }
}

fn doubled(first: u64, times: u32, longest: u64) -> u64 {
    (first.saturating_mul(1 << times.min(20))).min(longest)
}

/// Between three quarters of a wait and the whole of it, so that no clamp is ever exceeded.
fn jittered(wait: u64, chance: u32) -> u64 {
    let quarter = wait / 4;
    wait - (quarter.saturating_mul(u64::from(chance)) >> u32::BITS)
}

/// A stream of random numbers from a seed that is handed in: SplitMix64 (Steele, Lea, Flood, 2014).
#[derive(Debug, Clone)]
pub(super) struct Chance(pub u64);

impl Chance {
    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::sync::{Held, NetworkFault};

    fn failed(failure: SyncFailure) -> SyncReport {
        SyncReport {
            remaining: 1,
            failure: Some(failure),
            ..SyncReport::default()
        }
    }

    fn no_network() -> SyncReport {
        failed(SyncFailure::NoNetwork(NetworkFault::Unreachable))
    }

    #[test]
    fn waits_double_within_their_bounds_and_start_again_after_a_success() {
        let mut pace = Pace::default();
        let mut last = 0;
        for n in 0..40 {
            let wait = pace.after(&no_network(), 0).unwrap();
            assert!((FIRST_MS..=LONGEST_MS).contains(&wait));
            assert!(wait >= last, "{n}");
            last = wait;
        }
        assert_eq!(last, LONGEST_MS);
        assert_eq!(pace.after(&SyncReport::default(), 0), None);
        assert_eq!(pace.after(&no_network(), 0), Some(FIRST_MS));
        // A number that was kept by a broken program does no harm.
        let mut pace = Pace { failures: u32::MAX };
        assert_eq!(pace.after(&no_network(), 0), Some(LONGEST_MS));
    }

    #[test]
    fn jitter_shortens_by_at_most_a_quarter() {
        let mut chance = Chance(7);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let wait = Pace::default().after(&no_network(), chance.next()).unwrap();
            assert!((FIRST_MS * 3 / 4..=FIRST_MS).contains(&wait), "{wait}");
            seen.insert(wait);
        }
        assert!(seen.len() > 800);
    }

    #[test]
    fn headquarters_may_ask_for_more_but_not_of_a_witness_in_danger() {
        let busy = failed(SyncFailure::Busy { retry_after_s: 300 });
        assert_eq!(Pace::default().after(&busy, 0), Some(300 * SECOND_MS));
        let danger = SyncReport {
            danger_waits: true,
            ..busy
        };
        let mut pace = Pace::default();
        for _ in 0..40 {
            assert!(pace.after(&danger, 0).unwrap() <= DANGER_MS);
        }
    }

    #[test]
    fn what_is_held_back_is_no_failure() {
        let held = |records, due_in_ms| SyncReport {
            remaining: records,
            held: Held {
                records,
                due_in_ms,
                ..Held::default()
            },
            ..SyncReport::default()
        };
        let mut pace = Pace { failures: 3 };
        assert_eq!(pace.after(&held(2, Some(90_000)), 0), Some(90_000));
        assert_eq!(pace.failures, 0);
        assert_eq!(pace.after(&held(2, Some(u64::MAX)), 0), Some(LONGEST_MS));
        // One more than is held back got nowhere, without a failure: headquarters does not know the phone.
        let mut stuck = held(2, Some(90_000));
        stuck.remaining = 3;
        assert_eq!(pace.after(&stuck, 0), Some(FIRST_MS));
        // What only another link can take is not waited for.
        let photos = SyncReport {
            attachments_remaining: 2,
            held: Held {
                unmetered_only: 2,
                ..Held::default()
            },
            ..SyncReport::default()
        };
        assert_eq!(pace.after(&photos, 0), None);
    }

    #[test]
    fn one_thing_is_tried_again_at_once_and_then_ever_more_rarely() {
        assert_eq!((row_wait_ms(0, 0), row_wait_ms(1, 0)), (0, 0));
        let waits: Vec<u64> = (2..60).map(|tries| row_wait_ms(tries, 0)).collect();
        assert_eq!(waits.first(), Some(&ROW_FIRST_MS));
        assert_eq!(waits.last(), Some(&ROW_LONGEST_MS));
        assert!(waits.is_sorted());
        assert_eq!(row_wait_ms(u32::MAX, u32::MAX), ROW_LONGEST_MS * 3 / 4 + 1);
    }
}
