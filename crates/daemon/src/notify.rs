//! A word with systemd (sd_notify(3)): ready, what we are doing, still alive, stopping. Without systemd each of these
//! does nothing; a notification that fails is a log line, never a reason to stop serving.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::Shutdown;

/// Start-up is complete: what depends on this service may start.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// One line for `systemctl status`. Counts and states; never an address or a subject.
pub fn status(line: &str) {
    send(&[NotifyState::Status(line)]);
}

/// Draining has begun; systemd's stop timeout runs from here.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Tells the watchdog, where the unit sets `WatchdogSec`, that the runtime still gets to its tasks; ends at `stop`.
/// Run it as a task of the runtime that does the work: a runtime that hangs stops telling, and systemd restarts it.
pub async fn watchdog(stop: Shutdown) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    loop {
        send(&[NotifyState::Watchdog]);
        tokio::select! {
            () = tokio::time::sleep(watchdog_period(limit)) => {}
            () = &mut stopped => return,
        }
    }
}

/// A third of the limit: systemd advises half; a third leaves room for one that comes late.
fn watchdog_period(limit: Duration) -> Duration {
    (limit / 3).max(Duration::from_millis(1))
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    /// Set in the child of the test below, which is this same test.
    const CHILD: &str = "JOINERY_NOTIFY_TEST_CHILD";

    // The address of systemd comes from the environment, which a test may not change for its neighbours:
    // the test runs itself once more as a child that has it.
    #[tokio::test]
    async fn systemd_hears_everything_in_order() {
        if std::env::var_os(CHILD).is_some() {
            speak().await;
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "notify::tests::systemd_hears_everything_in_order"])
            .env(CHILD, "1")
            .env("NOTIFY_SOCKET", folder.path().join("notify"))
            .env("WATCHDOG_USEC", "60000000")
            .spawn()
            .unwrap();
        let mut heard = Vec::new();
        for _ in 0..4 {
            let mut buffer = [0; 256];
            let length = socket.recv(&mut buffer).unwrap();
            heard.push(String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned());
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(heard, ["STATUS=2 mailboxes", "READY=1", "WATCHDOG=1", "STOPPING=1"]);
    }

    async fn speak() {
        let stop = Shutdown::new();
        status("2 mailboxes");
        ready();
        stop.trigger();
        watchdog(stop).await;
        stopping();
    }

    #[test]
    fn the_watchdog_is_told_three_times_within_its_limit() {
        assert_eq!(watchdog_period(Duration::from_secs(30)), Duration::from_secs(10));
        assert_eq!(watchdog_period(Duration::ZERO), Duration::from_millis(1));
    }
}
