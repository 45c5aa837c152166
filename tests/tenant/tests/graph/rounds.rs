//! Delta rounds over HTTPS: what they report, their links, and what goes wrong with them.

use crate::client::{Client, ROOM, options};
use joinery_tenant::NewMeeting;
use serde_json::{Value, json};

const WINDOW: &str = "/users/room@contoso.example/calendarView/delta?startDateTime=2026-11-20T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";

fn meeting(subject: &str, start: &str, end: &str) -> NewMeeting {
    NewMeeting::new(subject, start.parse().unwrap(), end.parse().unwrap())
}

fn weekly(subject: &str) -> NewMeeting {
    NewMeeting {
        recurrence: Some(json!({
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
            "range": {"type": "noEnd"},
        })),
        time_zone: "W. Europe Standard Time".to_owned(),
        ..meeting(subject, "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z")
    }
}

fn kinds(items: &[Value]) -> Vec<String> {
    let kind = |item: &Value| match item.get("@removed") {
        Some(_) => "removed".to_owned(),
        None => item["type"].as_str().unwrap().to_owned(),
    };
    let mut kinds: Vec<String> = items.iter().map(kind).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn a_single_meeting_is_reported_moved_and_removed() {
    let client = Client::start(options()).await;
    let change =
        client.tenant.create(ROOM, &meeting("Plan", "2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z")).unwrap();
    let (items, link) = client.round(WINDOW, "odata.maxpagesize=5").await;
    assert_eq!(kinds(&items), ["singleInstance"]);
    assert_eq!(items[0]["id"], json!(change.id));
    assert_eq!(items[0]["start"], json!({"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"}));

    let (items, link) = client.round(&link, "odata.maxpagesize=5").await;
    assert_eq!(items, Vec::<Value>::new());

    let (start, end) = ("2026-11-25T09:00:00Z".parse().unwrap(), "2026-11-25T09:30:00Z".parse().unwrap());
    client.tenant.reschedule(ROOM, &change.id, start, end).unwrap();
    let (items, link) = client.round(&link, "odata.maxpagesize=5").await;
    assert_eq!(items[0]["start"]["dateTime"], "2026-11-25T09:00:00.0000000");

    client.tenant.delete(ROOM, &change.id).unwrap();
    let (items, _) = client.round(&link, "odata.maxpagesize=5").await;
    let want =
        json!({"@odata.type": "#microsoft.graph.event", "id": change.id, "@removed": {"reason": "deleted"}});
    assert_eq!(items, [want]);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn occurrences_are_stubs_and_exceptions_complete() {
    let client = Client::start(options()).await;
    let series = client.tenant.create(ROOM, &weekly("Weekly")).unwrap();
    let (items, link) = client.round(WINDOW, "odata.maxpagesize=2").await;
    assert_eq!(kinds(&items), ["occurrence", "occurrence", "occurrence", "occurrence", "seriesMaster"]);
    let stub = items.iter().find(|item| item["type"] == "occurrence").unwrap();
    let mut names: Vec<&str> = stub.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["@odata.etag", "@odata.type", "end", "id", "seriesMasterId", "start", "type"]);
    assert_eq!(stub["seriesMasterId"], json!(series.id));

    let occurrence = stub["id"].as_str().unwrap();
    client.tenant.update(ROOM, occurrence, &json!({"subject": "Once otherwise"})).unwrap();
    let (items, link) = client.round(&link, "odata.maxpagesize=2").await;
    assert_eq!(kinds(&items), ["exception"]);
    assert_eq!((&items[0]["id"], &items[0]["subject"]), (&json!(occurrence), &json!("Once otherwise")));

    client.tenant.delete(ROOM, occurrence).unwrap();
    let (items, link) = client.round(&link, "odata.maxpagesize=2").await;
    assert_eq!(kinds(&items), ["removed"]);

    client.tenant.update(ROOM, &series.id, &json!({"subject": "Renamed"})).unwrap();
    let (items, link) = client.round(&link, "odata.maxpagesize=2").await;
    assert_eq!(kinds(&items), ["occurrence", "occurrence", "occurrence", "seriesMaster"]);

    client.tenant.delete(ROOM, &series.id).unwrap();
    let (items, _) = client.round(&link, "odata.maxpagesize=2").await;
    assert_eq!(kinds(&items), ["removed"; 4]);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn what_lies_outside_the_window_is_removed_or_left_out() {
    let client = Client::start(options()).await;
    let early = NewMeeting {
        start: "2026-11-03T09:00:00Z".parse().unwrap(),
        end: "2026-11-03T10:00:00Z".parse().unwrap(),
        ..weekly("Since long")
    };
    client.tenant.create(ROOM, &early).unwrap();
    let outside =
        client.tenant.create(ROOM, &meeting("Far", "2027-01-24T09:00:00Z", "2027-01-24T09:30:00Z")).unwrap();
    let (items, link) = client.round(WINDOW, "odata.maxpagesize=50").await;
    // The series began before the window: its master is missing.
    assert_eq!(kinds(&items), ["occurrence"; 4]);
    client.tenant.update(ROOM, &outside.id, &json!({"subject": "Farther"})).unwrap();
    let (items, link) = client.round(&link, "odata.maxpagesize=50").await;
    assert_eq!(kinds(&items), ["removed"]);
    let (start, end) = ("2026-12-01T09:00:00Z".parse().unwrap(), "2026-12-01T09:30:00Z".parse().unwrap());
    client.tenant.reschedule(ROOM, &outside.id, start, end).unwrap();
    let (items, _) = client.round(&link, "odata.maxpagesize=50, IdType=\"ImmutableId\"").await;
    assert_eq!(
        (kinds(&items), &items[0]["id"]),
        (vec!["singleInstance".to_owned()], &json!(outside.immutable_id))
    );
    assert_eq!(client.tenant.violations(), []);
}
