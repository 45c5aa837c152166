//! The command line's end.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::line::{Line, Lines};
use super::{AnswerLine, ControlError, MAX_ANSWER};

/// One call to a daemon, whose answers are still coming.
pub struct Client {
    path: PathBuf,
    lines: Lines<BufReader<OwnedReadHalf>>,
    /// Kept open: closing it tells the daemon that we have hung up.
    _write: OwnedWriteHalf,
    over: bool,
}

impl Client {
    /// Calls the daemon at `path` and returns its one answer (`null` if it has nothing to say).
    ///
    /// # Errors
    /// [`ControlError::Refused`] with the daemon's own words; others when it cannot be reached or understood.
    pub async fn call<Q: Serialize + Sync>(path: &Path, request: &Q) -> Result<Value, ControlError> {
        let mut client = Self::stream(path, request).await?;
        let mut answer = Value::Null;
        while let Some(item) = client.next().await? {
            answer = item;
        }
        Ok(answer)
    }

    /// Calls the daemon at `path`; take the answers by [`Client::next`].
    ///
    /// # Errors
    /// When the daemon cannot be reached.
    pub async fn stream<Q: Serialize + Sync>(path: &Path, request: &Q) -> Result<Self, ControlError> {
        let stream = UnixStream::connect(path).await.map_err(|error| not_connected(path, &error))?;
        let (read, mut write) = stream.into_split();
        let mut line =
            serde_json::to_vec(request).map_err(|_| ControlError::NotUnderstood(path.to_owned()))?;
        line.push(b'\n');
        // A daemon that refuses without reading all closes early, but its sentence can still be read: that counts.
        let _ = write.write_all(&line).await;
        Ok(Self {
            path: path.to_owned(),
            lines: Lines::new(BufReader::new(read), MAX_ANSWER),
            _write: write,
            over: false,
        })
    }

    /// The next answer; `None` after the last. May be dropped while it waits without losing anything.
    ///
    /// # Errors
    /// [`ControlError::Refused`] with the daemon's own words; [`ControlError::Cut`] when it went away in the middle.
    pub async fn next(&mut self) -> Result<Option<Value>, ControlError> {
        if self.over {
            return Ok(None);
        }
        let line = match self.lines.next().await {
            Ok(Line::Whole(line)) => line,
            Ok(Line::TooLong) => return Err(self.end(ControlError::NotUnderstood)),
            Ok(Line::End) | Err(_) => return Err(self.end(ControlError::Cut)),
        };
        match serde_json::from_slice(&line) {
            Ok(AnswerLine::Item(item)) => Ok(Some(item)),
            Ok(AnswerLine::Done(_)) => {
                self.over = true;
                Ok(None)
            }
            Ok(AnswerLine::Failed(refusal)) => {
                self.over = true;
                Err(ControlError::Refused(refusal))
            }
            Err(_) => Err(self.end(ControlError::NotUnderstood)),
        }
    }

    fn end(&mut self, error: fn(PathBuf) -> ControlError) -> ControlError {
        self.over = true;
        error(self.path.clone())
    }
}

fn not_connected(path: &Path, error: &io::Error) -> ControlError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ControlError::Denied(path.to_owned()),
        io::ErrorKind::InvalidInput => ControlError::PathTooLong(path.to_owned()),
        // No file, a file that nobody serves any more, or no socket at all.
        _ => ControlError::NotRunning(path.to_owned()),
    }
}
