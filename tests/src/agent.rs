//! An endpoint agent as a child process, with its own state and configuration.

use std::path::PathBuf;
use std::rc::Rc;

use serde_json::Value;

use crate::called::Called;
use crate::folder::Folder;
use crate::lines::{Meeting, MeetingList};
use crate::program::{Program, program};
use crate::waiting::{wait_for, wait_until};
use crate::watch::Watch;

/// An agent.
#[derive(Debug)]
pub struct Agent {
    folder: Rc<Folder>,
    name: String,
    level: Option<&'static str>,
    program: Option<Program>,
}

impl Agent {
    /// An agent that is not enrolled and does not run.
    pub(crate) fn new(folder: &Rc<Folder>, name: &str, level: Option<&'static str>) -> Self {
        let agent = Self { folder: Rc::clone(folder), name: name.to_owned(), level, program: None };
        agent.configure("");
        agent
    }

    /// Writes its configuration: its own state folder, and `drivers`.
    pub fn configure(&self, drivers: &str) {
        let text = format!("[agent]\nstate_dir = {:?}\nopener = [\"true\"]\n{drivers}", self.state_dir());
        self.folder.write(&format!("{}.toml", self.name), text);
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.at(&format!("{}.toml", self.name))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.program.as_ref().expect("the agent does not run").id()
    }

    /// Its state.
    pub fn state_dir(&self) -> PathBuf {
        self.folder.at(&self.name)
    }

    /// Calls its command line.
    #[track_caller]
    pub fn call(&self, words: &[&str]) -> Called {
        Called::run(self.command(words))
    }

    /// A call of its command line that the test runs itself.
    pub fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = self.folder.command(&program("joinery-agent"));
        command.arg("--config").arg(self.config()).args(words);
        if let Some(level) = self.level {
            command.env("RUST_LOG", level);
        }
        command
    }

    /// `enroll URL`, which must succeed.
    #[track_caller]
    pub fn enroll(&self, url: &str) {
        self.call(&["enroll", url, "--name", &self.name]).done();
    }

    /// Starts the daemon without waiting.
    pub fn launch(&mut self) {
        assert!(self.program.is_none(), "{} runs already", self.name);
        let log = self.folder.at(&format!("{}.log", self.name));
        self.program = Some(Program::start(&self.name, self.command(&["run"]), &log));
    }

    /// Starts the daemon and waits until its command line is answered.
    #[track_caller]
    pub fn start(&mut self) {
        self.launch();
        self.answers();
    }

    /// Waits until its command line is answered by the daemon.
    #[track_caller]
    pub fn answers(&mut self) {
        let socket = self.state_dir().join("agent.sock");
        let program = self.program.as_mut().expect("the agent does not run");
        let name = &self.name;
        wait_until(&format!("{name} listens"), || {
            if let Some(status) = program.ended() {
                panic!("{name} has ended with {status} instead of getting ready");
            }
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
    }

    /// Stops it as systemd does and expects exit code 0.
    #[track_caller]
    pub fn stop(&mut self) {
        self.program.take().expect("the agent does not run").stop();
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.program.take().expect("the agent does not run").kill();
    }

    /// Holds it still, or lets it go on.
    pub fn freeze(&self, still: bool) {
        self.program.as_ref().expect("the agent does not run").freeze(still);
    }

    /// `meetings --json`.
    #[track_caller]
    pub fn meetings(&self) -> MeetingList {
        self.call(&["meetings", "--json"]).json()
    }

    /// `status --json`. Without the daemon it is printed as well, and the exit code says that something is wrong.
    #[track_caller]
    pub fn status(&self) -> Value {
        let called = self.call(&["status", "--json"]);
        let status: Value =
            serde_json::from_str(&called.out).unwrap_or_else(|_| panic!("no status: {}", called.err));
        assert_eq!(status["running"].as_bool(), Some(called.code == Some(0)), "{}", called.err);
        status
    }

    /// The revision of the list that it holds.
    #[track_caller]
    pub fn revision(&self) -> u64 {
        self.status()["mailboxes"][0]["revision"].as_u64().unwrap_or_default()
    }

    /// Waits until `status` tells a problem with this code.
    #[track_caller]
    pub fn wait_for_problem(&self, code: &str) -> String {
        wait_for(&format!("{}: problem {code}", self.name), || {
            let status = self.status();
            let problem = &status["problem"];
            (problem["code"] == code).then(|| problem["message"].as_str().unwrap_or_default().to_owned())
        })
    }

    /// Follows what happens on the device from now on.
    #[track_caller]
    pub fn watch(&self) -> Watch {
        Watch::start(self.command(&["watch", "--json"]))
    }

    /// Waits until the list says what is wanted.
    #[track_caller]
    pub fn wait_for_list(&self, what: &str, mut holds: impl FnMut(&MeetingList) -> bool) -> MeetingList {
        let mut last = String::new();
        let what = format!("{}: {what}", self.name);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(&what, || {
                let list = self.meetings();
                last = format!("{list:#?}");
                Some(list).filter(|list| holds(list))
            })
        }));
        found.unwrap_or_else(|failure| {
            eprintln!("{what} was not seen; the last list was {last}");
            std::panic::resume_unwind(failure)
        })
    }

    /// Waits until a meeting of this title is listed and is as wanted.
    #[track_caller]
    pub fn wait_for_meeting(&self, subject: &str, mut holds: impl FnMut(&Meeting) -> bool) -> Meeting {
        let list = self.wait_for_list(subject, |list| list.find(subject).is_some_and(&mut holds));
        list.find(subject).cloned().unwrap()
    }

    /// Waits until exactly these titles are listed, in this order.
    #[track_caller]
    pub fn wait_for_subjects(&self, subjects: &[&str]) -> MeetingList {
        self.wait_for_list(&format!("{subjects:?}"), |list| list.subjects() == subjects)
    }

    /// Waits until it is connected, or is not.
    #[track_caller]
    pub fn wait_for_connection(&self, connection: &str) -> MeetingList {
        self.wait_for_list(connection, |list| list.connection == connection)
    }
}
