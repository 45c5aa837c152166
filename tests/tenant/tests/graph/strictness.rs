//! Mistakes of a client: each gets the documented error and is counted.

use std::time::Duration;

use joinery_tenant::Options;
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, ROOM, options, send};

const VIEW: &str = "/users/room@contoso.example/calendarView";
const WINDOW: &str = "startDateTime=2026-11-20T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";

#[tokio::test]
async fn mistakes_are_refused_and_counted() {
    let client = Client::start(options()).await;
    let mut counted = 0;
    let mut check = async |call: reqwest::RequestBuilder, status: u16, code: &str| {
        let answer = send(call).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.body);
        counted += 1;
        let violations = client.tenant.violations();
        assert_eq!(violations.len(), counted, "{code}");
        assert_eq!((violations[counted - 1].status, violations[counted - 1].code.as_str()), (status, code));
    };
    let get = |target: &str| client.request(Method::GET, target);
    let events = "/users/room@contoso.example/events";
    let post = |body: serde_json::Value| client.request(Method::POST, events).json(&body);
    let url = format!("{}/v1.0{events}", client.tenant.graph_url());

    check(client.http.get(&url), 401, "InvalidAuthenticationToken").await;
    check(client.http.get(&url).bearer_auth("nonsense"), 401, "InvalidAuthenticationToken").await;
    check(client.http.get(&url).basic_auth("a", Some("b")), 401, "InvalidAuthenticationToken").await;
    let other = client.ask_token(&[("scope", "https://graph.microsoft.com/.default")]).await;
    let other = other.body["access_token"].as_str().unwrap();
    check(client.http.get(&url).bearer_auth(other), 401, "InvalidAuthenticationToken").await;

    check(get("/nothing"), 400, "BadRequest").await;
    check(get("/me/events"), 400, "BadRequest").await;
    check(get("/users/nobody@contoso.example/events"), 404, "ErrorInvalidUser").await;
    check(client.request(Method::PUT, events), 405, "Request_BadRequest").await;
    check(client.request(Method::POST, VIEW), 405, "Request_BadRequest").await;

    check(get(VIEW), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{VIEW}?startDateTime=2026-11-20T00:00:00Z")), 400, "ErrorInvalidUrlQuery").await;
    check(
        get(&format!("{VIEW}?startDateTime=yesterday&endDateTime=2026-12-20T00:00:00Z")),
        400,
        "ErrorInvalidParameter",
    )
    .await;
    check(
        get(&format!("{VIEW}?startDateTime=2026-11-20T00:00:00+01:00&endDateTime=2026-12-20T00:00:00Z")),
        400,
        "ErrorInvalidParameter",
    )
    .await;
    check(
        get(&format!("{VIEW}?startDateTime=2026-11-20T00:00:00Z&endDateTime=2036-12-20T00:00:00Z")),
        400,
        "ErrorInvalidParameter",
    )
    .await;
    check(get(&format!("{VIEW}?{WINDOW}&$select=createdDateTime")), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{VIEW}?{WINDOW}&top=5")), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{VIEW}?{WINDOW}&$top=0")), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{VIEW}/delta")), 400, "ErrorInvalidUrlQuery").await;
    for option in [
        "$select=subject",
        "$top=5",
        "$filter=isAllDay",
        "$orderby=subject",
        "$expand=extensions",
        "$search=x",
    ] {
        check(get(&format!("{VIEW}/delta?{WINDOW}&{option}")), 400, "ErrorInvalidUrlQuery").await;
    }
    check(get(&format!("{VIEW}/delta?$deltatoken=made-up")), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{events}?$select=colour")), 400, "RequestBroker--ParseUri").await;
    check(get(&format!("{events}?$top=1001")), 400, "ErrorInvalidUrlQuery").await;
    check(get(&format!("{events}?$orderby=colour")), 400, "ErrorInvalidUrlQuery").await;
    check(get("/domains?$top=5"), 400, "ErrorInvalidUrlQuery").await;

    check(get(events).header("prefer", "return=minimal"), 400, "ErrorInvalidRequest").await;
    check(get(events).header("prefer", "outlook.timezone=\"Nowhere\""), 400, "TimeZoneNotSupportedException")
        .await;

    check(get(&format!("{events}/AAMkAG")), 400, "ErrorInvalidIdMalformed").await;
    check(client.request(Method::POST, events).body("{}"), 415, "UnsupportedMediaType").await;
    let broken = client.request(Method::POST, events).header("content-type", "application/json").body("{");
    check(broken, 400, "RequestBodyRead").await;
    check(post(json!([])), 400, "RequestBodyRead").await;
    check(post(json!({"subject": "No times"})), 400, "ErrorPropertyValidationFailure").await;
    let at = |time: &str| json!({"dateTime": time, "timeZone": "UTC"});
    let (start, end) = (at("2026-11-24T09:00:00"), at("2026-11-24T10:00:00"));
    check(post(json!({"start": end, "end": start})), 400, "ErrorPropertyValidationFailure").await;
    check(post(json!({"start": start, "end": end, "isAllDay": true})), 400, "ErrorPropertyValidationFailure")
        .await;
    check(post(json!({"start": start, "end": end, "colour": "red"})), 400, "RequestBodyRead").await;
    check(post(json!({"start": start, "end": end, "subject": 7})), 400, "RequestBodyRead").await;
    check(post(json!({"start": start, "end": end, "sensitivity": "secret"})), 400, "RequestBodyRead").await;
    check(
        post(json!({"start": start, "end": end, "attendees": [{"emailAddress": {}}]})),
        400,
        "ErrorInvalidRecipients",
    )
    .await;
    check(post(json!({"start": "2026-11-24T09:00:00Z", "end": end})), 400, "RequestBodyRead").await;

    let single = client.post(events, &json!({"start": start, "end": end})).await;
    let single = format!("{events}/{}", single.body["id"].as_str().unwrap());
    check(get(&format!("{single}/instances?{WINDOW}")), 400, "ErrorInvalidRequest").await;
    check(
        client.request(Method::PATCH, &single).json(&json!({"transactionId": "7"})),
        400,
        "ErrorPropertyValidationFailure",
    )
    .await;
    check(client.request(Method::DELETE, &format!("{single}?$top=1")), 400, "ErrorInvalidUrlQuery").await;
    // The item is gone, as items go: no mistake.
    assert_eq!(client.delete(&single).await.status, 204);
    assert_eq!(client.get(&single).await.code(), "ErrorItemNotFound");
    assert_eq!(client.tenant.violations().len(), counted);
    client.tenant.clear_record();
    assert_eq!(client.tenant.violations(), []);
}

