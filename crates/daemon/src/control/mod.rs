//! The local socket between a daemon and its command line.
//!
//! One connection is one call: the caller writes one line of JSON, the daemon answers with any number of lines and
//! closes. Every answer line is one of
//!
//! ```json
//! {"item": …}
//! {"done": true}
//! {"failed": {"code": "…", "message": "…", "wrong_call": false}}
//! ```
//!
//! and the last one is `done` or `failed`: a conversation that ends without either was cut, and the caller says so. A
//! caller that closes, be it only its writing side, has hung up.
//! Who may call is decided by the credentials that the kernel gives for the other end: root, and the user that the
//! daemon runs as. The permissions of the socket say the same, so that others are already refused when connecting.

mod client;
mod line;
mod server;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use client::Client;
pub use server::{Answers, Gone, Listener, Peer, serve};

/// The longest request: `mailbox import` of some ten thousand addresses fits with room to spare.
pub const MAX_REQUEST: usize = 1 << 20;

/// The longest answer line: a list of a hundred thousand devices fits; anything longer is not from our daemon.
pub const MAX_ANSWER: usize = 64 << 20;

/// Why the daemon did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable name for scripts.
    pub code: String,
    /// One sentence for the person who called: what happened and what to do next.
    pub message: String,
    /// The call itself was wrong (exit code 2), rather than something it met (exit code 1).
    #[serde(default)]
    pub wrong_call: bool,
}

impl Refusal {
    /// The call was right; something it met was not.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), wrong_call: false }
    }

    /// The call cannot be meant like this.
    pub fn wrong_call(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), wrong_call: true }
    }
}

/// One answer line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerLine {
    Item(serde_json::Value),
    Done(bool),
    Failed(Refusal),
}

/// What can go wrong with the socket, at either end.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing listens there.
    #[error("nothing answers at {}; start the daemon, or name the socket that it uses", .0.display())]
    NotRunning(PathBuf),
    /// Another process of this program holds the socket.
    #[error("already running: another process serves {}; stop it first", .0.display())]
    AlreadyRunning(PathBuf),
    /// The kernel refuses us the socket.
    #[error("may not use {}; call this as root or as the user that the daemon runs as", .0.display())]
    Denied(PathBuf),
    /// The path is longer than the kernel takes for a socket.
    #[error("the socket path {} is too long; use one of at most {} bytes", .0.display(), server::MAX_PATH)]
    PathTooLong(PathBuf),
    /// Something that is not a socket is in the way.
    #[error("{} exists and is not a socket; remove it, or name another path", .0.display())]
    NotASocket(PathBuf),
    /// The socket cannot be made.
    #[error("cannot listen at {}: {source}; its folder must exist and belong to the user of the daemon", path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the daemon at {} went away before it had answered; try again", .0.display())]
    Cut(PathBuf),
    /// The other end speaks something else.
    #[error("what answers at {} is not understood; are both programs of the same version?", .0.display())]
    NotUnderstood(PathBuf),
    /// The daemon refused, in its own words.
    #[error("{}", .0.message)]
    Refused(Refusal),
}

impl ControlError {
    /// A stable name for logs and scripts; of a refusal, the daemon's.
    pub fn code(&self) -> &str {
        match self {
            Self::NotRunning(_) => "not-running",
            Self::AlreadyRunning(_) => "already-running",
            Self::Denied(_) => "socket-denied",
            Self::PathTooLong(_) => "socket-path-too-long",
            Self::NotASocket(_) => "socket-path-taken",
            Self::Listen { .. } => "socket-listen",
            Self::Cut(_) => "socket-cut",
            Self::NotUnderstood(_) => "socket-not-understood",
            Self::Refused(refusal) => &refusal.code,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotRunning(_) | Self::Cut(_))
    }

    /// Whether the call itself was wrong, which programs tell by exit code 2.
    pub const fn is_wrong_call(&self) -> bool {
        matches!(self, Self::Refused(Refusal { wrong_call: true, .. }))
    }
}

#[cfg(test)]
mod tests;
