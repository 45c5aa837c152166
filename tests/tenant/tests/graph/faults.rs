//! Faults on order: each strikes as often as it was ordered, and none is a violation.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use joinery_tenant::{MailboxKind, NewMeeting, Options, Order};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, ROOM, options};

const DELTA: &str = "/users/room@contoso.example/calendarView/delta?startDateTime=2026-11-20T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";
const PREFER: &str = "odata.maxpagesize=2";

async fn client_with_meetings(count: i64) -> Client {
    let client = Client::start(options()).await;
    let start: jiff::Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
    for hour in 0..count {
        let at = start + jiff::SignedDuration::from_hours(hour);
        client.tenant.create(ROOM, &NewMeeting::new("Plan", at, at)).unwrap();
    }
    client
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_dead_link_is_gone_and_its_location_starts_over() {
    let client = client_with_meetings(3).await;
    let (all, link) = client.round(DELTA, PREFER).await;
    client.tenant.expire_delta(ROOM).unwrap();
    let gone = client.get(&link).await;
    assert_eq!((gone.status, gone.code().to_ascii_lowercase().as_str()), (410, "syncstatenotfound"));
    assert!(gone.header("location").ends_with("$deltatoken="));
    let (again, link) = client.round(gone.header("location"), PREFER).await;
    assert_eq!(ids(&again), ids(&all));
    assert_eq!(client.round(&link, PREFER).await.0.len(), 0);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn links_can_die_in_mid_round() {
    let client = client_with_meetings(5).await;
    client.tenant.expire_delta_mid_round(ROOM).unwrap();
    let first = client.get_preferring(DELTA, PREFER).await;
    let next = first.link("nextLink").unwrap();
    assert_eq!(client.get(next).await.status, 410);
    assert_eq!(client.get(next).await.status, 410);
    assert_eq!(client.round(DELTA, PREFER).await.0.len(), 5);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn pages_break_off_in_the_middle() {
    let client = client_with_meetings(5).await;
    client.tenant.cut_pages(ROOM, 1).unwrap();
    for http1 in [false, true] {
        let ca = reqwest::Certificate::from_pem(client.tenant.ca_pem().as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([ca]);
        let http = if http1 { builder.http1_only() } else { builder }.build().unwrap();
        client.tenant.order(Order::Clear).unwrap();
        client.tenant.cut_pages(ROOM, 1).unwrap();
        let url = format!("{}/v1.0{DELTA}", client.tenant.graph_url());
        let mut response = http.get(&url).bearer_auth(&client.token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let promised = response.content_length();
        let mut received = 0;
        let broken = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => received += u64::try_from(chunk.len()).unwrap(),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken && received > 0, "{received} of {promised:?}");
    }
    assert_eq!(client.round(DELTA, PREFER).await.0.len(), 5);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn throttling_says_how_long_to_wait() {
    let client = client_with_meetings(1).await;
    client.tenant.throttle(ROOM, Some(2.128), 1).unwrap();
    client.tenant.throttle(ROOM, None, 1).unwrap();
    let first = client.get(DELTA).await;
    assert_eq!((first.status, first.header("retry-after"), first.code()), (429, "2.128", "TooManyRequests"));
    assert_eq!(first.body["error"]["innerError"]["code"], "429");
    let second = client.get(DELTA).await;
    assert_eq!((second.status, second.header("retry-after")), (429, ""));
    assert_eq!(client.get(DELTA).await.status, 200);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn statuses_come_as_often_as_ordered() {
    let client = client_with_meetings(1).await;
    client.tenant.fail(ROOM, 503, 2).unwrap();
    client.tenant.fail_token(500, 1).unwrap();
    for want in [503, 503, 200] {
        assert_eq!(client.get(DELTA).await.status, want);
    }
    assert_eq!(client.ask_token(&[]).await.status, 500);
    assert_eq!(client.ask_token(&[]).await.status, 200);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn answers_can_be_slow_and_a_mailbox_runs_four_at_a_time() {
    let client = client_with_meetings(1).await;
    client.tenant.slow(ROOM, Duration::from_millis(300), 5).unwrap();
    let began = Instant::now();
    let (a, b, c, d, e) = tokio::join!(
        client.get(DELTA),
        client.get(DELTA),
        client.get(DELTA),
        client.get(DELTA),
        client.get(DELTA)
    );
    let mut statuses = [a, b, c, d, e].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(client.get(DELTA).await.status, 200);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn items_repeat_and_empty_pages_come() {
    let client = client_with_meetings(5).await;
    client.tenant.replay(true).unwrap();
    client.tenant.empty_pages(true).unwrap();
    client.tenant.page_size(2).unwrap();
    let (items, _) = client.round(DELTA, "odata.maxpagesize=50").await;
    let distinct: std::collections::BTreeSet<&str> = ids(&items).into_iter().collect();
    assert_eq!((items.len(), distinct.len()), (8, 5));
    assert_eq!(client.tenant.requests()["delta.next"], 4);
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn a_change_during_a_round_comes_in_the_next() {
    let client = client_with_meetings(5).await;
    let first = client.get_preferring(DELTA, PREFER).await;
    let shown = first.items()[0]["id"].as_str().unwrap();
    client.tenant.update(ROOM, shown, &json!({"subject": "Changed"})).unwrap();
    let (_, link) = client.round(first.link("nextLink").unwrap(), PREFER).await;
    let (items, _) = client.round(&link, PREFER).await;
    assert_eq!((items.len(), &items[0]["subject"]), (1, &json!("Changed")));
}

#[tokio::test]
async fn administrators_can_shut_the_application_out() {
    let client = client_with_meetings(1).await;
    client.tenant.deny_access(ROOM, true).unwrap();
    let denied = client.get(DELTA).await;
    assert_eq!((denied.status, denied.code()), (403, "ErrorAccessDenied"));
    client.tenant.deny_access(ROOM, false).unwrap();
    client.tenant.unlicensed(ROOM, true).unwrap();
    let unlicensed = client.get(DELTA).await;
    assert_eq!((unlicensed.status, unlicensed.code()), (404, "MailboxNotEnabledForRESTAPI"));
    client.tenant.unlicensed(ROOM, false).unwrap();
    client.tenant.revoke_tokens().unwrap();
    assert_eq!(client.get(DELTA).await.status, 401);
    let old = client.tenant.client_secret();
    client.tenant.change_secret("another").unwrap();
    assert_eq!(client.ask_token(&[("client_secret", &old)]).await.body["error_codes"], json!([7_000_215]));
    assert_eq!(client.ask_token(&[]).await.status, 200);
    client.tenant.expire_secret(true).unwrap();
    assert_eq!(client.ask_token(&[]).await.body["error_codes"], json!([7_000_222]));
    client.tenant.disable_app(true).unwrap();
    assert_eq!(client.ask_token(&[]).await.body["error"], "unauthorized_client");
    assert_eq!(client.tenant.violations(), []);
    assert!(client.tenant.fail("nobody@contoso.example", 500, 1).is_err());
}

#[tokio::test]
async fn the_control_interface_does_what_the_library_does() {
    let directory = std::env::temp_dir().join(format!("joinery-tenant-{}", std::process::id()));
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let client = Client::start(Options { control: Some(free), ..options() }).await;
    let base = format!("http://{}/control", client.tenant.control_address().unwrap());
    let post = async |what: &str, body: Value| {
        let response = client.http.post(format!("{base}/{what}")).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let meeting = json!({"subject": "Plan", "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T10:00:00Z"});
    let created = post("create", json!({"mailbox": ROOM, "meeting": meeting})).await;
    assert_eq!(created.0, 200);
    let id = created.1["id"].as_str().unwrap();
    assert!(created.1["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let item = json!({"mailbox": ROOM, "id": id});
    let with = |extra: Value| {
        let mut item = item.clone();
        item.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        item
    };
    let times = json!({"start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z"});
    assert_eq!(post("reschedule", with(times)).await.0, 200);
    assert_eq!(post("update", with(json!({"patch": {"subject": "Other"}}))).await.0, 200);
    assert_eq!(post("respond", with(json!({"response": "tentative"}))).await.0, 200);
    assert_eq!(post("cancel", item.clone()).await.0, 200);
    assert_eq!(post("delete", item.clone()).await.0, 200);
    assert_eq!(post("delete", item).await.0, 422);
    assert_eq!(post("add-mailbox", json!({"address": "dana@contoso.example", "kind": "user"})).await.0, 200);
    client.tenant.add_mailbox("dana@contoso.example", MailboxKind::User).unwrap();
    assert_eq!(
        post("fault", json!({"fault": "throttle", "mailbox": ROOM, "retry_after": 0.5, "times": 2})).await.0,
        200
    );
    assert_eq!(
        post("fault", json!({"fault": "fail", "mailbox": "nobody@contoso.example", "status": 500})).await.0,
        404
    );
    assert_eq!(client.get(DELTA).await.header("retry-after"), "0.5");
    assert_eq!(client.request(Method::GET, "/nothing").send().await.unwrap().status(), 400);

    let get = async |what: &str| {
        client.http.get(format!("{base}/{what}")).send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(get("violations").await["count"], 1);
    assert_eq!(get("requests").await["counts"]["delta.first"], 1);
    client.tenant.write_state(&directory).unwrap();
    assert_eq!(std::fs::read_to_string(directory.join("ca.pem")).unwrap(), client.tenant.ca_pem());
    assert_eq!(
        std::fs::read_to_string(directory.join("client_secret")).unwrap(),
        client.tenant.client_secret()
    );
    std::fs::remove_dir_all(directory).unwrap();
}
