//! Meetings planned on clocks all over the world: the device shows the right instant, and whole days stay whole.

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use joinery_tenant::NewMeeting;
use joinery_tests::{ROOM, World, in_minutes, plain, webex};
use serde_json::json;

/// Names that Graph gives, and the zones that they stand for.
const ZONES: [(&str, &str); 10] = [
    ("UTC", "UTC"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Eastern Standard Time", "America/New_York"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Nepal Standard Time", "Asia/Kathmandu"),
    ("Europe/Lisbon", "Europe/Lisbon"),
    ("America/Sao_Paulo", "America/Sao_Paulo"),
];

#[test]
fn one_instant_is_the_same_from_every_zone() {
    let world = World::new();
    let panel = world.room();
    let start = in_minutes(3);
    for (name, _) in ZONES {
        let booked = NewMeeting { time_zone: name.to_owned(), ..webex(name, start, 30) };
        world.tenant.create(ROOM, &booked).unwrap();
    }
    let list = panel.wait_for_list("every meeting", |list| list.meetings.len() == ZONES.len());
    for (name, _) in ZONES {
        let meeting = list.find(name).unwrap();
        assert_eq!((meeting.start, meeting.end), (start, start + 30.minutes()), "{name}");
    }
    world.finish();
}

#[test]
fn whole_days_are_the_days_on_the_creators_wall() {
    let world = World::new();
    let panel = world.room();
    let day: Date = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date().saturating_add(3.days());
    let midnight = |day: Date| day.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp();
    for (name, iana) in ZONES {
        let zone = TimeZone::get(iana).unwrap();
        let first = day.to_zoned_datetime(zone.clone()).unwrap().timestamp();
        let last = day.saturating_add(1.day()).at(12, 0, 0, 0).to_zoned_datetime(zone).unwrap().timestamp();
        let booked =
            NewMeeting { all_day: true, time_zone: name.to_owned(), end: last, ..plain(name, first, 0) };
        world.tenant.create(ROOM, &booked).unwrap();
    }
    let list = panel.wait_for_list("every meeting", |list| list.meetings.len() == ZONES.len());
    for (name, _) in ZONES {
        let meeting = list.find(name).unwrap();
        let days = (midnight(day), midnight(day.saturating_add(2.days())));
        assert_eq!((meeting.start, meeting.end, meeting.all_day), (days.0, days.1, true), "{name}");
    }
    world.finish();
}

/// Wherever the clock changes inside the window, a series keeps its hour on the wall.
#[test]
fn a_series_keeps_its_hour_on_the_wall() {
    let world = World::new();
    let panel = world.room();
    for (name, iana) in ZONES {
        let zone = TimeZone::get(iana).unwrap();
        let first = Timestamp::now().to_zoned_datetime(zone.clone()).date().saturating_add(1.day());
        let start = first.to_datetime(time(9, 0, 0, 0)).to_zoned_datetime(zone).unwrap().timestamp();
        let recurrence = json!({
            "pattern": {"type": "daily", "interval": 5},
            "range": {"type": "numbered", "numberOfOccurrences": 6, "recurrenceTimeZone": name},
        });
        let booked =
            NewMeeting { time_zone: name.to_owned(), recurrence: Some(recurrence), ..webex(name, start, 60) };
        world.tenant.create(ROOM, &booked).unwrap();
    }
    let list = panel.wait_for_list("every occurrence", |list| list.meetings.len() == 6 * ZONES.len());
    for (name, iana) in ZONES {
        let zone = TimeZone::get(iana).unwrap();
        let mine: Vec<_> = list.meetings.iter().filter(|meeting| meeting.subject == name).collect();
        assert_eq!(mine.len(), 6, "{name}");
        for meeting in mine {
            let wall = meeting.start.to_zoned_datetime(zone.clone()).time();
            assert_eq!(wall, time(9, 0, 0, 0), "{name} at {}", meeting.start);
        }
    }
    world.finish();
}
