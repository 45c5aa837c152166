//! Graph's payloads, as documented and otherwise, and what becomes of them.

use serde_json::json;

use super::*;

/// A complete event as Graph sends it, in the fields that are read, with some of them replaced.
fn graph_event(changes: Value) -> Value {
    let mut event = json!({
        "@odata.etag": "W/\"1\"",
        "id": "AAMkAD_-=",
        "type": "singleInstance",
        "subject": "Plan",
        "body": {"contentType": "html", "content": "<p>Hello</p>"},
        "location": {"displayName": "Room 1", "locationType": "default"},
        "onlineMeeting": {"joinUrl": "https://teams.microsoft.com/l/meetup-join/x"},
        "start": {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-24T09:30:00.0000000", "timeZone": "UTC"},
        "isAllDay": false,
        "isCancelled": false,
        "isOrganizer": false,
        "organizer": {"emailAddress": {"name": "Dana", "address": "dana@contoso.example"}},
        "responseStatus": {"response": "accepted", "time": "0001-01-01T00:00:00Z"},
        "sensitivity": "normal",
        "showAs": "busy",
        "seriesMasterId": null,
        "recurrence": null,
    });
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn translated(changes: Value) -> Event {
    event(graph_event(changes)).unwrap()
}

#[test]
fn a_complete_event_is_understood() {
    let want = Event {
        id: EventId::new("AAMkAD_-="),
        kind: EventKind::Single,
        series_master: None,
        subject: "Plan".into(),
        body: Body { kind: BodyKind::Html, content: "<p>Hello</p>".into() },
        location: "Room 1".into(),
        online_meeting_url: Some("https://teams.microsoft.com/l/meetup-join/x".into()),
        start: "2026-11-24T09:00:00Z".parse().unwrap(),
        end: "2026-11-24T09:30:00Z".parse().unwrap(),
        all_day: false,
        cancelled: false,
        organizer: Some(Person { name: "Dana".into(), address: "dana@contoso.example".into() }),
        response: Response::Accepted,
        sensitivity: Sensitivity::Normal,
        show_as: ShowAs::Busy,
    };
    assert!(translated(json!({})) == want);
}

#[test]
fn what_is_missing_or_null_has_its_default() {
    let bare = json!({
        "id": "A",
        "start": {"dateTime": "2026-11-24T09:00:00"},
        "end": {"dateTime": "2026-11-24T09:00:00", "timeZone": null},
    });
    let mut null = graph_event(json!({}));
    for name in
        ["type", "subject", "body", "location", "onlineMeeting", "isAllDay", "isCancelled", "isOrganizer"]
    {
        null[name] = Value::Null;
    }
    for name in ["organizer", "responseStatus", "sensitivity", "showAs"] {
        null[name] = Value::Null;
    }
    for entry in [bare, null] {
        let event = event(entry).unwrap();
        assert_eq!(
            (event.kind, event.response, event.show_as),
            (EventKind::Single, Response::None, ShowAs::Busy)
        );
        assert!(event.subject.is_empty() && event.location.is_empty() && event.body == Body::default());
        assert!(event.organizer.is_none() && event.online_meeting_url.is_none() && !event.cancelled);
    }
}

#[test]
fn every_documented_value_is_known() {
    for kind in ["singleInstance", "occurrence", "exception", "seriesMaster"] {
        translated(json!({"type": kind, "seriesMasterId": "M"}));
    }
    for text in ["normal", "personal", "private", "confidential"] {
        translated(json!({"sensitivity": text}));
    }
    for text in ["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"] {
        translated(json!({"showAs": text}));
    }
    let check = |text: &str, organizer: bool, want| {
        let event = translated(json!({"responseStatus": {"response": text}, "isOrganizer": organizer}));
        assert_eq!(event.response, want, "{text} {organizer}");
    };
    check("none", false, Response::None);
    check("notResponded", false, Response::None);
    check("none", true, Response::Organizer);
    check("organizer", true, Response::Organizer);
    check("tentativelyAccepted", false, Response::Tentative);
    check("accepted", false, Response::Accepted);
    check("declined", false, Response::Declined);
    for (text, want) in [("html", BodyKind::Html), ("HTML", BodyKind::Html), ("text", BodyKind::Text)] {
        assert_eq!(translated(json!({"body": {"contentType": text, "content": "x"}})).body.kind, want);
    }
}

#[test]
fn an_unknown_value_is_an_error_that_carries_it() {
    let check = |changes: Value, want: &str| {
        let odd = event(graph_event(changes)).unwrap_err();
        assert_eq!(odd.to_string(), format!("an event from Graph {want}"));
    };
    let unknown = |what: &str| format!("has {what}, which this version does not know");
    check(json!({"type": "draft"}), &unknown("type draft"));
    check(json!({"showAs": "asleep"}), &unknown("showAs asleep"));
    check(json!({"sensitivity": ""}), &unknown("sensitivity (not shown)"));
    check(json!({"sensitivity": "dana@contoso.example"}), &unknown("sensitivity (not shown)"));
    check(json!({"responseStatus": {"response": "maybe"}}), &unknown("responseStatus.response maybe"));
    check(json!({"body": {"contentType": "rtf"}}), &unknown("body.contentType rtf"));
    let custom = json!({"dateTime": "2026-11-24T09:00:00", "timeZone": "tzone://Microsoft/Custom"});
    check(json!({ "start": custom }), &unknown("timeZone tzone://Microsoft/Custom"));
    check(json!({"start": null}), "has no start");
    check(json!({"end": {"dateTime": "soon", "timeZone": "UTC"}}), "has a time that cannot be read");
    check(json!({"end": {"dateTime": "2026-11-24T08:59:59", "timeZone": "UTC"}}), "ends before it starts");
    check(json!({"subject": 7}), "is not built as documented");
    check(json!({"id": ""}), "has no id");
}

#[test]
fn times_are_understood_in_any_zone() {
    let check = |date_time: &str, zone: Value, want: &str| {
        let end = json!({"dateTime": "2027-01-01T00:00:00", "timeZone": "UTC"});
        let event = translated(json!({"start": {"dateTime": date_time, "timeZone": zone}, "end": end}));
        assert_eq!(event.start.to_string(), want, "{date_time} {zone}");
    };
    check("2026-11-24T09:00:00.0000000", json!("UTC"), "2026-11-24T09:00:00Z");
    check("2026-11-24T09:00:00.1234567", json!("UTC"), "2026-11-24T09:00:00.1234567Z");
    check("2026-11-24T09:00:00Z", json!("UTC"), "2026-11-24T09:00:00Z");
    check("2026-11-24T09:00:00+01:00", json!("UTC"), "2026-11-24T08:00:00Z");
    check("2026-11-24T09:00:00", json!("Pacific Standard Time"), "2026-11-24T17:00:00Z");
    check("2026-07-24T09:00:00", json!("Europe/Berlin"), "2026-07-24T07:00:00Z");
    // An hour that is left out in spring, and one that comes twice in autumn.
    check("2026-03-29T02:30:00", json!("W. Europe Standard Time"), "2026-03-29T01:30:00Z");
    check("2026-10-25T02:30:00", json!("W. Europe Standard Time"), "2026-10-25T00:30:00Z");
    check("0001-01-01T00:00:00.0000000", json!("UTC"), "0001-01-01T00:00:00Z");
    check("0001-01-01T00:00:00Z", json!(null), "0001-01-01T00:00:00Z");
}

#[test]
fn of_all_day_events_the_dates_count() {
    let check = |start: &str, end: &str, zone: &str, want: (&str, &str)| {
        let moment = |text: &str| json!({"dateTime": text, "timeZone": zone});
        let event = translated(json!({"isAllDay": true, "start": moment(start), "end": moment(end)}));
        assert_eq!((event.start, event.end), (want.0.parse().unwrap(), want.1.parse().unwrap()), "{zone}");
    };
    let day = ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    for zone in ["UTC", "Pacific Standard Time", "Tokyo Standard Time"] {
        check("2026-11-24T00:00:00.0000000", "2026-11-25T00:00:00.0000000", zone, day);
    }
    check("2026-11-24T08:00:00", "2026-11-24T08:00:00", "UTC", day);
    check(
        "2026-11-24T00:00:00",
        "2026-11-27T00:00:00",
        "UTC",
        ("2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z"),
    );
}

#[test]
fn entries_of_a_delta_page_are_told_apart() {
    let time = json!({"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"});
    let stub = json!({"@odata.type": "#microsoft.graph.event", "@odata.etag": "x", "id": "O", "type": "occurrence",
        "seriesMasterId": "M", "start": time, "end": time});
    assert!(matches!(item(stub.clone()), Ok(Item::Stub(stub)) if stub.series_master == EventId::new("M")));
    let mut without_title = stub.clone();
    without_title["subject"] = Value::Null;
    assert!(matches!(item(without_title), Ok(Item::Event(event)) if event.kind == EventKind::Occurrence));
    let mut astray = stub.clone();
    astray["seriesMasterId"] = Value::Null;
    assert!(matches!(item(astray), Err((Some(_), OddEvent::Missing { property: "seriesMasterId" }))));
    for reason in ["deleted", "changed"] {
        let removed = item(json!({"id": "X", "@removed": {"reason": reason}}));
        assert_eq!(removed, Ok(Item::Removed(EventId::new("X"))));
    }
    assert_eq!(item(json!({"@removed": {"reason": "deleted"}})), Err((None, OddEvent::NoId)));
    assert_eq!(item(json!("x")), Err((None, OddEvent::NoId)));
    assert_eq!(
        item(json!({"id": "X"})),
        Err((Some(EventId::new("X")), OddEvent::Missing { property: "start" }))
    );
    let master = item(graph_event(json!({"type": null, "recurrence": {"pattern": {}}})));
    assert!(matches!(master, Ok(Item::Event(event)) if event.kind == EventKind::SeriesMaster));
}

#[test]
fn a_bare_occurrence_by_itself_is_taken_as_it_is() {
    let time = json!({"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"});
    let bare = json!({"id": "O", "type": "occurrence", "seriesMasterId": "M", "start": time, "end": time});
    assert_eq!(event(bare).map(|event| event.kind), Ok(EventKind::Occurrence));
}
