//! The endpoint agent.
pub mod board;
pub mod config;
pub mod holdings;
pub mod identity;
pub mod listing;
pub mod open;
pub mod schedule;
