//! Every duration of the wire, in one place, with its reason.

use std::time::Duration;

/// How long things may take. The default is what programs use; tests shorten it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// From connection to finished TLS handshake, on the connector.
    pub handshake: Duration,
    /// From stream to the agent's `Hello`.
    pub hello: Duration,
    /// Between pings inside the stream: they prove the session, not only TCP.
    pub ping_every: Duration,
    /// Nothing heard for this long: the session is dead. Two pings may be lost; NAT and firewalls cut at 300 s.
    pub stall_after: Duration,
    /// How long one message may wait for the other side to read.
    pub send: Duration,
    /// How long a device may take for its part of an enrollment.
    pub enrollment: Duration,
    /// From name to finished TLS handshake, on the agent.
    pub connect: Duration,
    /// How long the agent waits for a single answer.
    pub answer: Duration,
    /// HTTP/2 pings of the agent: interval and how long the answer may take.
    pub agent_keepalive: (Duration, Duration),
    /// HTTP/2 pings of the connector: interval and how long the answer may take.
    pub connector_keepalive: (Duration, Duration),
    /// Age at which the connector ends a connection, give or take a fifth: spreads load after a failover.
    pub connection_age: Duration,
    /// How long sessions have to say goodbye by themselves when the connector stops.
    pub farewell: Duration,
    /// How long a session or connection that was ended may take to be gone before it is cut: with the time for a goodbye
    /// less than a second, in which a revoked device must be out.
    pub drain: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            handshake: seconds(10),
            hello: seconds(10),
            ping_every: seconds(60),
            stall_after: seconds(150),
            send: seconds(30),
            enrollment: seconds(30),
            connect: seconds(10),
            answer: seconds(30),
            agent_keepalive: (seconds(30), seconds(10)),
            connector_keepalive: (seconds(60), seconds(20)),
            connection_age: seconds(12 * 3600),
            farewell: seconds(1),
            drain: Duration::from_millis(500),
        }
    }
}
