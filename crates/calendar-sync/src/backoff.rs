//! How long to wait after a failure.

use std::time::Duration;

/// Exponential back-off with full jitter: after each failure the longest possible wait doubles, and the real one lies
/// anywhere between nothing and that, so that many mailboxes that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Longest wait after the first failure.
    pub base: Duration,
    /// No wait that we choose is longer.
    pub cap: Duration,
}

/// A server may ask for this much patience. More would be a mistake of some proxy, and silence a whole day.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

impl Backoff {
    /// For Graph: two seconds at first, five minutes at most, so that an outage's end is noticed soon.
    pub const GRAPH: Self = Self { base: Duration::from_secs(2), cap: Duration::from_secs(300) };

    /// How long to wait after failure number `attempt` (0 is the first in a row). `jitter` is a random number from 0
    /// to 1. Where the server said how long (`Retry-After`), it is never asked earlier; the jitter comes on top.
    pub fn retry_in(&self, attempt: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
        let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
        match retry_after {
            Some(asked) => asked.min(LONGEST_RETRY_AFTER).saturating_add(self.base.mul_f64(jitter)),
            None => {
                let ceiling = self.base.saturating_mul(2_u32.saturating_pow(attempt)).min(self.cap);
                ceiling.mul_f64(jitter)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attempt: u32, jitter: f64, retry_after: Option<f64>, want: f64) {
        let wait = Backoff::GRAPH.retry_in(attempt, jitter, retry_after.map(Duration::from_secs_f64));
        assert!((wait.as_secs_f64() - want).abs() < 1e-6, "{attempt} {jitter} {retry_after:?}: {wait:?}");
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        check(0, 1.0, None, 2.0);
        check(1, 1.0, None, 4.0);
        check(5, 1.0, None, 64.0);
        check(8, 1.0, None, 300.0);
        check(u32::MAX, 1.0, None, 300.0);
    }

    #[test]
    fn jitter_takes_anything_down_to_nothing() {
        check(3, 0.5, None, 8.0);
        check(3, 0.0, None, 0.0);
        check(3, -7.0, None, 0.0);
        check(3, 7.0, None, 16.0);
        check(3, f64::NAN, None, 16.0);
    }

    #[test]
    fn the_server_is_never_asked_earlier_than_it_said() {
        check(0, 0.0, Some(2.128), 2.128);
        check(9, 0.5, Some(2.128), 3.128);
        check(0, 0.0, Some(0.0), 0.0);
        check(0, 0.0, Some(1e9), 3600.0);
    }
}
