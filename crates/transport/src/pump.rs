//! What keeps a session's stream alive, the same at both ends: answers pings, sends its own, notices silence, and hands
//! on everything else.
//!
//! It never waits for one thing only: while the receiver is busy, pings are still answered, and while the other side
//! does not read, messages still come in.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use joinery_proto::v1;
use joinery_proto::v1::{agent_message, connector_message};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::{Closed, Timing};

/// Messages between the wire and whoever receives: a few, so that a slow receiver slows the wire and nothing grows.
pub(crate) const INBOX: usize = 4;

/// Messages between whoever sends and the wire. One: what is newer can still be decided until then.
pub(crate) const OUTBOX: usize = 1;

/// A message of one direction, as far as the pump must understand it.
pub(crate) trait Message: Sized + Send + 'static {
    fn ping(seq: u64) -> Self;
    fn pong(seq: u64) -> Self;
    fn heard(self) -> Heard<Self>;
}

pub(crate) enum Heard<M> {
    Ping(u64),
    /// A pong, or a kind that this version does not know: a sign of life and nothing else.
    Life,
    Message(M),
}

impl Message for v1::AgentMessage {
    fn ping(seq: u64) -> Self {
        Self { kind: Some(agent_message::Kind::Ping(v1::Ping { seq })) }
    }

    fn pong(seq: u64) -> Self {
        Self { kind: Some(agent_message::Kind::Pong(v1::Pong { seq })) }
    }

    fn heard(self) -> Heard<Self> {
        match self.kind {
            Some(agent_message::Kind::Ping(ping)) => Heard::Ping(ping.seq),
            Some(agent_message::Kind::Pong(_)) | None => Heard::Life,
            Some(_) => Heard::Message(self),
        }
    }
}

impl Message for v1::ConnectorMessage {
    fn ping(seq: u64) -> Self {
        Self { kind: Some(connector_message::Kind::Ping(v1::Ping { seq })) }
    }

    fn pong(seq: u64) -> Self {
        Self { kind: Some(connector_message::Kind::Pong(v1::Pong { seq })) }
    }

    fn heard(self) -> Heard<Self> {
        match self.kind {
            Some(connector_message::Kind::Ping(ping)) => Heard::Ping(ping.seq),
            Some(connector_message::Kind::Pong(_)) | None => Heard::Life,
            Some(_) => Heard::Message(self),
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone)]
pub(crate) enum Why {
    /// The other side ended the stream in order.
    Ended,
    /// The stream broke, or the other side said why it ends it.
    Broken(Status),
    /// Nothing was heard for too long.
    Stalled,
    /// The other side did not read for too long.
    Slow,
    /// The other side sent what cannot be.
    Malformed(&'static str),
    /// We are done, or the connection has to end.
    Done,
}

/// Whether a session is over, known to everything that has part in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Over {
    token: CancellationToken,
    why: Arc<OnceLock<Why>>,
}

impl Over {
    /// A session that is over, at the latest, when `token` is cancelled.
    pub(crate) fn within(token: &CancellationToken) -> Self {
        Self { token: token.child_token(), why: Arc::default() }
    }

    /// Ends the session. The first reason stays.
    pub(crate) fn end(&self, why: Why) {
        let _first_stays = self.why.set(why);
        self.token.cancel();
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) {
        self.token.cancelled().await;
    }

    pub(crate) fn why(&self) -> Why {
        self.why.get().cloned().unwrap_or(Why::Done)
    }
}

/// Where messages leave.
#[derive(Debug)]
pub(crate) struct Outlet<S> {
    pub(crate) out: mpsc::Sender<S>,
    pub(crate) over: Over,
    pub(crate) patience: Duration,
}

impl<S> Clone for Outlet<S> {
    fn clone(&self) -> Self {
        Self { out: self.out.clone(), over: self.over.clone(), patience: self.patience }
    }
}

impl<S: Send> Outlet<S> {
    /// Waits until the other side has room, but not longer than `patience`: then the session is over.
    pub(crate) async fn send(&self, message: S) -> Result<(), Closed> {
        let sending = timeout(self.patience, self.out.send(message));
        tokio::select! {
            biased;
            () = self.over.ended() => Err(Closed),
            sent = sending => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Closed),
                Err(_) => {
                    self.over.end(Why::Slow);
                    Err(Closed)
                }
            },
        }
    }
}

/// Moves messages of type `R` from the wire to `inbox`, and pings of type `S` to the wire.
pub(crate) struct Pump<R, S> {
    pub(crate) inbound: Streaming<R>,
    pub(crate) inbox: mpsc::Sender<R>,
    pub(crate) out: mpsc::Sender<S>,
    pub(crate) over: Over,
    pub(crate) ping_every: Duration,
    pub(crate) stall_after: Duration,
}

/// What happened next.
enum Event<R> {
    Heard(Result<Option<R>, Status>),
    Handed,
    Sent,
    PingDue,
    Silence,
    Gone,
    Over,
}

impl<R: Message, S: Message> Pump<R, S> {
    pub(crate) fn new(
        inbound: Streaming<R>,
        inbox: mpsc::Sender<R>,
        outlet: &Outlet<S>,
        timing: &Timing,
    ) -> Self {
        Self {
            inbound,
            inbox,
            out: outlet.out.clone(),
            over: outlet.over.clone(),
            ping_every: timing.ping_every,
            stall_after: timing.stall_after,
        }
    }

    /// Runs until the session is over. When it returns, the inbox is closed.
    pub(crate) async fn run(mut self) {
        let mut pings = interval_at(Instant::now() + self.ping_every, self.ping_every);
        let mut seq = 0_u64;
        let mut last_heard = Instant::now();
        // One of each at most: a later ping or pong says all that an earlier one would.
        let mut ping: Option<u64> = None;
        let mut pong: Option<u64> = None;
        let mut held: Option<R> = None;
        let why = loop {
            let event = tokio::select! {
                () = self.over.ended() => Event::Over,
                () = self.inbox.closed() => Event::Gone,
                heard = self.inbound.message(), if held.is_none() => Event::Heard(heard),
                Ok(room) = self.inbox.reserve(), if held.is_some() => {
                    if let Some(message) = held.take() {
                        room.send(message);
                    }
                    Event::Handed
                }
                Ok(room) = self.out.reserve(), if ping.is_some() || pong.is_some() => {
                    match pong.take() {
                        Some(seq) => room.send(S::pong(seq)),
                        None => if let Some(seq) = ping.take() { room.send(S::ping(seq)) },
                    }
                    Event::Sent
                }
                _ = pings.tick() => Event::PingDue,
                // While a message is held, nobody listens; that silence is ours.
                () = sleep_until(last_heard + self.stall_after), if held.is_none() => Event::Silence,
            };
            match event {
                Event::Heard(Ok(Some(message))) => {
                    last_heard = Instant::now();
                    match message.heard() {
                        Heard::Ping(seq) => pong = Some(seq),
                        Heard::Life => {}
                        Heard::Message(message) => held = Some(message),
                    }
                }
                Event::Heard(Ok(None)) => break Why::Ended,
                Event::Heard(Err(status)) => break Why::Broken(status),
                Event::Handed => last_heard = Instant::now(),
                Event::Sent => {}
                Event::PingDue => {
                    seq = seq.wrapping_add(1);
                    ping = Some(seq);
                }
                Event::Silence => break Why::Stalled,
                Event::Gone | Event::Over => break Why::Done,
            }
        };
        self.over.end(why);
    }
}
