//! Calendars to begin with: the events of Microsoft's documentation, and a day that shows something.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::changes::Change;
use crate::error::TenantError;
use crate::mailbox::MailboxKind;
use crate::meeting::{Attendee, NewMeeting, Sensitivity, ShowAs};
use crate::payload;
use crate::refusal::Refusal;
use crate::serve::lock;
use crate::tenant::Tenant;

/// Answers of the documentation that hold whole events.
const EXAMPLES: [&str; 6] = [
    include_str!("../../fixtures/graph/user-post-events-02-response.json"),
    include_str!("../../fixtures/graph/user-post-events-04-response.json"),
    include_str!("../../fixtures/graph/user-post-events-06-response.json"),
    include_str!("../../fixtures/graph/event-get-01-response.json"),
    include_str!("../../fixtures/graph/delta-query-events-01-response.json"),
    include_str!("../../fixtures/graph/delta-query-events-04-response.json"),
];

/// Room of the demonstration day.
pub const DEMO_ROOM: &str = "aspen@contoso.example";

/// Person of the demonstration day.
pub const DEMO_PERSON: &str = "dana@contoso.example";

impl Tenant {
    /// Puts the documentation's events into a mailbox. They keep weekday and hour and move to the week of `now`.
    pub fn seed_examples(&self, address: &str, now: Timestamp) -> Result<Vec<Change>, TenantError> {
        let week = week_of(jiff::tz::TimeZone::UTC.to_datetime(now).date());
        let mut changes = Vec::new();
        for text in EXAMPLES {
            let answer: Value =
                serde_json::from_str(text).map_err(|error| Refusal::bad_body(error.to_string()))?;
            let events =
                answer.get("value").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![answer]);
            for event in events.iter().filter(|event| event.get("start").is_some()) {
                changes.push(self.seed_event(address, event, week)?);
            }
        }
        Ok(changes)
    }

    /// A room and a person with meetings around `now`: of Zoom, Webex and Teams, private, whole days, a series.
    pub fn seed_demo(&self, now: Timestamp) -> Result<(), TenantError> {
        self.add_mailbox(DEMO_ROOM, MailboxKind::Room)?;
        self.add_mailbox(DEMO_PERSON, MailboxKind::User)?;
        let whole_minute = Timestamp::from_second(now.as_second() / 60 * 60).unwrap_or(now);
        let at = |minutes: i64| {
            whole_minute.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(whole_minute)
        };
        let dana = Attendee { name: "Dana Swope".to_owned(), address: DEMO_PERSON.to_owned() };
        let meeting = |subject: &str, from: i64, to: i64| NewMeeting {
            organizer: Some(dana.clone()),
            ..NewMeeting::new(subject, at(from), at(to))
        };
        let meetings = [
            NewMeeting {
                location: "https://zoom.us/j/5551234567?pwd=abc123".to_owned(),
                ..meeting("Planning", 10, 40)
            },
            NewMeeting {
                html: true,
                body:
                    "<p>Join: <a href=\"https://contoso.webex.com/meet/dana.swope\">my personal room</a></p>"
                        .to_owned(),
                sensitivity: Sensitivity::Private,
                ..meeting("Appraisal", 60, 90)
            },
            NewMeeting {
                online_meeting_url: Some(
                    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_demo%40thread.v2/0".to_owned(),
                ),
                ..meeting("Review", 75, 120)
            },
            NewMeeting { all_day: true, show_as: ShowAs::Free, ..meeting("Fire drill week", 0, 0) },
            NewMeeting {
                recurrence: Some(json!({
                    "pattern": {"type": "daily", "interval": 1},
                    "range": {"type": "numbered", "numberOfOccurrences": 10},
                })),
                location: "https://meet.google.com/abc-defg-hij".to_owned(),
                ..meeting("Stand-up", 180, 195)
            },
        ];
        for meeting in &meetings {
            self.create(DEMO_ROOM, meeting)?;
            self.create(DEMO_PERSON, meeting)?;
        }
        Ok(())
    }

    fn seed_event(&self, address: &str, event: &Value, week: Date) -> Result<Change, TenantError> {
        let mut event = event.clone();
        let written =
            event.pointer("/start/dateTime").and_then(Value::as_str).and_then(|text| text.get(..10));
        let date: Date = written
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Refusal::bad_body("The example has no start date."))?;
        let weeks = week_of(date).until(week).map_or(0, |span| i64::from(span.get_days()) / 7);
        let pointers =
            ["/start/dateTime", "/end/dateTime", "/recurrence/range/startDate", "/recurrence/range/endDate"];
        for pointer in pointers {
            if let Some(Value::String(text)) = event.pointer_mut(pointer)
                && let Some(moved) = later(text, weeks)
            {
                *text = moved;
            }
        }
        let mut draft = payload::draft(&event)?;
        draft.transaction = None;
        let properties = event.as_object().into_iter().flatten();
        let kept = properties.filter(|(name, _)| matches!(name.as_str(), "organizer" | "responseStatus"));
        draft.content.properties.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        let now = Timestamp::now();
        let mut world = lock(self.world());
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let item = mailbox.create(now, draft)?;
        Ok(Change::of(mailbox, item, now))
    }
}

/// The Monday of a date's week.
fn week_of(date: Date) -> Date {
    date.checked_sub(i64::from(date.weekday().since(Weekday::Monday)).days()).unwrap_or(date)
}

/// The date that `text` begins with, so many weeks later, and what follows it.
fn later(text: &str, weeks: i64) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let date: Date = date.parse().ok()?;
    let moved = date.checked_add(jiff::Span::new().try_weeks(weeks).ok()?).ok()?;
    Some(format!("{moved}{rest}"))
}
