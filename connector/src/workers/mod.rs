//! What goes on by itself: reading calendars, erasing old rows, renewing the server certificate.

pub mod certificate;
pub mod retention;
mod round;
mod schedule;
pub mod sync;
