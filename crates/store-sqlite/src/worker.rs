//! A thread that owns a connection and does what it is asked, one thing after the other.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use joinery_store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::open::BUSY_TIMEOUT;

/// Under steady load the WAL is emptied after this many jobs at the latest, else whenever there is nothing to do.
const JOBS_BEFORE_EMPTYING: u32 = 64;

/// How long after a reader was in the way emptying the WAL is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How long emptying the WAL may wait for a reader: writers wait behind it.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(200);

/// Whether a job erases something, whose old bytes then stand in the WAL until that is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traces {
    /// It erases nothing.
    None,
    /// Empty the WAL soon after.
    Soon,
    /// Empty the WAL before saying that it is done. With a reader of another process in the way: soon after.
    Now,
}

/// Says whether the WAL should be emptied soon.
type Job = Box<dyn FnOnce(&mut Connection) -> bool + Send>;

pub(crate) struct Worker {
    place: Arc<str>,
    // Not bounded: a caller waits for the answer to its one job before it has another.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(name: &str, place: &Arc<str>, connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || serve(connection, &queue));
        let thread = thread.map_err(|error| StoreError::Failed {
            place: place.to_string(),
            detail: format!("no thread for it: {error}"),
        })?;
        Ok(Self { place: Arc::clone(place), jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has the thread do `work` and waits for the answer without blocking.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        traces: Traces,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ended = || StoreError::Failed {
            place: self.place.to_string(),
            detail: "its thread has ended".to_owned(),
        };
        let (answer, answered) = oneshot::channel();
        let at = Arc::clone(&self.place);
        let job = move |connection: &mut Connection| {
            let outcome = work(connection).map_err(|failure| failure.at(&at));
            let mut left = match &outcome {
                Ok(_) => traces != Traces::None,
                // What the WAL holds twice can be given back to the disk.
                Err(error) => matches!(error, StoreError::Full { .. }),
            };
            if left && traces == Traces::Now {
                left = !empty_wal(connection);
            }
            // Nobody waits any more: the work is done all the same.
            let _ = answer.send(outcome);
            left
        };
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(Box::new(job)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(database = &*self.place, "The database's thread ended by a fault");
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.place)
    }
}

fn serve(mut connection: Connection, queue: &Receiver<Job>) {
    // A run that was killed may have left traces. A connection that only reads has nothing to empty.
    let mut wal_due: u32 =
        u32::from(!connection.pragma_query_value(None, "query_only", |row| row.get(0)).unwrap_or(false));
    loop {
        let job = match queue.try_recv() {
            Ok(job) => job,
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {
                if wal_due > 0 && empty_wal(&connection) {
                    wal_due = 0;
                }
                match next(queue, wal_due > 0) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        if job(&mut connection) || wal_due > 0 {
            wal_due += 1;
        }
        if wal_due > JOBS_BEFORE_EMPTYING {
            wal_due = u32::from(!empty_wal(&connection));
        }
    }
}

fn next(queue: &Receiver<Job>, retry: bool) -> Result<Job, RecvTimeoutError> {
    if retry { queue.recv_timeout(RETRY) } else { queue.recv().map_err(|_| RecvTimeoutError::Disconnected) }
}

/// Moves the WAL into the database and cuts it to nothing. Says whether that was done; a reader can be in the way.
fn empty_wal(connection: &Connection) -> bool {
    let truncate = || -> rusqlite::Result<bool> {
        connection.busy_timeout(CHECKPOINT_PATIENCE)?;
        let outcome = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(outcome? == 0)
    };
    match truncate() {
        Ok(done) => done,
        Err(error) => {
            tracing::debug!(error = %error, "The write-ahead log was not emptied; it is tried again");
            false
        }
    }
}
