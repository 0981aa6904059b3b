use chrono::{DateTime, FixedOffset, SubsecRound};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::fmt;

/// A point in time with the offset of the clock that told it, to the millisecond.
///
/// Encoded as `[milliseconds since 1970-01-01T00:00:00Z, minutes east of UTC]`. Years 1 to 9999: a
/// phone's clock may be wrong by centuries, and its record is kept all the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(DateTime<FixedOffset>);

/// 0001-01-02 and 9999-12-30: a day inside what [`chrono`] can show in every offset.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_510_400_000..=253_402_214_400_000;

impl Time {
    /// From milliseconds since the Unix epoch and the offset in minutes east of UTC; `None` outside
    /// the years 1 to 9999 or for an offset of a day or more.
    pub fn from_millis(millis: i64, offset_minutes: i32) -> Option<Self> {
        if !RANGE.contains(&millis) {
            return None;
        }
        let offset = FixedOffset::east_opt(offset_minutes.checked_mul(60)?)?;
        Some(Self(
            DateTime::from_timestamp_millis(millis)?.with_timezone(&offset),
        ))
    }

    /// From RFC 3339 text, such as `2024-07-28T06:15:00-04:00`; `None` where it is none.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(Self::from)
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// The clock's offset in whole minutes east of UTC.
    pub fn offset_minutes(self) -> i32 {
        self.0.offset().local_minus_utc().div_euclid(60)
    }

    /// Date and minute on its own clock, for a person: `2024-07-28 06:15`.
    pub fn to_the_minute(self) -> String {
        self.0.format("%Y-%m-%d %H:%M").to_string()
    }

    /// The same moment on a clock with this offset, in minutes east of UTC; its own where there is no such
    /// offset.
    #[must_use]
    pub fn at_offset(self, minutes: i32) -> Self {
        Self::from_millis(self.millis(), minutes).unwrap_or(self)
    }

    /// The same with chrono's whole interface.
    pub fn datetime(self) -> DateTime<FixedOffset> {
        self.0
    }
}

impl From<DateTime<FixedOffset>> for Time {
    /// Whole milliseconds and minutes of offset are kept; a time outside the years 1 to 9999 becomes
    /// the nearest that can be told.
    fn from(time: DateTime<FixedOffset>) -> Self {
        let millis = time.timestamp_millis().clamp(*RANGE.start(), *RANGE.end());
        let minutes = time.offset().local_minus_utc().div_euclid(60);
        Self::from_millis(millis, minutes).unwrap_or(Self(time.trunc_subsecs(3)))
    }
}

impl fmt::Display for Time {
    /// RFC 3339, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({})", self.0.to_rfc3339())
    }
}

impl<C> Encode<C> for Time {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?
            .i64(self.millis())?
            .i32(self.offset_minutes())?
            .ok()
    }
}

impl<'b, C> Decode<'b, C> for Time {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let position = d.position();
        if d.array()? != Some(2) {
            return Err(decode::Error::message("a time has two parts").at(position));
        }
        let (millis, offset) = (d.i64()?, d.i32()?);
        Self::from_millis(millis, offset).ok_or_else(|| {
            decode::Error::message("a time outside the years 1 to 9999").at(position)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_pair_is_a_time_or_none(millis: i64, offset: i32) {
            if let Some(time) = Time::from_millis(millis, offset) {
                prop_assert_eq!(time.millis(), millis);
                prop_assert_eq!(time.offset_minutes(), offset);
                prop_assert!(!time.to_string().is_empty());
            }
        }
    }

    #[test]
    fn the_ends_of_time_can_be_shown_in_every_offset() {
        for millis in [*RANGE.start(), *RANGE.end()] {
            for offset in [-1439, 0, 1439] {
                assert!(Time::from_millis(millis, offset).unwrap().to_string().len() >= 25);
            }
        }
        assert_eq!(Time::from_millis(0, 1440), None);
    }

    #[test]
    fn a_time_outside_is_brought_to_the_nearest() {
        let far = DateTime::<chrono::Utc>::MAX_UTC.fixed_offset();
        assert_eq!(Time::from(far).millis(), *RANGE.end());
    }
}
