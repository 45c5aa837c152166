//! What goes on by itself: reading calendars, erasing old rows, keeping who was seen when, renewing the server certificate.

pub mod certificate;
pub mod last_seen;
pub mod retention;
mod round;
mod schedule;
pub mod sync;
