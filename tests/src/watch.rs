//! `joinery-agent watch --json`, read as it comes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::lines::Meeting;
use crate::waiting::wait_for;

/// One line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Happening {
    /// `button_shown`, `button_hidden`, `meetings_changed`, `connection`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Which meeting it is about.
    #[serde(default)]
    pub meeting: Option<Meeting>,
    /// What became of the meeting in the list: `added`, `changed` or `removed`.
    #[serde(default)]
    pub change: Option<String>,
    /// The button was on before and shows something else now.
    #[serde(default)]
    pub replaced: bool,
    /// It did not happen now: so things stood when the watch began.
    #[serde(default)]
    pub already: bool,
    /// `online` or `offline`.
    #[serde(default)]
    pub connection: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Happening {
    /// Title of the meeting that it is about.
    pub fn subject(&self) -> &str {
        self.meeting.as_ref().map_or("", |meeting| &meeting.subject)
    }

    /// Whether it is of this kind and about the meeting of this title. A button that is replaced is not shown anew.
    pub fn is(&self, kind: &str, subject: &str) -> bool {
        self.kind == kind && self.subject() == subject && !self.replaced
    }

    /// Whether the connection has become this one.
    pub fn is_connection(&self, connection: &str) -> bool {
        self.kind == "connection" && self.connection.as_deref() == Some(connection)
    }
}

/// A running `watch`.
#[derive(Debug)]
pub struct Watch {
    child: Child,
    seen: Arc<Mutex<Vec<Happening>>>,
    reader: Option<JoinHandle<()>>,
}

impl Watch {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("watch does not start");
        let out = child.stdout.take().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let happening = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("watch printed no such JSON: {error}\n{line}"));
                into.lock().unwrap().push(happening);
            }
        });
        let watch = Self { child, seen, reader: Some(reader) };
        watch.wait_for_any("how things stand at the beginning", |happening| happening.already);
        watch
    }

    /// Everything so far.
    #[track_caller]
    pub fn so_far(&self) -> Vec<Happening> {
        self.seen.lock().expect("watch printed what is not understood").clone()
    }

    /// Waits until something of this kind happens to the meeting of this title; the first time that it did.
    #[track_caller]
    pub fn wait_for(&self, kind: &str, subject: &str) -> Happening {
        self.wait_for_any(&format!("{kind} of {subject:?}"), |happening| happening.is(kind, subject))
    }

    /// Waits until something happens that is as wanted.
    #[track_caller]
    pub fn wait_for_any(&self, what: &str, mut wanted: impl FnMut(&Happening) -> bool) -> Happening {
        let what = format!("watch: {what}");
        wait_for(&what, || self.so_far().into_iter().find(&mut wanted))
    }

    /// How often something of this kind happened to the meeting of this title since the beginning.
    pub fn count(&self, kind: &str, subject: &str) -> usize {
        self.so_far().iter().filter(|happening| happening.is(kind, subject) && !happening.already).count()
    }

    /// Ends it and returns everything that happened.
    pub fn end(mut self) -> Vec<Happening> {
        self.close();
        self.so_far()
    }

    fn close(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _panicked = reader.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.close();
        if std::thread::panicking()
            && let Ok(seen) = self.seen.lock()
        {
            eprintln!("--- watch ({} lines):", seen.len());
            for happening in seen.iter() {
                let Happening { kind, at, change, replaced, already, connection, .. } = happening;
                let words = (change, connection, replaced, already);
                eprintln!("{at} {kind} {:?} {words:?}", happening.subject());
            }
        }
    }
}
