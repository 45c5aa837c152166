//! The Joinery connector.
pub mod config;
