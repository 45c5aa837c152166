//! What a person reads: lists and sentences, in the machine's own time zone.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use joinery_model::MeetingStatus;

use crate::listing::{Change, Connection, EventJson, EventKind, MeetingJson, MeetingsJson};
use crate::status::StatusJson;

/// How much of an id is shown: enough to tell a month's meetings apart, and what `join` takes.
const ID_DIGITS: usize = 8;

/// Wider titles and names are cut, so that a line stays a line.
const TITLE_WIDTH: usize = 40;
const NAME_WIDTH: usize = 24;

/// One line of the list.
struct Line {
    time: String,
    mark: &'static str,
    title: String,
    organizer: String,
    join: String,
    id: String,
}

/// The list, in sections: now, then day by day, then what stands apart. What is over is counted.
pub(super) fn meetings(list: &MeetingsJson, now: Timestamp, zone: &TimeZone) -> String {
    let connection = match list.connection {
        Connection::Online => "online",
        Connection::Offline => "offline",
    };
    let mut text = match list.as_of {
        Some(as_of) => format!("Meetings as of {} ({connection})\n", moment(as_of, zone)),
        None => format!("No meeting list has come yet ({connection})\n"),
    };
    let is_on =
        |meeting: &MeetingJson| meeting.button.is_some_and(|button| button.from <= now && now < button.until);
    let mut sections: Vec<(String, Vec<Line>)> = Vec::new();
    let mut over = 0;
    for meeting in &list.meetings {
        let apart = meeting.all_day || meeting.free;
        let running = meeting.start <= now && now < meeting.end;
        let ended = if meeting.all_day { last_day(meeting) < today(now, zone) } else { meeting.end <= now };
        if ended {
            over += 1;
            continue;
        }
        let section = match (apart, running || is_on(meeting)) {
            (true, _) => "All day, or free".to_owned(),
            (false, true) => "Now".to_owned(),
            (false, false) => day(meeting.start.to_zoned_datetime(zone.clone()).date()),
        };
        let line = line(meeting, is_on(meeting), zone);
        match sections.last_mut() {
            Some((name, lines)) if *name == section => lines.push(line),
            Some(_) | None => sections.push((section, vec![line])),
        }
    }
    let lines = || sections.iter().flat_map(|(_, lines)| lines);
    let widest =
        |column: fn(&Line) -> &String| lines().map(|line| column(line).chars().count()).max().unwrap_or(0);
    let (time, title) = (widest(|line| &line.time), widest(|line| &line.title));
    let (organizer, join) = (widest(|line| &line.organizer), widest(|line| &line.join));
    for (section, lines) in &sections {
        let _ = write!(text, "\n{section}\n");
        for line in lines {
            let row = format!(
                "  {:time$}  {:6}  {:title$}  {:organizer$}  {:join$}  {}",
                line.time, line.mark, line.title, line.organizer, line.join, line.id
            );
            let _ = writeln!(text, "{}", row.trim_end());
        }
    }
    if sections.is_empty() && list.as_of.is_some() {
        text.push_str("\nNothing now and nothing to come.\n");
    }
    if over > 0 {
        let meetings = if over == 1 { "meeting is" } else { "meetings are" };
        let _ = write!(text, "\n{over} more {meetings} over.\n");
    }
    text
}

fn line(meeting: &MeetingJson, is_on: bool, zone: &TimeZone) -> Line {
    let organizer = meeting.organizer.as_ref();
    let organizer =
        organizer.map(|person| if person.name.is_empty() { &person.address } else { &person.name });
    Line {
        time: span(meeting, zone),
        mark: if is_on { "[Join]" } else { "" },
        title: cut(&title(meeting), TITLE_WIDTH),
        organizer: cut(organizer.map_or("", String::as_str), NAME_WIDTH),
        join: meeting.join.as_ref().map(|join| join.provider.clone()).unwrap_or_default(),
        id: meeting.id.to_string().chars().take(ID_DIGITS).collect(),
    }
}

