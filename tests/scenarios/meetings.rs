//! One meeting and what becomes of it: on the device within one push, its Join button with it.

use jiff::SignedDuration;
use joinery_tenant::{Attendee, NewMeeting, Response, Sensitivity, ShowAs};
use joinery_tests::{
    Agent, Button, DANA, DeviceKind, Meeting, ROOM, World, in_minutes, in_seconds, plain, webex, webex_url,
};
use serde_json::json;

const FIVE_MINUTES: SignedDuration = SignedDuration::from_mins(5);

#[test]
fn a_new_meeting_appears_with_its_button() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let start = in_minutes(2);
    let organizer = Attendee { name: "Dana Doe".to_owned(), address: DANA.to_owned() };
    let booked = NewMeeting { organizer: Some(organizer), ..webex("Planning", start, 30) };
    world.tenant.create(ROOM, &booked).unwrap();

    let shown = watch.wait_for("button_shown", "Planning");
    let listed = panel.wait_for_meeting("Planning", |_| true);
    assert_eq!(shown.meeting.unwrap(), listed);
    let Meeting { id, join, .. } = listed.clone();
    let join = join.unwrap();
    let organizer = listed.organizer.clone().unwrap();
    assert_eq!((listed.start, listed.end), (start, start + SignedDuration::from_mins(30)));
    assert_eq!(listed.button, Some(Button { from: start - FIVE_MINUTES, until: listed.end }));
    assert_eq!((join.url.unwrap(), join.provider), (webex_url("Planning"), "webex".to_owned()));
    assert_eq!((organizer.name.as_str(), organizer.address.as_str()), ("Dana Doe", DANA));
    assert_eq!((listed.status.as_str(), listed.response.as_str()), ("confirmed", "accepted"));
    assert!(!listed.all_day && !listed.private && id.len() == 32);
    let list = panel.meetings();
    assert!(list.connection == "online" && list.mailbox.is_some() && list.as_of.is_some());
    assert_eq!((list.presence.state.as_str(), list.presence.until), ("available", None));
    world.finish();
}

#[test]
fn a_button_is_on_from_its_second_to_its_second() {
    let world = World::plan().lead("2s").start();
    let panel = world.room();
    let watch = panel.watch();
    let start = in_seconds(8);
    let booked = NewMeeting { end: in_seconds(12), ..webex("Short", start, 0) };
    world.tenant.create(ROOM, &booked).unwrap();
    panel.wait_for_meeting("Short", |_| true);

    let late = SignedDuration::from_secs(1);
    let from = start - SignedDuration::from_secs(2);
    let shown = watch.wait_for("button_shown", "Short").at;
    assert!(from <= shown && shown < from + late, "shown at {shown} instead of {from}");
    let hidden = watch.wait_for("button_hidden", "Short").at;
    assert!(
        booked.end <= hidden && hidden < booked.end + late,
        "hidden at {hidden} instead of {}",
        booked.end
    );
    panel.wait_for_meeting("Short", |_| true);
    world.finish();
}

#[test]
fn the_button_of_a_moved_meeting_follows() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let half_hour = SignedDuration::from_mins(30);
    let moved_to = |id: &str, start| {
        world.tenant.reschedule(ROOM, id, start, start + half_hour).unwrap();
        let listed = panel.wait_for_meeting("Review", |meeting| meeting.start == start);
        assert_eq!(listed.button, Some(Button { from: start - FIVE_MINUTES, until: start + half_hour }));
        listed.id
    };
    let id = world.tenant.create(ROOM, &webex("Review", in_minutes(60), 30)).unwrap().id;
    let row = panel.wait_for_meeting("Review", |_| true).id;
    assert_eq!(watch.count("button_shown", "Review"), 0);

    assert_eq!(moved_to(&id, in_minutes(2)), row);
    watch.wait_for("button_shown", "Review");
    // Still on: it is the same button, not a second one.
    assert_eq!(moved_to(&id, in_minutes(4)), row);
    assert_eq!((watch.count("button_shown", "Review"), watch.count("button_hidden", "Review")), (1, 0));
    assert_eq!(moved_to(&id, in_minutes(90)), row);
    watch.wait_for("button_hidden", "Review");
    assert_eq!((watch.count("button_shown", "Review"), watch.count("button_hidden", "Review")), (1, 1));
    world.finish();
}

