//! What a pop-up says, as plain values.
//!
//! It may be read on a locked screen, in the desktop's history and by other programs of the session: never an address, a
//! passcode, or anything of a private meeting but its time.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use joinery_agenda::{Entry, PRIVATE_SUBJECT};

use crate::config::{DesktopConfig, Details};

/// The key of a click on the pop-up itself.
pub const DEFAULT_ACTION: &str = "default";
/// The key of the Join button.
pub const JOIN_ACTION: &str = "join";

/// Name of the server that draws the default action as a button (xfce4-notifyd 0.7).
const DRAWS_DEFAULT: &str = "Xfce Notify Daemon";

/// What the notification server can do, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Buttons, or at least clicks.
    pub actions: bool,
    /// A click on the pop-up is the action [`DEFAULT_ACTION`]. A server that does not know this draws it as one more
    /// button.
    pub click: bool,
    /// The body is read as markup.
    pub markup: bool,
}

impl Capabilities {
    /// Reads the answers to `GetCapabilities` and `GetServerInformation`.
    pub fn of(names: &[String], server: &str) -> Self {
        let has = |name: &str| names.iter().any(|known| known == name);
        Self { actions: has("actions"), click: server != DRAWS_DEFAULT, markup: has("body-markup") }
    }
}

/// A notification's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// First line; never markup.
    pub summary: String,
    /// The rest; escaped where the server reads markup.
    pub body: String,
    /// Key, label, key, label.
    pub actions: Vec<String>,
    /// 1 normal, 2 critical.
    pub urgency: u8,
}

/// The pop-up of `entry`, whose button is on. `zone` is the zone of the person before the screen.
pub fn note(
    entry: &Entry,
    started: bool,
    config: &DesktopConfig,
    capabilities: Capabilities,
    zone: &TimeZone,
) -> Note {
    let time = format!("{} – {}", clock(entry.start, zone), clock(entry.end, zone));
    let (summary, mut lines) = match config.details {
        Details::TimeOnly => ("Meeting".to_owned(), vec![time]),
        Details::Full if entry.private => (PRIVATE_SUBJECT.to_owned(), vec![time]),
        Details::Full => {
            let mark = entry.is_tentative().then_some("tentative");
            let organizer = entry.organizer.as_ref().map(|person| {
                let name = one_line(&person.name);
                if name.is_empty() { one_line(&person.address) } else { name }
            });
            let organizer = organizer.filter(|name| !name.is_empty());
            let line: Vec<String> =
                [Some(time), organizer, mark.map(str::to_owned)].into_iter().flatten().collect();
            let subject = one_line(&entry.subject);
            (if subject.is_empty() { "Meeting".to_owned() } else { subject }, vec![line.join(" · ")])
        }
    };
    if !capabilities.actions {
        lines.push("To join, run: joinery-agent join".to_owned());
    }
    let body = lines.join("\n");
    Note {
        summary,
        body: if capabilities.markup { escape(&body) } else { body },
        actions: actions(capabilities),
        urgency: if started && config.urgent_at_start { 2 } else { 1 },
    }
}

fn actions(capabilities: Capabilities) -> Vec<String> {
    let actions: &[&str] = match (capabilities.actions, capabilities.click) {
        (false, _) => &[],
        (true, false) => &[JOIN_ACTION, "Join"],
        (true, true) => &[DEFAULT_ACTION, "Join", JOIN_ACTION, "Join"],
    };
    actions.iter().map(|word| (*word).to_owned()).collect()
}

/// A pop-up that says that joining has failed, and why.
pub fn failure(reason: &str, capabilities: Capabilities) -> Note {
    let body = if capabilities.markup { escape(reason) } else { reason.to_owned() };
    Note { summary: "The meeting could not be opened".to_owned(), body, actions: Vec::new(), urgency: 1 }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string()
}

