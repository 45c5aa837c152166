//! A meeting as a test writes it down.

use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mailbox::{MailboxKind, online_meeting};
use crate::moment::Moment;
use crate::payload::{self, Draft};
use crate::refusal::Refusal;
use crate::zones::Zone;

/// A meeting to be put into a mailbox. All but the times have defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMeeting {
    /// Title.
    #[serde(default)]
    pub subject: String,
    /// Invitation text.
    #[serde(default)]
    pub body: String,
    /// The invitation text is HTML.
    #[serde(default)]
    pub html: bool,
    /// Location as a person types it.
    #[serde(default)]
    pub location: String,
    /// Start. Of whole days any instant of the first day in `time_zone`.
    pub start: Timestamp,
    /// End, exclusive. Of whole days any instant of the last day in `time_zone`, or the midnight after it.
    pub end: Timestamp,
    /// Windows or IANA name of the zone in which the meeting is planned; a series keeps its hour there.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Whole days.
    #[serde(default)]
    pub all_day: bool,
    /// Who called it; nobody: the mailbox's owner.
    #[serde(default)]
    pub organizer: Option<Attendee>,
    /// Who else is invited.
    #[serde(default)]
    pub attendees: Vec<Attendee>,
    /// What the mailbox answered. By default the organizer's own, an acceptance of a room, or no answer yet.
    #[serde(default)]
    pub response: Option<Response>,
    /// How private it is.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// What it does to free/busy time.
    #[serde(default)]
    pub show_as: ShowAs,
    /// `onlineMeeting.joinUrl`.
    #[serde(default)]
    pub online_meeting_url: Option<String>,
    /// `patternedRecurrence` in Graph's own shape; `range.startDate` is filled in if it is missing.
    #[serde(default)]
    pub recurrence: Option<Value>,
}

/// Somebody with a mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Display name.
    #[serde(default)]
    pub name: String,
    /// Mail address.
    pub address: String,
}

/// `responseStatus.response`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Response {
    /// None was asked for.
    None,
    /// The mailbox's owner called the meeting.
    Organizer,
    /// Perhaps.
    #[serde(alias = "tentative")]
    TentativelyAccepted,
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Not yet answered.
    NotResponded,
}

/// `sensitivity`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sensitivity {
    /// Normal.
    #[default]
    Normal,
    /// Personal.
    Personal,
    /// Private.
    Private,
    /// Confidential.
    Confidential,
}

/// `showAs`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShowAs {
    /// Free.
    Free,
    /// Tentative.
    Tentative,
    /// Busy.
    #[default]
    Busy,
    /// Out of office.
    Oof,
    /// Working elsewhere.
    WorkingElsewhere,
    /// Not said.
    Unknown,
}

impl NewMeeting {
    /// A meeting from `start` to `end` that the mailbox's owner called.
    pub fn new(subject: &str, start: Timestamp, end: Timestamp) -> Self {
        Self {
            subject: subject.to_owned(),
            body: String::new(),
            html: false,
            location: String::new(),
            start,
            end,
            time_zone: utc(),
            all_day: false,
            organizer: None,
            attendees: Vec::new(),
            response: None,
            sensitivity: Sensitivity::default(),
            show_as: ShowAs::default(),
            online_meeting_url: None,
            recurrence: None,
        }
    }

    /// The event that Graph makes of it in the mailbox of `owner`.
    pub(crate) fn draft(&self, owner: &str, kind: MailboxKind) -> Result<Draft, Refusal> {
        let zone =
            Zone::named(&self.time_zone).ok_or_else(|| Refusal::bad_value("The time zone is not known."))?;
        let (start, end) = times(self.start, self.end, &zone, self.all_day);
        let attendees: Vec<Value> = self.attendees.iter().map(|who| json!({"emailAddress": who})).collect();
        let body = json!({
            "subject": self.subject,
            "body": {"contentType": if self.html { "html" } else { "text" }, "content": self.body},
            "start": start.to_json(), "end": end.to_json(), "isAllDay": self.all_day,
            "location": {"displayName": self.location},
            "attendees": attendees,
            "sensitivity": self.sensitivity, "showAs": self.show_as,
            "recurrence": self.recurrence.as_ref().map(|value| with_start_date(value, &start)),
        });
        let mut draft = payload::draft(&body)?;
        let own = Attendee { name: owner.to_owned(), address: owner.to_owned() };
        let organizer = self.organizer.as_ref().unwrap_or(&own);
        let is_organizer = organizer.address.eq_ignore_ascii_case(owner);
        let response = self.response.unwrap_or(match (is_organizer, kind) {
            (true, _) => Response::Organizer,
            (false, MailboxKind::Room) => Response::Accepted,
            (false, MailboxKind::User) => Response::NotResponded,
        });
        let mut set = |name: &str, value: Value| draft.content.properties.insert(name.to_owned(), value);
        set("organizer", json!({ "emailAddress": organizer }));
        set("isOrganizer", json!(is_organizer));
        set("responseStatus", response_status(response, None));
        if let Some(url) = &self.online_meeting_url {
            set("isOnlineMeeting", json!(true));
            set("onlineMeetingProvider", json!("teamsForBusiness"));
            set("onlineMeeting", online_meeting(url));
        }
        Ok(draft)
    }
}

/// Graph's `responseStatus`. Without a time it is the one that stands for none.
pub(crate) fn response_status(response: Response, at: Option<Timestamp>) -> Value {
    let time = at.map_or_else(
        || "0001-01-01T00:00:00Z".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    json!({"response": response, "time": time})
}

/// Start and end on the clock of `zone`; of whole days the midnights around them.
pub(crate) fn times(start: Timestamp, end: Timestamp, zone: &Zone, all_day: bool) -> (Moment, Moment) {
    let (start, end) = (Moment::at(start, zone), Moment::at(end, zone));
    if !all_day {
        return (start, end);
    }
    let first = start.wall.date();
    let last = end.wall.date();
    let whole = end.is_midnight() && last > first;
    let after = if whole { last } else { last.checked_add(1.day()).unwrap_or(last) };
    (
        start.on(first.to_datetime(jiff::civil::Time::midnight())),
        end.on(after.to_datetime(jiff::civil::Time::midnight())),
    )
}

fn with_start_date(recurrence: &Value, start: &Moment) -> Value {
    let mut recurrence = recurrence.clone();
    if let Some(range) = recurrence.get_mut("range").and_then(Value::as_object_mut) {
        range.entry("startDate").or_insert_with(|| json!(start.wall.date().to_string()));
    }
    recurrence
}

fn utc() -> String {
    "UTC".to_owned()
}