#[test]
fn the_button_of_a_shortened_meeting_goes_at_the_new_end() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let start = in_minutes(-10);
    let id = world.tenant.create(ROOM, &webex("Workshop", start, 60)).unwrap().id;
    watch.wait_for("button_shown", "Workshop");
    let end = in_seconds(6);
    world.tenant.reschedule(ROOM, &id, start, end).unwrap();
    let hidden = watch.wait_for("button_hidden", "Workshop").at;
    assert!(
        end <= hidden && hidden < end + SignedDuration::from_secs(2),
        "hidden at {hidden} instead of {end}"
    );
    assert_eq!(panel.wait_for_meeting("Workshop", |_| true).end, end);
    world.finish();
}

#[test]
fn what_is_called_off_goes_at_once() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let book = |subject: &str| world.tenant.create(ROOM, &webex(subject, in_minutes(1), 30)).unwrap().id;
    let (cancelled, deleted, declined) = (book("Cancelled"), book("Deleted"), book("Declined"));
    let stays = book("Stays");
    for subject in ["Cancelled", "Deleted", "Declined", "Stays"] {
        watch.wait_for("button_shown", subject);
    }
    let changes = [
        ("Cancelled", world.tenant.cancel(ROOM, &cancelled).unwrap()),
        ("Deleted", world.tenant.delete(ROOM, &deleted).unwrap()),
        ("Declined", world.tenant.respond(ROOM, &declined, Response::Declined).unwrap()),
    ];
    for (subject, change) in changes {
        let hidden = watch.wait_for("button_hidden", subject).at;
        println!("{subject}: button gone {:#} after the change", hidden.duration_since(change.at));
    }
    panel.wait_for_subjects(&["Stays"]);
    // Answered the other way again, it comes back.
    world.tenant.respond(ROOM, &declined, Response::Accepted).unwrap();
    panel.wait_for_meeting("Declined", |meeting| meeting.button.is_some());
    assert_eq!(watch.count("button_hidden", "Stays"), 0);
    world.tenant.delete(ROOM, &stays).unwrap();
    panel.wait_for_subjects(&["Declined"]);
    world.finish();
}

#[test]
fn each_kind_of_event_gets_what_the_table_says() {
    let world = World::new();
    world.mailbox(DANA);
    let now = in_seconds(0);
    let late = |minutes| in_minutes(minutes);
    let invited = |meeting: NewMeeting, response| NewMeeting {
        organizer: Some(Attendee { name: "Robin".to_owned(), address: "robin@fabrikam.example".to_owned() }),
        response: Some(response),
        ..meeting
    };
    let booked = [
        plain("No join target", late(1), 30),
        invited(webex("Accepted", late(2), 30), Response::Accepted),
        invited(webex("Tentative", late(3), 30), Response::TentativelyAccepted),
        invited(webex("Not answered", late(4), 30), Response::NotResponded),
        invited(webex("Declined", late(4), 30), Response::Declined),
        NewMeeting { show_as: ShowAs::Free, ..webex("Free", late(5), 30) },
        NewMeeting { all_day: true, start: now, end: now, ..webex("All day", now, 0) },
        NewMeeting { sensitivity: Sensitivity::Confidential, ..webex("Later", late(60), 30) },
    ];
    for meeting in &booked {
        world.tenant.create(DANA, meeting).unwrap();
    }
    let desktop = world.agent("desktop", DANA, DeviceKind::Desktop);
    // What has its button on first, the one that starts last leading; then what comes; all-day and free apart.
    let order = ["Not answered", "Tentative", "Accepted", "No join target", "Later", "All day", "Free"];
    let list = desktop.wait_for_subjects(&order);
    let check = |subject: &str, status: &str, response: &str, button: bool, join: bool| {
        let meeting = list.find(subject).unwrap();
        let got = (
            meeting.status.as_str(),
            meeting.response.as_str(),
            meeting.button.is_some(),
            meeting.join.is_some(),
        );
        assert_eq!(got, (status, response, button, join), "{subject}");
    };
    check("No join target", "confirmed", "organizer", false, false);
    check("Accepted", "confirmed", "accepted", true, true);
    check("Tentative", "tentative", "tentative", true, true);
    check("Not answered", "tentative", "none", true, true);
    check("Free", "confirmed", "organizer", false, true);
    check("All day", "confirmed", "organizer", false, true);
    check("Later", "confirmed", "organizer", true, true);
    assert!(list.find("All day").unwrap().all_day);
    world.finish();
}

