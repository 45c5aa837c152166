//! What a device shows, read from `joinery-agent meetings --json` and `joinery-agent watch --json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// A whole list, as `meetings --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listing {
    /// `online` or `offline`.
    pub connection: String,
    /// The meetings, in the device's order.
    pub meetings: Vec<Shown>,
}

/// One meeting of the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// The device's name for it.
    pub id: String,
    /// Title as the device shows it.
    pub subject: String,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Whole days.
    #[serde(default)]
    pub all_day: bool,
    /// Where Join leads.
    pub join: Option<Join>,
    /// From when until when the button is on.
    pub button: Option<Button>,
}

/// The part of a join target that is told to a viewer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Join {
    /// Whose meeting it is.
    pub provider: String,
}

/// When a button is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Button {
    /// First instant.
    pub from: Timestamp,
    /// First instant after.
    pub until: Timestamp,
}

/// One line of `watch --json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Happened {
    /// What.
    #[serde(rename = "type")]
    pub kind: String,
    /// To which meeting, where it was one.
    #[serde(default)]
    pub meeting: Option<Shown>,
}

/// A device's screen.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Its agent has a session with the connector.
    pub online: bool,
    /// Its list.
    pub meetings: Vec<Shown>,
    /// Meetings whose button is on, by id.
    lit: BTreeMap<String, Lit>,
}

/// A button that is on.
#[derive(Debug, Clone)]
struct Lit {
    /// Title of its meeting.
    subject: String,
    /// When we heard of it.
    since: Timestamp,
}

impl View {
    /// Takes over a whole list. Buttons are believed only when the device says that it switched them, except for the
    /// first list: what was on before anybody watched is on.
    pub fn listed(&mut self, listing: Listing, first: bool, now: Timestamp) {
        self.online = listing.connection == "online";
        self.meetings = listing.meetings;
        if first {
            let is_on =
                |shown: &&Shown| shown.button.is_some_and(|button| button.from <= now && now < button.until);
            let lit = |shown: &Shown| (shown.id.clone(), Lit { subject: shown.subject.clone(), since: now });
            self.lit.extend(self.meetings.iter().filter(is_on).map(lit));
        }
    }

    /// Takes over one thing that happened, heard at `at`. Says whether the list must be asked for anew.
    pub fn happened(&mut self, happened: Happened, at: Timestamp) -> bool {
        match (happened.kind.as_str(), happened.meeting) {
            ("button_shown", Some(shown)) => {
                // One that is shown anew with another text has been on since before.
                let since = self.lit.get(&shown.id).map_or(at, |lit| lit.since);
                self.lit.insert(shown.id, Lit { subject: shown.subject, since });
                false
            }
            ("button_hidden", Some(shown)) => {
                self.lit.remove(&shown.id);
                false
            }
            // A later agent may tell more than this program knows; the list is always right.
            _ => true,
        }
    }

    /// The meeting of this title, if it is listed.
    pub fn find(&self, subject: &str) -> Option<&Shown> {
        self.meetings.iter().find(|shown| shown.subject == subject)
    }

    /// Since when the button of a meeting of this title is on, listed or not.
    pub fn lit_since(&self, subject: &str) -> Option<Timestamp> {
        self.lit.values().find(|lit| lit.subject == subject).map(|lit| lit.since)
    }

    /// Whether the button of this very meeting is on.
    pub fn is_lit(&self, id: &str) -> bool {
        self.lit.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"id":"a1","subject":"Plan","start":"2026-11-24T09:05:00Z","end":"2026-11-24T09:30:00Z",
        "all_day":false,"organizer":null,"private":false,"status":"confirmed","response":"accepted",
        "join":{"url":"https://x","sip":null,"provider":"zoom","meeting_id":null,"passcode":null},
        "button":{"from":"2026-11-24T09:00:00Z","until":"2026-11-24T09:30:00Z"}}"#;

    fn list(meetings: &str) -> Listing {
        let text = format!(
            r#"{{"as_of":"2026-11-24T09:00:00Z","connection":"online","mailbox":"m","meetings":[{meetings}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn happened(kind: &str, meeting: &str) -> Happened {
        serde_json::from_str(&format!(
            r#"{{"type":"{kind}","at":"2026-11-24T09:00:00Z","meeting":{meeting}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_button_is_on_when_the_device_says_so() {
        let mut view = View::default();
        let now = "2026-11-24T09:10:00Z".parse().unwrap();
        view.listed(list(PLAN), false, now);
        assert!(view.online && view.find("Plan").is_some() && view.lit_since("Plan").is_none());
        assert!(!view.happened(happened("button_shown", PLAN), now));
        assert!(view.lit_since("Plan").is_some() && view.is_lit("a1"));
        view.listed(list(""), false, now);
        assert!(
            view.find("Plan").is_none() && view.lit_since("Plan").is_some(),
            "gone from the list is not yet switched off"
        );
        assert!(!view.happened(happened("button_hidden", PLAN), now));
        assert!(view.lit_since("Plan").is_none());
    }

    #[test]
    fn what_was_on_before_the_first_list_is_on() {
        for (now, on) in [("08:59:59", false), ("09:00:00", true), ("09:29:59", true), ("09:30:00", false)] {
            let mut view = View::default();
            view.listed(list(PLAN), true, format!("2026-11-24T{now}Z").parse().unwrap());
            assert_eq!(view.lit_since("Plan").is_some(), on, "{now}");
        }
    }

    #[test]
    fn everything_else_asks_for_the_list() {
        for kind in ["meetings_changed", "connection", "presence", "something_new"] {
            assert!(View::default().happened(happened(kind, "null"), Timestamp::UNIX_EPOCH), "{kind}");
        }
    }
}
