//! A meeting as it is sealed, sent and shown.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EventId, JoinTarget, Response};

/// What a device gets to know of a calendar entry. This, as JSON, is the plaintext of a sealed row; an older reader
/// ignores what it does not know, so fields may be added but never change their meaning.
///
/// Every entry in the window is a meeting, declined and cancelled ones too: which of them are listed and which have a
/// Join button is the agenda's decision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Graph's id of the event, for answers to the organizer.
    pub event: EventId,
    /// Title, may be empty.
    pub subject: String,
    /// Start in UTC; of an all-day meeting midnight UTC of its first day.
    pub start: Timestamp,
    /// End in UTC, exclusive.
    pub end: Timestamp,
    /// Whole days: only the date parts count.
    #[serde(default)]
    pub all_day: bool,
    /// Location as written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Who called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<Person>,
    /// The owner marked it personal, private or confidential.
    #[serde(default)]
    pub private: bool,
    /// The owner's time stays free during it.
    #[serde(default)]
    pub free: bool,
    /// Whether it stands.
    pub status: MeetingStatus,
    /// What this mailbox answered.
    pub response: Response,
    /// Where Join leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinTarget>,
}

impl fmt::Debug for Meeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meeting({:?}, {:?}, ..)", self.status, self.response)
    }
}

/// Whether a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingStatus {
    /// It takes place.
    Confirmed,
    /// This mailbox has not said yes.
    Tentative,
    /// It was called off.
    Cancelled,
}

/// A person or room with a mail address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Display name, may be empty.
    pub name: String,
    /// Mail address, may be empty.
    pub address: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}

/// What kind of screen a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Shared by whoever is in the room: private titles are hidden.
    Room,
    /// One person's own.
    Desktop,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Room => "room",
            Self::Desktop => "desktop",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored and sent shape: a later version must still read it.
    #[test]
    fn the_sealed_shape_is_known() {
        let meeting = Meeting {
            event: EventId::new("AAMk"),
            subject: "Plan".into(),
            start: "2026-11-24T09:00:00Z".parse().unwrap(),
            end: "2026-11-24T09:30:00Z".parse().unwrap(),
            all_day: false,
            location: String::new(),
            organizer: Some(Person { name: "Dana".into(), address: "dana@contoso.example".into() }),
            private: false,
            free: false,
            status: MeetingStatus::Confirmed,
            response: Response::Accepted,
            join: Some(JoinTarget {
                url: Some("https://zoom.us/j/123456789".into()),
                sip: None,
                provider: "zoom".into(),
                meeting_id: Some("123456789".into()),
                passcode: None,
            }),
        };
        let text = serde_json::to_string(&meeting).unwrap();
        assert_eq!(
            text,
            r#"{"event":"AAMk","subject":"Plan","start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00Z","all_day":false,"organizer":{"name":"Dana","address":"dana@contoso.example"},"private":false,"free":false,"status":"confirmed","response":"accepted","join":{"url":"https://zoom.us/j/123456789","provider":"zoom","meeting_id":"123456789"}}"#
        );
        assert_eq!(serde_json::from_str::<Meeting>(&text).unwrap(), meeting);
        let newer = text.replacen('{', r#"{"colour":"red","#, 1);
        assert_eq!(serde_json::from_str::<Meeting>(&newer).unwrap(), meeting);
    }

    #[test]
    fn a_meeting_does_not_print_its_contents() {
        let text = r#"{"event":"E","subject":"canary","start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00Z","status":"confirmed","response":"none"}"#;
        let meeting: Meeting = serde_json::from_str(text).unwrap();
        assert!(!format!("{meeting:?}").contains("canary"));
    }
}
