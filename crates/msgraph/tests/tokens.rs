//! The application's token: asked for once, renewed in time, and with the secret that is in the file now.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod scripted;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use joinery_msgraph::{Graph, GraphError};
use scripted::{Reply, Request, Server, token};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

fn domains() -> Reply {
    Reply::json(&json!({"value": [{"id": "Contoso.example"}]}))
}

fn refused(number: u32) -> Reply {
    let body = json!({
        "error": "invalid_client",
        "error_description": format!("AADSTS{number}: canary secret-1"),
        "error_codes": [number],
        "trace_id": "trace-1",
    });
    Reply { status: 401, ..Reply::json(&body) }
}

/// A Graph that takes only the token of `secret-2`, as after a secret was rotated.
fn takes_only_the_second_secret(request: &Request) -> Reply {
    match (request.is_for_token(), request.body.contains("client_secret=secret-2&")) {
        (true, true) => token("new"),
        (true, false) => token("old"),
        (false, _) if request.header("authorization") == "Bearer new" => domains(),
        (false, _) => Reply::error(401, "InvalidAuthenticationToken"),
    }
}

#[tokio::test]
async fn many_requests_share_one_token() {
    let server = Server::graph(|_| domains()).await;
    let graph = server.client();
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let graph = graph.clone();
        asking.spawn(async move { graph.domains().await });
    }
    while let Some(domains) = asking.join_next().await {
        assert_eq!(domains.unwrap(), Ok(vec!["contoso.example".to_owned()]));
    }
    let (tokens, asked) = server.asked();
    assert_eq!((tokens.len(), asked.len()), (1, 20));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::start(takes_only_the_second_secret).await;
    let graph = server.client();
    let error = graph.domains().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("graph-token-refused", false));
    assert_eq!(server.asked().0.len(), 2);

    server.set_secret("secret-2");
    assert_eq!(graph.domains().await, Ok(vec!["contoso.example".to_owned()]));
    assert_eq!(graph.domains().await, Ok(vec!["contoso.example".to_owned()]));
}

#[tokio::test]
async fn a_wrong_secret_is_not_tried_over_and_over_and_a_new_one_at_once() {
    let server =
        Server::start(|request| match (request.is_for_token(), request.body.contains("=secret-2&")) {
            (true, true) => token("t"),
            (true, false) => refused(7_000_215),
            (false, _) => domains(),
        })
        .await;
    let graph = server.client();
    for _ in 0..5 {
        let error = graph.domains().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("entra-wrong-secret", false));
        assert!(error.to_string().contains("AADSTS7000215, trace trace-1"), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary") && !shown.contains("secret-1"), "{shown}");
    }
    assert_eq!(server.asked().0.len(), 1);
    server.set_secret("secret-2");
    assert!(graph.domains().await.is_ok());
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_used_on_while_that_fails() {
    let tokens = Arc::new(AtomicU32::new(0));
    let count = tokens.clone();
    let server = Server::start(move |request| {
        if !request.is_for_token() {
            return domains();
        }
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(&json!({"token_type": "Bearer", "expires_in": 2, "access_token": "short"})),
            1 => Reply::new(503, "<html>"),
            _ => token("long"),
        }
    })
    .await;
    let graph = server.client();
    let deadline = Instant::now() + Duration::from_secs(20);
    // The short token is renewed after one second, which fails; and again when it has ended.
    while tokens.load(Ordering::Relaxed) < 3 {
        assert!(Instant::now() < deadline, "the token was not renewed");
        assert!(graph.domains().await.is_ok());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(graph.domains().await.is_ok());
    let (_, asked) = server.asked();
    assert_eq!(asked.last().unwrap().header("authorization"), "Bearer long");
}

#[tokio::test]
async fn an_entra_that_cannot_answer_is_asked_again_later() {
    let server = Server::start(|_| Reply::new(503, "<html>canary").with("Retry-After", "30")).await;
    let graph = server.client();
    for _ in 0..3 {
        let error = graph.authenticate().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("entra-unavailable", true));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    }
    assert_eq!(server.asked().0.len(), 1, "it was asked before the time that it named");
}

#[tokio::test]
async fn answers_that_are_no_token_are_malformed() {
    for body in [
        "",
        "<html>",
        r#"{"access_token": "x"}"#,
        r#"{"token_type": "pop", "expires_in": 3599, "access_token": "x"}"#,
        r#"{"token_type": "Bearer", "expires_in": 3599, "access_token": "x\ny"}"#,
    ] {
        let server = Server::start(move |_| Reply::new(200, body)).await;
        let error = server.client().authenticate().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("graph-malformed", true), "{body}");
    }
}

#[tokio::test]
async fn an_unusable_secret_file_is_named() {
    let server = Server::graph(|_| domains()).await;
    let mut settings = server.settings();
    settings.secret_file = "/nowhere/secret".into();
    let error = Graph::new(settings).unwrap().authenticate().await.unwrap_err();
    assert_eq!(error.code(), "graph-secret-file");
    assert!(error.to_string().starts_with("client_secret_file /nowhere/secret cannot be read: "), "{error}");

    let graph = server.client();
    for contents in ["", "\n", "secret\nwith a second line", "\0", &"x".repeat(5000)] {
        server.set_secret(contents);
        let error = graph.authenticate().await.unwrap_err();
        assert!(matches!(error, GraphError::SecretFile { .. }), "{error}");
    }
    server.set_secret("  secret-3 \r\n");
    assert_eq!(graph.authenticate().await, Ok(()));
    assert!(server.asked().0[0].body.contains("client_secret=secret-3&"));
}
