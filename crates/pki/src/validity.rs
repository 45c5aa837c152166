//! How long certificates live and when they are renewed.

use jiff::{SignedDuration, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::PkiError;

/// The span in which a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

/// The span of a certificate, DER.
///
/// # Errors
/// [`PkiError::BadCertificate`].
pub fn validity(certificate: &[u8]) -> Result<Validity, PkiError> {
    of(&parse(certificate)?)
}

/// Reads exactly one certificate.
pub(crate) fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, PkiError> {
    match X509Certificate::from_der(certificate) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) | Err(_) => Err(PkiError::BadCertificate),
    }
}

pub(crate) fn of(certificate: &X509Certificate<'_>) -> Result<Validity, PkiError> {
    let read = |seconds| Timestamp::from_second(seconds).map_err(|_| PkiError::BadCertificate);
    Ok(Validity {
        not_before: read(certificate.validity().not_before.timestamp())?,
        not_after: read(certificate.validity().not_after.timestamp())?,
    })
}

/// When to renew: two thirds into the lifetime, so that a third is left for retries. `jitter` between -1 and 1 moves
/// that by up to a tenth of the lifetime either way, so that devices enrolled together do not come together.
pub fn renew_at(not_before: Timestamp, not_after: Timestamp, jitter: f64) -> Timestamp {
    let jitter = if jitter.is_finite() { jitter.clamp(-1.0, 1.0) } else { 0.0 };
    let life = not_after.duration_since(not_before).as_secs_f64().max(0.0);
    let offset = SignedDuration::try_from_secs_f64(life * (2.0 / 3.0 + jitter / 10.0));
    offset.ok().and_then(|offset| not_before.checked_add(offset).ok()).unwrap_or(not_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_at_two_thirds_give_or_take_a_tenth() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let end: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        let check = |jitter: f64, want: &str| {
            let got = renew_at(start, end, jitter);
            assert!(got.duration_since(want.parse().unwrap()).as_secs().abs() <= 1, "{jitter}: {got}");
        };
        check(0.0, "2026-01-21T00:00:00Z");
        check(-1.0, "2026-01-18T00:00:00Z");
        check(1.0, "2026-01-24T00:00:00Z");
        check(9.0, "2026-01-24T00:00:00Z");
        check(f64::NAN, "2026-01-21T00:00:00Z");
        assert_eq!(renew_at(end, start, 0.0), end, "a certificate of no life is renewed at once");
    }

    #[test]
    fn what_is_not_a_certificate_is_refused() {
        assert_eq!(validity(b"junk"), Err(PkiError::BadCertificate));
        assert_eq!(validity(b""), Err(PkiError::BadCertificate));
    }
}
