//! What others call: agents' sessions, enrollment, the command line.

pub mod admin;
pub mod enrollment;
mod rate;
pub mod session;
