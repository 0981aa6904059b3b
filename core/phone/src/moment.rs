use crate::Clock;
use testigo_wire::BootId;

/// One reading of the host's clocks, kept in the store to tell later how long ago it was.
///
/// Within one start of the phone the monotonic clock tells, which nobody can set. Across starts the wall
/// clock tells; where it says that the moment lies in the future it was set back, and nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub boot: BootId,
    pub monotonic_ms: i64,
    pub wall_ms: i64,
}

impl Moment {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            boot: clock.boot_id(),
            monotonic_ms: i64::try_from(clock.monotonic_ms()).unwrap_or(i64::MAX),
            wall_ms: clock.now().millis(),
        }
    }

    /// Milliseconds from `then` to this moment; `None` where the clocks cannot tell.
    pub(crate) fn since(&self, then: &Self) -> Option<u64> {
        let elapsed = if self.boot == then.boot {
            self.monotonic_ms.checked_sub(then.monotonic_ms)
        } else {
            self.wall_ms.checked_sub(then.wall_ms)
        };
        elapsed.and_then(|elapsed| u64::try_from(elapsed).ok())
    }

    /// What is left of a wait that began at `then`: never more than the wait itself, and nothing where
    /// the clocks cannot tell.
    pub(crate) fn left(&self, then: &Self, wait_ms: u64) -> u64 {
        self.since(then)
            .map_or(0, |elapsed| wait_ms.saturating_sub(elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: u8, monotonic_ms: i64, wall_ms: i64) -> Moment {
        Moment {
            boot: BootId([boot; 16]),
            monotonic_ms,
            wall_ms,
        }
    }

    #[test]
    fn no_jump_of_the_wall_clock_moves_a_wait_within_one_start() {
        let then = at(1, 1_000, 500_000);
        for wall in [0, 500_000, i64::MAX, i64::MIN] {
            assert_eq!(at(1, 1_600, wall).left(&then, 1_000), 400);
        }
    }

    #[test]
    fn a_clock_set_back_between_starts_ends_the_wait_and_none_lengthens_it() {
        let then = at(1, 1_000, 500_000);
        assert_eq!(at(2, 5, 500_300).left(&then, 1_000), 700);
        assert_eq!(at(2, 5, 499_999).left(&then, 1_000), 0);
        assert_eq!(at(2, 5, i64::MIN).left(&then, 1_000), 0);
        assert_eq!(at(2, 5, i64::MAX).left(&then, 1_000), 0);
    }
}
