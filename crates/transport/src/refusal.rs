//! What a desk refuses, and how it travels: as a status with a stable code that the other side reads back.

use std::time::Duration;

use tonic::Code;

/// Why a session or a renewal is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The device was revoked, or was never here.
    #[error("this device is not registered any more; enroll it again")]
    Revoked,
    /// The certificate is another installation's.
    #[error("this device belongs to another Joinery installation; enroll it here")]
    OtherDeployment,
    /// The certificate has run out while the connection was open.
    #[error("this device's certificate has expired; enroll it again")]
    Expired,
    /// What was asked cannot be understood.
    #[error("the request is not one that this connector understands; update the agent")]
    BadRequest,
    /// Not now.
    #[error("the connector cannot answer now; the next attempt is made by itself")]
    Unavailable,
}

impl Refusal {
    /// Stable name of the case, on the wire and for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Revoked => "device-revoked",
            Self::OtherDeployment => "device-of-another-deployment",
            Self::Expired => "device-certificate-expired",
            Self::BadRequest => "request-bad",
            Self::Unavailable => "connector-unavailable",
        }
    }

    /// Whether the same call may succeed later by itself.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable => true,
            Self::Revoked | Self::OtherDeployment | Self::Expired | Self::BadRequest => false,
        }
    }

    pub(crate) fn grpc(self) -> Code {
        match self {
            Self::Revoked | Self::OtherDeployment => Code::PermissionDenied,
            Self::Expired => Code::Unauthenticated,
            Self::BadRequest => Code::InvalidArgument,
            Self::Unavailable => Code::Unavailable,
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [Self::Revoked, Self::OtherDeployment, Self::Expired, Self::BadRequest, Self::Unavailable]
            .into_iter()
            .find(|refusal| refusal.code() == code)
    }
}

/// Why an enrollment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrollRefusal {
    /// The proof was wrong. Also the answer for an invitation that is unknown, burned or over.
    #[error("the activation code is not right")]
    WrongCode,
    /// Too many tries from this address or altogether.
    #[error("too many enrollments are being tried; try again in {} s", retry_after.as_secs().max(1))]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// The invitation ended while it was being used.
    #[error("the invitation has ended; create a new one with `joinery-connector device invite`")]
    Gone,
    /// Another device has used the code.
    #[error(
        "the activation code was used by another device; create a new one with `joinery-connector device invite`"
    )]
    Used,
    /// What was asked cannot be understood.
    #[error("the request is not one that this connector understands; update the agent")]
    BadRequest,
    /// The device took too long.
    #[error("the device took too long; try again")]
    TimedOut,
    /// Not now.
    #[error("the connector cannot enroll devices now; look at its status, then try again")]
    Unavailable,
}

impl EnrollRefusal {
    /// Stable name of the case, on the wire and for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongCode => "enroll-code-wrong",
            Self::TooMany { .. } => "enroll-too-many",
            Self::Gone => "enroll-code-expired",
            Self::Used => "enroll-code-used",
            Self::BadRequest => "enroll-request-bad",
            Self::TimedOut => "enroll-timed-out",
            Self::Unavailable => "enroll-unavailable",
        }
    }

    /// Whether the same code may be tried again as it is.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::TooMany { .. } | Self::TimedOut | Self::Unavailable => true,
            Self::WrongCode | Self::Gone | Self::Used | Self::BadRequest => false,
        }
    }

    pub(crate) fn grpc(self) -> Code {
        match self {
            Self::WrongCode => Code::Unauthenticated,
            Self::TooMany { .. } => Code::ResourceExhausted,
            Self::Gone | Self::Used => Code::FailedPrecondition,
            Self::BadRequest => Code::InvalidArgument,
            Self::TimedOut => Code::DeadlineExceeded,
            Self::Unavailable => Code::Unavailable,
        }
    }

    pub(crate) fn from_code(code: &str, retry_after: Duration) -> Option<Self> {
        [
            Self::WrongCode,
            Self::TooMany { retry_after },
            Self::Gone,
            Self::Used,
            Self::BadRequest,
            Self::TimedOut,
            Self::Unavailable,
        ]
        .into_iter()
        .find(|refusal| refusal.code() == code)
    }
}
