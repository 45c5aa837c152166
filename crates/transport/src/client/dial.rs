//! From a host name to HTTP/2 over TLS.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tower::Service;

use crate::tls::{TlsFault, WatchedStream, bare, from_handshake, server_name};
use crate::{Timing, TransportError};

/// Bytes that may be on the way to a device: one part of a snapshot and the next.
const WINDOW: u32 = 512 * 1024;

/// A TCP connection with TLS, within [`Timing::connect`].
pub(crate) async fn dial(
    host: &str,
    port: u16,
    config: Arc<ClientConfig>,
    timing: &Timing,
) -> Result<TlsStream<TcpStream>, TransportError> {
    let name = server_name(host)?;
    let unreachable = |reason: String| TransportError::Unreachable { host: host.to_owned(), port, reason };
    let dialled = async {
        let stream =
            TcpStream::connect((bare(host), port)).await.map_err(|error| unreachable(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        let connector = TlsConnector::from(config);
        connector.connect(name, stream).await.map_err(|error| from_handshake(host, port, &error))
    };
    match timeout(timing.connect, dialled).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable(format!("no answer within {} s", timing.connect.as_secs()))),
    }
}

/// An HTTP/2 connection. It never reconnects by itself: what is proved about it stays true. Closed when the last clone
/// is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    requests: http2::SendRequest<Body>,
    fault: TlsFault,
    _driver: Arc<Driver>,
}

/// The task that drives the connection; ends with its owner.
#[derive(Debug)]
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Channel {
    pub(crate) async fn over(stream: TlsStream<TcpStream>, timing: &Timing) -> Result<Self, TransportError> {
        let (stream, fault) = WatchedStream::new(stream);
        let (interval, patience) = timing.agent_keepalive;
        let (requests, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(interval)
            .keep_alive_timeout(patience)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| TransportError::Lost { reason: error.to_string() })?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("The connection to the connector broke: {error}");
            }
        });
        Ok(Self { requests, fault, _driver: Arc::new(Driver(driver.abort_handle())) })
    }

    /// The alert that ended the connection, if one did.
    pub(crate) fn fault(&self) -> &TlsFault {
        &self.fault
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.requests.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request))
    }
}

/// What requests name as their destination.
pub(crate) fn origin(host: &str, port: u16) -> Result<Uri, TransportError> {
    let host = bare(host);
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Uri::builder()
        .scheme("https")
        .authority(authority)
        .path_and_query("/")
        .build()
        .map_err(|_| TransportError::BadHost { host: host.to_owned() })
}
