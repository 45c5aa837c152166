//! What the command line asks of the daemon, over the socket in the state folder.

use std::sync::Arc;

use joinery_daemon::control::{Answers, Refusal};
use joinery_daemon::{Shutdown, now};
use joinery_model::Presence;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::board::Board;
use crate::choice::choose;
use crate::drivers::DriverStates;
use crate::holdings::View;
use crate::joiner::Joiner;
use crate::listing::{Connection, EventJson, EventKind, MeetingJson, MeetingsJson};
use crate::session::LinkState;
use crate::status::StatusJson;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// The list: [`MeetingsJson`].
    Meetings,
    /// How the agent is: [`StatusJson`].
    Status,
    /// One [`EventJson`] for each thing that happens, until the caller hangs up.
    Watch,
    /// Opens a meeting; answers with its [`MeetingJson`].
    Join {
        /// `next`, or an id or its beginning.
        meeting: String,
    },
}

/// The running program, as far as calls look at it.
#[derive(Clone)]
pub struct Agent {
    /// Opened lists.
    pub views: watch::Receiver<Arc<View>>,
    /// How the connection is.
    pub link: watch::Receiver<Arc<LinkState>>,
    /// What is shown.
    pub board: watch::Receiver<Arc<Board>>,
    /// What happens.
    pub events: broadcast::Sender<Arc<EventJson>>,
    /// Opens meetings.
    pub joiner: Joiner,
    /// How the drivers are.
    pub drivers: DriverStates,
    /// Ends calls that wait.
    pub stop: Shutdown,
}

impl Agent {
    /// Answers one call.
    pub async fn answer(self, request: serde_json::Value, answers: Answers) -> Result<(), Refusal> {
        let request: Request = serde_json::from_value(request).map_err(|_| {
            let message = "the daemon does not know this call; are both programs of the same version?";
            Refusal::wrong_call("call-unknown", message)
        })?;
        match request {
            Request::Meetings => answers.send(&self.meetings()).await.map_err(Refusal::from),
            Request::Status => answers.send(&self.status()).await.map_err(Refusal::from),
            Request::Watch => self.watch(&answers).await,
            Request::Join { meeting } => self.join(&meeting, &answers).await,
        }
    }

    fn meetings(&self) -> MeetingsJson {
        let (view, link) = (Arc::clone(&self.views.borrow()), Arc::clone(&self.link.borrow()));
        meetings(&view, link.connection)
    }

    fn status(&self) -> StatusJson {
        let (view, link, board) = (
            Arc::clone(&self.views.borrow()),
            Arc::clone(&self.link.borrow()),
            Arc::clone(&self.board.borrow()),
        );
        StatusJson::of(true, &link, &view, &board, self.drivers.all())
    }

    /// Tells how things stand, then what happens. Who does not keep up is told that it missed something.
    async fn watch(&self, answers: &Answers) -> Result<(), Refusal> {
        let mut events = self.events.subscribe();
        let connection = self.link.borrow().connection;
        let begin = EventJson {
            connection: Some(connection),
            already: true,
            ..EventJson::new(EventKind::Connection, now())
        };
        answers.send(&begin).await?;
        let board = Arc::clone(&self.board.borrow());
        for entry in board.shown.entries() {
            let event = EventJson { already: true, ..EventJson::about(EventKind::ButtonShown, now(), entry) };
            answers.send(&event).await?;
        }
        let stopped = self.stop.cancelled();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => answers.send(&*event).await?,
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        let message = format!("{missed} events were missed because they were not read; watch again");
                        return Err(Refusal::new("watch-too-slow", message));
                    }
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                () = answers.gone() => return Ok(()),
                () = &mut stopped => return Ok(()),
            }
        }
    }

    async fn join(&self, which: &str, answers: &Answers) -> Result<(), Refusal> {
        let entries = self.views.borrow().agenda(now());
        let entry = choose(&entries, which, now()).map_err(|error| {
            let (code, message) = (error.code(), error.to_string());
            if error.is_wrong_call() {
                Refusal::wrong_call(code, message)
            } else {
                Refusal::new(code, message)
            }
        })?;
        let joined = self.joiner.join_from_elsewhere(entry).await;
        joined.map_err(|error| Refusal::new(error.code(), error.to_string()))?;
        answers.send(&MeetingJson::from(entry)).await.map_err(Refusal::from)
    }
}

/// The list as of now. While a session runs, it is up to date now.
pub fn meetings(view: &View, connection: Connection) -> MeetingsJson {
    let now = now();
    MeetingsJson {
        as_of: match connection {
            Connection::Online => view.as_of.map(|_| now),
            Connection::Offline => view.as_of,
        },
        connection,
        mailbox: view.lists.first().and_then(|list| list.address.clone()),
        // Automatic replies are not synced yet: nobody is known to be away.
        presence: Presence::default(),
        meetings: view.agenda(now).iter().map(MeetingJson::from).collect(),
    }
}

/// Tells `events` when the connector goes and comes, until `stop`.
pub async fn tell_connection(
    mut link: watch::Receiver<Arc<LinkState>>,
    events: broadcast::Sender<Arc<EventJson>>,
    stop: Shutdown,
) {
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    let mut known = link.borrow_and_update().connection;
    loop {
        tokio::select! {
            changed = link.changed() => if changed.is_err() { return },
            () = &mut stopped => return,
        }
        let connection = link.borrow_and_update().connection;
        if connection != known {
            known = connection;
            let event =
                EventJson { connection: Some(connection), ..EventJson::new(EventKind::Connection, now()) };
            // An error says that nobody watches.
            let _ = events.send(Arc::new(event));
        }
    }
}
