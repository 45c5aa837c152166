//! What every long-running program needs from the machine it runs on: the clock and randomness, a signal to stop,
//! logging, files that survive a power cut, a word with systemd, and a local socket for its command line.
//!
//! The rings below take `now` and random bytes as arguments; this is where they come from.

mod clock;
mod clock_changes;
mod config_error;
pub mod control;
mod durable;
mod logging;
pub mod notify;
mod shutdown;

pub use clock::{NoRandomness, now, random, random_unit};
pub use clock_changes::ClockChanges;
pub use config_error::ConfigError;
pub use durable::{WriteError, write_durably};
pub use logging::{LoggingError, start_logging};
pub use shutdown::Shutdown;
