//! The connector's two ports.

mod accept;
mod connection;
pub(crate) mod enrollment;
pub(crate) mod link;
pub(crate) mod session;
