//! The daemon: puts the parts together and keeps them running until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use joinery_daemon::control::{ControlError, Listener};
use joinery_daemon::{Shutdown, notify};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::board::Board;
use crate::config::Config;
use crate::control::{self, Agent};
use crate::drivers::{DriverStates, command, desktop};
use crate::holdings::View;
use crate::identity::{IdentityError, IdentityFolder};
use crate::joiner::Joiner;
use crate::listing::EventJson;
use crate::open::Opener;
use crate::schedule;
use crate::session::{LinkState, Session};

/// Events that a watcher may lag behind. A burst of changes, each told by two or three events, fits.
const EVENT_QUEUE: usize = 1024;

/// How long the parts have to come to their end.
const DRAIN: Duration = Duration::from_secs(5);

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another one runs.
    #[error("an agent is already running with the state folder {}; stop it, or give this one another [agent] state_dir", .0.display())]
    AlreadyRunning(std::path::PathBuf),
    /// Its socket cannot be made.
    #[error(transparent)]
    Control(ControlError),
    /// Its folder cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A part has ended by itself.
    #[error("a part of the agent has ended unexpectedly; start it again, and report this with its log")]
    Broken,
}

impl RunError {
    /// A stable name for logs and scripts.
    pub fn code(&self) -> &str {
        match self {
            Self::AlreadyRunning(_) => "already-running",
            Self::Control(error) => error.code(),
            Self::Identity(error) => error.code(),
            Self::Broken => "agent-broken",
        }
    }

    /// Whether starting again may help without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Broken => true,
            Self::AlreadyRunning(_) | Self::Control(_) | Self::Identity(_) => false,
        }
    }
}

/// Runs the agent until `stop`.
///
/// # Errors
/// When it cannot start, or a part of it fails in a way that it must not.
pub async fn run(config: Config, stop: Shutdown) -> Result<(), RunError> {
    install_crypto();
    let folder = IdentityFolder::new(&config.state_dir);
    folder.prepare()?;
    // First of all: while this is ours, nobody else touches the folder.
    let listener = Listener::bind(&config.socket()).map_err(|error| match error {
        ControlError::AlreadyRunning(_) => RunError::AlreadyRunning(config.state_dir.clone()),
        error => RunError::Control(error),
    })?;

    let views = watch::Sender::new(Arc::new(View::default()));
    let board = watch::Sender::new(Arc::new(Board::default()));
    let link = watch::Sender::new(Arc::new(LinkState::default()));
    let events: broadcast::Sender<Arc<EventJson>> = broadcast::channel(EVENT_QUEUE).0;
    let joiner = Joiner::new(Opener::new(config.opener.clone(), config.sip_opener.clone()), events.clone());
    let drivers = DriverStates::default();
    let agent = Agent {
        views: views.subscribe(),
        link: link.subscribe(),
        board: board.subscribe(),
        events: events.clone(),
        joiner: joiner.clone(),
        drivers: drivers.clone(),
        stop: stop.clone(),
    };

    let mut parts = JoinSet::new();
    let handler = move |request, answers, _peer| agent.clone().answer(request, answers);
    parts.spawn(listener.serve(handler, stop.clone()));
    parts.spawn(control::tell_connection(link.subscribe(), events.clone(), stop.clone()));
    // Without systemd's watchdog it ends at once, so it is none of the parts.
    tokio::spawn(notify::watchdog(stop.clone()));
    let mut names = Vec::new();
    if let Some(settings) = config.desktop {
        names.push(desktop::NAME.to_owned());
        let driver = desktop::Desktop {
            config: settings,
            bus_address: None,
            board: board.subscribe(),
            joiner,
            states: drivers.clone(),
            state_dir: config.state_dir.clone(),
        };
        parts.spawn(desktop::run(driver, stop.clone()));
    }
    if let Some(settings) = config.command {
        names.push(command::NAME.to_owned());
        parts.spawn(command::run(settings, board.subscribe(), drivers, stop.clone()));
    }
    let (seen, shown) = (views.subscribe(), board.subscribe());
    let session = Session::open(config.state_dir, views, link, shown, names);
    parts.spawn(schedule::run(seen, board, events, stop.clone()));
    parts.spawn(session.run(stop.clone()));
    notify::ready();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Agent started");

    supervise(parts, &stop).await
}

/// Waits for `stop`, then for the parts. A part that ends before has failed, and everything stops.
async fn supervise(mut parts: JoinSet<()>, stop: &Shutdown) -> Result<(), RunError> {
    let outcome = tokio::select! {
        ended = parts.join_next() => {
            if let Some(Err(error)) = ended {
                tracing::error!(%error, "A part of the agent has failed");
            }
            if stop.is_triggered() { Ok(()) } else { Err(RunError::Broken) }
        }
        () = stop.cancelled() => Ok(()),
    };
    stop.trigger();
    notify::stopping();
    let drained = timeout(DRAIN, async { while parts.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("A part of the agent did not stop in time; it was cut off");
    }
    outcome
}

/// TLS needs one implementation for the whole process; a program that runs several of these has installed it already.
pub(crate) fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
