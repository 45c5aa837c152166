//! Chance that can be repeated: the seed is printed, and `JOINERY_SEED` sets it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A stream of random numbers.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// A new stream.
    pub fn new() -> Self {
        let given = std::env::var("JOINERY_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()) ^ now.as_secs());
        println!("JOINERY_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^= value >> 31;
        usize::try_from(value % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// How long a program is left alive before it is killed: as often while it starts, as in its first round, as up to
    /// well into its second.
    pub fn life(&mut self) -> Duration {
        let longest = [50, 300, 1500][self.below(3)];
        self.time(Duration::from_millis(longest))
    }

    /// A time shorter than `end`.
    pub fn time(&mut self, end: Duration) -> Duration {
        let millis = usize::try_from(end.as_millis()).unwrap_or(usize::MAX);
        Duration::from_millis(u64::try_from(self.below(millis)).unwrap_or_default())
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}
