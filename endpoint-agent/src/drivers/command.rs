//! The operator's own programs: one is run when a Join button goes on or changes, one when it goes off. Each gets the
//! meeting as JSON on its standard input.
//!
//! One runs at a time, in order. Meanwhile the board may change more than once: what was true in between and is not any
//! more is left out. What they print is dropped, for it may hold what must not be in a log.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use joinery_agenda::{Entry, Shown, Transition, transitions};
use joinery_daemon::Shutdown;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::DriverStates;
use crate::board::Board;
use crate::config::CommandConfig;
use crate::listing::MeetingJson;

/// The driver's name in `status`.
pub const NAME: &str = "command";

/// How long a command that runs when the agent stops may go on.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// Runs the commands for what `board` shows, until `stop`. Stopping hides nothing: the buttons are still right.
pub async fn run(
    config: CommandConfig,
    mut board: watch::Receiver<Arc<Board>>,
    states: DriverStates,
    stop: Shutdown,
) {
    states.set(NAME, "on");
    let mut shown = Shown::default();
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    loop {
        let goal = board.borrow_and_update().shown.clone();
        let steps = transitions(&shown, &goal);
        shown = goal;
        for step in &steps {
            let (argv, entry) = match step {
                Transition::Show(entry) | Transition::Replace(entry) => (&config.on_show, entry),
                Transition::Hide(entry) => (&config.on_hide, entry),
                Transition::Start(_) => continue,
            };
            if let Some(argv) = argv
                && !stop.is_triggered()
            {
                let ended = run_one(argv, entry, config.timeout, &stop).await;
                states.set(
                    NAME,
                    ended.as_ref().map_or_else(|failure| (*failure).to_owned(), |()| "on".to_owned()),
                );
            }
        }
        tokio::select! {
            changed = board.changed() => if changed.is_err() { return },
            () = &mut stopped => return,
        }
    }
}

/// Runs one command to its end, or kills it when its time is over. The error says how it failed.
async fn run_one(
    argv: &[String],
    entry: &Entry,
    limit: Duration,
    stop: &Shutdown,
) -> Result<(), &'static str> {
    let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own, so that what it starts can be killed with it.
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        tracing::error!(program, %error, "A configured command cannot be started; correct [driver.command]");
        "the command cannot be started"
    })?;
    let within_limit = async {
        feed(&mut child, entry).await;
        child.wait().await
    };
    let ended = tokio::select! {
        ended = timeout(limit, within_limit) => ended.ok(),
        () = async { stop.cancelled().await; tokio::time::sleep(LAST_GRACE).await } => None,
    };
    match ended {
        Some(Ok(status)) if status.success() => Ok(()),
        Some(Ok(status)) => {
            tracing::warn!(program, %status, meeting = %entry.id, "A configured command has failed");
            Err("the last command failed")
        }
        Some(Err(error)) => {
            tracing::warn!(program, %error, "It is not known how a configured command ended");
            Err("the last command failed")
        }
        None => {
            tracing::warn!(program, meeting = %entry.id, "A configured command took too long and was killed");
            kill(&mut child).await;
            Err("the last command took too long and was killed")
        }
    }
}

/// Gives the meeting; a command that does not read it is right as well.
async fn feed(child: &mut Child, entry: &Entry) {
    let Some(mut stdin) = child.stdin.take() else { return };
    let mut line = serde_json::to_vec(&MeetingJson::from(entry)).unwrap_or_default();
    line.push(b'\n');
    let _ = stdin.write_all(&line).await;
    let _ = stdin.shutdown().await;
}

