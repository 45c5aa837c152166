//! The connector as a child process, with a configuration of its own.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::called::Called;
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{Program, program};
use crate::waiting::{PATIENCE, wait_until, wait_within};

/// What kind of screen a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// In a room, read by everybody.
    Room,
    /// One person's own.
    Desktop,
}

impl DeviceKind {
    /// As the command line spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Desktop => "desktop",
        }
    }
}

/// `device invite --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Code {
    /// Sixteen digits in groups of four.
    pub code: String,
    /// The same for `joinery-agent enroll URL`.
    pub url: String,
    /// Whose meetings the device may show.
    pub mailbox: String,
    /// `room` or `desktop`.
    pub kind: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// One line of `mailbox list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct MailboxLine {
    /// Its address.
    pub address: String,
    /// `waiting`, `ok` or `failing`.
    pub state: String,
    /// Where its list stands.
    pub revision: u64,
    /// Meetings in the window.
    pub meetings: usize,
    /// When it was last read.
    pub last_read: Option<Timestamp>,
    /// What is wrong.
    pub problem: Option<Problem>,
}

/// What is wrong with a mailbox.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// Stable.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

/// One line of `device list --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceLine {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// `online`, `offline` or `revoked`.
    pub state: String,
    /// Newest revision that is durable on it.
    pub acknowledged: Option<u64>,
    /// Buttons that it shows.
    pub shown: usize,
}

/// The connector.
#[derive(Debug)]
pub struct Connector {
    folder: Rc<Folder>,
    /// Where agents have their sessions.
    pub sessions: Port,
    /// Where agents enroll.
    pub enrollment: Port,
    /// Its configuration file.
    pub config: PathBuf,
    /// Its log.
    pub log: PathBuf,
    notices: UnixDatagram,
    level: Option<&'static str>,
    program: Option<Program>,
    was_ready: bool,
}

impl Connector {
    /// A connector that has not been started; its configuration is to be written by [`Connector::configure`].
    pub(crate) fn new(folder: &Rc<Folder>, level: Option<&'static str>) -> Self {
        let notices = UnixDatagram::bind(folder.at("notify.sock")).expect("no notification socket");
        notices.set_nonblocking(true).unwrap();
        std::fs::create_dir(folder.at("connector")).unwrap();
        Self {
            sessions: Port::free(),
            enrollment: Port::free(),
            config: folder.at("connector.toml"),
            log: folder.at("connector.log"),
            folder: Rc::clone(folder),
            notices,
            level,
            program: None,
            was_ready: false,
        }
    }

    /// Writes its configuration.
    pub fn configure(&self, text: &str) {
        self.folder.write("connector.toml", text);
    }

    /// Where its database is.
    pub fn database(&self) -> PathBuf {
        self.folder.at("connector/connector.db")
    }

    /// Where the key of its keys is.
    pub fn key_file(&self) -> PathBuf {
        self.folder.at("connector/kek")
    }

    /// Where its command line finds it.
    pub fn socket(&self) -> PathBuf {
        self.folder.at("admin.sock")
    }

    /// Starts it without waiting.
    pub fn launch(&mut self) {
        assert!(self.program.is_none(), "the connector runs already");
        let mut old = [0; 4096];
        while self.notices.recv(&mut old).is_ok() {}
        self.was_ready = false;
        let mut command = self.folder.command(&program("joinery-connector"));
        command
            .arg("--config")
            .arg(&self.config)
            .arg("run")
            .env("NOTIFY_SOCKET", self.folder.at("notify.sock"));
        if let Some(level) = self.level {
            command.env("RUST_LOG", level);
        }
        self.program = Some(Program::start("connector", command, &self.log));
    }

    /// Waits until it says, as it says to systemd, that it is ready.
    #[track_caller]
    pub fn ready(&mut self) {
        wait_until("the connector's READY=1", || {
            if let Some(status) = self.program.as_mut().expect("the connector does not run").ended() {
                panic!("the connector has ended with {status} instead of getting ready");
            }
            self.is_ready()
        });
    }

    /// Whether it has said so since it was started last.
    pub fn is_ready(&mut self) -> bool {
        let mut notice = [0; 4096];
        while let Ok(length) = self.notices.recv(&mut notice) {
            let text = String::from_utf8_lossy(&notice[..length]);
            self.was_ready |= text.lines().any(|line| line == "READY=1");
        }
        self.was_ready
    }

    /// Starts it and waits until it is ready.
    #[track_caller]
    pub fn start(&mut self) {
        self.launch();
        self.ready();
    }

    /// Stops it as systemd does and expects exit code 0.
    #[track_caller]
    pub fn stop(&mut self) {
        self.program.take().expect("the connector does not run").stop();
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.program.take().expect("the connector does not run").kill();
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.program.as_ref().expect("the connector does not run").id()
    }

    /// It runs, as far as the test knows.
    pub fn runs(&self) -> bool {
        self.program.is_some()
    }

    /// Starts it where it is expected to give up by itself; its exit code and what it printed.
    #[track_caller]
    pub fn run_to_end(&self) -> Called {
        self.call(&["run"])
    }

    /// Calls its command line.
    #[track_caller]
    pub fn call(&self, words: &[&str]) -> Called {
        Called::run(self.command(words))
    }

    /// A call of its command line that the test runs itself.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.folder.command(&program("joinery-connector"));
        command.arg("--config").arg(&self.config).args(words);
        command
    }

    /// `mailbox add`.
    #[track_caller]
    pub fn add_mailbox(&self, address: &str) {
        self.call(&["mailbox", "add", address]).done();
    }

    /// `mailbox show`.
    #[track_caller]
    pub fn mailbox(&self, address: &str) -> MailboxLine {
        self.call(&["mailbox", "show", address, "--json"]).json()
    }

    /// `device invite`.
    #[track_caller]
    pub fn invite(&self, address: &str, kind: DeviceKind) -> Code {
        self.call(&["device", "invite", address, "--kind", kind.word(), "--json"]).json()
    }

    /// `device list`.
    #[track_caller]
    pub fn devices(&self) -> Vec<DeviceLine> {
        self.call(&["device", "list", "--json"]).json()
    }

    /// `status`.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.call(&["status", "--json"]).json()
    }

    /// Waits until the mailbox is in this state.
    #[track_caller]
    pub fn wait_for_state(&self, address: &str, state: &str) -> MailboxLine {
        self.wait_for_mailbox(address, &format!("state {state}"), |line| line.state == state)
    }

    /// Waits until the mailbox's line says what is wanted.
    #[track_caller]
    pub fn wait_for_mailbox(
        &self,
        address: &str,
        what: &str,
        mut holds: impl FnMut(&MailboxLine) -> bool,
    ) -> MailboxLine {
        wait_within(PATIENCE, &format!("{address}: {what}"), || {
            Some(self.mailbox(address)).filter(|line| holds(line))
        })
    }

    /// Waits until a round that began after this call has been read: nothing that was changed before is missing then.
    #[track_caller]
    pub fn wait_for_fresh_round(&self, address: &str) -> MailboxLine {
        let begun = Timestamp::now();
        let mut seen = std::collections::BTreeSet::new();
        // The first round that ends after now may have begun before; the second has not.
        self.wait_for_mailbox(address, "two more rounds", |line| {
            seen.extend(line.last_read.filter(|at| *at > begun));
            seen.len() >= 2
        })
    }

    /// The end of a connector that gives up by itself.
    #[track_caller]
    pub fn wait_for_end(&mut self, limit: Duration) -> std::process::ExitStatus {
        self.program.take().expect("the connector does not run").wait(limit)
    }
}
