//! A session as the agent holds it.

use std::time::Duration;

use futures::stream;
use http::Uri;
use joinery_proto::v1;
use joinery_proto::v1::agent_message::Kind;
use joinery_proto::v1::session_client::SessionClient as Generated;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tonic::Status;

use super::dial::{Channel, dial, origin};
use crate::assembly::Assembly;
use crate::pump::{INBOX, OUTBOX, Outlet, Over, Pump, Why};
use crate::tls::{DeviceTls, TlsFault};
use crate::{Closed, FromAgent, Hello, MAX_TO_AGENT, RenewRequest, Renewed, Timing, ToAgent, TransportError};
use crate::{status, wire};

/// A connection to the connector's session port. Open until it and every link of it are dropped.
#[derive(Debug, Clone)]
pub struct SessionClient {
    channel: Channel,
    origin: Uri,
    timing: Timing,
}

/// Connects to the session port with the device's certificate.
///
/// In TLS 1.3 the connector's verdict on the certificate comes after this returns: a refusal is told by
/// [`SessionClient::open`] or the link.
///
/// # Errors
/// [`TransportError::Unreachable`], [`TransportError::ServerUntrusted`], [`TransportError::ServerName`];
/// [`TransportError::BadDevice`], [`TransportError::BadAnchors`], [`TransportError::BadHost`].
pub async fn connect(host: &str, port: u16, tls: &DeviceTls) -> Result<SessionClient, TransportError> {
    connect_timed(host, port, tls, Timing::default()).await
}

/// [`connect`] with other durations.
///
/// # Errors
/// As [`connect`].
pub async fn connect_timed(
    host: &str,
    port: u16,
    tls: &DeviceTls,
    timing: Timing,
) -> Result<SessionClient, TransportError> {
    // A TLS handshake is large; on the heap it does not make every future around it as large.
    let stream = Box::pin(dial(host, port, tls.config()?, &timing)).await?;
    let channel = Channel::over(stream, &timing).await?;
    Ok(SessionClient { channel, origin: origin(host, port)?, timing })
}

impl SessionClient {
    fn client(&self) -> Generated<Channel> {
        Generated::with_origin(self.channel.clone(), self.origin.clone())
            .max_decoding_message_size(MAX_TO_AGENT)
    }

    fn meaning(&self, status: &Status) -> TransportError {
        self.channel.fault().meaning().unwrap_or_else(|| status::session_error(status))
    }

    async fn answered<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, TransportError> {
        match timeout(self.timing.answer, call).await {
            Ok(outcome) => outcome.map_err(|status| self.meaning(&status)),
            Err(_) => Err(TransportError::Stalled(self.timing.answer)),
        }
    }

    /// Opens the session.
    ///
    /// # Errors
    /// [`TransportError::Refused`] and [`TransportError::CertificateRefused`] where the connector does not admit the
    /// device; [`TransportError::Lost`], [`TransportError::Stalled`].
    pub async fn open(&self, hello: Hello) -> Result<AgentLink, TransportError> {
        let (out, mut messages) = mpsc::channel(OUTBOX);
        let outlet = Outlet { out, over: Over::default(), patience: self.timing.send };
        let first = v1::AgentMessage { kind: Some(Kind::Hello(wire::to_hello(hello))) };
        // There is room: nothing was sent yet.
        outlet.send(first).await.map_err(|Closed| lost("it was never open"))?;
        let outgoing = stream::poll_fn(move |cx| messages.poll_recv(cx));
        let mut client = self.client();
        let inbound = self.answered(client.open(outgoing)).await?.into_inner();
        let (inbox, messages) = mpsc::channel(INBOX);
        let pump = tokio::spawn(Pump::new(inbound, inbox, &outlet, &self.timing).run());
        Ok(AgentLink {
            sender: AgentSender { outlet: outlet.clone() },
            receiver: AgentReceiver {
                inbox: messages,
                assembly: Assembly::default(),
                over: outlet.over,
                fault: self.channel.fault().clone(),
                stall_after: self.timing.stall_after,
                _pump: Pumping(pump.abort_handle()),
                _channel: self.channel.clone(),
            },
        })
    }

    /// Asks for a certificate for a new key.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn renew(&self, request: RenewRequest) -> Result<Renewed, TransportError> {
        let mut client = self.client();
        let response = self.answered(client.renew(wire::to_renew(request))).await?;
        Ok(wire::from_renewed(response.into_inner()))
    }
}

/// A session with the connector. Pings are answered and sent in the background. Dropping its receiving half ends it.
#[derive(Debug)]
pub struct AgentLink {
    sender: AgentSender,
    receiver: AgentReceiver,
}

/// The half that sends.
#[derive(Debug, Clone)]
pub struct AgentSender {
    outlet: Outlet<v1::AgentMessage>,
}

/// The half that receives.
#[derive(Debug)]
pub struct AgentReceiver {
    inbox: mpsc::Receiver<v1::ConnectorMessage>,
    assembly: Assembly,
    over: Over,
    fault: TlsFault,
    stall_after: Duration,
    _pump: Pumping,
    _channel: Channel,
}

/// The task behind a link; ends with it.
#[derive(Debug)]
struct Pumping(AbortHandle);

impl Drop for Pumping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl AgentLink {
    /// Sends; see [`AgentSender::send`].
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn send(&mut self, message: FromAgent) -> Result<(), Closed> {
        self.sender.send(message).await
    }

    /// Receives; see [`AgentReceiver::recv`].
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<ToAgent>, TransportError> {
        self.receiver.recv().await
    }

    /// Both halves, for two tasks or two branches of one.
    pub fn split(self) -> (AgentSender, AgentReceiver) {
        (self.sender, self.receiver)
    }
}

impl AgentSender {
    /// Sends, and waits while the connector does not read.
    ///
    /// # Errors
    /// [`Closed`] where the session is over; the receiving half tells why.
    pub async fn send(&self, message: FromAgent) -> Result<(), Closed> {
        self.outlet.send(wire::to_agent_message(message)).await
    }
}

impl AgentReceiver {
    /// The next message, whole. `None` when the connector ended the session in order: connect again. May be given up and
    /// called again without loss.
    ///
    /// # Errors
    /// [`TransportError::Lost`], [`TransportError::Stalled`] where the connection broke; [`TransportError::Refused`],
    /// [`TransportError::CertificateRefused`]; [`TransportError::Protocol`].
    pub async fn recv(&mut self) -> Result<Option<ToAgent>, TransportError> {
        while let Some(message) = self.inbox.recv().await {
            match self.assembly.take(message) {
                Ok(Some(whole)) => return Ok(Some(whole)),
                Ok(None) => {}
                Err(malformed) => {
                    self.over.end(Why::Malformed(malformed.0));
                    self.inbox.close();
                    return Err(TransportError::Protocol { what: malformed.0 });
                }
            }
        }
        match self.over.why() {
            Why::Ended | Why::Done => Ok(None),
            Why::Broken(status) => {
                Err(self.fault.meaning().unwrap_or_else(|| status::session_error(&status)))
            }
            Why::Stalled => Err(TransportError::Stalled(self.stall_after)),
            Why::Slow => Err(lost("the connector does not read")),
            Why::Malformed(what) => Err(TransportError::Protocol { what }),
        }
    }
}

fn lost(reason: &str) -> TransportError {
    TransportError::Lost { reason: reason.to_owned() }
}
