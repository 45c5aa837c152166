//! Ports for the programs, chosen up front because they stand in a configuration and must survive restarts.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// A TCP port of 127.0.0.1 that is this test's for as long as this lives, also while nothing listens on it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Other test processes see that the port is taken.
    _lock: File,
}

/// Below the range from which the kernel takes ports for outgoing connections: a connector that is restarted must find
/// its port free.
const RANGE: std::ops::Range<u16> = 14_000..32_000;

impl Port {
    /// A free one.
    ///
    /// # Panics
    /// When there is none.
    pub fn free() -> Self {
        let folder = std::env::temp_dir().join("joinery-test-ports");
        fs::create_dir_all(&folder).expect("the folder of port locks cannot be made");
        let span = u64::from(RANGE.end - RANGE.start);
        for attempt in 0..1_000_u64 {
            let offset = RandomState::new().hash_one(attempt) % span;
            let number = RANGE.start + u16::try_from(offset).unwrap_or_default();
            let Ok(lock) = File::create(folder.join(number.to_string())) else { continue };
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no port of 127.0.0.1 between {} and {} is free", RANGE.start, RANGE.end);
    }

    /// Its number.
    pub const fn number(&self) -> u16 {
        self.number
    }
}