#[test]
fn a_private_title_is_hidden_where_others_read_the_screen() {
    let world = World::new();
    let panel = world.room();
    let desktop = world.agent("desktop", ROOM, DeviceKind::Desktop);
    let booked = NewMeeting { sensitivity: Sensitivity::Private, ..webex("Salary", in_minutes(2), 30) };
    world.tenant.create(ROOM, &booked).unwrap();
    let seen = |agent: &Agent, subject: &str| {
        let meeting = agent.wait_for_meeting(subject, |_| true);
        assert!(meeting.private && meeting.button.is_some());
        assert_eq!(meeting.join.unwrap().url.unwrap(), webex_url("Salary"));
    };
    seen(&desktop, "Salary");
    seen(&panel, "Private meeting");
    assert!(!panel.call(&["meetings"]).done().contains("Salary"));
    assert!(desktop.call(&["meetings"]).done().contains("Salary"));
    world.finish();
}

#[test]
fn of_overlapping_meetings_the_one_that_started_last_is_first() {
    let world = World::new();
    let panel = world.room();
    for (subject, start, minutes) in
        [("Long", -30, 90), ("Newest", -1, 30), ("Older", -10, 60), ("Next", 3, 30)]
    {
        world.tenant.create(ROOM, &webex(subject, in_minutes(start), minutes)).unwrap();
    }
    let list = panel.wait_for_subjects(&["Next", "Newest", "Older", "Long"]);
    assert!(list.meetings.iter().all(|meeting| meeting.button.is_some()));
    world.finish();
}

#[test]
fn join_targets_are_found_wherever_they_stand() {
    let world = World::new();
    let panel = world.room();
    let start = in_minutes(2);
    let safe_link = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fcontoso.zoom.us%2Fj%2F91234567890%3Fpwd%3DQ2hhcmxpZQ&data=05%7C01&reserved=0";
    let teams = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ZGFuYQ%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%2c%22Oid%22%3a%22o%22%7d";
    let booked = [
        NewMeeting {
            html: true,
            body: format!(
                "<p>Hello,<br>please <a href=\"{}\">join here</a>.</p>",
                safe_link.replace('&', "&amp;")
            ),
            ..plain("Zoom", start, 30)
        },
        NewMeeting { online_meeting_url: Some(teams.to_owned()), ..plain("Teams", start, 30) },
        NewMeeting {
            body: "Dial in: https://meet.google.com/abc-defg-hij.".to_owned(),
            ..plain("Meet", start, 30)
        },
        NewMeeting { location: "sip:board@contoso.example".to_owned(), ..plain("Board", start, 30) },
    ];
    for meeting in &booked {
        world.tenant.create(ROOM, meeting).unwrap();
    }
    let check = |subject: &str, provider: &str, url: Option<&str>, sip: Option<&str>| {
        let join = panel
            .wait_for_meeting(subject, |_| true)
            .join
            .unwrap_or_else(|| panic!("{subject} has no target"));
        assert_eq!(
            (join.provider.as_str(), join.url.as_deref(), join.sip.as_deref()),
            (provider, url, sip),
            "{subject}"
        );
    };
    check(
        "Zoom",
        "zoom",
        Some("https://contoso.zoom.us/j/91234567890?pwd=Q2hhcmxpZQ"),
        Some("91234567890@zoomcrc.com"),
    );
    check("Teams", "teams", Some(teams), None);
    check("Meet", "meet", Some("https://meet.google.com/abc-defg-hij"), None);
    check("Board", "sip", None, Some("board@contoso.example"));
    world.finish();
}

