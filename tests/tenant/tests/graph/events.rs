//! `events`, `instances` and `calendarView`: shapes of the documentation, times, series.

use joinery_tenant::{NewMeeting, Response, Sensitivity};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, ROOM, options, send};

const EVENTS: &str = "/users/room@contoso.example/events";

fn fixture(name: &str) -> Value {
    let path = format!("{}/../fixtures/graph/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Everything that the documentation shows is there, with a value of the same kind.
fn same_shape(path: &str, documented: &Value, got: &Value) {
    match (documented, got) {
        (Value::Object(documented), Value::Object(got)) => {
            for (name, value) in documented {
                same_shape(
                    &format!("{path}/{name}"),
                    value,
                    got.get(name).unwrap_or_else(|| panic!("{path}/{name} is missing")),
                );
            }
        }
        (Value::Array(documented), Value::Array(got)) => {
            assert_eq!(documented.is_empty(), got.is_empty(), "{path}");
            documented.iter().zip(got).for_each(|(documented, got)| same_shape(path, documented, got));
        }
        (Value::Null, _) | (Value::String(_), Value::String(_)) => {}
        (Value::Bool(_), Value::Bool(_)) | (Value::Number(_), Value::Number(_)) => {}
        _ => panic!("{path}: {documented} is documented, {got} was given"),
    }
}

#[tokio::test]
async fn the_documented_requests_get_the_documented_answers() {
    let client = Client::start(options()).await;
    for (request, response) in [("01", "02"), ("03", "04"), ("05", "06")] {
        let request = fixture(&format!("user-post-events-{request}-request.json"));
        let documented = fixture(&format!("user-post-events-{response}-response.json"));
        let call = client
            .request(Method::POST, EVENTS)
            .header("prefer", "outlook.timezone=\"Pacific Standard Time\"");
        let answer = send(call.json(&request)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        same_shape("", &documented, &answer.body);
        for name in [
            "type",
            "recurrence",
            "location",
            "locations",
            "importance",
            "sensitivity",
            "showAs",
            "responseStatus",
        ] {
            assert_eq!(answer.body[name], documented[name], "{name}");
        }
        assert_eq!(answer.body["start"]["timeZone"], "Pacific Standard Time");
        assert_eq!(answer.header("preference-applied"), "outlook.timezone=\"Pacific Standard Time\"");
        let id = answer.body["id"].as_str().unwrap();
        same_shape(
            "",
            &fixture("event-get-01-response.json")["body"],
            &client.get(&format!("{EVENTS}/{id}")).await.body["body"],
        );
    }
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn the_documented_events_can_be_seeded() {
    let client = Client::start(options()).await;
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    assert_eq!(client.tenant.seed_examples(ROOM, now).unwrap().len(), 7);
    let view = "/users/room@contoso.example/calendarView?startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-30T00:00:00Z&$top=50";
    let answer = client.get(view).await;
    let mut subjects: Vec<&str> =
        answer.items().iter().map(|item| item["subject"].as_str().unwrap()).collect();
    subjects.sort_unstable();
    let want = [
        "Attend service",
        "Let's go brunch",
        "Let's go for lunch",
        "Orientation ",
        "Pick up car",
        "Plan shopping list",
        "Plan summer company picnic",
    ];
    assert_eq!(subjects, want);
    let lists = client
        .get(&format!(
            "{EVENTS}?$select=subject,body,bodyPreview,organizer,attendees,start,end,location&$top=3"
        ))
        .await;
    same_shape("", &fixture("user-list-calendarview-01-response.json"), &answer.body);
    assert!(lists.link("nextLink").is_some());
    assert!(lists.items()[0].get("showAs").is_none());
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn lists_are_paged_by_links() {
    let client = Client::start(options()).await;
    for number in 0..7 {
        let start = format!("2026-11-24T1{number}:00:00Z").parse().unwrap();
        client.tenant.create(ROOM, &NewMeeting::new(&number.to_string(), start, start)).unwrap();
    }
    let mut target = format!("{EVENTS}?$top=3&$select=subject&$orderby=subject desc");
    let mut subjects = String::new();
    loop {
        let answer = client.get(&target).await;
        subjects.extend(answer.items().iter().map(|item| item["subject"].as_str().unwrap()));
        match answer.link("nextLink") {
            Some(link) => target = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(subjects, "6543210");
    assert_eq!(client.get(EVENTS).await.items().len(), 7);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn a_series_keeps_its_hour_when_clocks_change() {
    let client = Client::start(options()).await;
    let series = json!({
        "subject": "Weekly",
        "start": {"dateTime": "2026-10-20T09:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-10-20T10:00:00", "timeZone": "Europe/Berlin"},
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["Tuesday"]},
            "range": {"type": "numbered", "startDate": "2026-10-20", "numberOfOccurrences": 3},
        },
    });
    let master = client.post(EVENTS, &series).await;
    assert_eq!(master.body["type"], "seriesMaster");
    let id = master.body["id"].as_str().unwrap();
    let window = "startDateTime=2026-10-01T00:00:00%2B02:00&endDateTime=2026-12-01T00:00:00";
    let instances = client.get(&format!("{EVENTS}/{id}/instances?{window}")).await;
    same_shape("", &fixture("event-list-instances-01-response.json")["value"][1], &instances.items()[0]);
    let starts: Vec<&str> =
        instances.items().iter().map(|item| item["start"]["dateTime"].as_str().unwrap()).collect();
    assert_eq!(
        starts,
        ["2026-10-20T07:00:00.0000000", "2026-10-27T08:00:00.0000000", "2026-11-03T08:00:00.0000000"]
    );
    let ids: std::collections::BTreeSet<&str> =
        instances.items().iter().map(|item| item["iCalUId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);

    let second = instances.items()[1]["id"].as_str().unwrap();
    let to = |start: &str, end: &str| json!({"start": {"dateTime": start, "timeZone": "UTC"}, "end": {"dateTime": end, "timeZone": "UTC"}});
    let crossing =
        client.patch(&format!("{EVENTS}/{second}"), &to("2026-11-03T12:00:00", "2026-11-03T13:00:00")).await;
    assert_eq!((crossing.status, crossing.code()), (400, "ErrorOccurrenceCrossingBoundary"));
    let moved =
        client.patch(&format!("{EVENTS}/{second}"), &to("2026-10-28T12:00:00", "2026-10-28T13:00:00")).await;
    assert_eq!((moved.status, &moved.body["type"]), (200, &json!("exception")));
    assert_eq!(
        (&moved.body["id"], &moved.body["originalStart"]),
        (&json!(second), &json!("2026-10-27T08:00:00Z"))
    );

    assert_eq!(client.delete(&format!("{EVENTS}/{second}")).await.status, 204);
    assert_eq!(client.get(&format!("{EVENTS}/{second}")).await.code(), "ErrorItemNotFound");
    let cancelled = client.get(&format!("{EVENTS}/{id}?$select=cancelledOccurrences")).await;
    assert_eq!(cancelled.body["cancelledOccurrences"].as_array().unwrap().len(), 1);
    let listed = client.get(EVENTS).await;
    assert_eq!(listed.items().len(), 1);
    let view = client.get(&format!("/users/room@contoso.example/calendar/calendarView?{window}")).await;
    assert_eq!(view.items().len(), 2);
    assert_eq!(client.tenant.violations().len(), 1);
}

#[tokio::test]
async fn a_moved_series_takes_place_on_its_new_day() {
    let client = Client::start(options()).await;
    let start = "2026-11-24T09:00:00Z".parse().unwrap();
    let weekly = NewMeeting {
        recurrence: Some(json!({
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}, "range": {"type": "noEnd"},
        })),
        ..NewMeeting::new("Weekly", start, start)
    };
    let series = client.tenant.create(ROOM, &weekly).unwrap();
    let wednesday = "2026-11-25T11:00:00Z".parse().unwrap();
    client.tenant.reschedule(ROOM, &series.id, wednesday, wednesday).unwrap();
    let ids = client.tenant.view(ROOM, start, "2026-12-04T00:00:00Z".parse().unwrap()).unwrap();
    let event = client.get(&format!("{EVENTS}/{}", ids[1])).await;
    assert_eq!((ids.len(), &event.body["start"]["dateTime"]), (2, &json!("2026-12-02T11:00:00.0000000")));
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn whole_days_keep_their_dates_in_every_zone() {
    let client = Client::start(options()).await;
    let berlin = NewMeeting {
        all_day: true,
        time_zone: "Europe/Berlin".to_owned(),
        ..NewMeeting::new(
            "Fair",
            "2026-11-24T12:00:00Z".parse().unwrap(),
            "2026-11-25T12:00:00Z".parse().unwrap(),
        )
    };
    let id = client.tenant.create(ROOM, &berlin).unwrap().id;
    for zone in ["UTC", "Tokyo Standard Time", "America/Los_Angeles"] {
        let event =
            client.get_preferring(&format!("{EVENTS}/{id}"), &format!("outlook.timezone=\"{zone}\"")).await;
        assert_eq!(event.body["start"], json!({"dateTime": "2026-11-24T00:00:00.0000000", "timeZone": zone}));
        assert_eq!(event.body["end"], json!({"dateTime": "2026-11-26T00:00:00.0000000", "timeZone": zone}));
    }
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn what_the_other_side_does_is_seen() {
    let client = Client::start(options()).await;
    let organizer =
        joinery_tenant::Attendee { name: "Dana".to_owned(), address: "dana@contoso.example".to_owned() };
    let start = "2026-11-24T09:00:00Z".parse().unwrap();
    let meeting = NewMeeting {
        organizer: Some(organizer),
        sensitivity: Sensitivity::Private,
        html: true,
        body: "<p>Join <b>us</b></p>".to_owned(),
        online_meeting_url: Some("https://teams.microsoft.com/l/meetup-join/1".to_owned()),
        ..NewMeeting::new("Plan", start, start)
    };
    let id = client.tenant.create(ROOM, &meeting).unwrap().id;
    let target = format!("{EVENTS}/{id}");
    let event = client.get_preferring(&target, "outlook.body-content-type=\"text\"").await.body;
    assert_eq!(event["body"], json!({"contentType": "text", "content": "Join us"}));
    assert_eq!(event["responseStatus"]["response"], "accepted");
    assert_eq!((&event["isOrganizer"], &event["sensitivity"]), (&json!(false), &json!("private")));
    assert_eq!(event["onlineMeeting"]["joinUrl"], "https://teams.microsoft.com/l/meetup-join/1");

    client.tenant.respond(ROOM, &id, Response::Declined).unwrap();
    assert_eq!(client.get(&target).await.body["responseStatus"]["response"], "declined");
    let cancelled = client.tenant.cancel(ROOM, &id).unwrap();
    let event = client.get(&target).await.body;
    assert_eq!((&event["isCancelled"], &event["subject"]), (&json!(true), &json!("Canceled: Plan")));
    let immutable = client.get_preferring(&target, "IdType=\"ImmutableId\"").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(immutable, cancelled.immutable_id);
    assert_eq!(client.get(&format!("{EVENTS}/{immutable}")).await.body["id"], json!(id));
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn an_old_change_key_is_refused() {
    let client = Client::start(options()).await;
    let start = "2026-11-24T09:00:00Z".parse().unwrap();
    let id = client.tenant.create(ROOM, &NewMeeting::new("Plan", start, start)).unwrap().id;
    let target = format!("{EVENTS}/{id}");
    let etag = client.get(&target).await.body["@odata.etag"].as_str().unwrap().to_owned();
    let change = |etag: &str| {
        client.request(Method::PATCH, &target).header("if-match", etag).json(&json!({"subject": "New"}))
    };
    let first = send(change(&etag)).await;
    assert_eq!(first.status, 200);
    assert_ne!(first.body["@odata.etag"], json!(etag));
    let second = send(change(&etag)).await;
    assert_eq!((second.status, second.code()), (412, "ErrorIrresolvableConflict"));
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn a_repeated_transaction_makes_one_event() {
    let client = Client::start(options()).await;
    let request = fixture("user-post-events-01-request.json");
    let first = client.post(EVENTS, &request).await;
    let second = client.post(EVENTS, &request).await;
    assert_eq!((second.status, &second.body["id"]), (201, &first.body["id"]));
    assert_eq!(client.get(EVENTS).await.items().len(), 1);
}

#[tokio::test]
async fn domains_are_listed() {
    let client = Client::start(options()).await;
    let answer = client.get("/domains").await;
    same_shape(
        "",
        &fixture("domain-list-01-response.json")["value"][0]["supportedServices"],
        &answer.items()[0]["supportedServices"],
    );
    assert_eq!(answer.items()[0]["id"], "contoso.example");
}
