//! HTTPS around the [`World`]: sockets, TLS, the clock and the random source; decides nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use hyper::body::{Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::error::TenantError;
use crate::world::{Incoming, Reply, World};

/// The world as everything that runs shares it.
pub type SharedWorld = Arc<Mutex<World>>;

/// Largest request body; Graph's own limit for JSON is of this size.
const MAX_BODY: usize = 4 << 20;

/// A client that has not said hello by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Between the first half of a page and the end of the connection: lets the half reach the client.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The world, for as long as the guard lives.
pub fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    // A panic elsewhere leaves a value that is still good to look at.
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fresh random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], TenantError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| TenantError::Random)?;
    Ok(bytes)
}

/// Serves until it is dropped, and its connections with it.
pub async fn serve(listener: TcpListener, tls: TlsAcceptor, world: SharedWorld) {
    let router = axum::Router::new().fallback(answer).with_state(world);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), router.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, router: axum::Router) {
    let _ = stream.set_nodelay(true);
    let stream = match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "A TLS handshake failed"),
        Err(_) => return tracing::debug!("A TLS handshake took too long"),
    };
    let service = TowerToHyperService::new(router);
    if let Err(error) =
        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "A connection ended early");
    }
}

async fn answer(State(world): State<SharedWorld>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Ok(seed) = random() else { return plain(StatusCode::INTERNAL_SERVER_ERROR) };
    let incoming = Incoming {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        seed,
    };
    let reply = lock(&world).answer(Timestamp::now(), &incoming);
    let running = Running { world, mailbox: reply.running.clone() };
    if let Some(delay) = reply.delay {
        tokio::time::sleep(delay).await;
    }
    drop(running);
    response(reply)
}

/// Ends the count of a running request also if the client goes away meanwhile.
struct Running {
    world: SharedWorld,
    mailbox: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mailbox) = &self.mailbox {
            lock(&self.world).finished(mailbox);
        }
    }
}

fn response(reply: Reply) -> Response {
    let mut response = plain(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Some(body) = &reply.body {
        let bytes = Bytes::from(body.to_string());
        let kind = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8";
        response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
        *response.body_mut() = if reply.cut { Body::new(CutBody::new(&bytes)) } else { Body::from(bytes) };
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Promises a whole body, gives half of it and breaks off.
struct CutBody {
    length: u64,
    half: Option<Bytes>,
    end: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl CutBody {
    fn new(whole: &Bytes) -> Self {
        let half = whole.slice(..whole.len() / 2);
        Self { length: u64::try_from(whole.len()).unwrap_or(u64::MAX), half: Some(half), end: None }
    }
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(BEFORE_CUT)));
        std::task::ready!(end.as_mut().poll(cx));
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
