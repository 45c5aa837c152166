//! The device's side.

mod dial;
pub(crate) mod enroll;
pub(crate) mod session;
