//! A calendar entry as the connector understands it, free of Graph's JSON.

use std::fmt;

use jiff::Timestamp;

use crate::{EventId, Person};

/// One calendar entry: a single event, an occurrence, an exception, or the series master that they follow.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// Graph's id.
    pub id: EventId,
    /// Single, or its place in a series.
    pub kind: EventKind,
    /// The series master of an occurrence or exception.
    pub series_master: Option<EventId>,
    /// Title, may be empty.
    pub subject: String,
    /// Text of the invitation.
    pub body: Body,
    /// `location.displayName`, may be empty.
    pub location: String,
    /// `onlineMeeting.joinUrl`.
    pub online_meeting_url: Option<String>,
    /// Start, in UTC. Of an all-day event: midnight UTC of its first day.
    pub start: Timestamp,
    /// End, in UTC, exclusive. Of an all-day event: midnight UTC after its last day.
    pub end: Timestamp,
    /// Whole days; only the date parts of `start` and `end` mean something.
    pub all_day: bool,
    /// The organizer cancelled it; the entry stays until somebody removes it.
    pub cancelled: bool,
    /// Who called the meeting.
    pub organizer: Option<Person>,
    /// What this mailbox answered.
    pub response: Response,
    /// How private the mailbox's owner made it.
    pub sensitivity: Sensitivity,
    /// What it does to the owner's free/busy time.
    pub show_as: ShowAs,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({:?}, ..)", self.kind)
    }
}

/// `type` of Graph's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Not part of a series.
    Single,
    /// One of a series, as the series says.
    Occurrence,
    /// One of a series, changed by itself.
    Exception,
    /// The series itself; never shown.
    SeriesMaster,
}

/// Text of an invitation.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// Markup or plain.
    pub kind: BodyKind,
    /// As it came.
    pub content: String,
}

/// Markup or plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyKind {
    /// HTML, what Graph sends by default.
    #[default]
    Html,
    /// Plain text.
    Text,
}

/// What a mailbox answered to an invitation: `responseStatus.response`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It called the meeting.
    Organizer,
    /// Yes.
    Accepted,
    /// Perhaps.
    Tentative,
    /// No.
    Declined,
    /// No answer was given, or none was asked for.
    #[default]
    None,
}

/// `sensitivity` of Graph's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sensitivity {
    /// For every reader of the calendar.
    #[default]
    Normal,
    /// Personal.
    Personal,
    /// Private.
    Private,
    /// Confidential.
    Confidential,
}

/// `showAs` of Graph's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShowAs {
    /// The time stays free.
    Free,
    /// Held, not sure.
    Tentative,
    /// Taken.
    #[default]
    Busy,
    /// Out of office.
    OutOfOffice,
    /// Working, but not here.
    WorkingElsewhere,
    /// Not said.
    Unknown,
}
