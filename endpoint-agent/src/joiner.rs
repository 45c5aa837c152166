//! Joining a meeting: opens its address and tells who watches.

use std::sync::Arc;

use joinery_agenda::Entry;
use joinery_daemon::now;
use joinery_model::RowId;
use tokio::sync::broadcast;

use crate::listing::{EventJson, EventKind};
use crate::open::{OpenError, Opener};

/// Joins of one person at one device; who lags behind more than this has long seen that the button is off.
const QUEUE: usize = 16;

/// Opens meetings for everybody in this program who offers a Join button.
#[derive(Debug, Clone)]
pub struct Joiner {
    opener: Opener,
    events: broadcast::Sender<Arc<EventJson>>,
    elsewhere: broadcast::Sender<RowId>,
}

impl Joiner {
    /// A joiner that opens by `opener` and tells `events`.
    pub fn new(opener: Opener, events: broadcast::Sender<Arc<EventJson>>) -> Self {
        Self { opener, events, elsewhere: broadcast::channel(QUEUE).0 }
    }

    /// Joins from a driver's own button. `token` lets the opened window come to the front.
    ///
    /// # Errors
    /// When nothing was opened.
    pub async fn join(&self, entry: &Entry, token: Option<&str>) -> Result<(), OpenError> {
        let join = entry.join.as_ref().ok_or(OpenError::Refused("there is none"))?;
        self.opener.open(join, token).await.inspect_err(|error| {
            tracing::warn!(meeting = %entry.id, code = error.code(), %error, "A meeting could not be opened");
        })?;
        tracing::info!(meeting = %entry.id, provider = join.provider, "A meeting was opened");
        // An error says that nobody watches.
        let _ = self.events.send(Arc::new(EventJson::about(EventKind::Joined, now(), entry)));
        Ok(())
    }

    /// Joins from the command line: drivers that ask for attention may stop.
    ///
    /// # Errors
    /// When nothing was opened.
    pub async fn join_from_elsewhere(&self, entry: &Entry) -> Result<(), OpenError> {
        self.join(entry, None).await?;
        let _ = self.elsewhere.send(entry.id);
        Ok(())
    }

    /// Meetings that were joined from the command line, from now on.
    pub fn joined_elsewhere(&self) -> broadcast::Receiver<RowId> {
        self.elsewhere.subscribe()
    }
}
