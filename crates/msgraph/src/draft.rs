//! Events that we write.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

/// An event to create. It invites nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Title.
    pub subject: String,
    /// Plain text of the body.
    pub text: String,
    /// Start; whole seconds count.
    pub start: Timestamp,
    /// End, exclusive; whole seconds count.
    pub end: Timestamp,
    /// The owner's time stays free.
    pub free: bool,
    /// Any text, different for each event: a request that is repeated with the same one creates nothing more.
    pub transaction: String,
}

/// What to change in an event: what is `None` stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EventPatch {
    /// Title.
    pub subject: Option<String>,
    /// Start; whole seconds count.
    pub start: Option<Timestamp>,
    /// End, exclusive; whole seconds count.
    pub end: Option<Timestamp>,
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewEvent(..)")
    }
}

impl fmt::Debug for EventPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventPatch(..)")
    }
}

impl NewEvent {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "subject": self.subject,
            "body": {"contentType": "text", "content": self.text},
            "start": moment(self.start),
            "end": moment(self.end),
            "showAs": if self.free { "free" } else { "busy" },
            "transactionId": self.transaction,
        })
    }
}

impl EventPatch {
    pub(crate) fn to_json(&self) -> Value {
        let subject = self.subject.as_ref().map(|subject| ("subject", json!(subject)));
        let start = self.start.map(|start| ("start", moment(start)));
        let end = self.end.map(|end| ("end", moment(end)));
        let changed = [subject, start, end].into_iter().flatten();
        Value::Object(changed.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    }
}

fn moment(time: Timestamp) -> Value {
    let seconds = Timestamp::from_second(time.as_second()).unwrap_or(time);
    json!({"dateTime": Offset::UTC.to_datetime(seconds).to_string(), "timeZone": "UTC"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_event_is_written_as_graph_reads_it() {
        let event = NewEvent {
            subject: "Test".into(),
            text: "Goes away by itself".into(),
            start: "2026-11-24T09:00:00.123Z".parse().unwrap(),
            end: "2026-11-24T09:15:00Z".parse().unwrap(),
            free: true,
            transaction: "t-1".into(),
        };
        let want = json!({
            "subject": "Test",
            "body": {"contentType": "text", "content": "Goes away by itself"},
            "start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-11-24T09:15:00", "timeZone": "UTC"},
            "showAs": "free",
            "transactionId": "t-1",
        });
        assert_eq!(event.to_json(), want);
    }

    #[test]
    fn a_patch_names_only_what_changes() {
        assert_eq!(EventPatch::default().to_json(), json!({}));
        let patch = EventPatch { subject: Some("New".into()), ..EventPatch::default() };
        assert_eq!(patch.to_json(), json!({"subject": "New"}));
    }
}
