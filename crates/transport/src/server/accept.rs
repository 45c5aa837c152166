//! Connections in: accepted, shaken hands with in time, counted, and ended in order when the port stops.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::Phases;
use crate::Timing;

/// Handshakes that may be under way at once. More wait in the kernel's queue: a crowd that comes back after a restart is
/// taken in turn, and whoever opens connections and says nothing holds a place for [`Timing::handshake`] at most.
const HANDSHAKES: usize = 256;

/// Pause after the system refused to accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How much a refused client may still send before its connection is closed over it.
const LINGER_BYTES: usize = 64 * 1024;

/// How long a refused client may take to read why.
const LINGER: Duration = Duration::from_secs(1);

/// How many connections one source may have.
#[derive(Debug, Clone)]
pub(crate) struct PerSource {
    limit: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place in [`PerSource`]; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    source: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl PerSource {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, counts: Arc::default() }
    }

    fn enter(&self, source: IpAddr) -> Option<Place> {
        let mut counts = self.counts.lock();
        let count = counts.entry(source).or_insert(0);
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place { source, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

/// Accepts until `stop`, gives each connection that finished its handshake to `serve`, then ends what is open: first
/// nothing new, after [`Timing::farewell`] sessions are told to leave, after [`Timing::drain`] they are dropped.
pub(crate) async fn accept<F, Served>(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    sources: Option<PerSource>,
    timing: &Timing,
    phases: Phases,
    stop: impl Future<Output = ()> + Send,
    serve: F,
) where
    F: Fn(TlsStream<TcpStream>, SocketAddr) -> Served + Clone + Send + 'static,
    Served: Future<Output = ()> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(config);
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let turn = Arc::clone(&handshakes).acquire_owned().await;
            (turn, listener.accept().await)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (turn, accepted) = next => {
                let (stream, remote) = match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!("A connection cannot be accepted: {error}");
                        sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                let place = match sources.as_ref().map(|sources| sources.enter(remote.ip())) {
                    Some(None) => {
                        tracing::debug!(source = %remote.ip(), "A source has too many connections; this one is closed");
                        continue;
                    }
                    Some(Some(place)) => Some(place),
                    None => None,
                };
                let (acceptor, serve, patience) = (acceptor.clone(), serve.clone(), timing.handshake);
                connections.spawn(async move {
                    let _place = place;
                    if let Some(stream) = handshake(&acceptor, stream, remote, patience, turn.ok()).await {
                        serve(stream, remote).await;
                    }
                });
            }
        }
    }
    drop(listener);
    phases.closing.cancel();
    let everything = async {
        while connections.join_next().await.is_some() {}
        phases.tasks.close();
        phases.tasks.wait().await;
    };
    let mut everything = std::pin::pin!(everything);
    if timeout(timing.farewell, &mut everything).await.is_ok() {
        return;
    }
    phases.leaving.cancel();
    if timeout(timing.drain, &mut everything).await.is_err() {
        phases.cut.cancel();
        tracing::debug!("Connections that did not end in time were dropped");
    }
}

/// Shakes hands within `patience`; `turn` is given back when that is done, either way.
async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    remote: SocketAddr,
    patience: Duration,
    turn: Option<OwnedSemaphorePermit>,
) -> Option<TlsStream<TcpStream>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(source = %remote.ip(), "A connection cannot be made prompt: {error}");
    }
    let outcome = timeout(patience, acceptor.accept(stream).into_fallible()).await;
    drop(turn);
    match outcome {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err((error, stream))) => {
            tracing::debug!(source = %remote.ip(), "A TLS handshake failed: {error}");
            let _in_vain = timeout(LINGER, linger(stream)).await;
            None
        }
        Err(_) => {
            tracing::debug!(source = %remote.ip(), "A TLS handshake took too long");
            None
        }
    }
}

/// Closes so that the alert arrives: a socket that is closed with unread bytes is reset, and the client would lose the
/// reason together with the connection.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    let mut seen = 0;
    while seen < LINGER_BYTES {
        match stream.read(&mut rest).await? {
            0 => break,
            read => seen += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_limit_and_gives_places_back() {
        let sources = PerSource::new(2);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = sources.enter(one);
        let second = sources.enter(one);
        assert!(first.is_some() && second.is_some() && sources.enter(one).is_none());
        assert!(sources.enter(other).is_some(), "others are not concerned");
        drop(first);
        assert!(sources.enter(one).is_some());
        drop(second);
        assert!(sources.counts.lock().is_empty(), "nothing is kept of who is gone");
    }
}
