//! The Joinery connector: reads calendars, finds join targets, seals, stores, pushes.
//!
//! `main` is the command line ([`cli`]); the daemon itself is [`run`], which tests call as well.

pub mod cli;
pub mod config;

mod app;
mod ingest;
mod keyring;
mod records;
mod registry;
mod roster;
mod services;
#[cfg(test)]
mod testing;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use joinery_daemon::control::{Answers, Listener, Peer, Refusal};
use joinery_daemon::{Shutdown, notify};
use joinery_transport::{GoodbyeReason, SharedServerTls};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use app::{App, Listening};
use config::Config;
use services::admin::{self, AdminRequest};
use services::{enrollment::Desk, session::Sessions};
use workers::{certificate, last_seen, retention, sync};

/// How long sessions and calls may take to end after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// The daemon, until `stop`.
///
/// # Errors
/// One sentence that says what cannot be opened and what to do.
pub async fn run(config: Config, stop: Shutdown) -> Result<()> {
    let socket = Listener::bind(&config.admin.socket)?;
    let (handle, sync_loop) = sync::channel();
    let app = Arc::new(App::open(config, handle).await?);
    if app.config.admin.console.is_some() {
        tracing::warn!(
            "admin.listen is set, but this version has no console in the browser; use the command line"
        );
    }
    if !app.config.keywords.is_empty() {
        tracing::warn!("[keywords] is set, but this version does not write join details into meetings");
    }
    let tls = SharedServerTls::new(certificate::current(&app).await?)?;
    let sessions = listen(app.config.server.listen, "server.listen").await?;
    let enrollment = listen(app.config.server.enrollment_listen, "server.enrollment_listen").await?;
    let listening = Listening { sessions: sessions.local_addr()?, enrollment: enrollment.local_addr()? };
    app.opened(listening);

    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    let desk = Arc::new(Desk::new(Arc::clone(&app), listening.sessions.port()));
    let session_desk = Arc::new(Sessions::new(Arc::clone(&app)));
    let anchors = vec![app.authority.certificate().to_vec()];
    let (session_tls, enrollment_tls) = (tls.clone(), tls.clone());
    let (session_stop, enrollment_stop) = (stop.cancelled(), stop.cancelled());
    tasks.spawn(async move {
        joinery_transport::serve_sessions(sessions, session_tls, &anchors, session_desk, session_stop)
            .await?;
        Ok(())
    });
    tasks.spawn(async move {
        joinery_transport::serve_enrollment(enrollment, enrollment_tls, desk, enrollment_stop).await?;
        Ok(())
    });
    let admin_app = Arc::clone(&app);
    let admin_stop = stop.clone();
    tasks.spawn(async move {
        let handler = move |request, answers, peer| call(Arc::clone(&admin_app), request, answers, peer);
        socket.serve(handler, admin_stop).await;
        Ok(())
    });
    let (worker_app, worker_stop) = (Arc::clone(&app), stop.clone());
    tasks.spawn(async move {
        sync::run(worker_app, sync_loop, worker_stop).await;
        Ok(())
    });
    let (worker_app, worker_stop) = (Arc::clone(&app), stop.clone());
    tasks.spawn(async move {
        last_seen::run(worker_app, worker_stop).await;
        Ok(())
    });
    let (worker_app, worker_stop) = (Arc::clone(&app), stop.clone());
    tasks.spawn(async move {
        retention::run(worker_app, worker_stop).await;
        Ok(())
    });
    let (worker_app, worker_stop) = (Arc::clone(&app), stop.clone());
    tasks.spawn(async move {
        certificate::run(worker_app, tls, worker_stop).await;
        Ok(())
    });
    let watchdog_stop = stop.clone();
    tasks.spawn(async move {
        // Ends at once where no watchdog is set.
        notify::watchdog(watchdog_stop.clone()).await;
        watchdog_stop.cancelled().await;
        Ok(())
    });

    tracing::info!(sessions = %listening.sessions, enrollment = %listening.enrollment, "Connector ready");
    notify::ready();
    let ended = until_stop(&mut tasks, &stop).await;
    notify::stopping();
    app.registry.dismiss_all(GoodbyeReason::Shutdown);
    stop.trigger();
    drain(tasks).await;
    last_seen::keep(&app).await;
    tracing::info!("Connector stopped");
    ended
}

async fn listen(address: std::net::SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{key} {address} cannot be listened on; choose another port or stop what uses it")
    })
}

/// One call of the command line.
async fn call(
    app: Arc<App>,
    request: serde_json::Value,
    answers: Answers,
    _peer: Peer,
) -> Result<(), Refusal> {
    let request: AdminRequest = serde_json::from_value(request).map_err(|_| {
        Refusal::wrong_call("request", "the daemon does not know this command; are both of the same version?")
    })?;
    let answer = admin::answer(&app, request).await.map_err(Refusal::from)?;
    answers.send(&answer).await?;
    Ok(())
}

/// Waits for the stop, or for a task that ends by itself, which none does while all is well.
async fn until_stop(tasks: &mut JoinSet<Result<()>>, stop: &Shutdown) -> Result<()> {
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => match ended {
            Ok(result) if stop.is_triggered() => result,
            Ok(Ok(())) => Err(anyhow::anyhow!("a part of the connector ended by itself")),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(anyhow::anyhow!("a part of the connector ended abnormally: {error}")),
        },
    }
}

async fn drain(mut tasks: JoinSet<Result<()>>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!("Something did not end in time and is cut off; nothing that was acknowledged is lost");
    }
    tasks.shutdown().await;
}
