//! Who does not get in, and what they are told.

use std::sync::Arc;
use std::time::Duration;

use joinery_transport::{
    DeviceTls, Refusal, RenewRequest, SESSION_METHODS, Timing, TransportError, connect_timed,
};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connector::{AgentAt, Enrollment, Sessions, authority, device, hello, soon, timing};
use crate::raw::{self, Calls};

/// What an agent with `identity` is told when it opens a session.
async fn told(connector: &Sessions, identity: &DeviceTls) -> TransportError {
    let client = match connect_timed("127.0.0.1", connector.address.port(), identity, timing()).await {
        Ok(client) => client,
        Err(error) => return error,
    };
    let mut link = match soon(client.open(hello())).await {
        Ok(link) => link,
        Err(error) => return error,
    };
    soon(link.recv()).await.unwrap_err()
}

#[tokio::test]
async fn every_method_is_refused_without_a_device_certificate() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    for method in SESSION_METHODS {
        let nobody = raw::client_config(None, &[&TLS13]);
        assert_eq!(raw::call(connector.address, nobody, method).await, None, "{method}");
    }
    assert!(connector.untouched() && connector.desk.renewals.lock().is_empty());
}

#[tokio::test]
async fn every_method_is_refused_to_a_revoked_device_at_accept() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    connector.desk.refuse(Some(Refusal::Revoked));
    let identity = device(&authority, 0);
    for method in SESSION_METHODS {
        let config = raw::client_config(Some(&identity), &[&TLS13]);
        let answer = raw::call(connector.address, config, method).await;
        assert_eq!(answer, Some(("7".to_owned(), "device-revoked".to_owned())), "{method}");
    }
    assert!(connector.untouched() && connector.desk.renewals.lock().is_empty());
}

#[tokio::test]
async fn what_was_refused_at_accept_stays_refused_on_that_connection() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    connector.desk.refuse(Some(Refusal::Revoked));
    let config = raw::client_config(Some(&device(&authority, 0)), &[&TLS13]);
    let mut calls = Calls::open(connector.address, config).await.unwrap();
    let refused = Some(("7".to_owned(), "device-revoked".to_owned()));
    assert_eq!(calls.call(SESSION_METHODS[0]).await, refused);
    connector.desk.refuse(None);
    assert_eq!(calls.call(SESSION_METHODS[0]).await, refused);
    assert!(connector.untouched());
}

#[tokio::test]
async fn every_method_is_refused_to_a_device_that_is_revoked_while_connected() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let config = raw::client_config(Some(&device(&authority, 0)), &[&TLS13]);
    let mut calls = Calls::open(connector.address, config).await.unwrap();
    let answer = calls.call("/joinery.v1.Session/Unheard").await.unwrap();
    assert_eq!(answer.0, "12", "it is in, and this is no method");
    connector.desk.refuse(Some(Refusal::Revoked));
    for method in SESSION_METHODS {
        let answer = calls.call(method).await;
        assert_eq!(answer, Some(("7".to_owned(), "device-revoked".to_owned())), "{method}");
    }
    assert!(connector.untouched() && connector.desk.renewals.lock().is_empty());
}

#[tokio::test]
async fn the_enrollment_port_serves_enrollment_and_nothing_else() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    for method in SESSION_METHODS {
        let (status, _) =
            raw::call(connector.address, raw::client_config(None, &[&TLS13]), method).await.unwrap();
        assert_eq!(status, "12", "{method}");
    }
}

