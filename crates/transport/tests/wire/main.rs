//! Connector and agent over real sockets: who gets in, what arrives, what happens when something goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

mod connector;
mod enrollment;
mod liveness;
mod raw;
mod refusals;
mod sessions;
