//! The real programs as child processes: started, asked, stopped, and always reaped.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A program that was told to stop and has not by then is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A command of ours that has not ended by then hangs.
const ASK_TIMEOUT: Duration = Duration::from_secs(60);

/// Lines of a program's log that are shown when it fails.
const LOG_TAIL: usize = 12;

/// A daemon that runs beside us. Killed when it is dropped; [`Program::stop`] is the polite way.
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `program` with `arguments`; what it says goes to the file `log`.
    pub fn start(name: &str, program: &Path, arguments: &[&OsStr], log: PathBuf) -> Result<Self> {
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command(program, arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// An error if it has ended, with the last it said.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}); the last it said:\n{}", self.name, self.tail()),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks it to stop as systemd would, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        terminate(&self.child);
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) => end_well(&self.name, status?, &self.tail()),
            Err(_) => {
                self.child.kill().await?;
                bail!("{} did not stop within {STOP_TIMEOUT:?} and was killed", self.name)
            }
        }
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_TAIL);
        lines.iter().skip(from).map(|line| format!("    {line}\n")).collect()
    }
}

fn end_well(name: &str, status: ExitStatus, tail: &str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("{name} ended ({status}) when told to stop; the last it said:\n{tail}")
}

/// Sends SIGTERM, unless the child has already been reaped.
pub fn terminate(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself in this very moment.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// A command that dies with us, and is not hit by the Ctrl-C that is meant for us: we stop it in our order.
pub fn command(program: &Path, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true).process_group(0).env_remove("RUST_LOG");
    command
}

/// Runs a command to its end and reads what it prints as JSON; nothing printed is `null`.
pub async fn ask(program: &Path, arguments: &[&OsStr]) -> Result<Value> {
    let shown = || {
        let words = std::iter::once(program.as_os_str()).chain(arguments.iter().copied());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    };
    let running = command(program, arguments).stdin(Stdio::null()).output();
    let Ok(output) = timeout(ASK_TIMEOUT, running).await else {
        bail!("{} did not end within {ASK_TIMEOUT:?}", shown());
    };
    let output = output.with_context(|| format!("{} cannot be started", program.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", shown(), String::from_utf8_lossy(&output.stderr).trim());
    }
    if output.stdout.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} printed something else than JSON", shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> [&OsStr; 2] {
        [OsStr::new("-c"), OsStr::new(text)]
    }

    fn start(text: &str, folder: &Path) -> Program {
        Program::start("the shell", Path::new("/bin/sh"), &shell(text), folder.join("log")).unwrap()
    }

    #[tokio::test]
    async fn answers_are_json_and_failures_carry_their_words() {
        let sh = Path::new("/bin/sh");
        assert_eq!(ask(sh, &shell("echo '{\"a\":1}'")).await.unwrap(), serde_json::json!({"a": 1}));
        assert_eq!(ask(sh, &shell("exit 0")).await.unwrap(), Value::Null);
        let error = ask(sh, &shell("echo no such room >&2; exit 1")).await.unwrap_err();
        assert!(error.to_string().ends_with("failed: no such room"), "{error}");
        assert!(ask(sh, &shell("echo plain")).await.unwrap_err().to_string().contains("else than JSON"));
        assert!(ask(Path::new("/nonexistent/x"), &[]).await.is_err());
    }

    #[tokio::test]
    async fn programs_stop_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let mut program = start(text, folder.path());
        while !program.tail().contains("ready") {
            tokio::task::yield_now().await;
        }
        program.check().unwrap();
        program.stop().await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_by_itself_is_noticed_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut program = start("echo the disk is full; exit 3", folder.path());
        program.child.wait().await.unwrap();
        let error = program.check().unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("the disk is full"), "{error}");
        assert!(program.stop().await.is_err());
    }
}
