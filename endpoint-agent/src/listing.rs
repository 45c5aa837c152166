//! The words in which the agent tells of meetings and of what happens, for scripts: the JSON of `meetings`, of `watch`,
//! and of what a command gets on its standard input. Keys are never missing; where there is nothing, there is `null`.

use jiff::Timestamp;
use joinery_agenda::Entry;
use joinery_model::{JoinTarget, MeetingStatus, Person, Presence, Response, RowId};
use serde::{Deserialize, Serialize};

/// A meeting.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingJson {
    /// The row's id.
    pub id: RowId,
    /// Title; hidden where others can read.
    pub subject: String,
    /// Start; of an all-day meeting midnight UTC of its first day.
    pub start: Timestamp,
    /// End, exclusive.
    pub end: Timestamp,
    /// Whole days.
    pub all_day: bool,
    /// The owner's time stays free during it.
    pub free: bool,
    /// Who called it.
    pub organizer: Option<Person>,
    /// The owner marked it private.
    pub private: bool,
    /// Whether it stands.
    pub status: MeetingStatus,
    /// What this mailbox answered.
    pub response: Response,
    /// Where Join leads.
    pub join: Option<JoinJson>,
    /// When the Join button is on.
    pub button: Option<ButtonJson>,
}

/// Where Join leads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinJson {
    /// What a click opens.
    pub url: Option<String>,
    /// What a room system dials.
    pub sip: Option<String>,
    /// Whose meeting it is.
    pub provider: String,
    /// Number or code.
    pub meeting_id: Option<String>,
    /// What the meeting asks for besides.
    pub passcode: Option<String>,
}

/// When a Join button is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonJson {
    /// From here,
    pub from: Timestamp,
    /// to before here.
    pub until: Timestamp,
}

impl From<&Entry> for MeetingJson {
    fn from(entry: &Entry) -> Self {
        Self {
            id: entry.id,
            subject: entry.subject.clone(),
            start: entry.start,
            end: entry.end,
            all_day: entry.all_day,
            free: entry.free,
            organizer: entry.organizer.clone(),
            private: entry.private,
            status: entry.status,
            response: entry.response,
            join: entry.join.as_ref().map(JoinJson::from),
            button: entry.button.map(|button| ButtonJson { from: button.from, until: button.until }),
        }
    }
}

impl From<&JoinTarget> for JoinJson {
    fn from(join: &JoinTarget) -> Self {
        let JoinTarget { url, sip, provider, meeting_id, passcode } = join.clone();
        Self { url, sip, provider, meeting_id, passcode }
    }
}

/// Whether the connector is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// A session runs.
    Online,
    /// None does.
    #[default]
    Offline,
}

/// What `meetings --json` prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingsJson {
    /// When the list was last known to be up to date.
    pub as_of: Option<Timestamp>,
    /// Whether the connector is there.
    pub connection: Connection,
    /// Whose list it is: the mailbox's address.
    pub mailbox: Option<joinery_model::MailboxAddress>,
    /// Whether the mailbox's owner is there.
    pub presence: Presence,
    /// The list, in the order in which the device shows it.
    pub meetings: Vec<MeetingJson>,
}

/// Something that happened: one line of `watch --json`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventJson {
    /// What.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it was noticed.
    pub at: Timestamp,
    /// The meeting that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting: Option<MeetingJson>,
    /// Of `meetings_changed`: what became of the meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Of `meetings_changed` without a meeting: how many changed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Of `button_shown`: the button was on before, its meeting was moved, renamed or leads elsewhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaced: bool,
    /// It did not happen now: told at the beginning, to say how things stand.
    #[serde(default, skip_serializing_if = "is_false")]
    pub already: bool,
    /// Of `connection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A Join button went on, or shows something else than before.
    ButtonShown,
    /// A Join button went off.
    ButtonHidden,
    /// The list is another one.
    MeetingsChanged,
    /// The mailbox's owner has gone or come back.
    Presence,
    /// The connector has gone or come back.
    Connection,
    /// Somebody joined from this device.
    Joined,
}

