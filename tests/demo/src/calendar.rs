//! The two calendars in the simulated tenant: an ordinary day to begin with, and the meetings of the story.

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use joinery_tenant::{Attendee, Change, MailboxKind, NewMeeting, Response, Sensitivity, Tenant};

use crate::side::{Each, Side};
use crate::story::Order;

/// Address and kind of the mailbox that each device shows.
pub const MAILBOXES: Each<(&str, MailboxKind)> = Each {
    room: ("huddle@contoso.example", MailboxKind::Room),
    desktop: ("dana@contoso.example", MailboxKind::User),
};

/// Meetings begin at such times.
const QUARTER: i64 = 15 * 60;

const TEAMS: &str = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_YjQ4OTk2MzQtNmQ3Zi00%40thread.v2/0\
                     ?context=%7b%22Tid%22%3a%222f1c8d2e-3b1a-4c55-9d1e-0a5b6c7d8e9f%22%7d";
const WEBEX: &str = "https://contoso.webex.com/contoso/j.php?MTID=m41710dd4addfe19b7cfe0a3c4bb9eaeb";
const ZOOM: &str = "https://contoso.zoom.us/j/98765432101?pwd=QmFzZTY0";
/// The same behind Microsoft's link protection, as mails have it.
const ZOOM_SAFE: &str = "https://eur02.safelinks.protection.outlook.com/\
                         ?url=https%3A%2F%2Fcontoso.zoom.us%2Fj%2F98765432101%3Fpwd%3DQmFzZTY0&amp;data=05";
const MEET: &str = "https://meet.google.com/abc-defg-hij";
const SIP: &str = "sip:design.review@meet.contoso.example";

/// Gives a meeting that has a title and a time the rest.
type Build = fn(NewMeeting) -> NewMeeting;

/// Titles of the story's meetings, each with another way to say where to join.
const CAST: [(&str, Build); 5] = [
    ("Design review", |meeting| NewMeeting {
        html: true,
        body: format!("<p>Join Zoom Meeting<br><a href=\"{ZOOM_SAFE}\">{ZOOM}</a></p>"),
        ..meeting
    }),
    ("Customer call", |meeting| NewMeeting { online_meeting_url: Some(TEAMS.to_owned()), ..meeting }),
    ("Release planning", |meeting| NewMeeting { location: WEBEX.to_owned(), ..meeting }),
    ("Hiring sync", |meeting| NewMeeting { body: format!("See you there: {MEET}"), ..meeting }),
    ("Partner update", |meeting| NewMeeting { body: format!("Dial {SIP} from the room."), ..meeting }),
];

/// The calendars, and the meeting that the story is about.
pub struct Calendars {
    tenant: Tenant,
    current: Option<Current>,
}

struct Current {
    subject: &'static str,
    ids: Each<String>,
}

impl Calendars {
    /// Fills both calendars with the rest of an ordinary day around `now`.
    pub fn fill(tenant: Tenant, now: Timestamp) -> Result<Self> {
        let calendars = Self { tenant, current: None };
        for (subject, from, minutes, build) in day() {
            let quarter = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(QUARTER))?;
            let start = quarter + SignedDuration::from_mins(from);
            let meeting = build(NewMeeting::new(subject, start, start + SignedDuration::from_mins(minutes)));
            calendars.invite(&meeting)?;
        }
        Ok(calendars)
    }

    /// How many meetings each calendar has to begin with.
    pub fn size_of_day() -> usize {
        day().len()
    }

    /// Where it is asked.
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Carries an order out in both calendars. Gives the title, and the instant of the change in each.
    pub fn carry_out(&mut self, order: &Order) -> Result<(&'static str, Each<Timestamp>)> {
        if let Order::Create { cast, start, end } = order {
            let Some((subject, build)) = CAST.iter().cycle().nth(*cast) else { bail!("nobody is cast") };
            let changes = self.invite(&build(NewMeeting::new(subject, *start, *end)))?;
            let at = Each { room: changes.room.at, desktop: changes.desktop.at };
            self.current = Some(Current { subject, ids: changes.map(|change| change.id) });
            return Ok((subject, at));
        }
        let Some(current) = &self.current else { bail!("there is no meeting to change") };
        let subject = current.subject;
        let change = |side: Side| -> Result<Timestamp> {
            let ((mailbox, _), id) = (MAILBOXES.of(side), current.ids.of(side));
            let change = match order {
                Order::Move { start, end } => self.tenant.reschedule(mailbox, id, *start, *end)?,
                Order::Create { .. } | Order::Cancel => self.tenant.cancel(mailbox, id)?,
            };
            Ok(change.at)
        };
        let at = Each { room: change(Side::Room)?, desktop: change(Side::Desktop)? };
        if *order == Order::Cancel {
            self.current = None;
        }
        Ok((subject, at))
    }

    /// Takes away the meeting of a story that was given up.
    pub fn clear(&mut self) -> Result<()> {
        match self.current.take() {
            None => Ok(()),
            Some(current) => {
                for (side, (mailbox, _)) in MAILBOXES.iter() {
                    self.tenant.delete(mailbox, current.ids.of(side))?;
                }
                Ok(())
            }
        }
    }

    /// Puts a meeting that Dana calls into both calendars, as an invitation of the room would.
    fn invite(&self, meeting: &NewMeeting) -> Result<Each<Change>> {
        let address =
            |address: &str, name: &str| Attendee { name: name.to_owned(), address: address.to_owned() };
        let meeting = NewMeeting {
            organizer: Some(address(MAILBOXES.desktop.0, "Dana Novak")),
            attendees: vec![address(MAILBOXES.room.0, "Huddle")],
            ..meeting.clone()
        };
        MAILBOXES.try_map(|(mailbox, kind)| {
            let response = matches!(kind, MailboxKind::Room).then_some(Response::Accepted);
            Ok(self.tenant.create(mailbox, &NewMeeting { response, ..meeting.clone() })?)
        })
    }
}