#[tokio::test]
async fn an_agent_is_told_why_it_is_refused() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let good = device(&authority, 0);

    let expired = told(&connector, &device(&authority, 31)).await;
    assert_eq!(expired, TransportError::Refused(Refusal::Expired));

    // Of the same name, by another authority.
    let strange = DeviceTls { anchors: good.anchors.clone(), ..device(&crate::connector::authority(), 0) };
    let strange = told(&connector, &strange).await;
    assert!(strange.is_refusal() && !strange.is_retryable(), "{strange}");

    let server = authority.issue_server(&["127.0.0.1".to_owned()], jiff::Timestamp::now(), [6; 16]).unwrap();
    let server =
        DeviceTls { certificate: server.certificate, key: server.key, anchors: good.anchors.clone() };
    let not_for_clients = told(&connector, &server).await;
    assert!(matches!(not_for_clients, TransportError::CertificateRefused { .. }), "{not_for_clients}");

    for refusal in [Refusal::Revoked, Refusal::OtherDeployment, Refusal::Unavailable] {
        connector.desk.refuse(Some(refusal));
        let error = told(&connector, &good).await;
        assert_eq!(error, TransportError::Refused(refusal));
        assert_eq!(error.is_refusal(), refusal != Refusal::Unavailable);
    }
    assert!(connector.untouched());
}

#[tokio::test]
async fn a_device_that_is_revoked_while_connected_is_told_at_the_next_call() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let _link = soon(agent.client.open(hello())).await.unwrap();
    connector.session().await;
    connector.desk.refuse(Some(Refusal::Revoked));
    let refused = Err(TransportError::Refused(Refusal::Revoked));
    assert_eq!(soon(agent.client.open(hello())).await.map(|_| ()), refused);
    let request = RenewRequest { csr: b"request".to_vec(), hpke: None };
    assert_eq!(soon(agent.client.renew(request)).await.map(|_| ()), refused);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_nothing() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let mut identity = device(&authority, 0);
    identity.anchors = vec![crate::connector::authority().certificate().to_vec()];
    let error = told(&connector, &identity).await;
    assert!(matches!(error, TransportError::ServerUntrusted { .. }), "{error}");
    assert!(connector.untouched());
}

#[tokio::test]
async fn a_server_without_the_name_is_told_by_name() {
    let authority = authority();
    let connector = Sessions::start(&authority, timing()).await;
    let port = connector.address.port();
    let error = connect_timed("localhost", port, &device(&authority, 0), timing()).await.unwrap_err();
    assert_eq!(error, TransportError::ServerName { host: "localhost".into() });
}

#[tokio::test]
async fn a_host_that_is_none_is_told() {
    let error = connect_timed("a b", 1, &device(&authority(), 0), timing()).await.unwrap_err();
    assert_eq!(error, TransportError::BadHost { host: "a b".into() });
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let authority = authority();
    let sessions = Sessions::start(&authority, timing()).await;
    let enrollment = Enrollment::start(&["127.0.0.1"], timing()).await;
    let identity = device(&authority, 0);
    for (address, identity) in [(sessions.address, Some(&identity)), (enrollment.address, None)] {
        assert!(raw::tls(address, raw::client_config(identity, &[&TLS13])).await.is_ok());
        assert!(raw::tls(address, raw::client_config(identity, &[&TLS12])).await.is_err());
    }
}

#[tokio::test]
async fn no_connection_is_resumed() {
    let authority = authority();
    let sessions = Sessions::start(&authority, timing()).await;
    let enrollment = Enrollment::start(&["127.0.0.1"], timing()).await;
    let identity = device(&authority, 0);
    for (address, identity) in [(sessions.address, Some(&identity)), (enrollment.address, None)] {
        // The library's client resumes whenever it was given a ticket.
        let config = raw::client_config(identity, &[&TLS13]);
        for _ in 0..3 {
            let mut stream = raw::tls(address, Arc::clone(&config)).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
            // Tickets come with the first bytes of the server.
            let mut first = [0; 9];
            soon(stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")).await.unwrap();
            soon(stream.read_exact(&mut first)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn whoever_says_nothing_is_shown_out() {
    let authority = authority();
    let short = Timing { handshake: Duration::from_millis(200), ..timing() };
    let connector = Sessions::start(&authority, short).await;
    let mut silent = TcpStream::connect(connector.address).await.unwrap();
    let mut rest = Vec::new();
    // An end or a reset; either way the connection is closed from there.
    let _closed = soon(silent.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}
