//! A day, the coarsest clock there is: the only time of a meeting that rests in the clear.

use std::fmt;

use jiff::Timestamp;

const NANOSECONDS_PER_DAY: i128 = 86_400 * 1_000_000_000;

/// Whole UTC days since 1970-01-01. Says only after which day a row is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The UTC day that `time` falls on.
    pub fn of(time: Timestamp) -> Self {
        let days = time.as_nanosecond().div_euclid(NANOSECONDS_PER_DAY);
        // Timestamps reach from year -9999 to 9999, which is within seven digits of days.
        Self(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_in_utc_from_1970() {
        let check = |time: &str, day: i32| assert_eq!(Day::of(time.parse().unwrap()), Day(day), "{time}");
        check("1970-01-01T00:00:00Z", 0);
        check("1970-01-01T23:59:59.999Z", 0);
        check("1970-01-02T00:00:00+02:00", 0);
        check("1969-12-31T23:59:59.5Z", -1);
        check("2026-11-24T06:00:00Z", 20_781);
        assert!(Day::of(Timestamp::MIN) < Day(0) && Day::of(Timestamp::MAX) > Day(0));
    }
}