/// Title, start in minutes from the last quarter of an hour, length in minutes, and the rest.
type Planned = (&'static str, i64, i64, Build);

/// The day: one that runs, one that is private, one without anything to join, one more.
fn day() -> [Planned; 4] {
    [
        ("Weekly planning", -15, 45, |meeting| NewMeeting {
            online_meeting_url: Some(TEAMS.to_owned()),
            ..meeting
        }),
        ("Salary review", 45, 30, |meeting| NewMeeting {
            sensitivity: Sensitivity::Private,
            location: WEBEX.to_owned(),
            ..meeting
        }),
        ("Lunch", 75, 45, |meeting| NewMeeting { location: "Canteen".to_owned(), ..meeting }),
        ("Sprint demo", 120, 60, |meeting| NewMeeting { body: MEET.to_owned(), ..meeting }),
    ]
}

#[cfg(test)]
mod tests {
    use joinery_model::BodyKind;

    use super::*;

    #[test]
    fn every_member_of_the_cast_can_be_joined() {
        let providers = CAST.map(|(subject, build)| {
            let meeting = build(NewMeeting::new(subject, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
            let finding = joinery_joinlink::find(&joinery_joinlink::Input {
                subject,
                location: &meeting.location,
                body_kind: if meeting.html { BodyKind::Html } else { BodyKind::Text },
                body: &meeting.body,
                online_meeting_url: meeting.online_meeting_url.as_deref(),
                own_sites: &[],
            });
            finding.target.map(|target| target.provider).unwrap_or_default()
        });
        assert_eq!(providers, ["zoom", "teams", "webex", "meet", "sip"]);
    }

    #[tokio::test]
    async fn both_calendars_follow_the_story() {
        let mailboxes = MAILBOXES.iter().map(|(_, (address, kind))| ((*address).to_owned(), *kind)).collect();
        let options = joinery_tenant::Options { mailboxes, ..joinery_tenant::Options::default() };
        let now: Timestamp = "2026-11-24T09:07:00Z".parse().unwrap();
        let mut calendars = Calendars::fill(Tenant::start(options).await.unwrap(), now).unwrap();
        let hours = SignedDuration::from_hours(12);
        let counts = |calendars: &Calendars| {
            MAILBOXES
                .map(|(mailbox, _)| calendars.tenant.view(mailbox, now - hours, now + hours).unwrap().len())
        };
        let day = Calendars::size_of_day();
        assert_eq!(counts(&calendars), Each::both(day));

        let (start, end) = (now, now + SignedDuration::from_mins(30));
        for cast in 0..CAST.len() {
            // What was cancelled stays in the calendar, as cancelled.
            let before = counts(&calendars);
            let (created, _) = calendars.carry_out(&Order::Create { cast, start, end }).unwrap();
            assert_eq!(counts(&calendars), before.map(|count| count + 1), "{created}");
            let (moved, at) =
                calendars.carry_out(&Order::Move { start: end, end: end + hours / 12 }).unwrap();
            assert_eq!((moved, at.room <= at.desktop), (created, true));
            if cast == 0 {
                // A story that was given up leaves nothing behind.
                calendars.clear().unwrap();
                assert_eq!(counts(&calendars), Each::both(day));
            } else {
                calendars.carry_out(&Order::Cancel).unwrap();
            }
        }
        assert!(calendars.carry_out(&Order::Cancel).is_err());
        calendars.clear().unwrap();
    }
}
