//! The endpoint agent: the light program on a room's or a person's device that shows its meetings and lights up the Join
//! button at the right second.
//!
//! A session with the connector ([`session`]) fills the sealed holdings ([`holdings`]); the schedule ([`schedule`]) looks
//! at them by the wall clock and puts what should be visible on the board ([`board`]); drivers ([`drivers`]) show it. The
//! command line ([`cli`]) asks the running daemon over a socket ([`control`]), or looks for itself when none runs.

pub mod board;
pub mod choice;
pub mod cli;
pub mod config;
pub mod control;
pub mod drivers;
pub mod enroll;
pub mod holdings;
pub mod identity;
pub mod joiner;
pub mod listing;
pub mod open;
mod run;
pub mod schedule;
pub mod session;
pub mod status;

pub use run::{RunError, run};
