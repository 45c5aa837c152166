//! Pop-ups on a desktop: a freedesktop notification with a Join button, for as long as the button is on.
//!
//! Shown when the button goes on, replaced in its place when the meeting changes and made urgent when it starts, closed
//! when the button goes off. A server that starts anew knows nothing of the former one's pop-ups: everything that should
//! be visible is shown again. Bus or server may come later than this agent.

mod bus;
mod note;
mod popups;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use joinery_agenda::{Entry, Shown, Transition, transitions};
use joinery_daemon::{Shutdown, write_durably};
use joinery_model::RowId;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::sleep;

use super::DriverStates;
use crate::board::Board;
use crate::config::DesktopConfig;
use crate::joiner::Joiner;
use bus::{Bus, FromBus};
use note::{Capabilities, DEFAULT_ACTION, JOIN_ACTION, failure, note};
use popups::{Kept, Popups};

/// The driver's name in `status`.
pub const NAME: &str = "desktop";

/// Where ids are kept for the next start.
const FILE: &str = "popups.json";

/// How long to wait for a bus or a server: at first, and at most. A server that appears tells by itself; this is for one
/// that was there and failed.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Failures to tell: one press at a time fails.
const FAILURES: usize = 4;

/// What the driver works with.
pub struct Desktop {
    /// `[driver.desktop]`.
    pub config: DesktopConfig,
    /// Address of the bus; `None`: the session's.
    pub bus_address: Option<String>,
    /// What should be visible.
    pub board: watch::Receiver<Arc<Board>>,
    /// Opens meetings.
    pub joiner: Joiner,
    /// Where this driver says how it is.
    pub states: DriverStates,
    /// Where ids are kept.
    pub state_dir: PathBuf,
}

