//! Notices that the wall clock was set, or that the machine woke from sleep.

use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// An instant that never comes, in seconds since 1970.
const NEVER: i64 = i64::MAX / 2_000_000_000;

/// Tells when the wall clock jumps. Timers of the runtime count time that passes while the machine is awake; whoever
/// waits for a time of day waits for this as well, and then asks anew what time it is.
///
/// The kernel cancels a timer of the wall clock when the clock is set, which it also is at the end of a sleep
/// (`timerfd_create(2)`, `TFD_TIMER_CANCEL_ON_SET`). The timer itself never ends.
#[derive(Debug)]
pub struct ClockChanges {
    timer: AsyncFd<OwnedFd>,
}

impl ClockChanges {
    /// Starts to listen. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the system gives no such timer.
    pub fn listen() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        arm(&timer)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for what may change its descriptor; an OwnedFd cannot"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer })
    }

    /// Ends when the clock has jumped since the last call, or since the beginning. May be given up and called again
    /// without loss.
    ///
    /// # Errors
    /// When the timer cannot be read or armed again.
    pub async fn next(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.timer.readable().await?;
            let read = ready.try_io(|timer| {
                let read = rustix::io::read(timer.get_ref(), &mut [0; 8]);
                read.map_err(io::Error::from)
            });
            match read {
                // Nothing to read after all.
                Err(_) => {}
                Ok(Err(error))
                    if error.raw_os_error() != Some(rustix::io::Errno::CANCELED.raw_os_error()) =>
                {
                    return Err(error);
                }
                Ok(Ok(_) | Err(_)) => return arm(self.timer.get_ref()),
            }
        }
    }
}

fn arm(timer: &OwnedFd) -> io::Result<()> {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    let never = Itimerspec { it_interval: zero, it_value: Timespec { tv_sec: NEVER, tv_nsec: 0 } };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    match timerfd_settime(timer, flags, &never) {
        // The clock jumped before this call, which has armed the timer all the same.
        Ok(_) | Err(rustix::io::Errno::CANCELED) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::time::{ClockId, clock_gettime, clock_settime};
    use std::time::Duration;

    /// Sets the clock to what it is, which the kernel takes for a jump; only where this process may set it.
    #[tokio::test]
    async fn a_clock_that_is_set_is_noticed_once() {
        let mut changes = ClockChanges::listen().unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(50), changes.next()).await;
        assert!(quiet.is_err(), "nobody set the clock");
        if let Err(error) = clock_settime(ClockId::Realtime, clock_gettime(ClockId::Realtime)) {
            eprintln!(
                "NOTICE: the clock may not be set here ({error}); that a jump is noticed was NOT tested"
            );
            return;
        }
        tokio::time::timeout(Duration::from_secs(5), changes.next()).await.expect("noticed").unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(50), changes.next()).await;
        assert!(quiet.is_err(), "one jump is told once");
    }
}
