//! What can go wrong on the wire.

use std::time::Duration;

use joinery_pki::PkiError;

use crate::{EnrollRefusal, Refusal};

/// The session is over; nothing more can be sent. Why is told at the receiving end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is over; it is opened again by itself")]
pub struct Closed;

impl Closed {
    /// Stable name of the case, for programs.
    pub fn code(&self) -> &'static str {
        "session-closed"
    }

    /// Always: a new session may be opened.
    pub fn is_retryable(&self) -> bool {
        true
    }
}

/// Why a connection, a session or a port does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connector's own certificate or key.
    #[error(
        "the server certificate cannot be used: {reason}; delete it so that a new one is made, or restore it"
    )]
    BadIdentity {
        /// What the TLS library says.
        reason: String,
    },
    /// The trust anchors.
    #[error("the trust anchors cannot be used: {reason}; enroll this device again")]
    BadAnchors {
        /// What the TLS library says.
        reason: String,
    },
    /// The device's own certificate or key.
    #[error("this device's certificate or key cannot be used: {reason}; enroll it again")]
    BadDevice {
        /// What the TLS library says.
        reason: String,
    },
    /// Not a host name or address.
    #[error("`{host}` is neither a host name nor an address; correct the connector's address")]
    BadHost {
        /// What was given.
        host: String,
    },
    /// Nobody answers there.
    #[error("{host}:{port} cannot be reached: {reason}")]
    Unreachable {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// What the system says.
        reason: String,
    },
    /// The connection ended.
    #[error("the connection to the connector was lost ({reason})")]
    Lost {
        /// What is known of it.
        reason: String,
    },
    /// Nothing was heard for too long.
    #[error("nothing was heard from the other side for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The server is not the one that this device trusts.
    #[error(
        "the server at {host} is not the connector that this device trusts: {reason}; check the address, or enroll again"
    )]
    ServerUntrusted {
        /// Host name or address.
        host: String,
        /// What the TLS library says.
        reason: String,
    },
    /// The right connector under a name that it does not know.
    #[error(
        "the connector's certificate does not name `{host}`; add it to server.names in the connector's configuration"
    )]
    ServerName {
        /// Host name or address.
        host: String,
    },
    /// The connector refuses.
    #[error(transparent)]
    Refused(Refusal),
    /// The connector refuses this device's certificate in the handshake.
    #[error("the connector does not accept this device's certificate ({alert}); enroll the device again")]
    CertificateRefused {
        /// Name of the TLS alert.
        alert: &'static str,
    },
    /// Too much is asked for now.
    #[error("the connector is busy; the next attempt is made by itself")]
    Busy,
    /// The other side does not keep to the protocol.
    #[error("the other side sent {what}; update both programs")]
    Protocol {
        /// What it sent.
        what: &'static str,
    },
    /// The system gives no randomness.
    #[error("the system gives no random numbers; the program cannot work without")]
    Randomness,
}

impl TransportError {
    /// Stable name of the case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadIdentity { .. } => "tls-bad-identity",
            Self::BadAnchors { .. } => "tls-bad-anchors",
            Self::BadDevice { .. } => "tls-bad-device-certificate",
            Self::BadHost { .. } => "connector-bad-host",
            Self::Unreachable { .. } => "connector-unreachable",
            Self::Lost { .. } => "connection-lost",
            Self::Stalled(_) => "connection-stalled",
            Self::ServerUntrusted { .. } => "server-untrusted",
            Self::ServerName { .. } => "server-name",
            Self::Refused(refusal) => refusal.code(),
            Self::CertificateRefused { .. } => "device-certificate-refused",
            Self::Busy => "connector-busy",
            Self::Protocol { .. } => "protocol",
            Self::Randomness => "no-randomness",
        }
    }

    /// Whether the same call may succeed soon by itself. Where not, retry rarely and show it: somebody must act.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Stalled(_) | Self::Busy => true,
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::BadIdentity { .. }
            | Self::BadAnchors { .. }
            | Self::BadDevice { .. }
            | Self::BadHost { .. }
            | Self::ServerUntrusted { .. }
            | Self::ServerName { .. }
            | Self::CertificateRefused { .. }
            | Self::Protocol { .. }
            | Self::Randomness => false,
        }
    }

    /// Whether the connector refuses this device: revoked, expired, another installation's.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::CertificateRefused { .. } => true,
            Self::Refused(refusal) => match refusal {
                Refusal::Revoked | Refusal::OtherDeployment | Refusal::Expired => true,
                Refusal::BadRequest | Refusal::Unavailable => false,
            },
            Self::BadIdentity { .. }
            | Self::BadAnchors { .. }
            | Self::BadDevice { .. }
            | Self::BadHost { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Stalled(_)
            | Self::ServerUntrusted { .. }
            | Self::ServerName { .. }
            | Self::Busy
            | Self::Protocol { .. }
            | Self::Randomness => false,
        }
    }
}

/// Why a device was not enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrollError {
    /// The connector found the proof wrong.
    #[error(
        "the activation code or the connector's address is wrong, or a proxy on the way opens TLS connections, which \
         enrollment does not allow; check both, or create a new code with `joinery-connector device invite`"
    )]
    WrongCode,
    /// Whoever answered does not know the code.
    #[error(
        "the server that answered could not prove that it knows the activation code; check the connector's address and \
         that no proxy on the way opens TLS connections"
    )]
    NotOurConnector,
    /// The connector refuses for another reason.
    #[error(transparent)]
    Refused(EnrollRefusal),
    /// The right connector under a name that its certificate lacks.
    #[error(
        "the connector accepted the code, but its certificate does not name `{host}`; add it to server.names in the \
         connector's configuration, restart it and enroll again with the same code"
    )]
    ServerName {
        /// Host name or address.
        host: String,
    },
    /// The connector's certificate does not come from its own authority.
    #[error(
        "the connector accepted the code, but its server certificate is not from its own authority: {reason}"
    )]
    ServerUntrusted {
        /// What the TLS library says.
        reason: String,
    },
    /// The wire failed.
    #[error(transparent)]
    Transport(TransportError),
}

impl EnrollError {
    /// Stable name of the case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongCode => "enroll-code-wrong",
            Self::NotOurConnector => "enroll-server-unproved",
            Self::Refused(refusal) => refusal.code(),
            Self::ServerName { .. } => "server-name",
            Self::ServerUntrusted { .. } => "server-untrusted",
            Self::Transport(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later as it is.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::WrongCode
            | Self::NotOurConnector
            | Self::ServerName { .. }
            | Self::ServerUntrusted { .. } => false,
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
        }
    }
}

impl From<TransportError> for EnrollError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<EnrollRefusal> for EnrollError {
    fn from(refusal: EnrollRefusal) -> Self {
        match refusal {
            EnrollRefusal::WrongCode => Self::WrongCode,
            EnrollRefusal::TooMany { .. }
            | EnrollRefusal::Gone
            | EnrollRefusal::Used
            | EnrollRefusal::BadRequest
            | EnrollRefusal::TimedOut
            | EnrollRefusal::Unavailable => Self::Refused(refusal),
        }
    }
}

impl From<PkiError> for TransportError {
    fn from(_: PkiError) -> Self {
        Self::Protocol { what: "something that is not part of the proof or no device certificate" }
    }
}
