//! What TLS says when it fails, kept where HTTP/2 would lose it.
//!
//! In TLS 1.3 a client has finished its handshake before the server has looked at the client's certificate. A refusal
//! comes later, as an alert in the middle of reading, and HTTP/2 turns it into "connection broken". So the stream below
//! it remembers the alert.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use rustls::{AlertDescription, CertificateError, Error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Refusal, TransportError};

/// The alert that ended a connection, once one did.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsFault(Arc<OnceLock<Error>>);

impl TlsFault {
    /// What the alert means; `None` where the connection did not end by one.
    pub(crate) fn meaning(&self) -> Option<TransportError> {
        self.0.get().and_then(refused)
    }
}

/// A TLS stream that remembers its alert.
#[derive(Debug)]
pub(crate) struct WatchedStream<S> {
    stream: S,
    fault: TlsFault,
}

impl<S> WatchedStream<S> {
    pub(crate) fn new(stream: S) -> (Self, TlsFault) {
        let fault = TlsFault::default();
        (Self { stream, fault: fault.clone() }, fault)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if let Some(fault) = read.as_ref().err().and_then(tls_error) {
            // The first one is the cause.
            let _already_known = self.fault.0.set(fault.clone());
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What a failed handshake with `host` means to a client.
pub(crate) fn from_handshake(host: &str, port: u16, error: &io::Error) -> TransportError {
    let Some(fault) = tls_error(error) else {
        return TransportError::Unreachable { host: host.to_owned(), port, reason: error.to_string() };
    };
    match fault {
        Error::InvalidCertificate(CertificateError::NotValidForName)
        | Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }) => {
            TransportError::ServerName { host: host.to_owned() }
        }
        Error::InvalidCertificate(problem) => {
            TransportError::ServerUntrusted { host: host.to_owned(), reason: problem.to_string() }
        }
        other => refused(other).unwrap_or_else(|| TransportError::Unreachable {
            host: host.to_owned(),
            port,
            reason: format!("{other}; is it the port of a connector?"),
        }),
    }
}

/// What a server's alert about a client's certificate means.
fn refused(error: &Error) -> Option<TransportError> {
    let Error::AlertReceived(alert) = error else { return None };
    let alert = match alert {
        AlertDescription::CertificateExpired => return Some(TransportError::Refused(Refusal::Expired)),
        AlertDescription::CertificateRevoked => return Some(TransportError::Refused(Refusal::Revoked)),
        AlertDescription::UnknownCA => return Some(TransportError::Refused(Refusal::OtherDeployment)),
        AlertDescription::CertificateRequired => "certificate required",
        AlertDescription::BadCertificate => "bad certificate",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateUnknown => "certificate unknown",
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::DecryptError => "signature wrong",
        // Everything else is about the connection, not about who we are.
        _ => return None,
    };
    Some(TransportError::CertificateRefused { alert })
}