/// How the agent is.
pub(super) fn status(status: &StatusJson, zone: &TimeZone) -> String {
    let mut text = String::new();
    let mut tell = |name: &str, what: String| {
        let _ = writeln!(text, "{name:<14}{what}");
    };
    tell(
        "Agent",
        if status.running {
            format!("running, version {}", status.version)
        } else {
            "not running".to_owned()
        },
    );
    match (&status.device, &status.connector) {
        (Some(device), Some(connector)) => {
            tell("Device", device.to_string());
            tell("Connector", format!("{}:{}", connector.host, connector.port));
        }
        _ => tell("Device", "not enrolled".to_owned()),
    }
    if status.running && status.enrolled {
        let connection = match status.connection {
            Connection::Online => "online",
            Connection::Offline => "offline",
        };
        let since = status.since.map(|since| format!(" since {}", moment(since, zone))).unwrap_or_default();
        tell("Connection", format!("{connection}{since}"));
    }
    if let Some(problem) = &status.problem {
        tell("Problem", format!("{} ({})", problem.message, problem.code));
    }
    if let Some(certificate) = &status.certificate {
        let (until, renews) = (moment(certificate.not_after, zone), moment(certificate.renews, zone));
        tell("Certificate", format!("good until {until}, renewed at {renews}"));
    }
    if let Some(ahead) = status.clock_ahead_s.filter(|ahead| ahead.abs() > 120.0) {
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        tell(
            "Clock",
            format!("{:.0} s {way} the connector's: set it, or buttons come at the wrong time", ahead.abs()),
        );
    }
    for list in &status.mailboxes {
        let unreadable = match list.unreadable {
            0 => String::new(),
            count => format!(", {count} of them cannot be opened"),
        };
        let what = format!(
            "{} at revision {}: {} meetings held{unreadable}",
            list.address
                .as_ref()
                .map_or_else(|| list.mailbox.to_string(), |address| address.as_str().to_owned()),
            list.revision,
            list.meetings
        );
        tell("Mailbox", what);
    }
    if let Some(as_of) = status.as_of {
        tell("Up to date", moment(as_of, zone));
    }
    if status.unsaved {
        tell("Disk", "the last change could not be saved; see the log".to_owned());
    }
    tell("Meetings", format!("{} listed, Join button on for {}", status.listed, status.buttons.len()));
    for (name, state) in &status.drivers {
        tell("Driver", format!("{name}: {state}"));
    }
    text
}

/// One event as a line.
pub(super) fn event(event: &EventJson, zone: &TimeZone) -> String {
    let at = event.at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string();
    let about = event.meeting.as_ref().map(|meeting| format!("{} ({})", title(meeting), span(meeting, zone)));
    let about = about.unwrap_or_default();
    let what = match (event.kind, event.already, event.replaced) {
        (EventKind::ButtonShown, true, _) => format!("Join button is on: {about}"),
        (EventKind::ButtonShown, false, true) => format!("Join button changed: {about}"),
        (EventKind::ButtonShown, false, false) => format!("Join button on: {about}"),
        (EventKind::ButtonHidden, ..) => format!("Join button off: {about}"),
        (EventKind::MeetingsChanged, ..) => match (event.change, event.count) {
            (Some(Change::Added), _) => format!("New: {about}"),
            (Some(Change::Changed), _) => format!("Changed: {about}"),
            (Some(Change::Removed), _) => format!("Gone: {about}"),
            (None, Some(count)) => format!("{count} meetings changed"),
            (None, None) => "The list changed".to_owned(),
        },
        (EventKind::Presence, ..) => "Presence changed".to_owned(),
        (EventKind::Connection, ..) => match event.connection {
            Some(Connection::Online) => "Connected".to_owned(),
            Some(Connection::Offline) | None => "Not connected".to_owned(),
        },
        (EventKind::Joined, ..) => format!("Joined: {about}"),
    };
    format!("{at}  {what}")
}

/// What `join` did.
pub(super) fn joined(meeting: &MeetingJson, zone: &TimeZone) -> String {
    format!("Opened: {} ({})", title(meeting), span(meeting, zone))
}

/// A title on one line; control characters would command the terminal.
fn title(meeting: &MeetingJson) -> String {
    let plain: String = meeting.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut title = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        "(no title)".clone_into(&mut title);
    }
    if meeting.status == MeetingStatus::Tentative {
        title.push_str(" (tentative)");
    }
    title
}

/// From when to when; of whole days their dates, whatever the zone.
fn span(meeting: &MeetingJson, zone: &TimeZone) -> String {
    if meeting.all_day {
        let (first, last) = (utc_day(meeting.start), last_day(meeting));
        return if first >= last { day(first) } else { format!("{} – {}", day(first), day(last)) };
    }
    let at = |time: Timestamp| time.to_zoned_datetime(zone.clone());
    let (start, end) = (at(meeting.start), at(meeting.end));
    let until = if start.date() == end.date() { "%H:%M" } else { "%H:%M (%a %-d %b)" };
    format!("{} – {}", start.strftime("%H:%M"), end.strftime(until))
}

fn utc_day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

/// The end is the midnight after it.
fn last_day(meeting: &MeetingJson) -> Date {
    utc_day(meeting.end).yesterday().unwrap_or(Date::MIN)
}

fn today(now: Timestamp, zone: &TimeZone) -> Date {
    now.to_zoned_datetime(zone.clone()).date()
}

fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %-d %b %Y %H:%M:%S").to_string()
}

