//! The programs under test as child processes.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::waiting::{PATIENCE, wait_within};

/// Lines of a log that are printed when a test fails.
const TAIL: usize = 150;

/// Path of a program of the workspace, built beside the test.
///
/// # Panics
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test does not know where it is");
    // target/<profile>/deps/<test>
    let profile = test.parent().and_then(Path::parent).expect("the test is in no target folder");
    let path = profile.join(name);
    assert!(
        path.is_file(),
        "{} is missing; run `cargo build --workspace --bins` first, as `make test` does",
        path.display()
    );
    path
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it prints is added to the file `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Self {
        let out = OpenOptions::new().create(true).append(true).open(log).expect("no log file");
        let errors = out.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child cannot be waited for")
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait_within(limit, &what, || self.ended())
    }

    /// Asks it to stop and expects that it ends well.
    #[track_caller]
    pub fn stop(mut self) {
        assert!(self.ended().is_none(), "{} has ended by itself", self.name);
        self.signal(Signal::TERM);
        let status = self.wait(PATIENCE);
        assert!(status.success(), "{} ended with {status} after SIGTERM", self.name);
    }

    /// Kills it without warning (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().expect("the child cannot be killed");
        self.child.wait().expect("the child cannot be waited for");
    }

    /// Holds it still, or lets it go on.
    pub fn freeze(&self, still: bool) {
        self.signal(if still { Signal::STOP } else { Signal::CONT });
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        kill_process(pid, signal).expect("the child cannot be signalled");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
            eprintln!(
                "--- {} ({} lines, the last {}):\n{}",
                self.name,
                lines.len(),
                tail.len(),
                tail.join("\n")
            );
        }
    }
}
