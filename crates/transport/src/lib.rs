//! The wire between connector and endpoint agent: TLS 1.3, mutual where a device is known, gRPC over it, and nothing of
//! either beyond this crate.
//!
//! Two ports. Enrollment ([`serve_enrollment`], [`enroll`]) is the one thing that needs no certificate: both sides prove
//! a typed code over the TLS channel before anything is signed. Sessions ([`serve_sessions`], [`connect`]) demand a
//! device certificate in the handshake and ask the desk for admission at accept and again at each call.
//!
//! This crate decides how messages travel, how large and how late they may be; what they say is decided by the desks
//! ([`SessionDesk`], [`EnrollmentDesk`]) and by the agent.

mod assembly;
mod client;
mod enrollment;
mod error;
mod messages;
mod pump;
mod refusal;
mod server;
mod status;
mod timing;
mod tls;
mod wire;

pub use client::enroll::{enroll, enroll_timed};
pub use client::session::{AgentLink, AgentReceiver, AgentSender, SessionClient, connect, connect_timed};
pub use enrollment::{EnrollRequest, Enrolled, EnrollmentDesk, Ticket};
pub use error::{Closed, EnrollError, TransportError};
pub use messages::{DeviceSettings, FromAgent, GoodbyeReason, Have, Hello, RenewRequest, Renewed, ToAgent};
pub use refusal::{EnrollRefusal, Refusal};
pub use server::enrollment::{serve_enrollment, serve_enrollment_timed};
pub use server::link::{ConnectorLink, ConnectorReceiver, ConnectorSender};
pub use server::session::{SESSION_METHODS, SessionDesk, serve_sessions, serve_sessions_timed};
pub use timing::Timing;
pub use tls::{DeviceTls, ServerIdentity, SharedServerTls};

/// Largest message that a connector takes from a device.
pub const MAX_FROM_AGENT: usize = 256 * 1024;

/// Largest message that a device takes from its connector: the largest row, with room for what is around it.
pub const MAX_TO_AGENT: usize = 2 * 1024 * 1024;
