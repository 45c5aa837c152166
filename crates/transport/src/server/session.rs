//! The session port: a device certificate in the handshake, admission at accept and at every call, then the desk.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request as HttpRequest, Response as HttpResponse};
use hyper::body::Incoming;
use jiff::Timestamp;
use joinery_pki::{PeerName, peer_name};
use joinery_proto::v1;
use joinery_proto::v1::agent_message::Kind;
use joinery_proto::v1::session_server::{Session, SessionServer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tonic::{Request, Response, Status, Streaming};
use tower::Service;

use super::accept::accept;
use super::connection::{self, Handle, Phases};
use super::link::{ConnectorLink, Outgoing};
use crate::pump::{INBOX, OUTBOX, Outlet, Over, Pump, Why};
use crate::tls::SharedServerTls;
use crate::{Hello, MAX_FROM_AGENT, Refusal, RenewRequest, Renewed, Timing, TransportError, status, wire};

/// Every method of the session service. All are behind the same door: a device certificate, and the desk's admission.
pub const SESSION_METHODS: &[&str] = &["/joinery.v1.Session/Open", "/joinery.v1.Session/Renew"];

/// How long a refused device may take to ask and be told why.
const REFUSAL_AGE: Duration = Duration::from_secs(5);

/// Who may come, and what happens then.
#[async_trait]
pub trait SessionDesk: Send + Sync {
    /// Whether the device may come in. Asked when a connection is accepted and again at each call, so it should be
    /// answered from memory.
    async fn admit(&self, peer: &PeerName) -> Result<(), Refusal>;

    /// Runs a session until it ends: when `link` is closed, or when the desk returns. Messages that were sent before
    /// it returns still arrive.
    async fn open(&self, peer: PeerName, hello: Hello, link: ConnectorLink);

    /// A new certificate for a new key. Must be recorded before it is returned.
    async fn renew(&self, peer: PeerName, request: RenewRequest) -> Result<Renewed, Refusal>;
}

/// Serves sessions until `stop`, then lets them end: see [`Timing::farewell`] and [`Timing::drain`]. `anchors` are the
/// authorities that device certificates must come from, DER.
///
/// # Errors
/// [`TransportError::BadAnchors`], [`TransportError::BadIdentity`]; nothing once it serves.
pub async fn serve_sessions(
    listener: TcpListener,
    tls: SharedServerTls,
    anchors: &[Vec<u8>],
    desk: Arc<dyn SessionDesk>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), TransportError> {
    serve_sessions_timed(listener, tls, anchors, desk, stop, Timing::default()).await
}

/// [`serve_sessions`] with other durations.
///
/// # Errors
/// As [`serve_sessions`].
pub async fn serve_sessions_timed(
    listener: TcpListener,
    tls: SharedServerTls,
    anchors: &[Vec<u8>],
    desk: Arc<dyn SessionDesk>,
    stop: impl Future<Output = ()> + Send,
    timing: Timing,
) -> Result<(), TransportError> {
    let config = tls.session_config(anchors)?;
    let phases = Phases::default();
    let served = {
        let (phases, timing) = (phases.clone(), timing.clone());
        move |stream, _| welcome(stream, Arc::clone(&desk), phases.clone(), timing.clone())
    };
    accept(listener, config, None, &timing, phases, stop, served).await;
    Ok(())
}

/// Looks who came, asks for admission, and serves the connection or the refusal.
async fn welcome(stream: TlsStream<TcpStream>, desk: Arc<dyn SessionDesk>, phases: Phases, timing: Timing) {
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let peer = match certificate.map(|certificate| peer_name(certificate)) {
        Some(Ok(peer)) => peer,
        Some(Err(error)) => {
            tracing::warn!("A certificate of ours came that is no device's: {error}");
            return;
        }
        // The handshake does not let this happen.
        None => return,
    };
    let refused = desk.admit(&peer).await.err();
    if let Some(refusal) = refused {
        tracing::info!(device = %peer.device, code = refusal.code(), "A device was refused");
    }
    let handle = phases.handle();
    let age = match refused {
        Some(_) => REFUSAL_AGE,
        None => age(&peer, &timing),
    };
    let port = Port { desk: Arc::clone(&desk), peer, handle: handle.clone(), timing: timing.clone() };
    let service = Door {
        inner: SessionServer::new(port).max_decoding_message_size(MAX_FROM_AGENT),
        desk,
        peer,
        refused,
    };
    connection::serve(stream, service, &handle, &phases.closing, age, &timing).await;
}

/// How old the connection may get: [`Timing::connection_age`] give or take a fifth, but not older than the certificate.
fn age(peer: &PeerName, timing: &Timing) -> Duration {
    let mut dice = [0];
    // Without randomness all connections get the same age, which is no reason to refuse one.
    let factor = match getrandom::fill(&mut dice) {
        Ok(()) => 0.8 + 0.4 * f64::from(dice[0]) / 255.0,
        Err(_) => 1.0,
    };
    let left = peer.not_after.duration_since(Timestamp::now());
    let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
    timing.connection_age.mul_f64(factor).min(left)
}

/// What every call goes through, whatever it is.
#[derive(Clone)]
struct Door {
    inner: SessionServer<Port>,
    desk: Arc<dyn SessionDesk>,
    peer: PeerName,
    /// Said at accept; then nothing behind the door is reached.
    refused: Option<Refusal>,
}

impl Service<HttpRequest<Incoming>> for Door {
    type Response = HttpResponse<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Incoming>) -> Self::Future {
        let Self { mut inner, desk, peer, refused } = self.clone();
        Box::pin(async move {
            let refused = match refused {
                Some(refusal) => Some(refusal),
                None if peer.not_after < Timestamp::now() => Some(Refusal::Expired),
                None => desk.admit(&peer).await.err(),
            };
            match refused {
                Some(refusal) => Ok(Status::from(refusal).into_http()),
                None => inner.call(request).await,
            }
        })
    }
}

