//! The connector is away: the device goes on by itself, and catches up when it is back.

use jiff::{SignedDuration, Timestamp};
use joinery_tenant::NewMeeting;
use joinery_tests::{Happening, ROOM, Watch, World, in_minutes, in_seconds, webex};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[track_caller]
fn happens_at(watch: &Watch, kind: &str, subject: &str, at: Timestamp) -> Happening {
    let happening = watch.wait_for(kind, subject);
    let right = at <= happening.at && happening.at < at + SECOND;
    assert!(right, "{kind} of {subject} at {} instead of {at}", happening.at);
    happening
}

#[test]
fn the_button_goes_on_and_off_at_its_time_without_the_connector() {
    let mut world = World::plan().lead("1s").start();
    let mut panel = world.room();
    let start = in_seconds(12);
    let booked = NewMeeting { end: in_seconds(16), ..webex("Alone", start, 0) };
    world.tenant.create(ROOM, &booked).unwrap();
    let again = in_seconds(26);
    let second = NewMeeting { end: in_seconds(30), ..webex("After restart", again, 0) };
    world.tenant.create(ROOM, &second).unwrap();
    panel.wait_for_list("both meetings", |list| list.meetings.len() == 2);
    world.connector.kill();
    assert!(Timestamp::now() < start - SECOND, "this machine is too slow for this test's times");

    let watch = panel.watch();
    happens_at(&watch, "button_shown", "Alone", start - SECOND);
    let list = panel.meetings();
    assert_eq!((list.connection.as_str(), list.meetings.len()), ("offline", 2));
    assert!(list.as_of.unwrap() < start);
    happens_at(&watch, "button_hidden", "Alone", booked.end);

    panel.stop();
    panel.start();
    let watch = panel.watch();
    let list = panel.meetings();
    assert_eq!((list.connection.as_str(), list.meetings.len()), ("offline", 2));
    happens_at(&watch, "button_shown", "After restart", again - SECOND);
    happens_at(&watch, "button_hidden", "After restart", second.end);
    world.finish();
}

#[test]
fn what_changed_meanwhile_arrives_when_the_connector_is_back() {
    let mut world = World::new();
    let panel = world.room();
    let gone = world.tenant.create(ROOM, &webex("Gone", in_minutes(2), 30)).unwrap().id;
    let moved = world.tenant.create(ROOM, &webex("Moved", in_minutes(2), 30)).unwrap().id;
    world.tenant.create(ROOM, &webex("Stays", in_minutes(3), 30)).unwrap();
    panel.wait_for_list("all meetings", |list| list.meetings.len() == 3);
    let watch = panel.watch();
    world.connector.stop();
    watch.wait_for_any("the connection is lost", |happening| happening.is_connection("offline"));

    world.tenant.delete(ROOM, &gone).unwrap();
    let later = in_minutes(120);
    world.tenant.reschedule(ROOM, &moved, later, later + SignedDuration::from_mins(30)).unwrap();
    world.tenant.create(ROOM, &webex("New", in_minutes(4), 30)).unwrap();
    assert_eq!(panel.meetings().meetings.len(), 3, "nobody has told the device yet");

    world.connector.start();
    watch.wait_for_any("the connection is back", |happening| {
        happening.is_connection("online") && !happening.already
    });
    panel.wait_for_subjects(&["New", "Stays", "Moved"]);
    let count = |kind: &str, subject: &str| watch.count(kind, subject);
    assert_eq!((count("button_hidden", "Gone"), count("button_hidden", "Moved")), (1, 1));
    assert_eq!((count("button_hidden", "Stays"), count("button_shown", "New")), (0, 1));
    world.finish();
}

/// A device that was off over everything starts with what it had, and then learns the rest.
#[test]
fn a_device_that_was_off_catches_up() {
    let world = World::new();
    let mut panel = world.room();
    let first = world.tenant.create(ROOM, &webex("First", in_minutes(2), 30)).unwrap().id;
    panel.wait_for_subjects(&["First"]);
    panel.stop();
    world.tenant.delete(ROOM, &first).unwrap();
    world.tenant.create(ROOM, &webex("Second", in_minutes(3), 30)).unwrap();
    world.connector.wait_for_fresh_round(ROOM);
    panel.start();
    panel.wait_for_subjects(&["Second"]);
    world.finish();
}
