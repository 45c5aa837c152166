//! The signal to stop, shared by every task of a program.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Says once, to everybody who holds a clone, that the program is to stop.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stop: Arc<watch::Sender<bool>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// A signal that only [`Shutdown::trigger`] sets off; for tests and for programs that run inside another.
    pub fn new() -> Self {
        Self { stop: Arc::new(watch::Sender::new(false)) }
    }

    /// A signal that SIGTERM (systemd) and SIGINT (Ctrl-C) set off as well.
    ///
    /// # Errors
    /// When the handlers cannot be installed. Must be called inside a tokio runtime.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::new();
        let watched = shutdown.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                () = watched.cancelled() => return,
            };
            tracing::info!(signal = name, "Asked to stop");
            watched.trigger();
        });
        Ok(shutdown)
    }

    /// Tells everybody to stop. Telling them twice changes nothing.
    pub fn trigger(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the program is to stop.
    pub fn is_triggered(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends when the program is to stop; at once if it already is. Borrows nothing, so that it can be spawned.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        // The future keeps the sender alive: a dropped `Shutdown` is not a signal.
        let stop = Arc::clone(&self.stop);
        async move {
            let mut stopped = stop.subscribe();
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn every_clone_hears_of_it_also_afterwards() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn(shutdown.clone().cancelled());
        assert!(!shutdown.is_triggered());
        shutdown.trigger();
        waiting.await.unwrap();
        shutdown.cancelled().await;
        assert!(shutdown.clone().is_triggered());
    }

    #[test]
    fn a_dropped_handle_is_no_signal() {
        let mut waiting = pin!(Shutdown::new().cancelled());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn sigterm_sets_it_off() {
        let shutdown = Shutdown::on_signals().unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        timeout(Duration::from_secs(10), shutdown.cancelled()).await.expect("no stop within 10 s");
    }
}