/// The service behind the door, of one connection.
struct Port {
    desk: Arc<dyn SessionDesk>,
    peer: PeerName,
    handle: Handle,
    timing: Timing,
}

#[async_trait]
impl Session for Port {
    type OpenStream = Outgoing<v1::ConnectorMessage>;

    async fn open(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let (out, messages) = mpsc::channel(OUTBOX);
        let (stream, end) = Outgoing::new(messages);
        let over = Over::within(&self.handle.leave);
        let session = Running {
            desk: Arc::clone(&self.desk),
            peer: self.peer,
            timing: self.timing.clone(),
            outlet: Outlet { out, over, patience: self.timing.send },
        };
        let handle = self.handle.clone();
        let inbound = request.into_inner();
        self.handle.tasks.spawn(async move {
            let whole = async {
                // Without a status the stream ends in order. Either way it may be gone already.
                match session.run(inbound).await {
                    Some(status) => drop(end.send(status)),
                    None => drop(end),
                }
                // The stream goes when its end was taken. Whoever does not read or speak is not waited for.
                if timeout(session.timing.drain, session.outlet.out.closed()).await.is_err() {
                    handle.cut.cancel();
                }
            };
            tokio::select! {
                () = whole => {}
                () = handle.cut.cancelled() => {}
            }
        });
        Ok(Response::new(stream))
    }

    async fn renew(&self, request: Request<v1::RenewRequest>) -> Result<Response<v1::RenewResponse>, Status> {
        let request = wire::from_renew(request.into_inner()).map_err(|what| status::protocol(what.0))?;
        let renewed = self.desk.renew(self.peer, request).await?;
        Ok(Response::new(wire::to_renewed(renewed)))
    }
}

/// One session.
struct Running {
    desk: Arc<dyn SessionDesk>,
    peer: PeerName,
    timing: Timing,
    outlet: Outlet<v1::ConnectorMessage>,
}

impl Running {
    /// From `Hello` to the end. Answers what the agent is told; `None` is an end in order.
    async fn run(&self, mut inbound: Streaming<v1::AgentMessage>) -> Option<Status> {
        let hello = match timeout(self.timing.hello, first(&mut inbound)).await {
            Ok(Ok(hello)) => hello,
            Ok(Err(status)) => return Some(status),
            Err(_) => return Some(status::stalled()),
        };
        let over = self.outlet.over.clone();
        let (inbox, messages) = mpsc::channel(INBOX);
        let pump = Pump::new(inbound, inbox, &self.outlet, &self.timing);
        let link = ConnectorLink::new(self.outlet.clone(), messages);
        let desk = async {
            self.desk.open(self.peer, hello, link).await;
            over.end(Why::Done);
        };
        tokio::join!(desk, pump.run());
        match over.why() {
            Why::Done | Why::Ended => None,
            Why::Broken(cause) => {
                tracing::debug!(device = %self.peer.device, "A session broke: {}", cause.message());
                None
            }
            Why::Stalled => Some(status::stalled()),
            Why::Slow => {
                tracing::info!(device = %self.peer.device, "A device did not read; its session is closed");
                Some(status::slow())
            }
            Why::Malformed(what) => {
                tracing::warn!(device = %self.peer.device, "A device sent {what}; its session is closed");
                Some(status::protocol(what))
            }
        }
    }
}

/// The agent's `Hello`; what this version does not know may come before it.
async fn first(inbound: &mut Streaming<v1::AgentMessage>) -> Result<Hello, Status> {
    while let Some(message) = inbound.message().await? {
        match message.kind {
            Some(Kind::Hello(hello)) => {
                return wire::from_hello(hello).map_err(|what| status::protocol(what.0));
            }
            Some(Kind::Ping(_) | Kind::Pong(_)) | None => {}
            Some(Kind::Ack(_) | Kind::Nack(_) | Kind::Report(_) | Kind::NeedGrant(_)) => {
                return Err(status::protocol("something before a hello"));
            }
        }
    }
    Err(Status::cancelled("the stream ended before a hello"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A method that is added to the service must be added to the list, whose tests then cover it.
    #[test]
    fn the_list_of_methods_is_complete() {
        let proto = include_str!("../../../../proto/joinery/v1/session.proto");
        let methods: Vec<String> = proto
            .lines()
            .filter_map(|line| line.trim().strip_prefix("rpc "))
            .filter_map(|rest| rest.split_once('('))
            .map(|(name, _)| format!("/joinery.v1.Session/{name}"))
            .collect();
        assert_eq!(methods, SESSION_METHODS);
    }

    #[test]
    fn a_connection_does_not_outlive_the_certificate() {
        let now = Timestamp::now();
        let peer = |left: i64| PeerName {
            deployment: joinery_model::DeploymentId::from_bytes([1; 16]),
            device: joinery_model::DeviceId::from_bytes([2; 16]),
            not_before: now,
            not_after: now + jiff::SignedDuration::from_secs(left),
        };
        let timing = Timing::default();
        let usual = age(&peer(30 * 86_400), &timing).as_secs_f64() / 3600.0;
        assert!((9.5..=14.5).contains(&usual), "{usual}");
        assert!(age(&peer(60), &timing) <= Duration::from_secs(60));
        assert_eq!(age(&peer(-60), &timing), Duration::ZERO);
    }
}
