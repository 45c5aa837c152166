//! The endpoint agent.
pub mod board;
pub mod config;
pub mod drivers;
pub mod holdings;
pub mod identity;
pub mod joiner;
pub mod listing;
pub mod open;
pub mod schedule;