/// What became of a meeting in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new in the list.
    Added,
    /// Something of it is different.
    Changed,
    /// It is no longer listed.
    Removed,
}

impl EventJson {
    /// An event of which nothing but kind and time is known.
    pub fn new(kind: EventKind, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            meeting: None,
            change: None,
            count: None,
            replaced: false,
            already: false,
            connection: None,
        }
    }

    /// An event about a meeting.
    pub fn about(kind: EventKind, at: Timestamp, entry: &Entry) -> Self {
        Self { meeting: Some(entry.into()), ..Self::new(kind, at) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use joinery_agenda::{Policy, agenda};

    use super::*;

    fn entry(text: &str) -> Entry {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        let day = Duration::from_secs(86_400);
        let policy = Policy { shared: false, lead: Duration::from_secs(300), past: day, future: day };
        let meetings = BTreeMap::from([(RowId::from_bytes([0xab; 16]), serde_json::from_str(text).unwrap())]);
        agenda(&meetings, &policy, now).remove(0)
    }

    /// The shape that scripts rely on.
    #[test]
    fn a_meeting_has_this_shape() {
        let full = entry(
            r#"{"event":"E","subject":"Plan","start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00.5Z","organizer":{"name":"Dana","address":"dana@contoso.example"},"status":"tentative","response":"none","join":{"url":"https://zoom.us/j/1","provider":"zoom","passcode":"77"}}"#,
        );
        assert_eq!(
            serde_json::to_string(&MeetingJson::from(&full)).unwrap(),
            r#"{"id":"abababababababababababababababab","subject":"Plan","start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00.5Z","all_day":false,"free":false,"organizer":{"name":"Dana","address":"dana@contoso.example"},"private":false,"status":"tentative","response":"none","join":{"url":"https://zoom.us/j/1","sip":null,"provider":"zoom","meeting_id":null,"passcode":"77"},"button":{"from":"2026-11-24T08:55:00Z","until":"2026-11-24T09:30:00.5Z"}}"#
        );
        let bare = entry(
            r#"{"event":"E","subject":"","start":"2026-11-24T00:00:00Z","end":"2026-11-25T00:00:00Z","all_day":true,"status":"confirmed","response":"organizer"}"#,
        );
        assert_eq!(
            serde_json::to_string(&MeetingJson::from(&bare)).unwrap(),
            r#"{"id":"abababababababababababababababab","subject":"","start":"2026-11-24T00:00:00Z","end":"2026-11-25T00:00:00Z","all_day":true,"free":false,"organizer":null,"private":false,"status":"confirmed","response":"organizer","join":null,"button":null}"#
        );
    }

    #[test]
    fn a_list_and_an_event_have_these_shapes() {
        let list = MeetingsJson {
            as_of: None,
            connection: Connection::Offline,
            mailbox: None,
            presence: Presence::default(),
            meetings: Vec::new(),
        };
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            r#"{"as_of":null,"connection":"offline","mailbox":null,"presence":{"state":"available","until":null},"meetings":[]}"#
        );
        let at = "2026-11-24T09:00:00Z".parse().unwrap();
        let connection =
            EventJson { connection: Some(Connection::Online), ..EventJson::new(EventKind::Connection, at) };
        assert_eq!(
            serde_json::to_string(&connection).unwrap(),
            r#"{"type":"connection","at":"2026-11-24T09:00:00Z","connection":"online"}"#
        );
        let shown = EventJson { replaced: true, ..EventJson::new(EventKind::ButtonShown, at) };
        assert_eq!(
            serde_json::to_string(&shown).unwrap(),
            r#"{"type":"button_shown","at":"2026-11-24T09:00:00Z","replaced":true}"#
        );
    }
}
