//! Series: each occurrence by itself, with its exceptions and its gaps.

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use joinery_tenant::NewMeeting;
use joinery_tests::{Agent, MeetingList, ROOM, World, in_minutes, webex};
use serde_json::json;

/// A daily series of half-hour meetings that begins `days` from now.
fn daily(subject: &str, days: i64, range: &serde_json::Value) -> NewMeeting {
    let recurrence = json!({"pattern": {"type": "daily", "interval": 1}, "range": range});
    NewMeeting { recurrence: Some(recurrence), ..webex(subject, day(days), 30) }
}

/// The whole minute at this time of day, so many days from now.
fn day(days: i64) -> Timestamp {
    in_minutes(2) + (days * 24).hours()
}

fn starts(list: &MeetingList, subject: &str) -> Vec<Timestamp> {
    let mut starts: Vec<_> = list
        .meetings
        .iter()
        .filter(|meeting| meeting.subject == subject)
        .map(|meeting| meeting.start)
        .collect();
    starts.sort();
    starts
}

fn wait_for_starts(panel: &Agent, subject: &str, expected: &[Timestamp]) -> MeetingList {
    panel.wait_for_list(&format!("{subject} at {expected:?}"), |list| starts(list, subject) == expected)
}

/// Id of the occurrence that starts at `start`.
fn occurrence(world: &World, start: Timestamp) -> String {
    world.tenant.view(ROOM, start, start + 1.minute()).unwrap().pop().unwrap()
}

#[test]
fn an_exception_and_a_gap_stand_out_of_their_series() {
    let world = World::new();
    let panel = world.room();
    let begin = day(0);
    let at = |days: i64| begin + (days * 24).hours();
    let series = NewMeeting {
        start: begin,
        end: begin + 30.minutes(),
        ..daily("Stand-up", 0, &json!({"type": "numbered", "numberOfOccurrences": 6}))
    };
    let series = world.tenant.create(ROOM, &series).unwrap().id;
    let all: Vec<_> = (0..6).map(at).collect();
    let list = wait_for_starts(&panel, "Stand-up", &all);
    let mut ids: Vec<_> = list.meetings.iter().map(|meeting| &meeting.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each occurrence is a meeting of its own");
    assert!(list.meetings.iter().all(|meeting| meeting.button.is_some()));

    // One is moved by an hour and renamed, one is called off.
    let (moved, gone) = (occurrence(&world, at(2)), occurrence(&world, at(4)));
    let row = list.meetings.iter().find(|meeting| meeting.start == at(2)).unwrap().id.clone();
    let later = at(2) + 1.hour();
    world.tenant.reschedule(ROOM, &moved, later, later + 30.minutes()).unwrap();
    world.tenant.update(ROOM, &moved, &json!({"subject": "Demo"})).unwrap();
    world.tenant.delete(ROOM, &gone).unwrap();
    let rest = [at(0), at(1), at(3), at(5)];
    let list = wait_for_starts(&panel, "Stand-up", &rest);
    assert_eq!(starts(&list, "Demo"), [later]);
    assert_eq!(list.find("Demo").unwrap().id, row, "an exception keeps the place of its occurrence");

    // The series gets a new title; what was changed for one day stays changed, what was called off stays away.
    world.tenant.update(ROOM, &series, &json!({"subject": "Daily"})).unwrap();
    let list = wait_for_starts(&panel, "Daily", &rest);
    assert_eq!((starts(&list, "Demo"), list.meetings.len()), (vec![later], 5));

    world.tenant.delete(ROOM, &series).unwrap();
    panel.wait_for_subjects(&[]);
    world.finish();
}

#[test]
fn todays_occurrence_has_its_button_and_loses_it_alone() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let begin = day(0);
    let series = daily("Stand-up", 0, &json!({"type": "numbered", "numberOfOccurrences": 3}));
    world.tenant.create(ROOM, &NewMeeting { start: begin, end: begin + 30.minutes(), ..series }).unwrap();
    let shown = watch.wait_for("button_shown", "Stand-up").meeting.unwrap();
    assert_eq!(shown.start, begin);
    world.tenant.cancel(ROOM, &occurrence(&world, begin)).unwrap();
    let hidden = watch.wait_for("button_hidden", "Stand-up").meeting.unwrap();
    assert_eq!((hidden.id, hidden.start), (shown.id, begin));
    wait_for_starts(&panel, "Stand-up", &[begin + 24.hours(), begin + 48.hours()]);
    assert_eq!(watch.count("button_shown", "Stand-up"), 1);
    world.finish();
}

#[test]
fn a_series_that_began_long_ago_and_never_ends_fills_the_window() {
    let world = World::new();
    let panel = world.room();
    world.tenant.page_size(10).unwrap();
    let weeks_ago = day(-60);
    let series = daily("Forever", -60, &json!({"type": "noEnd"}));
    world
        .tenant
        .create(ROOM, &NewMeeting { start: weeks_ago, end: weeks_ago + 30.minutes(), ..series })
        .unwrap();
    // From the one that ended less than 7 days ago to the one that starts in less than 31.
    let expected = |now: Timestamp| -> Vec<Timestamp> {
        let (first, last) =
            (now - SignedDuration::from_hours(7 * 24), now + SignedDuration::from_hours(31 * 24));
        let all = (0..=120).map(|days: i64| weeks_ago + (days * 24).hours());
        all.filter(|start| *start + 30.minutes() > first && *start <= last).collect()
    };
    panel.wait_for_list("every day of the window", |list| {
        starts(list, "Forever") == expected(Timestamp::now())
    });
    world.finish();
}

#[test]
fn moving_a_whole_series_moves_every_occurrence() {
    let world = World::new();
    let panel = world.room();
    let begin = day(1);
    let series = daily("Class", 1, &json!({"type": "numbered", "numberOfOccurrences": 4}));
    let series = NewMeeting { start: begin, end: begin + 30.minutes(), ..series };
    let id = world.tenant.create(ROOM, &series).unwrap().id;
    let at = |first: Timestamp| (0..4_i64).map(|days| first + (days * 24).hours()).collect::<Vec<_>>();
    wait_for_starts(&panel, "Class", &at(begin));
    let later = begin + 15.minutes();
    world.tenant.reschedule(ROOM, &id, later, later + 45.minutes()).unwrap();
    let list = wait_for_starts(&panel, "Class", &at(later));
    assert!(list.meetings.iter().all(|meeting| meeting.end == meeting.start + 45.minutes()));
    world.finish();
}
