//! Sessions: what is said arrives, whole and in order, and ends in order.

use std::time::Duration;

use jiff::Timestamp;
use joinery_model::{DeviceKind, Epoch, Revision, RowId, StoreId, TenantName};
use joinery_seal::{DevicePublic, SealedGrant};
use joinery_transport::{
    DeviceSettings, FromAgent, GoodbyeReason, Have, Hello, Refusal, RenewRequest, Timing, ToAgent,
    TransportError, connect_timed,
};

use crate::connector::{
    AgentAt, DEVICE, MAILBOX, Sessions, authority, device, hello, row, server_identity, soon, timing,
};
use crate::raw;

fn settings() -> DeviceSettings {
    DeviceSettings {
        kind: DeviceKind::Room,
        button_lead: Duration::from_secs(300),
        past: Duration::from_secs(7 * 86_400),
        future: Duration::from_secs(31 * 86_400),
    }
}

#[tokio::test]
async fn what_is_said_arrives_whole_and_in_order() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let said = Hello {
        have: vec![Have {
            mailbox: MAILBOX,
            store_id: StoreId::from_bytes([2; 16]),
            revision: Revision(3),
            epochs: vec![Epoch(1)],
        }],
        now: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        ..hello()
    };
    let mut link = soon(agent.client.open(said.clone())).await.unwrap();
    let mut session = connector.session().await;
    assert_eq!((session.peer.device, &session.hello), (DEVICE, &said));

    let messages = [
        ToAgent::Welcome {
            server_time: Timestamp::from_millisecond(1_700_000_001_456).unwrap(),
            store_id: StoreId::from_bytes([2; 16]),
            settings: settings(),
        },
        ToAgent::Grant {
            mailbox: MAILBOX,
            tenant: TenantName::new("contoso"),
            epoch: Epoch(2),
            grant: SealedGrant { encapsulated: vec![1; 32], ciphertext: vec![2; 48] },
            address: None,
        },
        ToAgent::Snapshot {
            mailbox: MAILBOX,
            revision: Revision(9),
            rows: (0..2000).map(|number| row(number, 1024)).collect(),
        },
        ToAgent::Synced { mailbox: MAILBOX, revision: Revision(9) },
        ToAgent::Delta {
            mailbox: MAILBOX,
            from: Revision(9),
            to: Revision(10),
            upserts: vec![row(1, 512), row(5000, 1024 * 1024)],
            removes: vec![RowId::from_bytes([7; 16])],
        },
        ToAgent::RenewNow,
    ];
    let sending = async {
        for message in messages.clone() {
            session.link.send(message).await.unwrap();
        }
    };
    let receiving = async {
        for message in &messages {
            assert!(link.recv().await.unwrap().as_ref() == Some(message), "{message:?}");
        }
    };
    soon(futures::future::join(sending, receiving)).await;

    let answers = [
        FromAgent::Ack { mailbox: MAILBOX, revision: Revision(9) },
        FromAgent::Nack { mailbox: MAILBOX, revision: Revision(10), code: "seal-refused".into() },
        FromAgent::NeedGrant { mailbox: MAILBOX, epoch: Epoch(3) },
        FromAgent::Report { shown: vec![RowId::from_bytes([7; 16])], listed: 4 },
    ];
    for answer in answers {
        link.send(answer.clone()).await.unwrap();
        assert_eq!(soon(session.link.recv()).await, Some(answer));
    }
}

#[tokio::test]
async fn a_goodbye_is_the_last_word() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    session.link.send(ToAgent::Goodbye(GoodbyeReason::Replaced)).await.unwrap();
    drop(session);
    assert_eq!(soon(link.recv()).await, Ok(Some(ToAgent::Goodbye(GoodbyeReason::Replaced))));
    assert_eq!(soon(link.recv()).await, Ok(None));
    assert!(soon(link.send(FromAgent::Report { shown: vec![], listed: 0 })).await.is_err());
    // The connection is still good for another session.
    let _again = soon(agent.client.open(hello())).await.unwrap();
    connector.session().await;
}

#[tokio::test]
async fn an_agent_that_goes_away_ends_its_session() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    drop(link);
    assert_eq!(soon(session.link.recv()).await, None);
    assert!(soon(session.link.send(ToAgent::RenewNow)).await.is_err());
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_snapshot_delivers_nothing() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let cut = tokio_util::sync::CancellationToken::new();
    let wire = raw::breakable(connector.address, cut.clone()).await;
    let client = connect_timed("127.0.0.1", wire.port(), &device(&authority, 0), timing()).await.unwrap();
    let mut link = soon(client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    session.link.send(ToAgent::Synced { mailbox: MAILBOX, revision: Revision(8) }).await.unwrap();
    assert!(matches!(soon(link.recv()).await, Ok(Some(ToAgent::Synced { .. }))));
    // More than all buffers on the way hold: it cannot be under way as a whole.
    let rows = (0..40).map(|number| row(number, 1024 * 1024)).collect();
    let sending = session.link.send(ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(9), rows });
    assert!(tokio::time::timeout(Duration::from_millis(500), sending).await.is_err(), "nobody reads");
    cut.cancel();
    let error = soon(link.recv()).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert_eq!(soon(session.link.recv()).await, None);
}

