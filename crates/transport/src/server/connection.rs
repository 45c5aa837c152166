//! One accepted connection: HTTP/2 over TLS, with an age, and an end that is decided here.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::Timing;

/// A device has one session and asks for a renewal now and then.
const MAX_STREAMS: u32 = 8;

/// Bytes that a stream may have on the way to us; agents say little.
const STREAM_WINDOW: u32 = 256 * 1024;

/// Bytes that a connection may have on the way to us.
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// Bytes that wait here for a device that does not read.
const SEND_BUFFER: usize = 256 * 1024;

/// Bytes of headers; gRPC needs some hundreds.
const HEADERS: u32 = 8 * 1024;

/// The phases that a port goes through when it stops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phases {
    /// No new streams; those that run may end by themselves.
    pub(crate) closing: CancellationToken,
    /// Sessions end now.
    pub(crate) leaving: CancellationToken,
    /// What is still there is dropped.
    pub(crate) cut: CancellationToken,
    /// Sessions and enrollments that run.
    pub(crate) tasks: TaskTracker,
}

/// What a session can do to the connection that it runs on.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    /// Cancelled when the session is to end.
    pub(crate) leave: CancellationToken,
    /// Cancel it to drop the connection.
    pub(crate) cut: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Phases {
    pub(crate) fn handle(&self) -> Handle {
        Handle { leave: self.leaving.child_token(), cut: self.cut.child_token(), tasks: self.tasks.clone() }
    }
}

/// Serves `service` on one connection until it ends, is `age` old, or the port stops.
pub(crate) async fn serve<S>(
    stream: TlsStream<TcpStream>,
    service: S,
    handle: &Handle,
    closing: &CancellationToken,
    age: Duration,
    timing: &Timing,
) where
    S: Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (interval, patience) = timing.connector_keepalive;
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(interval)
        .keep_alive_timeout(patience)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let old = Instant::now() + age;
    let (mut asked, mut aged) = (false, false);
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!("A connection broke: {error}");
                }
                return;
            }
            () = handle.cut.cancelled() => return,
            () = closing.cancelled(), if !asked => {
                asked = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(old), if !aged => {
                aged = true;
                handle.leave.cancel();
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(old + timing.drain), if aged => return,
        }
    }
}
