//! When devices were last seen is kept for the next start.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

/// A crash forgets no more than this.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Runs until `stop`. Sessions that end after that are kept by [`keep`], once all are over.
pub async fn run(app: Arc<App>, stop: joinery_daemon::Shutdown) {
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(KEEP_EVERY) => keep(&app).await,
        }
    }
}

/// Keeps it now. What an error leaves out is kept by the next call.
pub async fn keep(app: &App) {
    if let Err(error) = app.keep_last_seen().await {
        tracing::warn!("When devices were last seen is not kept: {error}");
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::Seen;
    use crate::testing;

    #[tokio::test]
    async fn a_restart_knows_when_devices_were_last_seen() {
        let test = testing::app().await;
        let app = &test.app;
        let mailbox = testing::mailbox(app, "room@contoso.example").await;
        let device = testing::device(app, &mailbox, "Panel").await;
        drop(app.registry.enter(device, Seen::default()).unwrap());
        let seen = app.registry.record(device).unwrap().last_seen;
        super::keep(app).await;
        let (again, _sync) = testing::open(test._folder.path()).await.unwrap();
        assert!(seen.is_some() && again.registry.record(device).unwrap().last_seen == seen);
    }
}
