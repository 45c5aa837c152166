//! The daemon's end.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::line::{Line, Lines};
use super::{AnswerLine, ControlError, MAX_REQUEST, Refusal};
use crate::Shutdown;

/// The kernel takes 107 bytes; four are needed for `.new`, under which the socket is born.
pub(super) const MAX_PATH: usize = 103;

/// How many calls run at once. Far more than people type; few enough that a script gone wild takes no memory.
const MAX_CALLS: usize = 64;

/// How long a caller may take to say what it wants.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long calls may go on after the daemon was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A short pause after the kernel refused us a connection (out of file descriptors): retrying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers on their way: one is enough, the writer takes it at once.
const ANSWER_QUEUE: usize = 1;

/// Who calls, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: u32,
    /// The user's primary group.
    pub gid: u32,
    /// The process, where the kernel tells.
    pub pid: Option<i32>,
}

impl Peer {
    /// Root, and the user that the daemon itself runs as (`own`).
    const fn may_call(self, own: u32) -> bool {
        self.uid == 0 || self.uid == own
    }
}

/// The caller has hung up; nobody reads answers any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the caller has hung up")]
pub struct Gone;

impl From<Gone> for Refusal {
    /// Nobody will read it; this lets a handler end by `?`.
    fn from(gone: Gone) -> Self {
        Self::new("caller-gone", gone.to_string())
    }
}

/// Where a handler puts its answers.
#[derive(Debug, Clone)]
pub struct Answers {
    items: mpsc::Sender<Value>,
}

impl Answers {
    /// Sends one answer; waits while the caller is not reading.
    ///
    /// # Errors
    /// [`Gone`] when the caller has hung up.
    pub async fn send<T: Serialize + Sync>(&self, answer: &T) -> Result<(), Gone> {
        let value = serde_json::to_value(answer).unwrap_or(Value::Null);
        self.items.send(value).await.map_err(|_| Gone)
    }

    /// Ends when the caller has hung up: a handler that waits for something to tell waits for this as well.
    pub async fn gone(&self) {
        self.items.closed().await;
    }
}

/// Serves `path` until `stop`; see [`Listener`].
///
/// # Errors
/// When the socket cannot be made; see [`Listener::bind`].
pub async fn serve<H, F>(path: &Path, handler: H, stop: Shutdown) -> Result<(), ControlError>
where
    H: Fn(Value, Answers, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    Listener::bind(path)?.serve(handler, stop).await;
    Ok(())
}

/// A socket that is ours: while this lives, no second process can have it.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// The lock goes with the process, however it ends; a socket file stays behind after a crash.
    _lock: File,
}

impl Listener {
    /// Takes the socket at `path`, for root and our own user only. What a crashed process left there is replaced.
    /// Beside it stays a file `….lock`. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ControlError::AlreadyRunning`] when another process has it; others when the path cannot be used.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |source| ControlError::Listen { path: path.to_owned(), source };
        if path.as_os_str().len() > MAX_PATH {
            return Err(ControlError::PathTooLong(path.to_owned()));
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(beside(path, ".lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ControlError::AlreadyRunning(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(ControlError::NotASocket(path.to_owned()));
            }
            _ => {}
        }
        // Born under another name and moved when its permissions are right: nobody ever meets an open one.
        let fresh = beside(path, ".new");
        match fs::remove_file(&fresh) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed(source)),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh).map_err(failed)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&fresh, path).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), _lock: lock })
    }

    /// Answers calls until `stop`, then lets those that run come to an end for a few seconds.
    ///
    /// `handler` gets the request, where to put answers, and who calls. A handler that has begun is not cut when its
    /// caller hangs up: what it does is finished. One that waits for things to tell ends by [`Answers::gone`] and by
    /// the program's own [`Shutdown`].
    pub async fn serve<H, F>(self, handler: H, stop: Shutdown)
    where
        H: Fn(Value, Answers, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let own = rustix::process::geteuid().as_raw();
        let slots = Arc::new(Semaphore::new(MAX_CALLS));
        let mut calls = JoinSet::new();
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(ended) = calls.join_next(), if !calls.is_empty() => {
                    note_panic(ended);
                    continue;
                }
                () = &mut stopped => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "A call on the local socket could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (handler, slot) = (Arc::clone(&handler), Arc::clone(&slots).try_acquire_owned());
            calls.spawn(async move {
                // The slot is given back when the call is over.
                match slot {
                    Ok(_slot) => answer(stream, own, handler.as_ref()).await,
                    Err(_) => turn_away(stream).await,
                }
            });
        }
        let drained = async {
            while let Some(ended) = calls.join_next().await {
                note_panic(ended)
            }
        };
        if timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(calls = calls.len(), "Calls on the local socket were cut");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Still under our lock, so it is our own file that goes.
        let _ = fs::remove_file(&self.path);
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "A call on the local socket ended in a panic; please report this");
    }
}

