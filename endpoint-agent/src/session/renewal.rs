//! When to ask for a new certificate.

use std::time::Duration;

use jiff::Timestamp;
use joinery_pki::{PkiError, renew_at, validity};

/// The first wait after a renewal that failed, and the longest.
const FIRST_RETRY: Duration = Duration::from_secs(5 * 60);
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 3600);

/// The life of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// It is good from here,
    pub not_before: Timestamp,
    /// to here.
    pub not_after: Timestamp,
    /// When a new one is asked for next.
    pub due: Timestamp,
    retry: Duration,
}

impl Renewal {
    /// Of the certificate `der`. `unit` is random in `0.0..1.0`: devices that were enrolled together do not renew together.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn of(der: &[u8], unit: f64) -> Result<Self, PkiError> {
        let life = validity(der)?;
        let due = renew_at(life.not_before, life.not_after, unit.mul_add(2.0, -1.0));
        Ok(Self { not_before: life.not_before, not_after: life.not_after, due, retry: FIRST_RETRY })
    }

    /// The connector asks for it now.
    pub fn hasten(&mut self, now: Timestamp) {
        self.due = self.due.min(now);
    }

    /// It has failed; it is tried again later.
    pub fn failed(&mut self, now: Timestamp) {
        self.due = now.checked_add(self.retry).unwrap_or(Timestamp::MAX);
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
    }

    /// Whether the certificate is over.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now > self.not_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_repeated_ever_more_rarely() {
        let start: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let mut renewal = Renewal { not_before: start, not_after: start, due: start, retry: FIRST_RETRY };
        let waits: Vec<i64> = (0..10)
            .map(|_| {
                renewal.failed(start);
                renewal.due.duration_since(start).as_secs() / 60
            })
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 360, 360, 360]);
        renewal.hasten(start);
        assert_eq!(renewal.due, start);
    }

    #[test]
    fn rubbish_is_no_certificate() {
        assert!(Renewal::of(b"rubbish", 0.5).is_err());
    }
}