fn cut(text: &str, width: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.chars().count() <= width {
        return plain;
    }
    let kept: String = plain.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use joinery_agenda::{Policy, agenda};
    use joinery_model::{Presence, RowId};

    use super::*;

    fn kolkata() -> TimeZone {
        TimeZone::get("Asia/Kolkata").unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn list(now: &str, meetings: &[(u8, &str)]) -> MeetingsJson {
        let day = Duration::from_secs(86_400);
        let policy = Policy { shared: true, lead: Duration::from_secs(300), past: 7 * day, future: 31 * day };
        let meetings: BTreeMap<_, _> = meetings
            .iter()
            .map(|(id, text)| {
                (RowId::from_bytes([*id; 16]), serde_json::from_str(&format!("{{{text}}}")).unwrap())
            })
            .collect();
        MeetingsJson {
            as_of: Some(at(now)),
            connection: Connection::Online,
            mailbox: None,
            presence: Presence::default(),
            meetings: agenda(&meetings, &policy, at(now)).iter().map(MeetingJson::from).collect(),
        }
    }

    #[test]
    fn a_list_for_people() {
        let now = "2026-11-24T09:00:00Z";
        let list = list(
            now,
            &[
                (
                    1,
                    r#""event":"E","subject":"Quarterly\u001b[31m plan","start":"2026-11-24T09:00:00Z","end":"2026-11-24T10:00:00Z","organizer":{"name":"Dana Lee","address":"d@x"},"status":"confirmed","response":"accepted","join":{"url":"https://zoom.us/j/1","provider":"zoom"}"#,
                ),
                (
                    2,
                    r#""event":"E","subject":"Late","start":"2026-11-24T18:00:00Z","end":"2026-11-24T19:00:00Z","status":"tentative","response":"none""#,
                ),
                (
                    3,
                    r#""event":"E","subject":"Fair","start":"2026-11-24T00:00:00Z","end":"2026-11-26T00:00:00Z","all_day":true,"status":"confirmed","response":"accepted""#,
                ),
                (
                    4,
                    r#""event":"E","subject":"","start":"2026-11-24T06:00:00Z","end":"2026-11-24T07:00:00Z","status":"confirmed","response":"accepted""#,
                ),
                (
                    5,
                    r#""event":"E","subject":"A title that is much longer than any column can be wide","private":false,"start":"2026-11-24T10:00:00Z","end":"2026-11-24T20:00:00Z","status":"confirmed","response":"accepted""#,
                ),
            ],
        );
        let want = "\
Meetings as of Tue 24 Nov 2026 14:30:00 (online)

Now
  14:30 – 15:30                      [Join]  Quarterly [31m plan                       Dana Lee  zoom  01010101

Tue 24 Nov 2026
  15:30 – 01:30 (Wed 25 Nov)                 A title that is much longer than any co…                  05050505
  23:30 – 00:30 (Wed 25 Nov)                 Late (tentative)                                          02020202

All day, or free
  Tue 24 Nov 2026 – Wed 25 Nov 2026          Fair                                                      03030303

1 more meeting is over.
";
        let got = meetings(&list, at(now), &kolkata());
        assert_eq!(got, want, "\n{got}");
    }

    #[test]
    fn an_empty_list_says_so() {
        let now = "2026-11-24T09:00:00Z";
        let got = meetings(&list(now, &[]), at(now), &TimeZone::UTC);
        assert!(got.ends_with("\nNothing now and nothing to come.\n"), "{got}");
        let none = MeetingsJson { as_of: None, connection: Connection::Offline, ..list(now, &[]) };
        assert_eq!(meetings(&none, at(now), &TimeZone::UTC), "No meeting list has come yet (offline)\n");
    }

    #[test]
    fn events_for_people() {
        let meeting = list("2026-11-24T09:00:00Z", &[(1, r#""event":"E","subject":"Plan","start":"2026-11-24T09:00:00Z","end":"2026-11-24T10:00:00Z","status":"confirmed","response":"accepted""#)]).meetings.remove(0);
        let check = |event: EventJson, want: &str| {
            assert_eq!(super::event(&event, &kolkata()), format!("14:30:05  {want}"));
        };
        let new = |kind| EventJson {
            meeting: Some(meeting.clone()),
            ..EventJson::new(kind, at("2026-11-24T09:00:05Z"))
        };
        check(new(EventKind::ButtonShown), "Join button on: Plan (14:30 – 15:30)");
        check(
            EventJson { replaced: true, ..new(EventKind::ButtonShown) },
            "Join button changed: Plan (14:30 – 15:30)",
        );
        check(
            EventJson { already: true, ..new(EventKind::ButtonShown) },
            "Join button is on: Plan (14:30 – 15:30)",
        );
        check(new(EventKind::ButtonHidden), "Join button off: Plan (14:30 – 15:30)");
        check(
            EventJson { change: Some(Change::Removed), ..new(EventKind::MeetingsChanged) },
            "Gone: Plan (14:30 – 15:30)",
        );
        check(new(EventKind::Joined), "Joined: Plan (14:30 – 15:30)");
        check(EventJson { connection: Some(Connection::Online), ..new(EventKind::Connection) }, "Connected");
        check(
            EventJson { meeting: None, count: Some(80), ..new(EventKind::MeetingsChanged) },
            "80 meetings changed",
        );
    }
}
