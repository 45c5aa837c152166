//! Why the tenant could not do what a test asked of it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::refusal::Refusal;

/// Why the tenant could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The socket could not be opened.
    #[error("the simulated tenant cannot listen on {0}: {1}; choose another address")]
    Listen(SocketAddr, std::io::Error),
    /// No certificate could be made.
    #[error("the certificate of the simulated tenant cannot be made: {0}; check the names given for it")]
    Certificate(String),
    /// The state directory could not be written.
    #[error("{} cannot be written: {source}; choose another state directory", path.display())]
    State {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system's random source does not answer")]
    Random,
    /// There is no such mailbox.
    #[error("the simulated tenant has no such mailbox; add it first")]
    UnknownMailbox,
    /// Graph's rules forbid it.
    #[error("the simulated tenant refuses: {code}: {message}")]
    Refused {
        /// Graph's code.
        code: String,
        /// Graph's text.
        message: String,
    },
}

impl TenantError {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen(..) => "tenant-listen",
            Self::Certificate(_) => "tenant-certificate",
            Self::State { .. } => "tenant-state",
            Self::Random => "tenant-random",
            Self::UnknownMailbox => "tenant-unknown-mailbox",
            Self::Refused { .. } => "tenant-refused",
        }
    }
}

impl From<Refusal> for TenantError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, message: refusal.message }
    }
}
