//! Rounds that go wrong: links that die, pages that break off, a service that is busy. The list is right in the end, and
//! a device notices nothing but real changes.

use jiff::SignedDuration;
use joinery_tests::{Agent, ROOM, Watch, World, in_minutes, wait_for, webex};

/// Books meetings M1 to M`count`, all with their button on, and waits until the panel shows them.
fn booked(world: &World, panel: &Agent, count: usize) -> Vec<String> {
    let book = |number| {
        let start = in_minutes(1) + SignedDuration::from_secs(i64::try_from(number).unwrap());
        world.tenant.create(ROOM, &webex(&format!("M{number}"), start, 60)).unwrap().id
    };
    let ids: Vec<String> = (1..=count).map(book).collect();
    panel.wait_for_list("all meetings", |list| list.meetings.len() == count);
    ids
}

/// Titles of the meetings whose buttons were shown or hidden since the beginning of `watch`.
fn buttons(watch: &Watch) -> Vec<String> {
    let happenings = watch.so_far().into_iter().filter(|happening| !happening.already);
    let buttons = happenings.filter(|happening| happening.kind.starts_with("button_"));
    buttons.map(|happening| format!("{} {}", happening.kind, happening.subject())).collect()
}

/// Something goes wrong while three things change; then the device has seen these three changes and nothing else.
fn check(count: usize, prepare: impl FnOnce(&World), fault: impl FnOnce(&World)) {
    let world = World::new();
    prepare(&world);
    let panel = world.room();
    let ids = booked(&world, &panel, count);
    let watch = panel.watch();

    fault(&world);
    world.tenant.delete(ROOM, &ids[0]).unwrap();
    world.tenant.cancel(ROOM, &ids[1]).unwrap();
    world.tenant.create(ROOM, &webex("New", in_minutes(2), 60)).unwrap();
    for (kind, subject) in [("button_hidden", "M1"), ("button_hidden", "M2"), ("button_shown", "New")] {
        watch.wait_for(kind, subject);
    }
    world.connector.wait_for_fresh_round(ROOM);
    let list = panel.meetings();
    let mut expected: Vec<String> = (3..=count).map(|number| format!("M{number}")).collect();
    expected.push("New".to_owned());
    let mut subjects: Vec<String> = list.subjects().into_iter().map(str::to_owned).collect();
    expected.sort();
    subjects.sort();
    assert_eq!(subjects, expected);
    let mut seen = buttons(&watch);
    seen.sort();
    assert_eq!(seen, ["button_hidden M1", "button_hidden M2", "button_shown New"]);
    world.finish();
}

#[test]
fn a_dead_delta_link_loses_and_repeats_nothing() {
    check(7, |_| {}, |world| world.tenant.expire_delta(ROOM).unwrap());
}

#[test]
fn a_link_that_dies_in_mid_round_loses_and_repeats_nothing() {
    check(
        7,
        |world| world.tenant.page_size(2).unwrap(),
        |world| {
            // The full round that follows is the one that has pages to die between.
            world.tenant.expire_delta(ROOM).unwrap();
            world.tenant.expire_delta_mid_round(ROOM).unwrap();
        },
    );
}

#[test]
fn pages_that_break_off_lose_and_repeat_nothing() {
    check(
        7,
        |world| world.tenant.page_size(2).unwrap(),
        |world| {
            world.tenant.expire_delta(ROOM).unwrap();
            world.tenant.cut_pages(ROOM, 2).unwrap();
        },
    );
}

#[test]
fn repeated_items_and_empty_pages_are_no_changes() {
    check(
        7,
        |world| {
            world.tenant.page_size(2).unwrap();
            world.tenant.replay(true).unwrap();
            world.tenant.empty_pages(true).unwrap();
        },
        |world| world.tenant.expire_delta(ROOM).unwrap(),
    );
}

#[test]
fn refused_tokens_and_a_service_that_fails_lose_and_repeat_nothing() {
    check(
        3,
        |_| {},
        |world| {
            world.tenant.revoke_tokens().unwrap();
            world.tenant.fail(ROOM, 503, 2).unwrap();
        },
    );
}

#[test]
fn a_busy_service_is_left_alone_as_long_as_it_asks() {
    let world = World::new();
    let panel = world.room();
    booked(&world, &panel, 1);
    world.tenant.throttle(ROOM, Some(2.5), 1).unwrap();
    world.tenant.create(ROOM, &webex("New", in_minutes(2), 60)).unwrap();
    panel.wait_for_meeting("New", |_| true);
    let log = world.tenant.request_log();
    let throttled = log.iter().position(|request| request.status == 429).unwrap();
    let next = log.iter().skip(throttled + 1).find(|request| request.mailbox.is_some()).unwrap();
    let pause = next.at.duration_since(log[throttled].at);
    assert!(pause >= SignedDuration::from_millis(2500), "asked again after {pause:#}");
    world.finish();
}

#[test]
fn an_operators_resync_reads_everything_and_changes_nothing() {
    let world = World::new();
    let panel = world.room();
    booked(&world, &panel, 5);
    let before = world.connector.wait_for_fresh_round(ROOM);
    let watch = panel.watch();
    let first = || world.tenant.requests().get("delta.first").copied().unwrap_or_default();
    let full_rounds = first();
    world.connector.call(&["mailbox", "resync", ROOM]).done();
    wait_for("a full round", || (first() > full_rounds).then_some(()));
    let after = world.connector.wait_for_fresh_round(ROOM);
    assert_eq!((after.revision, after.meetings), (before.revision, before.meetings));
    assert_eq!(buttons(&watch), [""; 0]);
    world.finish();
}

/// Many changes under every fault at once; whatever the order, the end is right.
#[test]
fn a_stormy_day_ends_with_the_right_list() {
    let world = World::plan().lead("3h").start();
    let panel = world.room();
    world.tenant.page_size(3).unwrap();
    let mut alive: Vec<(String, String)> = Vec::new();
    for step in 0..24_usize {
        match step % 8 {
            1 => world.tenant.expire_delta(ROOM).unwrap(),
            3 => world.tenant.cut_pages(ROOM, 1).unwrap(),
            5 => world.tenant.expire_delta_mid_round(ROOM).unwrap(),
            7 => world.tenant.throttle(ROOM, Some(0.3), 1).unwrap(),
            _ => {}
        }
        let subject = format!("S{step}");
        let start = in_minutes(i64::try_from(step).unwrap());
        let id = world.tenant.create(ROOM, &webex(&subject, start, 120)).unwrap().id;
        alive.push((subject, id));
        if step % 3 == 2 {
            let (_, id) = alive.remove(step / 3 % alive.len());
            world.tenant.delete(ROOM, &id).unwrap();
        }
        if step % 5 == 4 {
            let (_, id) = &alive[step / 5 % alive.len()];
            let start = in_minutes(i64::try_from(step).unwrap() + 30);
            world.tenant.reschedule(ROOM, id, start, start + SignedDuration::from_hours(1)).unwrap();
        }
        if step % 8 == 7 {
            // Once everything that was ordered has gone wrong, a round goes right.
            world.connector.wait_for_fresh_round(ROOM);
        }
    }
    let mut expected: Vec<String> = alive.into_iter().map(|(subject, _)| subject).collect();
    expected.sort();
    panel.wait_for_list("the right list", |list| {
        let mut subjects = list.subjects();
        subjects.sort_unstable();
        subjects == expected
    });
    world.finish();
}
