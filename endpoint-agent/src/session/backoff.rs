//! How long to wait before the next attempt.

use std::time::Duration;

/// The first wait, at most.
const BASE: Duration = Duration::from_secs(1);

/// The longest wait for a connector that is away.
const CAP: Duration = Duration::from_secs(60);

/// The longest wait for one that does not want us: somebody has to act first.
const UNWANTED_CAP: Duration = Duration::from_secs(15 * 60);

/// A session that lasted as long was a good one.
const HEALTHY: Duration = Duration::from_secs(60);

/// Counts failures. Full jitter, so that a thousand devices do not come back at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after an attempt that lasted `lasted`. `unit` is random in `0.0..1.0`; `unwanted`: the connector refuses
    /// this device.
    pub fn after(&mut self, lasted: Duration, unwanted: bool, unit: f64) -> Duration {
        if lasted >= HEALTHY {
            self.failures = 0;
        }
        let cap = if unwanted { UNWANTED_CAP } else { CAP };
        let most = BASE.saturating_mul(2_u32.saturating_pow(self.failures)).min(cap);
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(unit.clamp(0.0, 1.0))
    }

    /// Something has changed that makes the next attempt worth trying at once.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest waits of failures in a row.
    fn waits(lasted: u64, unwanted: bool) -> Vec<u64> {
        let mut backoff = Backoff::default();
        (0..12).map(|_| backoff.after(Duration::from_secs(lasted), unwanted, 1.0).as_secs()).collect()
    }

    #[test]
    fn waits_double_up_to_their_cap() {
        assert_eq!(waits(0, false), [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
        assert_eq!(waits(0, true), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(waits(60, false), [1; 12], "each of these sessions was a good one");
    }

    #[test]
    fn jitter_is_full() {
        let mut backoff = Backoff { failures: 3 };
        assert_eq!(backoff.after(Duration::ZERO, false, 0.0), Duration::ZERO);
        backoff = Backoff { failures: 3 };
        assert_eq!(backoff.after(Duration::ZERO, false, 0.25), Duration::from_secs(2));
        backoff.reset();
        assert_eq!(backoff, Backoff::default());
        assert_eq!(Backoff { failures: u32::MAX }.after(Duration::ZERO, false, 1.0), CAP);
    }
}
