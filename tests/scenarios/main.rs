//! Every scenario, in one program: they wait more than they work, so they run side by side.
//!
//! One feature alone: `cargo test -p joinery-tests --test scenarios meetings::`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a scenario fails by panicking"
)]

mod canary;
mod connector_away;
mod damage;
mod enrollment;
mod full_disk;
mod kill;
mod meetings;
mod microsoft_fails;
mod recurrence;
mod resync;
mod time_zones;
mod wrong_input;