/// One connection, from the request to the last answer.
async fn answer<H, F>(stream: UnixStream, own: u32, handler: &H)
where
    H: Fn(Value, Answers, Peer) -> F,
    F: Future<Output = Result<(), Refusal>>,
{
    let peer = match stream.peer_cred() {
        Ok(found) => Peer { uid: found.uid(), gid: found.gid(), pid: found.pid() },
        Err(error) => {
            tracing::warn!(%error, "A caller on the local socket could not be identified");
            return;
        }
    };
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(BufReader::new(read), MAX_REQUEST);
    let ended = if peer.may_call(own) {
        match request(&mut lines).await {
            Ok(Some(request)) => converse(handler, request, peer, &mut lines, &mut write).await,
            Ok(None) => return,
            Err(refusal) => Err(refusal),
        }
    } else {
        tracing::warn!(uid = peer.uid, "A caller on the local socket was refused");
        Err(Refusal::new("caller-denied", "only root and the user that the daemon runs as may call it"))
    };
    let last = ended.map_or_else(AnswerLine::Failed, |()| AnswerLine::Done(true));
    // A caller that has hung up misses nothing.
    let _ = write_line(&mut write, &last).await;
}

/// Too many at once: said in a sentence instead of a connection that hangs.
async fn turn_away(mut stream: UnixStream) {
    let refusal =
        Refusal::new("too-many-calls", format!("{MAX_CALLS} calls are already running; try again later"));
    if let Ok(mut bytes) = serde_json::to_vec(&AnswerLine::Failed(refusal)) {
        bytes.push(b'\n');
        let _ = stream.write_all(&bytes).await;
    }
}

/// Reads what the caller wants; `None` when it hung up without a word.
async fn request(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> Result<Option<Value>, Refusal> {
    let Ok(read) = timeout(REQUEST_TIMEOUT, lines.next()).await else {
        return Err(Refusal::wrong_call(
            "request-timeout",
            "no request came within ten seconds; send one line of JSON",
        ));
    };
    match read {
        Ok(Line::Whole(line)) => serde_json::from_slice(&line)
            .map(Some)
            .map_err(|_| Refusal::wrong_call("request-not-json", "the request is not a line of JSON")),
        Ok(Line::TooLong) => Err(Refusal::wrong_call(
            "request-too-long",
            format!("the request is longer than {} KiB; split it into several", MAX_REQUEST / 1024),
        )),
        Ok(Line::End) | Err(_) => Ok(None),
    }
}

/// Runs the handler and writes its answers as they come. Ends with the handler.
async fn converse<H, F>(
    handler: &H,
    request: Value,
    peer: Peer,
    lines: &mut Lines<BufReader<OwnedReadHalf>>,
    write: &mut OwnedWriteHalf,
) -> Result<(), Refusal>
where
    H: Fn(Value, Answers, Peer) -> F,
    F: Future<Output = Result<(), Refusal>>,
{
    let (sender, mut items) = mpsc::channel(ANSWER_QUEUE);
    let handling = handler(request, Answers { items: sender }, peer);
    tokio::pin!(handling);
    let mut caller_is_there = true;
    let ended = loop {
        tokio::select! {
            // Answers first, so that none is written after the end.
            biased;
            Some(item) = items.recv() => {
                if write_line(write, &AnswerLine::Item(item)).await.is_err() {
                    items.close();
                }
            }
            ended = &mut handling => break ended,
            () = lines.closed(), if caller_is_there => {
                caller_is_there = false;
                items.close();
            }
        }
    };
    items.close();
    while let Some(item) = items.recv().await {
        if write_line(write, &AnswerLine::Item(item)).await.is_err() {
            break;
        }
    }
    ended
}

async fn write_line(write: &mut OwnedWriteHalf, line: &AnswerLine) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_own_user_may_call() {
        let check = |uid, own, may| {
            assert_eq!(Peer { uid, gid: 0, pid: None }.may_call(own), may, "{uid} to {own}");
        };
        check(0, 990, true);
        check(990, 990, true);
        check(1000, 990, false);
        check(1000, 0, false);
        check(0, 0, true);
    }
}