/// Shows pop-ups until `stop`, then takes them away: without this agent their buttons do nothing.
pub async fn run(mut desktop: Desktop, stop: Shutdown) {
    let mut wait = FIRST_WAIT;
    let mut told = false;
    while !stop.is_triggered() {
        match Bus::connect(desktop.bus_address.as_deref()).await {
            Ok(bus) => {
                (wait, told) = (FIRST_WAIT, false);
                Session::new(&desktop, bus).await.run(&mut desktop, &stop).await;
            }
            Err(error) => {
                if !told {
                    tracing::warn!(%error, "There is no session bus; pop-ups wait for one");
                    told = true;
                }
                desktop.states.set(NAME, "waiting for a session bus");
            }
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// The time with one bus.
struct Session {
    bus: Bus,
    bus_id: String,
    /// `None`: no server answers.
    capabilities: Option<Capabilities>,
    popups: Popups,
    /// What the server was asked to show.
    shown: Shown,
    /// Pop-ups of a former run of this agent that nobody has claimed yet.
    left_over: Popups,
    file: PathBuf,
    failures: (mpsc::Sender<String>, mpsc::Receiver<String>),
}

impl Session {
    async fn new(desktop: &Desktop, bus: Bus) -> Self {
        let file = desktop.state_dir.join(FILE);
        let bus_id = bus.id().await;
        let kept = tokio::fs::read(&file).await.unwrap_or_default();
        let left_over = Kept::adopt(&kept, &bus_id, bus.server());
        Self {
            bus,
            bus_id,
            capabilities: None,
            popups: left_over.clone(),
            shown: Shown::default(),
            left_over,
            file,
            failures: mpsc::channel(FAILURES),
        }
    }

    /// Works until the bus is gone or `stop`.
    async fn run(mut self, desktop: &mut Desktop, stop: &Shutdown) {
        let mut elsewhere = desktop.joiner.joined_elsewhere();
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        let mut wait = FIRST_WAIT;
        loop {
            let goal = desktop.board.borrow_and_update().shown.clone();
            let server_answers = self.show(goal, desktop).await;
            if server_answers {
                wait = FIRST_WAIT;
            }
            tokio::select! {
                // A pop-up that is gone must not be replaced: what the server said comes before what it is asked.
                biased;
                told = self.bus.next() => match told {
                    FromBus::Lost => {
                        tracing::warn!("The session bus is gone; pop-ups wait for another");
                        return;
                    }
                    told => self.hear(told, desktop),
                },
                changed = desktop.board.changed() => if changed.is_err() { return },
                row = elsewhere.recv() => match row {
                    Ok(row) => self.hush(row).await,
                    // Some were missed: their pop-ups stay a while longer.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                Some(reason) = self.failures.1.recv() => self.tell_failure(&reason).await,
                () = sleep(wait), if !server_answers => wait = (wait * 2).min(LONGEST_WAIT),
                () = &mut stopped => {
                    self.take_everything_away().await;
                    return;
                }
            }
        }
    }

    /// Brings the server to show `goal`. False if it does not answer: then nothing counts as shown.
    async fn show(&mut self, goal: Shown, desktop: &Desktop) -> bool {
        if self.shown == goal && self.capabilities.is_some() {
            return true;
        }
        let capabilities = match self.capabilities {
            Some(capabilities) => capabilities,
            None => match self.bus.capabilities().await {
                Ok(capabilities) => capabilities,
                Err(error) => {
                    tracing::debug!(%error, "No notification server answers; pop-ups wait for one");
                    desktop.states.set(NAME, "waiting for a notification server");
                    return false;
                }
            },
        };
        self.capabilities = Some(capabilities);
        desktop
            .states
            .set(NAME, if capabilities.actions { "on" } else { "on, without buttons: the server has none" });
        match self.take_steps(&goal, desktop, capabilities).await {
            Ok(()) => {
                self.shown = goal;
                self.keep_ids().await;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "The notification server did not show a pop-up; it is tried again");
                desktop.states.set(NAME, "the notification server does not show pop-ups");
                // What it does show is found by its ids, so that nothing appears twice.
                self.shown = Shown::default();
                self.capabilities = None;
                false
            }
        }
    }

    async fn take_steps(
        &mut self,
        goal: &Shown,
        desktop: &Desktop,
        capabilities: Capabilities,
    ) -> zbus::Result<()> {
        for row in std::mem::take(&mut self.left_over).ids().into_keys() {
            if goal.entry(row).is_none()
                && let Some(id) = self.popups.forget(row)
            {
                self.bus.close(id).await;
            }
        }
        for step in transitions(&self.shown, goal) {
            match step {
                Transition::Hide(entry) => {
                    if let Some(id) = self.popups.forget(entry.id) {
                        self.bus.close(id).await;
                    }
                }
                Transition::Start(entry) => {
                    if desktop.config.urgent_at_start && !self.popups.is_quiet(entry.id) {
                        self.notify(&entry, desktop, capabilities).await?;
                    }
                }
                Transition::Show(entry) | Transition::Replace(entry) => {
                    self.notify(&entry, desktop, capabilities).await?;
                }
            }
        }
        Ok(())
    }

    async fn notify(
        &mut self,
        entry: &Entry,
        desktop: &Desktop,
        capabilities: Capabilities,
    ) -> zbus::Result<()> {
        let started = entry.start <= joinery_daemon::now();
        let note = note(entry, started, &desktop.config, capabilities, &TimeZone::system());
        let id = self.bus.notify(&note, self.popups.replaces(entry.id), true).await?;
        self.popups.shown(entry.id, id);
        Ok(())
    }

    /// What the server told.
    fn hear(&mut self, told: FromBus, desktop: &Desktop) {
        match told {
            FromBus::Token(id, token) => self.popups.keep_token(id, token),
            FromBus::Action(id, key) => self.press(id, &key, desktop),
            FromBus::Closed(id, reason) => {
                self.popups.closed(id, reason);
            }
            FromBus::ServerChanged => {
                // All ids are void: everything is shown again.
                self.popups = Popups::default();
                self.left_over = Popups::default();
                self.shown = Shown::default();
                self.capabilities = None;
            }
            FromBus::Lost => {}
        }
    }

    fn press(&mut self, id: u32, key: &str, desktop: &Desktop) {
        if key != JOIN_ACTION && key != DEFAULT_ACTION {
            return;
        }
        let Some((row, token)) = self.popups.pressed(id) else { return };
        // What the button leads to now, not what it led to when it was shown.
        let Some(entry) = desktop.board.borrow().shown.entry(row).cloned() else { return };
        let (joiner, failures) = (desktop.joiner.clone(), self.failures.0.clone());
        // By itself: opening may take seconds, and a cancelled meeting's pop-up must go meanwhile.
        tokio::spawn(async move {
            if let Err(error) = joiner.join(&entry, token.as_deref()).await {
                let _ = failures.try_send(error.to_string());
            }
        });
    }

    async fn hush(&mut self, row: RowId) {
        if let Some(id) = self.popups.hush(row) {
            self.bus.close(id).await;
            self.keep_ids().await;
        }
    }

    async fn tell_failure(&self, reason: &str) {
        if let Some(capabilities) = self.capabilities
            && let Err(error) = self.bus.notify(&failure(reason, capabilities), 0, false).await
        {
            tracing::debug!(%error, "That a meeting could not be opened was not shown");
        }
    }

    async fn take_everything_away(&mut self) {
        for (row, id) in self.popups.ids() {
            self.popups.forget(row);
            self.bus.close(id).await;
        }
        self.keep_ids().await;
    }

    /// Keeps the ids for the next start. A convenience: without them a pop-up may be there twice after a crash.
    async fn keep_ids(&self) {
        let server = self.bus.server().unwrap_or_default().to_owned();
        let kept = Kept { bus: self.bus_id.clone(), server, ids: self.popups.ids() };
        let (file, bytes) = (self.file.clone(), serde_json::to_vec(&kept).unwrap_or_default());
        let written = tokio::task::spawn_blocking(move || write_if_changed(&file, &bytes)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(%error, "The ids of pop-ups could not be kept");
        }
    }
}

fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<(), joinery_daemon::WriteError> {
    if std::fs::read(file).is_ok_and(|former| former == bytes) {
        return Ok(());
    }
    write_durably(file, bytes, 0o600)
}
