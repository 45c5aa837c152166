//! The days that a mailbox is synced over.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const SECONDS_PER_DAY: i64 = 86_400;

/// A span of whole UTC days. A delta link is bound to the window of its first call (Graph encodes it in the token), so
/// a window that slides means a new full round; whole days make that happen once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First instant inside.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

impl Window {
    /// The window of the UTC day that `now` is in. It reaches from `past` before the day's first instant to `future`
    /// after its last, rounded outwards, so it covers the configured span at every moment of the day and is the same
    /// at every moment of the day.
    pub fn around(now: Timestamp, past: Duration, future: Duration) -> Self {
        let day = now.as_second().div_euclid(SECONDS_PER_DAY);
        let start =
            day.saturating_mul(SECONDS_PER_DAY).saturating_sub(seconds(past)).div_euclid(SECONDS_PER_DAY);
        let end = day.saturating_add(1).saturating_mul(SECONDS_PER_DAY).saturating_add(seconds(future));
        let end = end.saturating_add(SECONDS_PER_DAY - 1).div_euclid(SECONDS_PER_DAY);
        Self { start: midnight(start, Timestamp::MIN), end: midnight(end, Timestamp::MAX) }
    }

    /// Whether something from `start` to `end` (exclusive) reaches into the window. What takes no time at all counts
    /// at its start.
    pub fn touches(&self, start: Timestamp, end: Timestamp) -> bool {
        start < self.end && (end > self.start || start >= self.start)
    }
}

/// Whole seconds, rounded up: the window may be wider than asked for, never narrower.
fn seconds(span: Duration) -> i64 {
    let whole = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    i64::try_from(whole).unwrap_or(i64::MAX)
}

fn midnight(day: i64, beyond: Timestamp) -> Timestamp {
    Timestamp::from_second(day.saturating_mul(SECONDS_PER_DAY)).unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn check(now: &str, past: Duration, future: Duration, start: &str, end: &str) {
        let window = Window::around(now.parse().unwrap(), past, future);
        assert_eq!(
            (window.start.to_string(), window.end.to_string()),
            (start.to_owned(), end.to_owned()),
            "{now}"
        );
    }

    #[test]
    fn a_window_is_whole_days_and_the_same_all_day() {
        let week = DAY * 7;
        let month = DAY * 31;
        for now in ["2026-11-24T00:00:00Z", "2026-11-24T12:34:56.789Z", "2026-11-24T23:59:59.999999999Z"] {
            check(now, week, month, "2026-11-17T00:00:00Z", "2026-12-26T00:00:00Z");
        }
        check("2026-11-25T00:00:00Z", week, month, "2026-11-18T00:00:00Z", "2026-12-27T00:00:00Z");
        check("2026-11-24T12:00:00Z", DAY / 2, DAY / 2, "2026-11-23T00:00:00Z", "2026-11-26T00:00:00Z");
        check(
            "2026-11-24T12:00:00Z",
            Duration::ZERO,
            Duration::ZERO,
            "2026-11-24T00:00:00Z",
            "2026-11-25T00:00:00Z",
        );
        check(
            "2026-11-24T12:00:00Z",
            Duration::from_nanos(1),
            DAY,
            "2026-11-23T00:00:00Z",
            "2026-11-26T00:00:00Z",
        );
        check("1969-12-31T12:00:00Z", DAY, DAY, "1969-12-30T00:00:00Z", "1970-01-02T00:00:00Z");
    }

    #[test]
    fn an_endless_span_is_cut_at_the_ends_of_time() {
        let window = Window::around(Timestamp::UNIX_EPOCH, Duration::MAX, Duration::MAX);
        assert_eq!((window.start, window.end), (Timestamp::MIN, Timestamp::MAX));
    }

    #[test]
    fn what_touches_the_window_is_inside() {
        let window = Window::around("2026-11-24T12:00:00Z".parse().unwrap(), Duration::ZERO, Duration::ZERO);
        let inside = |start: &str, end: &str| window.touches(start.parse().unwrap(), end.parse().unwrap());
        assert!(inside("2026-11-23T23:00:00Z", "2026-11-24T00:00:01Z"));
        assert!(!inside("2026-11-23T23:00:00Z", "2026-11-24T00:00:00Z"));
        assert!(inside("2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"));
        assert!(inside("2026-11-24T23:59:59Z", "2026-11-26T00:00:00Z"));
        assert!(!inside("2026-11-25T00:00:00Z", "2026-11-25T01:00:00Z"));
        assert!(!inside("2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z"));
        assert!(inside("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
        assert!(!inside("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"));
    }
}