#[tokio::test]
async fn links_must_be_used_as_they_are() {
    let client = Client::start(options()).await;
    let (_, link) = client.round(&format!("{VIEW}/delta?{WINDOW}"), "odata.maxpagesize=5").await;
    for altered in [
        format!("{link}&$top=5"),
        link.replace("%3d", "="),
        link.replace("users/room@", "users/Room@"),
        link.replace('$', "%24"),
    ] {
        let answer = client.get(&altered).await;
        assert_eq!((answer.status, answer.code()), (400, "ErrorInvalidUrlQuery"), "{altered}");
    }
    assert_eq!(client.get(&link).await.status, 200);
    assert_eq!(client.tenant.violations().len(), 4);
}

#[tokio::test]
async fn token_errors_have_their_codes() {
    let client = Client::start(options()).await;
    let check = async |changes: &[(&str, &str)], status: u16, error: &str, number: u32| {
        let answer = client.ask_token(changes).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{}", answer.body);
        assert_eq!(answer.body["error_codes"], json!([number]));
        assert!(answer.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
    };
    check(&[("client_secret", "wrong")], 401, "invalid_client", 7_000_215).await;
    check(&[("client_secret", "")], 401, "invalid_client", 7_000_218).await;
    check(&[("client_id", "00000000-0000-0000-0000-000000000000")], 400, "unauthorized_client", 700_016)
        .await;
    check(&[("scope", "https://graph.microsoft.com/Calendars.Read")], 400, "invalid_scope", 1_002_012).await;
    check(&[("scope", "https://unknown.example/.default")], 400, "invalid_resource", 500_011).await;
    check(&[("scope", "")], 400, "invalid_request", 900_144).await;
    check(&[("grant_type", "password")], 400, "unsupported_grant_type", 70003).await;
    check(&[("resource", "x")], 400, "invalid_request", 900_144).await;
    assert_eq!(client.tenant.violations().len(), 8);

    let url = format!("{}/fabrikam.example/oauth2/v2.0/token", client.tenant.authority_url());
    let unknown = send(client.http.post(url).form(&[("grant_type", "client_credentials")])).await;
    assert_eq!((unknown.status, &unknown.body["error_codes"]), (400, &json!([90002])));
    let by_domain = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", client.tenant.authority_url());
    let form =
        [("grant_type", "client_credentials"), ("scope", &format!("{}/.default", client.tenant.graph_url()))];
    let basic = client
        .http
        .post(by_domain)
        .basic_auth(client.tenant.client_id(), Some(client.tenant.client_secret()));
    assert_eq!(send(basic.form(&form)).await.status, 200);
}

#[tokio::test]
async fn expired_tokens_and_missing_permissions_are_refused() {
    let lifetime = Options { token_lifetime: Duration::ZERO, ..options() };
    let client = Client::start(lifetime).await;
    let answer = client.get("/domains").await;
    assert_eq!((answer.status, answer.code()), (401, "InvalidAuthenticationToken"));
    assert_eq!(client.tenant.violations().len(), 1);

    let reader = Client::start(Options { roles: vec!["Calendars.Read".to_owned()], ..options() }).await;
    assert_eq!(reader.get("/domains").await.code(), "Authorization_RequestDenied");
    let answer = reader.post(&format!("/users/{ROOM}/events"), &json!({})).await;
    assert_eq!((answer.status, answer.code()), (403, "ErrorAccessDenied"));
    assert_eq!(reader.get(&format!("/users/{ROOM}/events")).await.status, 200);
    assert_eq!(reader.tenant.violations(), []);
}
