//! A real agent, and two ears at it: what it says as it happens, and its whole list when that is wanted.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

use crate::program::{self, Program};
use crate::side::Side;
use crate::view::{Happened, Listing};

/// What was heard from a device.
#[derive(Debug)]
pub struct Note {
    /// Which device.
    pub side: Side,
    /// When we heard it; of a list, when we heard that it had changed.
    pub at: Timestamp,
    /// What.
    pub heard: Heard,
}

/// What was heard.
#[derive(Debug)]
pub enum Heard {
    /// A line of `watch --json`.
    Happened(Happened),
    /// The whole list.
    List(Listing),
    /// Nothing more will be heard.
    Lost(anyhow::Error),
}

/// A device: an agent that runs, and how to talk to it.
pub struct Device {
    /// What it is called on the screen.
    pub title: String,
    /// The daemon.
    pub agent: Program,
    /// How to call its command line.
    pub line: CommandLine,
}

/// The command line of one of the programs, with its configuration.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
}

impl CommandLine {
    /// Runs one of its commands and reads the JSON that it prints.
    pub async fn ask(&self, words: &[&str]) -> Result<serde_json::Value> {
        program::ask(&self.program, &self.arguments(words)).await
    }

    /// The arguments that make it use its configuration.
    pub fn arguments<'a>(&'a self, words: &'a [&'a str]) -> Vec<&'a OsStr> {
        let config = [OsStr::new("--config"), self.config.as_os_str()];
        config.into_iter().chain(words.iter().map(OsStr::new)).collect()
    }

    /// The device's list.
    pub async fn list(&self) -> Result<Listing> {
        let answer = self.ask(&["meetings", "--json"]).await?;
        serde_json::from_value(answer).context("joinery-agent meetings --json printed another shape")
    }

    /// Follows the device until it ends or nobody listens.
    pub async fn watch(self, side: Side, notes: mpsc::Sender<Note>) {
        let Err(lost) = self.follow(side, &notes).await;
        let _ = notes.send(Note { side, at: joinery_daemon::now(), heard: Heard::Lost(lost) }).await;
    }

    async fn follow(&self, side: Side, notes: &mpsc::Sender<Note>) -> Result<Infallible> {
        let mut child = program::command(&self.program, &self.arguments(&["watch", "--json"]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("joinery-agent watch cannot be started")?;
        let output = child.stdout.take().context("joinery-agent watch has no output")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            let at = joinery_daemon::now();
            let happened = serde_json::from_str(&line)
                .with_context(|| format!("joinery-agent watch --json printed {line}"))?;
            if notes.send(Note { side, at, heard: Heard::Happened(happened) }).await.is_err() {
                break;
            }
        }
        program::terminate(&child);
        let output = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("joinery-agent watch ended ({}): {}", output.status, said.trim())
    }

    /// Asks for the list, which changed at `at`.
    pub async fn fetch(self, side: Side, at: Timestamp, notes: mpsc::Sender<Note>) {
        let heard = self.list().await.map_or_else(Heard::Lost, Heard::List);
        let _ = notes.send(Note { side, at, heard }).await;
    }
}