/// Kills the command with everything that it started, and waits for its end, so that it leaves no zombie.
async fn kill(child: &mut Child) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait().await;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use joinery_agenda::Policy;
    use joinery_model::RowId;

    use super::*;
    use crate::holdings::View;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-24T{time}:00Z").parse().unwrap()
    }

    /// A board at 09:05 of meetings from 09:00 to 10:00, each `(name, subject)`.
    fn board(meetings: &[(u8, &str)]) -> Arc<Board> {
        let meeting = |(name, subject): &(u8, &str)| {
            let text = format!(
                r#"{{"event":"E","subject":"{subject}","start":"2026-11-24T09:00:00Z","end":"2026-11-24T10:00:00Z","status":"confirmed","response":"accepted","join":{{"url":"https://zoom.us/j/1","provider":"zoom"}}}}"#
            );
            (RowId::from_bytes([*name; 16]), serde_json::from_str(&text).unwrap())
        };
        let day = Duration::from_secs(86_400);
        let view = View {
            meetings: meetings.iter().map(meeting).collect(),
            policy: Some(Policy { shared: false, lead: Duration::ZERO, past: day, future: day }),
            ..View::default()
        };
        Arc::new(Board::at(&view, at("09:05")))
    }

    fn shell(script: &str, folder: &Path) -> Option<Vec<String>> {
        Some(["sh", "-c", script, "sh", folder.to_str().unwrap()].map(str::to_owned).to_vec())
    }

    /// Waits until `told` holds, for at most ten seconds.
    async fn wait_for(mut told: impl FnMut() -> bool) {
        let waiting = async {
            while !told() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), waiting).await.expect("it did not come to pass");
    }

    #[tokio::test]
    async fn commands_hear_of_every_button_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let log = |word: &str| shell(&format!("echo {word} $(cat) >> $1/log"), folder.path());
        let config =
            CommandConfig { on_show: log("show"), on_hide: log("hide"), timeout: Duration::from_secs(10) };
        let (sender, receiver) = watch::channel(board(&[(1, "one")]));
        let (states, stop) = (DriverStates::default(), Shutdown::new());
        let running = tokio::spawn(run(config, receiver, states.clone(), stop.clone()));
        let lines = || {
            let text = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        wait_for(|| lines().len() == 1).await;
        sender.send_replace(board(&[(1, "one renamed"), (2, "two")]));
        wait_for(|| lines().len() == 3).await;
        sender.send_replace(board(&[(2, "two")]));
        wait_for(|| lines().len() == 4).await;
        stop.trigger();
        running.await.unwrap();

        let told: Vec<(String, String)> = lines()
            .iter()
            .map(|line| {
                let (word, json) = line.split_once(' ').unwrap();
                let meeting: MeetingJson = serde_json::from_str(json).unwrap();
                (word.to_owned(), meeting.subject)
            })
            .collect();
        let want = [("show", "one"), ("show", "one renamed"), ("show", "two"), ("hide", "one renamed")];
        assert_eq!(told, want.map(|(word, subject)| (word.to_owned(), subject.to_owned())));
        assert_eq!(states.all().get(NAME).map(String::as_str), Some("on"));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_its_children_and_the_next_one_runs() {
        let folder = tempfile::tempdir().unwrap();
        let hang = shell("echo $$ > $1/pid; sleep 600 & sleep 600", folder.path());
        let done = shell("touch $1/hidden", folder.path());
        let config = CommandConfig { on_show: hang, on_hide: done, timeout: Duration::from_millis(500) };
        let (sender, receiver) = watch::channel(board(&[(1, "one")]));
        let stop = Shutdown::new();
        let running = tokio::spawn(run(config, receiver, DriverStates::default(), stop.clone()));
        let pid = || std::fs::read_to_string(folder.path().join("pid")).ok()?.trim().parse::<i32>().ok();
        wait_for(|| pid().is_some()).await;
        sender.send_replace(board(&[]));
        wait_for(|| folder.path().join("hidden").exists()).await;
        let group = rustix::process::Pid::from_raw(pid().unwrap()).unwrap();
        // Members that were killed may wait a moment for init to collect them.
        wait_for(|| rustix::process::test_kill_process_group(group).is_err()).await;
        stop.trigger();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn a_command_that_fails_or_is_not_there_is_told() {
        for (argv, state) in [
            (shell("exit 3", Path::new("/")), "the last command failed"),
            (Some(vec!["/no/such/program".to_owned()]), "the command cannot be started"),
        ] {
            let config = CommandConfig { on_show: argv, on_hide: None, timeout: Duration::from_secs(10) };
            let (_sender, receiver) = watch::channel(board(&[(1, "one")]));
            let (states, stop) = (DriverStates::default(), Shutdown::new());
            let running = tokio::spawn(run(config, receiver, states.clone(), stop.clone()));
            wait_for(|| states.all().get(NAME).is_some_and(|told| told == state)).await;
            stop.trigger();
            running.await.unwrap();
        }
    }
}
