//! What the agent prints for scripts: the shapes of the operator's contract. Keys may be added, none may be missing.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// `meetings --json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MeetingList {
    /// When the list was last known to be up to date.
    #[serde(deserialize_with = "present")]
    pub as_of: Option<Timestamp>,
    /// `online` or `offline`.
    pub connection: String,
    /// The connector's id of the mailbox whose meetings these are.
    #[serde(deserialize_with = "present")]
    pub mailbox: Option<String>,
    /// Whether the mailbox's owner is there.
    pub presence: Presence,
    /// In the order of the device.
    pub meetings: Vec<Meeting>,
}

/// Whether the mailbox's owner is there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Presence {
    /// `available` or `out_of_office`.
    pub state: String,
    /// When that ends.
    #[serde(deserialize_with = "present")]
    pub until: Option<Timestamp>,
}

/// One meeting.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Meeting {
    /// Stays the same when it is moved.
    pub id: String,
    /// As the device may show it.
    pub subject: String,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Whole days.
    pub all_day: bool,
    /// Who called it.
    #[serde(deserialize_with = "present")]
    pub organizer: Option<Organizer>,
    /// Marked private.
    pub private: bool,
    /// `confirmed`, `tentative` or `cancelled`.
    pub status: String,
    /// `organizer`, `accepted`, `tentative`, `declined` or `none`.
    pub response: String,
    /// Where Join leads.
    #[serde(deserialize_with = "present")]
    pub join: Option<Join>,
    /// When the Join button is on.
    #[serde(deserialize_with = "present")]
    pub button: Option<Button>,
}

/// Who called a meeting.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Organizer {
    /// Display name.
    pub name: String,
    /// Mail address.
    pub address: String,
}

/// Where Join leads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Join {
    /// What a click opens.
    #[serde(deserialize_with = "present")]
    pub url: Option<String>,
    /// What a room system dials.
    #[serde(deserialize_with = "present")]
    pub sip: Option<String>,
    /// Whose meeting it is.
    pub provider: String,
    /// Number or code of the meeting.
    #[serde(deserialize_with = "present")]
    pub meeting_id: Option<String>,
    /// What it asks for besides.
    #[serde(deserialize_with = "present")]
    pub passcode: Option<String>,
}

/// When a Join button is on.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Button {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
}

impl MeetingList {
    /// The meeting with this title.
    pub fn find(&self, subject: &str) -> Option<&Meeting> {
        self.meetings.iter().find(|meeting| meeting.subject == subject)
    }

    /// All titles in order.
    pub fn subjects(&self) -> Vec<&str> {
        self.meetings.iter().map(|meeting| meeting.subject.as_str()).collect()
    }
}

/// The key must be there, its value may be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(value)
}
