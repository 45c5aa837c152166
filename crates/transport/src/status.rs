//! Refusals and failures as gRPC statuses, and back. Each carries its stable code in the metadata.

use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::{EnrollError, EnrollRefusal, Refusal, TransportError};

const CODE: &str = "joinery-code";
const RETRY_AFTER: &str = "joinery-retry-after-s";

/// What a peer is told that does not keep to the protocol.
pub(crate) fn protocol(what: &'static str) -> Status {
    coded(Code::InvalidArgument, format!("the message is {what}"), Refusal::BadRequest.code())
}

/// What a peer is told that does not read.
pub(crate) fn slow() -> Status {
    coded(
        Code::ResourceExhausted,
        "the session is closed because nothing was read".to_owned(),
        "session-slow",
    )
}

/// What a peer is told that has not been heard for too long.
pub(crate) fn stalled() -> Status {
    coded(Code::Unavailable, "the session is closed because nothing was heard".to_owned(), "session-stalled")
}

fn coded(grpc: Code, message: String, code: &'static str) -> Status {
    let mut status = Status::new(grpc, message);
    status.metadata_mut().insert(CODE, MetadataValue::from_static(code));
    status
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        coded(refusal.grpc(), refusal.to_string(), refusal.code())
    }
}

impl From<EnrollRefusal> for Status {
    fn from(refusal: EnrollRefusal) -> Self {
        let mut status = coded(refusal.grpc(), refusal.to_string(), refusal.code());
        if let EnrollRefusal::TooMany { retry_after } = refusal {
            let seconds = MetadataValue::from(retry_after.as_secs().max(1));
            status.metadata_mut().insert(RETRY_AFTER, seconds);
        }
        status
    }
}

fn code_of(status: &Status) -> Option<&str> {
    status.metadata().get(CODE).and_then(|value| value.to_str().ok())
}

/// What a session's status means to the agent. The text is the library's or the connector's and holds no secrets.
pub(crate) fn session_error(status: &Status) -> TransportError {
    if let Some(refusal) = code_of(status).and_then(Refusal::from_code) {
        return TransportError::Refused(refusal);
    }
    match status.code() {
        Code::PermissionDenied => TransportError::Refused(Refusal::Revoked),
        Code::Unauthenticated => TransportError::CertificateRefused { alert: "unauthenticated" },
        Code::ResourceExhausted => TransportError::Busy,
        Code::OutOfRange => TransportError::Protocol { what: "a message that is too large" },
        Code::InvalidArgument | Code::Unimplemented => TransportError::Refused(Refusal::BadRequest),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => TransportError::Lost { reason: status.message().to_owned() },
    }
}

/// What an enrollment's status means to the device.
pub(crate) fn enroll_error(status: &Status) -> EnrollError {
    let seconds = status.metadata().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(60));
    match code_of(status).and_then(|code| EnrollRefusal::from_code(code, retry_after)) {
        Some(refusal) => refusal.into(),
        None => session_error(status).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_survives_the_wire() {
        let session = [Refusal::Revoked, Refusal::OtherDeployment, Refusal::Expired, Refusal::BadRequest];
        for refusal in session.into_iter().chain([Refusal::Unavailable]) {
            assert_eq!(session_error(&refusal.into()), TransportError::Refused(refusal));
        }
        let retry_after = Duration::from_secs(17);
        let enroll = [EnrollRefusal::TooMany { retry_after }, EnrollRefusal::Gone, EnrollRefusal::Used];
        let others = [EnrollRefusal::BadRequest, EnrollRefusal::TimedOut, EnrollRefusal::Unavailable];
        for refusal in enroll.into_iter().chain(others) {
            assert_eq!(enroll_error(&refusal.into()), EnrollError::Refused(refusal));
        }
        assert_eq!(enroll_error(&EnrollRefusal::WrongCode.into()), EnrollError::WrongCode);
    }

    #[test]
    fn statuses_without_a_code_keep_their_meaning() {
        let check = |status: Status, want: &str, retryable: bool| {
            let error = session_error(&status);
            assert_eq!((error.code(), error.is_retryable()), (want, retryable), "{status:?}");
        };
        check(Status::permission_denied(""), "device-revoked", false);
        check(Status::unauthenticated(""), "device-certificate-refused", false);
        check(Status::unavailable(""), "connection-lost", true);
        check(Status::resource_exhausted(""), "connector-busy", true);
        check(slow(), "connector-busy", true);
        check(stalled(), "connection-lost", true);
        check(protocol("odd"), "request-bad", false);
    }
}
