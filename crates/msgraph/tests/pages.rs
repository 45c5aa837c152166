//! Delta pages over the wire: how they are asked for, and what becomes of answers of every kind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod scripted;

use joinery_calendar_sync::{DeltaLink, Item, Link, NextLink, Page, PageOutcome, PageRequest, Window};
use joinery_model::{EventId, MailboxAddress};
use joinery_msgraph::{Graph, GraphError};
use scripted::{Reply, Request, Server};
use serde_json::{Value, json};

fn mailbox() -> MailboxAddress {
    "canary.room@contoso.example".parse().unwrap()
}

fn first() -> PageRequest {
    let window = Window {
        start: "2026-11-17T00:00:00Z".parse().unwrap(),
        end: "2026-12-26T00:00:00Z".parse().unwrap(),
    };
    PageRequest::First(window)
}

fn event(id: &str, show_as: &str) -> Value {
    let time = json!({"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"});
    json!({"id": id, "type": "singleInstance", "subject": "canary", "start": time, "end": time, "showAs": show_as})
}

async fn page(graph: &Graph, request: &PageRequest) -> Page {
    match graph.page(&mailbox(), request).await {
        Ok(PageOutcome::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

/// Asks for a first page of a server that answers with `reply`, which must fail, and show nothing personal.
async fn failure(reply: Reply) -> (Server, GraphError) {
    let server = Server::graph(move |_| reply.clone()).await;
    let error = server.client().page(&mailbox(), &first()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    for secret in ["canary", "contoso.example", "secret-1", "Bearer"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    (server, error)
}

#[tokio::test]
async fn pages_are_asked_for_as_documented() {
    let server = Server::start(|request: &Request| {
        let base = format!("https://{}", request.header("host"));
        match request.path.split_once('?') {
            None => scripted::token("t-1"),
            Some((_, query)) if query.starts_with("startDateTime") => {
                let next = format!("{base}/v1.0/users/x/calendarView/delta?$skiptoken=a%2Bb+c_-'('");
                Reply::json(&json!({"value": [event("A", "busy")], "@odata.nextLink": next}))
            }
            Some(_) => {
                let delta = format!("{base}/v1.0/users/x/calendarView/delta?$deltatoken=d1");
                Reply::json(&json!({"value": [], "@odata.deltaLink": delta}))
            }
        }
    })
    .await;
    let graph = server.client();

    let one = page(&graph, &first()).await;
    assert!(matches!(&one.items[..], [Item::Event(event)] if event.id == EventId::new("A")));
    let Link::Next(next) = one.link else { panic!("{:?}", one.link) };
    let two = page(&graph, &PageRequest::Next(next)).await;
    let Link::Delta(delta) = two.link else { panic!("{:?}", two.link) };
    page(&graph, &PageRequest::Delta(delta)).await;

    let (tokens, asked) = server.asked();
    assert_eq!(tokens.len(), 1);
    let form = &tokens[0];
    assert_eq!((form.method.as_str(), form.path.as_str()), ("POST", "/tenant-1/oauth2/v2.0/token"));
    assert_eq!(form.header("content-type"), "application/x-www-form-urlencoded");
    let scope = format!("https%3A%2F%2Flocalhost%3A{}%2F.default", server.port);
    assert_eq!(
        form.body,
        format!("grant_type=client_credentials&client_id=app-1&client_secret=secret-1&scope={scope}")
    );

    let paths: Vec<_> = asked.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/v1.0/users/canary.room@contoso.example/calendarView/delta?startDateTime=2026-11-17T00%3A00%3A00Z&endDateTime=2026-12-26T00%3A00%3A00Z",
            "/v1.0/users/x/calendarView/delta?$skiptoken=a%2Bb+c_-%27(%27",
            "/v1.0/users/x/calendarView/delta?$deltatoken=d1",
        ]
    );
    for request in &asked {
        assert_eq!(request.method, "GET");
        assert_eq!(request.header("authorization"), "Bearer t-1");
        assert_eq!(request.header("prefer"), r#"IdType="ImmutableId", odata.maxpagesize=50"#);
        assert_eq!(request.header("accept"), "application/json");
        assert_eq!(request.header("client-request-id").len(), 36);
    }
}

#[tokio::test]
async fn one_odd_entry_does_not_stop_the_others() {
    let server = Server::graph(|request| {
        let delta = format!("https://{}/d", request.header("host"));
        let entries = json!([
            event("A", "busy"),
            event("B", "asleep"),
            {"subject": "no id"},
            7,
            {"id": "C", "@removed": {"reason": "deleted"}},
            event("D", "free"),
        ]);
        Reply::json(&json!({"value": entries, "@odata.deltaLink": delta}))
    })
    .await;
    let page = page(&server.client(), &first()).await;
    let told: Vec<_> = page
        .items
        .iter()
        .map(|item| match item {
            Item::Event(event) => format!("+{}", event.id.as_str()),
            Item::Stub(stub) => format!("~{}", stub.id.as_str()),
            Item::Removed(id) => format!("-{}", id.as_str()),
        })
        .collect();
    assert_eq!((told.join(" ").as_str(), page.skipped), ("+A -B -C +D", 3));
}

#[tokio::test]
async fn links_to_other_servers_are_not_followed() {
    for (name, link) in [
        ("@odata.nextLink", "https://evil.example/v1.0/x?$skiptoken=canary"),
        ("@odata.deltaLink", "https://localhost/v1.0/x?$deltatoken=canary"),
        ("@odata.deltaLink", "http://localhost/v1.0/x?$deltatoken=canary"),
    ] {
        let (_, error) = failure(Reply::json(&json!({"value": [], name: link}))).await;
        assert_eq!((error.code(), error.is_retryable()), ("graph-foreign-link", false));
    }
    let server = Server::graph(|_| Reply::new(200, "{}")).await;
    let graph = server.client();
    let next = PageRequest::Next(NextLink::new("https://evil.example/x"));
    assert_eq!(graph.page(&mailbox(), &next).await, Err(GraphError::ForeignLink));
    // A link that was kept from before graph_url was changed only costs a full round.
    let delta = PageRequest::Delta(DeltaLink::new("https://graph.microsoft.com/v1.0/x"));
    assert_eq!(graph.page(&mailbox(), &delta).await, Ok(PageOutcome::Gone));
    assert!(server.asked().1.is_empty());
}

#[tokio::test]
async fn forgotten_links_lead_back_to_the_start() {
    for reply in [
        Reply::error(410, "syncStateNotFound").with("Location", "https://localhost/x?$deltatoken="),
        Reply::new(410, "<html>"),
        Reply::error(400, "SyncStateNotFound"),
        Reply::error(404, "resyncRequired"),
    ] {
        let status = reply.status;
        let server = Server::graph(move |_| reply.clone()).await;
        assert_eq!(server.client().page(&mailbox(), &first()).await, Ok(PageOutcome::Gone), "{status}");
    }
}

#[tokio::test]
async fn malformed_answers_are_asked_for_again() {
    let both = json!({"value": [], "@odata.nextLink": "https://localhost/n", "@odata.deltaLink": "https://localhost/d"});
    for body in [
        "",
        "{",
        "[]",
        "{}",
        "<html>canary</html>",
        r#"{"value": 7, "@odata.deltaLink": "https://localhost/d"}"#,
        r#"{"value": []}"#,
        &both.to_string(),
    ] {
        let (_, error) = failure(Reply::new(200, body).with("request-id", "r-7")).await;
        assert_eq!((error.code(), error.is_retryable()), ("graph-malformed", true), "{body}");
        assert!(error.to_string().contains("(request r-7)"), "{error}");
    }
}

#[tokio::test]
async fn answers_that_break_off_are_asked_for_again() {
    for cut_after in [0, 1, 20] {
        let reply =
            Reply { cut_after: Some(cut_after), ..Reply::json(&json!({"value": [event("A", "busy")]})) };
        let (_, error) = failure(reply).await;
        assert_eq!((error.code(), error.is_retryable()), ("graph-cut-off", true), "{cut_after}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let (server, error) = failure(Reply::new(200, " ".repeat(33 * 1024 * 1024))).await;
    assert_eq!((error.code(), error.is_retryable()), ("graph-too-large", false));
    assert!(error.to_string().contains("32 MiB"), "{error}");
    // Smaller pages are tried first.
    let sizes: Vec<_> = server.asked().1.iter().map(|request| request.header("prefer").to_owned()).collect();
    let ends = |at: usize, size: &str| sizes[at].ends_with(size);
    assert!(ends(0, "=50") && ends(1, "=5") && ends(2, "=1") && sizes.len() == 3, "{sizes:?}");
}

#[tokio::test]
async fn refusals_say_when_to_come_back() {
    let check = async |reply: Reply, want: &str, retryable, seconds: Option<f64>| {
        let (_, error) = failure(reply).await;
        assert_eq!((error.code(), error.is_retryable()), (want, retryable));
        assert_eq!(error.retry_after().map(|wait| wait.as_secs_f64()), seconds, "{want}");
    };
    let throttled = || Reply::error(429, "ApplicationThrottled");
    check(throttled().with("Retry-After", "2.128"), "graph-throttled", true, Some(2.128)).await;
    check(throttled().with("Retry-After", "120"), "graph-throttled", true, Some(120.0)).await;
    check(throttled(), "graph-throttled", true, None).await;
    check(Reply::new(503, "<html>canary").with("Retry-After", "7"), "graph-unavailable", true, Some(7.0))
        .await;
    check(Reply::new(504, ""), "graph-unavailable", true, None).await;
    check(Reply::error(403, "ErrorAccessDenied"), "graph-access-denied", false, None).await;
    check(Reply::error(404, "MailboxNotEnabledForRESTAPI"), "graph-mailbox-not-enabled", false, None).await;
    check(Reply::error(404, "ErrorInvalidUser"), "graph-no-such-mailbox", false, None).await;
    let (server, error) = failure(Reply::new(302, "").with("Location", "https://localhost/elsewhere")).await;
    assert_eq!(error.code(), "graph-unexpected");
    assert_eq!(server.asked().1.len(), 1, "a redirection was followed");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_that_is_not_trusted() {
    let server = Server::graph(|_| Reply::new(200, "{}")).await;
    let other = Server::graph(|_| Reply::new(200, "{}")).await;
    let check = async |settings: joinery_msgraph::GraphSettings, want: &str, retryable| {
        let error = Graph::new(settings).unwrap().authenticate().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (want, retryable), "{error}");
        assert!(error.to_string().contains("localhost"), "{error}");
    };
    let mut settings = server.settings();
    settings.ca_file = Some(other.ca_file.path().to_owned());
    check(settings, "graph-untrusted", false).await;

    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let mut settings = server.settings();
    settings.authority_url = format!("https://localhost:{}", nobody.port()).parse().unwrap();
    check(settings, "graph-unreachable", true).await;
}
