//! How often enrollment may be tried. Pure: `now` is an argument.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The span that tries are counted over.
const SPAN: Duration = Duration::from_secs(60);

/// Counts tries over the last minute. Holds at most as many entries as are allowed.
#[derive(Debug)]
pub struct Rate {
    tries: VecDeque<(Instant, IpAddr)>,
    /// From everywhere: ten decimal digits stay far out of reach of guessing.
    all: usize,
    /// From one address, so that one source does not use up everybody's.
    one: usize,
    told: Option<Instant>,
}

impl Rate {
    /// Allows `per_minute` tries a minute, half of them from one address.
    pub fn new(per_minute: u16) -> Self {
        let all = usize::from(per_minute).max(1);
        Self { tries: VecDeque::new(), all, one: all.div_ceil(2), told: None }
    }

    /// Counts a try, if it may be made now.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take(&mut self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let from = network(from);
        while self.tries.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= SPAN) {
            self.tries.pop_front();
        }
        let mut mine = self.tries.iter().filter(|(_, source)| *source == from);
        let oldest_mine = mine.next();
        let blocking = if self.tries.len() >= self.all {
            self.tries.front()
        } else {
            oldest_mine.filter(|_| mine.count() + 1 >= self.one)
        };
        match blocking {
            Some((at, _)) => Err(SPAN.saturating_sub(now.saturating_duration_since(*at))),
            None => {
                self.tries.push_back((now, from));
                Ok(())
            }
        }
    }

    /// Whether to log that somebody has to wait: once in a minute, however often they try.
    pub fn tell(&mut self, now: Instant) -> bool {
        let due = self.told.is_none_or(|told| now.saturating_duration_since(told) >= SPAN);
        if due {
            self.told = Some(now);
        }
        due
    }
}

/// Whoever has an IPv6 address has the 2^64 beside it as well: they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_and_all_sources_have_a_bound() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let ip = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut rate = Rate::new(20);
        for _ in 0..10 {
            assert_eq!(rate.take(ip(1), at(0)), Ok(()));
        }
        assert_eq!(rate.take(ip(1), at(10)), Err(Duration::from_secs(50)));
        for n in 0..10 {
            assert_eq!(rate.take(ip(n + 2), at(20)), Ok(()));
        }
        assert_eq!(rate.take(ip(99), at(20)), Err(Duration::from_secs(40)));
        assert_eq!(rate.take(ip(1), at(60)), Ok(()));
        assert_eq!(rate.take(ip(99), at(61)), Ok(()));
    }

    #[test]
    fn a_crowd_is_told_of_once_a_minute() {
        let start = Instant::now();
        let mut rate = Rate::new(1);
        let told = [0, 0, 59, 60, 61].map(|s| rate.tell(start + Duration::from_secs(s)));
        assert_eq!(told, [true, false, false, true, false]);
    }

    #[test]
    fn neighbours_in_an_ipv6_network_are_one_source() {
        let mut rate = Rate::new(4);
        let mut take = |from: &str| rate.take(from.parse().unwrap(), Instant::now()).is_ok();
        assert!(take("2001:db8::1") && take("2001:db8::2") && !take("2001:db8::3"));
        assert!(take("2001:db8:0:1::1"));
    }
}