/// Titles come from strangers: line breaks and control characters, also those that turn the direction of reading, are
/// made spaces.
fn one_line(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text.chars().map(|c| if odd(c) { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Only these three are special in the body's markup (Desktop Notifications Specification, "Markup").
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use joinery_agenda::{Policy, agenda};
    use joinery_model::RowId;

    use super::*;

    const ALL: Capabilities = Capabilities { actions: true, click: true, markup: true };

    fn entry(rest: &str) -> Entry {
        let text = format!(
            r#"{{"event":"E","subject":"Plan <b>A & B</b>","start":"2026-11-24T09:00:00Z","end":"2026-11-24T10:00:00Z","organizer":{{"name":"Dana & Co","address":"dana@contoso.example"}},"status":"confirmed","response":"accepted","join":{{"url":"https://zoom.us/j/1","provider":"zoom","passcode":"77"}}{rest}}}"#
        );
        let day = Duration::from_secs(86_400);
        let policy = Policy { shared: false, lead: Duration::ZERO, past: day, future: day };
        let meetings = BTreeMap::from([(RowId::from_bytes([1; 16]), serde_json::from_str(&text).unwrap())]);
        agenda(&meetings, &policy, "2026-11-24T09:00:00Z".parse().unwrap()).remove(0)
    }

    #[track_caller]
    fn check(entry: &Entry, details: Details, capabilities: Capabilities, summary: &str, body: &str) {
        let config = DesktopConfig { details, ..DesktopConfig::default() };
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let note = note(entry, false, &config, capabilities, &zone);
        assert_eq!((note.summary.as_str(), note.body.as_str()), (summary, body));
        assert!(!format!("{note:?}").contains("zoom.us") && !note.body.contains("77"));
    }

    #[test]
    fn what_a_pop_up_says() {
        let title = "Plan <b>A & B</b>";
        let plain = Capabilities { markup: false, ..ALL };
        check(&entry(""), Details::Full, ALL, title, "14:30 – 15:30 · Dana &amp; Co");
        check(&entry(""), Details::Full, plain, title, "14:30 – 15:30 · Dana & Co");
        check(&entry(""), Details::TimeOnly, ALL, "Meeting", "14:30 – 15:30");
        check(&entry(r#","private":true"#), Details::Full, ALL, "Private meeting", "14:30 – 15:30");
        let mut tentative = entry("");
        tentative.status = joinery_model::MeetingStatus::Tentative;
        check(&tentative, Details::Full, plain, title, "14:30 – 15:30 · Dana & Co · tentative");
        let mut bare = entry("");
        (bare.subject, bare.organizer) = (" \n".into(), None);
        check(&bare, Details::Full, ALL, "Meeting", "14:30 – 15:30");
        let mut odd = entry("");
        (odd.subject, odd.organizer) = ("a\nb\u{202e}c\u{7}".into(), None);
        check(&odd, Details::Full, ALL, "a b c", "14:30 – 15:30");
    }

    #[test]
    fn without_buttons_it_says_how_to_join() {
        let none = Capabilities { actions: false, ..ALL };
        let want = "14:30 – 15:30 · Dana &amp; Co\nTo join, run: joinery-agent join";
        check(&entry(""), Details::Full, none, "Plan <b>A & B</b>", want);
        let note = note(&entry(""), false, &DesktopConfig::default(), none, &TimeZone::UTC);
        assert!(note.actions.is_empty());
    }

    #[test]
    fn it_becomes_urgent_when_the_meeting_starts() {
        let urgency = |started, urgent_at_start| {
            let config = DesktopConfig { urgent_at_start, ..DesktopConfig::default() };
            note(&entry(""), started, &config, ALL, &TimeZone::UTC).urgency
        };
        assert_eq!([urgency(false, true), urgency(true, true), urgency(true, false)], [1, 2, 1]);
    }

    #[test]
    fn both_a_click_and_the_button_join() {
        let actions = |names: &[&str], server| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let capabilities = Capabilities::of(&names, server);
            note(&entry(""), false, &DesktopConfig::default(), capabilities, &TimeZone::UTC).actions
        };
        assert_eq!(actions(&["actions", "body"], "dunst"), ["default", "Join", "join", "Join"]);
        assert_eq!(actions(&["actions"], "Xfce Notify Daemon"), ["join", "Join"]);
        assert!(actions(&["body"], "dunst").is_empty());
        assert_eq!(failure("a < b", ALL).body, "a &lt; b");
    }
}
