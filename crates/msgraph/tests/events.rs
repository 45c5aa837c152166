//! Single events over the wire.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod scripted;

use joinery_calendar_sync::Window;
use joinery_model::{EventId, MailboxAddress};
use joinery_msgraph::{EventPatch, NewEvent};
use scripted::{Reply, Request, Server};
use serde_json::{Value, json};

fn mailbox() -> MailboxAddress {
    "room@contoso.example".parse().unwrap()
}

fn event(id: &str) -> Value {
    let time = json!({"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"});
    json!({"id": id, "type": "singleInstance", "subject": id, "start": time, "end": time})
}

/// Answers each `…/events/{id}` by its id.
fn by_id(request: &Request) -> Reply {
    match request.path.rsplit('/').next().unwrap() {
        "gone" => Reply::error(404, "ErrorItemNotFound"),
        "nobody" => Reply::error(404, "ErrorInvalidUser"),
        "odd" => Reply::json(&json!({"id": "odd"})),
        "busy" => Reply::error(503, ""),
        id => Reply::json(&event(id)),
    }
}

#[tokio::test]
async fn an_event_is_there_or_not() {
    let server = Server::graph(by_id).await;
    let graph = server.client();
    let get = async |id: &str| graph.event(&mailbox(), &EventId::new(id)).await;
    assert_eq!(get("A").await.unwrap().unwrap().id, EventId::new("A"));
    assert!(get("gone").await.unwrap().is_none());
    assert_eq!(get("nobody").await.unwrap_err().code(), "graph-no-such-mailbox");
    assert_eq!(get("odd").await.unwrap_err().code(), "graph-odd-event");
    for request in server.asked().1 {
        assert_eq!(request.header("prefer"), r#"IdType="ImmutableId""#);
    }
}

#[tokio::test]
async fn series_are_answered_one_by_one() {
    let server = Server::graph(by_id).await;
    let graph = server.client();
    let ids = |names: &[&str]| names.iter().copied().map(EventId::new).collect::<Vec<_>>();
    let asked = ids(&["a", "gone", "b", "odd", "c", "d", "e", "f"]);
    let answers = graph.series(&mailbox(), &asked).await.unwrap();
    let found: Vec<_> = answers.iter().map(|(id, answer)| (id.as_str(), answer.is_some())).collect();
    let yes = |id| (id, true);
    assert_eq!(
        found,
        [yes("a"), yes("b"), yes("c"), yes("d"), yes("e"), yes("f"), ("gone", false), ("odd", false)]
    );
    assert!(graph.series(&mailbox(), &[]).await.unwrap().is_empty());
    let error = graph.series(&mailbox(), &ids(&["a", "busy", "b"])).await.unwrap_err();
    assert!(error.is_retryable());
}

#[tokio::test]
async fn events_are_written_as_documented() {
    let server = Server::graph(|request| match request.method.as_str() {
        "POST" => Reply { status: 201, ..Reply::json(&event("A")) },
        "PATCH" => Reply::json(&event("A")),
        _ if request.path.ends_with("/gone") => Reply::error(404, "ErrorItemNotFound"),
        _ => Reply::new(204, ""),
    })
    .await;
    let graph = server.client();
    let new = NewEvent {
        subject: "Test".into(),
        text: "Goes away".into(),
        start: "2026-11-24T09:00:00Z".parse().unwrap(),
        end: "2026-11-24T09:15:00Z".parse().unwrap(),
        free: true,
        transaction: "t-1".into(),
    };
    let id = graph.create_event(&mailbox(), &new).await.unwrap().id;
    let patch = EventPatch { subject: Some("Changed".into()), ..EventPatch::default() };
    graph.update_event(&mailbox(), &id, &patch).await.unwrap();
    assert_eq!(graph.delete_event(&mailbox(), &id).await, Ok(true));
    assert_eq!(graph.delete_event(&mailbox(), &EventId::new("gone")).await, Ok(false));
    let asked = server.asked().1;
    let told: Vec<_> = asked.iter().map(|request| (request.method.as_str(), request.path.as_str())).collect();
    let one = "/v1.0/users/room@contoso.example/events/A";
    let gone = "/v1.0/users/room@contoso.example/events/gone";
    assert_eq!(
        told,
        [
            ("POST", "/v1.0/users/room@contoso.example/events"),
            ("PATCH", one),
            ("DELETE", one),
            ("DELETE", gone)
        ]
    );
    assert_eq!(asked[0].header("content-type"), "application/json");
    assert_eq!(serde_json::from_str::<Value>(&asked[1].body).unwrap(), json!({"subject": "Changed"}));
}

#[tokio::test]
async fn lists_are_followed_to_their_end_or_limit() {
    let server = Server::graph(|request| {
        let next = format!("https://{}/v1.0/more?$skip=2", request.header("host"));
        if request.path.contains("$skip=2") {
            Reply::json(&json!({"value": [event("C"), {"id": "odd"}, event("D")]}))
        } else {
            Reply::json(&json!({"value": [event("A"), event("B")], "@odata.nextLink": next}))
        }
    })
    .await;
    let graph = server.client();
    let count = async |limit| graph.events(&mailbox(), limit).await.unwrap().len();
    assert_eq!(count(1).await, 1);
    assert_eq!(count(3).await, 3);
    assert_eq!(count(100).await, 4);
    let paths: Vec<_> = server.asked().1.into_iter().map(|request| request.path).collect();
    assert_eq!(paths[0], "/v1.0/users/room@contoso.example/events?$top=1");
    assert_eq!(paths.len(), 5);

    let window = Window {
        start: "2026-11-17T00:00:00Z".parse().unwrap(),
        end: "2026-12-26T00:00:00Z".parse().unwrap(),
    };
    let instances = graph.instances(&mailbox(), &EventId::new("M"), &window).await.unwrap();
    assert_eq!(instances.len(), 4);
    assert_eq!(
        server.asked().1[5].path,
        "/v1.0/users/room@contoso.example/events/M/instances?startDateTime=2026-11-17T00%3A00%3A00Z&endDateTime=2026-12-26T00%3A00%3A00Z"
    );
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let server = Server::graph(|request| {
        let next = format!("https://{}/v1.0/more", request.header("host"));
        Reply::json(&json!({"value": [], "@odata.nextLink": next}))
    })
    .await;
    let error = server.client().domains().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("graph-malformed", true));
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let server = Server::graph(|_| Reply::error(403, "Authorization_RequestDenied")).await;
    let error = server.client().domains().await.unwrap_err();
    assert_eq!(error.code(), "graph-permission-missing");
    assert!(error.to_string().contains("lacks Domain.Read.All"), "{error}");
}