#[test]
fn a_new_target_replaces_the_old_one_on_a_button_that_is_on() {
    let world = World::new();
    let panel = world.room();
    let watch = panel.watch();
    let id = world.tenant.create(ROOM, &webex("Sync", in_minutes(1), 30)).unwrap().id;
    watch.wait_for("button_shown", "Sync");
    world.tenant.update(ROOM, &id, &json!({"location": {"displayName": webex_url("Elsewhere")}})).unwrap();
    let url = |meeting: &Meeting| meeting.join.as_ref().and_then(|join| join.url.clone());
    panel.wait_for_meeting("Sync", |meeting| url(meeting) == Some(webex_url("Elsewhere")));
    world.tenant.update(ROOM, &id, &json!({"location": {"displayName": "Attic"}})).unwrap();
    panel.wait_for_meeting("Sync", |meeting| meeting.join.is_none() && meeting.button.is_none());
    watch.wait_for("button_hidden", "Sync");
    world.finish();
}

#[test]
fn the_command_driver_and_join_do_what_the_operator_wrote() {
    let world = World::new();
    world.mailbox(ROOM);
    let mut panel = world.enrolled("panel", ROOM, DeviceKind::Room);
    let told = world.folder.at("told");
    let opened = world.folder.at("opened");
    let text = std::fs::read_to_string(panel.config()).unwrap();
    let tell = |word: &str| format!("[\"sh\", \"-c\", \"(printf '{word} '; cat) >> '{}'\"]", told.display());
    let opener = format!("opener = [\"sh\", \"-c\", \"printf %s \\\"$0\\\" > '{}'\"]", opened.display());
    let drivers = format!("[driver.command]\non_show = {}\non_hide = {}\n", tell("show"), tell("hide"));
    world.folder.write("panel.toml", format!("{}{drivers}", text.replace("opener = [\"true\"]", &opener)));
    panel.start();
    let id = world.tenant.create(ROOM, &webex("Lamp", in_minutes(1), 30)).unwrap().id;
    let lines = |count: usize| {
        joinery_tests::wait_for(&format!("{count} calls of the operator's commands"), || {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            (text.matches('\n').count() >= count).then_some(text)
        })
    };
    let row = panel.wait_for_meeting("Lamp", |_| true).id;
    let first = lines(1);
    let meeting: Meeting = serde_json::from_str(first.trim().strip_prefix("show ").unwrap()).unwrap();
    assert_eq!((meeting.subject.as_str(), &meeting.id), ("Lamp", &row));

    for which in ["next", row.as_str()] {
        let _fresh = std::fs::remove_file(&opened);
        panel.call(&["join", which]).done();
        let url = joinery_tests::wait_for("the opener's call", || {
            std::fs::read_to_string(&opened).ok().filter(|url| !url.is_empty())
        });
        assert_eq!(url, webex_url("Lamp"));
    }
    world.tenant.cancel(ROOM, &id).unwrap();
    let both = lines(2);
    assert!(both.lines().nth(1).unwrap().starts_with("hide {"), "{both}");
    panel.call(&["join", "next"]).fails(1, &["no "]);
    world.finish();
}