#[tokio::test]
async fn a_snapshot_that_is_given_up_is_not_seen() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    let rows = (0..40).map(|number| row(number, 1024 * 1024)).collect();
    let sending = session.link.send(ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(9), rows });
    assert!(tokio::time::timeout(Duration::from_millis(500), sending).await.is_err(), "nobody reads");
    let end = async {
        session.link.send(ToAgent::Goodbye(GoodbyeReason::Revoked)).await.unwrap();
        drop(session);
    };
    let (first, ()) = soon(futures::future::join(link.recv(), end)).await;
    assert_eq!(first, Ok(Some(ToAgent::Goodbye(GoodbyeReason::Revoked))));
    assert_eq!(soon(link.recv()).await, Ok(None));
}

#[tokio::test]
async fn halves_work_apart() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let (to_connector, mut from_connector) = soon(agent.client.open(hello())).await.unwrap().split();
    let (to_agent, mut from_agent) = connector.session().await.keep().split();
    let ack = FromAgent::Ack { mailbox: MAILBOX, revision: Revision(1) };
    tokio::spawn(async move { to_agent.send(ToAgent::RenewNow).await.unwrap() });
    let (sent, said) = (ack.clone(), to_connector);
    tokio::spawn(async move { said.send(sent).await.unwrap() });
    assert_eq!(soon(from_connector.recv()).await, Ok(Some(ToAgent::RenewNow)));
    assert_eq!(soon(from_agent.recv()).await, Some(ack));
}

#[tokio::test]
async fn a_certificate_is_renewed_beside_an_open_session() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let _link = soon(agent.client.open(hello())).await.unwrap();
    connector.session().await;
    let request = RenewRequest { csr: b"request".to_vec(), hpke: Some(DevicePublic([8; 32])) };
    let renewed = soon(agent.client.renew(request.clone())).await.unwrap();
    assert_eq!((renewed.certificate, renewed.anchors), (b"request".to_vec(), vec![b"anchor".to_vec()]));
    assert_eq!(*connector.desk.renewals.lock(), [request]);
    let refused = soon(agent.client.renew(RenewRequest { csr: vec![], hpke: None })).await;
    assert_eq!(refused, Err(TransportError::Refused(Refusal::BadRequest)));
}

#[tokio::test]
async fn a_stop_waits_for_goodbyes_and_not_for_ever() {
    let authority = authority();
    let mut connector =
        Sessions::start(&authority, Timing { farewell: Duration::from_secs(10), ..timing() }).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    connector.ask_to_stop();
    session.link.send(ToAgent::Goodbye(GoodbyeReason::Shutdown)).await.unwrap();
    drop(session);
    assert_eq!(soon(link.recv()).await, Ok(Some(ToAgent::Goodbye(GoodbyeReason::Shutdown))));
    assert_eq!(soon(link.recv()).await, Ok(None));
    connector.stopped().await;

    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let stuck = connector.session().await;
    connector.ask_to_stop();
    connector.stopped().await;
    // It was cut: the session hears of it, whichever way.
    assert!(!matches!(soon(link.recv()).await, Ok(Some(_))));
    drop(stuck);
}

#[tokio::test]
async fn an_old_connection_is_ended_in_order() {
    let authority = authority();
    let short = Timing { connection_age: Duration::from_millis(200), ..timing() };
    let mut connector = Sessions::start(&authority, short).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    assert_eq!(soon(session.link.recv()).await, None);
    drop(session);
    assert_eq!(soon(link.recv()).await, Ok(None));
}

#[tokio::test]
async fn a_new_server_certificate_is_shown_without_a_restart() {
    let authority = authority();
    let connector = Sessions::start(&authority, timing()).await;
    let identity = device(&authority, 0);
    let shown = || async {
        let config = raw::client_config(Some(&identity), &[&rustls::version::TLS13]);
        let stream = raw::tls(connector.address, config).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let before = shown().await;
    assert_eq!(before, shown().await);
    connector.tls.replace(server_identity(&authority, &["127.0.0.1", "localhost"])).unwrap();
    let after = shown().await;
    assert_ne!(before, after);
    // One that has expired is not taken; the old one stays.
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(24 * 100);
    let old = authority.issue_server(&["127.0.0.1".to_owned()], then, [8; 16]).unwrap();
    let old = joinery_transport::ServerIdentity::new(vec![old.certificate], &old.key).unwrap();
    assert!(matches!(connector.tls.replace(old), Err(TransportError::BadIdentity { .. })));
    assert_eq!(after, shown().await);
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let authority = authority();
    let made =
        |serial| authority.issue_server(&["x.example".to_owned()], Timestamp::now(), [serial; 16]).unwrap();
    let (one, other) = (made(1), made(2));
    let error = joinery_transport::ServerIdentity::new(vec![one.certificate], &other.key).unwrap_err();
    assert!(matches!(error, TransportError::BadIdentity { .. }), "{error}");
}
