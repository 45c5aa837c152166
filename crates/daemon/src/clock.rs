//! The wall clock and the operating system's random source.

use jiff::Timestamp;

/// The wall clock, in UTC.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The operating system gives no random bytes: nothing that needs a key or a nonce may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes ({0}); this machine cannot make keys")]
pub struct NoRandomness(getrandom::Error);

impl NoRandomness {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        "no-randomness"
    }
}

/// `N` bytes from the operating system's cryptographic source: keys, nonces, seeds, ids, serial numbers.
///
/// # Errors
/// When the source fails, which in practice is at the start of a broken machine or never.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// A number in `0.0..1.0` for spreading retries and renewals; nothing secret hangs on it, so a source that fails
/// gives the middle instead of an error.
pub fn random_unit() -> f64 {
    /// How many bits an `f64` holds exactly.
    const BITS: u32 = 53;
    let Ok(bytes) = random::<8>() else { return 0.5 };
    let top = u64::from_le_bytes(bytes) >> (u64::BITS - BITS);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    let fraction = top as f64 / (1_u64 << BITS) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
    }

    #[test]
    fn units_stay_in_range_and_spread() {
        let draws: Vec<f64> = (0..1000).map(|_| random_unit()).collect();
        assert!(draws.iter().all(|unit| (0.0..1.0).contains(unit)));
        assert!(draws.iter().any(|unit| *unit < 0.1) && draws.iter().any(|unit| *unit > 0.9));
    }
}
