//! What may be spent on a link that costs money.

use crate::moment::Moment;

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The link that a pass runs over, as the host knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// Bytes cost nothing, such as Wi-Fi at home.
    #[default]
    Unmetered,
    /// Bytes cost money, such as mobile data.
    Metered,
}

/// What files may cost on a metered link. Records, whatever their lane, and the enrolment are never held
/// back by it; their bytes are counted all the same.
///
/// By default photographs travel over mobile data, for a polling station has no other link and a sheet's
/// photograph is wanted the same night; and 25 MiB a day may be spent, so that a film does not use up the
/// prepaid data that a witness in danger needs in the evening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes in 24 hours on metered links, counted from the first one; `None` for no limit. Bodies of
    /// requests are counted, not what the network adds.
    pub bytes_a_day: Option<u64>,
    /// Whether whole photographs, films and recordings travel over metered links. Small pictures always do.
    pub photos_on_metered: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes_a_day: Some(25 * 1024 * 1024),
            photos_on_metered: true,
        }
    }
}

/// What was spent on metered links since a moment. After 24 hours, or where the clocks cannot tell how long
/// ago that was, it counts no more: no jump of a clock can lock the budget for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub since: Moment,
    pub bytes: u64,
}

impl Spent {
    /// What counts now.
    pub(crate) fn now(kept: Option<Self>, now: Moment) -> Self {
        kept.filter(|spent| now.since(&spent.since).is_some_and(|ms| ms < DAY_MS))
            .unwrap_or(Self {
                since: now,
                bytes: 0,
            })
    }

    /// Bytes that may still be spent; `None` for no limit.
    pub(crate) fn allowance(&self, budget: &Budget) -> Option<u64> {
        Some(budget.bytes_a_day?.saturating_sub(self.bytes))
    }

    /// Milliseconds until it counts no more.
    pub(crate) fn over_in_ms(&self, now: Moment) -> u64 {
        now.left(&self.since, DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testigo_wire::BootId;

    fn at(boot: u8, hours: i64, wall_hours: i64) -> Moment {
        Moment {
            boot: BootId([boot; 16]),
            monotonic_ms: hours * 3_600_000,
            wall_ms: wall_hours * 3_600_000,
        }
    }

    #[test]
    fn what_was_spent_counts_for_a_day_and_no_clock_makes_it_longer() {
        let spent = Spent {
            since: at(1, 5, 100),
            bytes: 9,
        };
        let counts = |now| Spent::now(Some(spent), now).bytes;
        assert_eq!(counts(at(1, 6, 0)), 9);
        assert_eq!(counts(at(1, 28, 100)), 9);
        assert_eq!(counts(at(1, 29, 100)), 0);
        assert_eq!(counts(at(2, 0, 110)), 9);
        // Set back, or ahead.
        assert_eq!(counts(at(2, 0, 99)), 0);
        assert_eq!(counts(at(2, 0, 1_000_000)), 0);
    }
}
