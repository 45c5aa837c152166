//! The sync loop: takes every "mailbox M may have changed", reads the mailbox when its turn comes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use joinery_calendar_sync::Backoff;
use joinery_model::MailboxId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::round::{self, RoundError};
use super::schedule::Schedule;
use crate::app::App;
use crate::roster::Mailbox;

/// Mailboxes read at once. Graph allows four requests at a time for each mailbox; a round makes one at a time, so this
/// bounds memory and the tenant's share, not the mailbox.
const AT_ONCE: usize = 16;

/// Nudges wait here while the loop is busy; a nudge for a mailbox that has one waiting is not lost but merged by the
/// schedule, so this only needs to cover a burst.
const QUEUE: usize = 1024;

/// Retries of a mailbox that cannot be read by itself come no closer than this: an administrator has to act first.
const SLOW_RETRY: Duration = Duration::from_secs(15 * 60);

/// Something that the loop reacts to.
#[derive(Debug)]
enum Input {
    Add(MailboxId),
    Nudge(MailboxId),
    Remove(MailboxId),
    Finished(MailboxId, Duration),
    Due,
    Stop,
}

/// The one way in: everything that may have changed a mailbox ends in a call here.
#[derive(Debug, Clone)]
pub struct SyncHandle {
    inputs: mpsc::Sender<Input>,
}

impl SyncHandle {
    /// A new mailbox: read it now.
    pub async fn add(&self, mailbox: MailboxId) {
        self.send(Input::Add(mailbox)).await;
    }

    /// The mailbox may have changed.
    pub async fn may_have_changed(&self, mailbox: MailboxId) {
        self.send(Input::Nudge(mailbox)).await;
    }

    /// The mailbox is gone.
    pub async fn remove(&self, mailbox: MailboxId) {
        self.send(Input::Remove(mailbox)).await;
    }

    async fn send(&self, input: Input) {
        if self.inputs.send(input).await.is_err() {
            tracing::debug!("The sync loop has ended; the next start reads every mailbox anyway");
        }
    }
}

/// The loop's other end, run by [`run`].
pub struct SyncLoop {
    inputs: mpsc::Receiver<Input>,
}

/// A handle and the loop that it feeds.
pub fn channel() -> (SyncHandle, SyncLoop) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (SyncHandle { inputs: sender }, SyncLoop { inputs: receiver })
}

/// Runs until `stop`; rounds that are under way are ended, which loses nothing: they commit whole or not at all.
pub async fn run(app: Arc<App>, mut sync: SyncLoop, stop: joinery_daemon::Shutdown) {
    let mut schedule = Schedule::new(AT_ONCE);
    for mailbox in app.roster.all() {
        schedule.add(mailbox.id(), Instant::now());
    }
    let mut rounds: JoinSet<(MailboxId, Duration)> = JoinSet::new();
    loop {
        while let Some(id) = schedule.start(Instant::now()) {
            let app = Arc::clone(&app);
            rounds.spawn(async move { (id, one(&app, id).await) });
        }
        let wake = schedule.next_wake();
        let input = tokio::select! {
            () = stop.cancelled() => Input::Stop,
            Some(input) = sync.inputs.recv() => input,
            Some(finished) = rounds.join_next(), if !rounds.is_empty() => match finished {
                Ok((id, pause)) => Input::Finished(id, pause),
                Err(error) => {
                    tracing::error!("A round ended abnormally: {error}");
                    Input::Due
                }
            },
            () = sleep_until(wake) => Input::Due,
        };
        match input {
            Input::Add(id) => schedule.add(id, Instant::now()),
            Input::Nudge(id) => schedule.nudge(id, Instant::now()),
            Input::Remove(id) => schedule.remove(id),
            Input::Finished(id, pause) => {
                let now = Instant::now();
                schedule.finished(id, now, now + pause);
            }
            Input::Due => {}
            Input::Stop => break,
        }
    }
    rounds.shutdown().await;
}

/// One round; answers how long to wait before the next.
async fn one(app: &App, id: MailboxId) -> Duration {
    let poll = app.config.sync.poll_interval;
    let Some(mailbox) = app.roster.by_id(id) else { return poll };
    let anew = mailbox.take_resync();
    // A fault that one calendar brings out must not be the last that is heard of it.
    let round = AssertUnwindSafe(round::read(app, &mailbox, anew)).catch_unwind().await;
    let error = match round.unwrap_or(Err(RoundError::Fault)) {
        Ok(report) => {
            let before = mailbox.progress();
            if before.last_round.is_none() || before.problem.is_some() || report.changed > 0 {
                tracing::info!(
                    mailbox = %id,
                    meetings = report.meetings,
                    changed = report.changed,
                    skipped = report.skipped,
                    revision = mailbox.revision().0,
                    "Calendar read"
                );
            }
            mailbox.succeeded(joinery_daemon::now(), report.meetings, report.skipped);
            return poll;
        }
        Err(RoundError::Removed) => return poll,
        Err(error) => error,
    };
    if anew {
        mailbox.ask_for_resync();
    }
    pause_after(app, &mailbox, &error)
}

fn pause_after(app: &App, mailbox: &Mailbox, error: &RoundError) -> Duration {
    let failures = mailbox.failed(joinery_daemon::now(), error.code(), error.to_string());
    tracing::warn!(mailbox = %mailbox.id(), code = error.code(), failures, "Calendar not read: {error}");
    let jitter = joinery_daemon::random_unit();
    if error.needs_operator() {
        // Seldom, though soon enough for an operator who has just acted and waits for it.
        return SLOW_RETRY.mul_f64(0.5 + jitter / 2.0).min(app.config.sync.poll_interval * 10);
    }
    Backoff::GRAPH.retry_in(failures.saturating_sub(1), jitter, error.retry_after())
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
