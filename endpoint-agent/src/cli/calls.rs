//! What each command does. Asks the daemon; `meetings`, `status` and `join` look for themselves when none runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use jiff::tz::TimeZone;
use joinery_daemon::control::{Client, ControlError};
use joinery_daemon::now;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};

use super::Failure;
use super::text;
use crate::board::Board;
use crate::choice::choose;
use crate::config::Config;
use crate::control::{self, Request};
use crate::enroll::{Invitation, enroll as enroll_device};
use crate::holdings::View;
use crate::joiner::Joiner;
use crate::listing::{Connection, EventJson, MeetingJson, MeetingsJson};
use crate::open::Opener;
use crate::session::{LinkState, Session};
use crate::status::StatusJson;

/// Enrolls this device.
pub(super) async fn enroll(
    config: &Config,
    invitation: &Invitation,
    name: &str,
    again: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let identity = enroll_device(&config.state_dir, invitation, name, again).await.map_err(Failure::met)?;
    writeln!(out, "Enrolled as device {}, called {name}.", identity.device)?;
    if Client::call(&config.socket(), &Request::Status).await.is_err() {
        writeln!(out, "Start the agent to see its meetings: joinery-agent run")?;
    }
    Ok(())
}

/// Prints the list.
pub(super) async fn meetings(config: &Config, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let list: MeetingsJson = match ask(config, &Request::Meetings).await? {
        Some(list) => list,
        None => {
            let (view, link) = look(config);
            if link.enrolled.is_none() {
                return Err(not_usable(&link));
            }
            control::meetings(&view, Connection::Offline)
        }
    };
    if json {
        print(out, &list)
    } else {
        Ok(write!(out, "{}", text::meetings(&list, now(), &TimeZone::system()))?)
    }
}

/// Prints how the agent is. Without a daemon, what can be seen from outside, and that it does not run.
pub(super) async fn status(config: &Config, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let status: StatusJson = match ask(config, &Request::Status).await? {
        Some(status) => status,
        None => {
            let (view, link) = look(config);
            StatusJson::of(false, &link, &view, &Board::at(&view, now()), BTreeMap::new())
        }
    };
    if json {
        print(out, &status)?;
    } else {
        write!(out, "{}", text::status(&status, &TimeZone::system()))?;
    }
    if status.running {
        return Ok(());
    }
    Err(Failure::met("the agent does not run; start it with `joinery-agent run`, or its service"))
}

/// Prints what happens, until it is stopped or the daemon ends.
pub(super) async fn watch(config: &Config, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let mut calls = Client::stream(&config.socket(), &Request::Watch).await?;
    while let Some(event) = calls.next().await? {
        if json {
            writeln!(out, "{event}")?;
        } else {
            let event: EventJson = understood(event)?;
            writeln!(out, "{}", text::event(&event, &TimeZone::system()))?;
        }
        out.flush()?;
    }
    Err(Failure::met("the agent was stopped"))
}

/// Joins a meeting.
pub(super) async fn join(config: &Config, which: &str, out: &mut impl Write) -> Result<(), Failure> {
    let meeting: MeetingJson = match ask(config, &Request::Join { meeting: which.to_owned() }).await? {
        Some(meeting) => meeting,
        None => {
            let (view, link) = look(config);
            if link.enrolled.is_none() {
                return Err(not_usable(&link));
            }
            let entries = view.agenda(now());
            let entry = choose(&entries, which, now()).map_err(|error| {
                if error.is_wrong_call() { Failure::wrong_call(error) } else { Failure::met(error) }
            })?;
            let opener = Opener::new(config.opener.clone(), config.sip_opener.clone());
            Joiner::new(opener, broadcast::channel(1).0).join(entry, None).await.map_err(Failure::met)?;
            entry.into()
        }
    };
    Ok(writeln!(out, "{}", text::joined(&meeting, &TimeZone::system()))?)
}

/// Asks the daemon; `None` if none runs.
async fn ask<T: DeserializeOwned>(config: &Config, request: &Request) -> Result<Option<T>, Failure> {
    match Client::call(&config.socket(), request).await {
        Ok(answer) => understood(answer).map(Some),
        Err(ControlError::NotRunning(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn understood<T: DeserializeOwned>(answer: serde_json::Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|_| {
        Failure::met("the daemon's answer is not understood; are both programs of the same version?")
    })
}

/// What is on the disk, seen without a daemon.
fn look(config: &Config) -> (Arc<View>, Arc<LinkState>) {
    let (views, link) = (watch::Sender::new(Arc::default()), watch::Sender::new(Arc::default()));
    let (seen, state) = (views.subscribe(), link.subscribe());
    let board = watch::Sender::new(Arc::new(Board::default()));
    drop(Session::open(config.state_dir.clone(), views, link, board.subscribe(), Vec::new()));
    (Arc::clone(&seen.borrow()), Arc::clone(&state.borrow()))
}

/// Without identity nothing can be shown: which of both is wrong.
fn not_usable(link: &LinkState) -> Failure {
    match &link.problem {
        Some(problem) => Failure::met(&problem.message),
        None => Failure::met("this device is not enrolled"),
    }
}

fn print(out: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(Failure::met)?;
    Ok(writeln!(out, "{text}")?)
}
