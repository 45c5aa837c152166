//! Pings, silence, readers that are slow, and messages that are too large or too new.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::Stream;
use joinery_model::Revision;
use joinery_proto::v1;
use joinery_proto::v1::agent_message::Kind as Said;
use joinery_proto::v1::connector_message::Kind;
use joinery_proto::v1::session_client::SessionClient as RawClient;
use joinery_proto::v1::session_server::{Session, SessionServer};
use joinery_transport::{AgentLink, FromAgent, RenewRequest, Timing, ToAgent, TransportError, connect_timed};
use parking_lot::Mutex;
use rustls::version::TLS13;
use tokio::sync::mpsc;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::connector::{AgentAt, MAILBOX, Sessions, authority, device, hello, row, soon, timing};
use crate::raw;

/// Short enough to wait for, long enough for a busy machine.
fn quick() -> Timing {
    Timing { ping_every: Duration::from_millis(100), stall_after: Duration::from_millis(1500), ..timing() }
}

#[tokio::test]
async fn pings_keep_a_session_that_has_nothing_to_say() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, quick()).await;
    let agent = AgentAt::timed(&connector, &device(&authority, 0), quick()).await;
    let mut link = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    // Twice the time after which silence would end it.
    let idle = async {
        tokio::select! {
            message = link.recv() => panic!("{message:?}"),
            message = session.link.recv() => panic!("{message:?}"),
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(3), idle).await.is_err());
    session.link.send(ToAgent::RenewNow).await.unwrap();
    assert_eq!(soon(link.recv()).await, Ok(Some(ToAgent::RenewNow)));
}

/// A connector that says what it is told to say.
#[derive(Clone)]
struct Scripted {
    say: Vec<v1::ConnectorMessage>,
    end: bool,
    heard: Arc<Mutex<Vec<Said>>>,
}

#[async_trait]
impl Session for Scripted {
    type OpenStream = Pin<Box<dyn Stream<Item = Result<v1::ConnectorMessage, Status>> + Send>>;

    async fn open(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let Self { say, end, heard } = self.clone();
        let mut inbound = request.into_inner();
        let (out, mut messages) = mpsc::channel(64);
        tokio::spawn(async move {
            for message in say {
                out.send(Ok(message)).await.unwrap();
            }
            if end {
                return;
            }
            while let Ok(Some(message)) = inbound.message().await {
                heard.lock().extend(message.kind);
            }
        });
        Ok(Response::new(Box::pin(futures::stream::poll_fn(move |cx| messages.poll_recv(cx)))))
    }

    async fn renew(&self, _: Request<v1::RenewRequest>) -> Result<Response<v1::RenewResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

fn message(kind: Kind) -> v1::ConnectorMessage {
    v1::ConnectorMessage { kind: Some(kind) }
}

/// Opens a session with a connector that says `say` and then ends the stream or is silent.
async fn scripted(say: Vec<v1::ConnectorMessage>, end: bool) -> (AgentLink, Arc<Mutex<Vec<Said>>>) {
    let authority = authority();
    let heard = Arc::default();
    let service = SessionServer::new(Scripted { say, end, heard: Arc::clone(&heard) });
    let address = raw::serve(raw::server_config(&authority, true), service).await;
    let client = connect_timed("127.0.0.1", address.port(), &device(&authority, 0), quick()).await.unwrap();
    (soon(client.open(hello())).await.unwrap(), heard)
}

#[tokio::test]
async fn an_agent_answers_pings_and_sends_its_own() {
    let (mut link, heard) = scripted(vec![message(Kind::Ping(v1::Ping { seq: 77 }))], false).await;
    let both = async {
        loop {
            let heard = heard.lock().clone();
            let pong = heard.iter().any(|said| matches!(said, Said::Pong(v1::Pong { seq: 77 })));
            let ping = heard.iter().any(|said| matches!(said, Said::Ping(_)));
            if pong && ping {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(async {
        tokio::select! {
            () = both => {}
            message = link.recv() => panic!("{message:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_connector_is_given_up() {
    let (mut link, _) = scripted(vec![], false).await;
    let error = soon(link.recv()).await.unwrap_err();
    assert_eq!(error, TransportError::Stalled(Duration::from_millis(1500)));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn kinds_that_are_new_are_ignored() {
    let mailbox = || bytes::Bytes::copy_from_slice(MAILBOX.as_bytes());
    let unknown = || v1::ConnectorMessage { kind: None };
    let say = vec![
        unknown(),
        message(Kind::SnapshotBegin(v1::SnapshotBegin { mailbox: mailbox(), revision: 4 })),
        unknown(),
        message(Kind::SnapshotEnd(v1::SnapshotEnd { mailbox: mailbox(), revision: 4 })),
        unknown(),
        message(Kind::RenewNow(v1::RenewNow {})),
    ];
    let (mut link, _) = scripted(say, true).await;
    let snapshot = ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(4), rows: vec![] };
    assert_eq!(soon(link.recv()).await, Ok(Some(snapshot)));
    assert_eq!(soon(link.recv()).await, Ok(Some(ToAgent::RenewNow)));
    assert_eq!(soon(link.recv()).await, Ok(None));
}

#[tokio::test]
async fn what_cannot_be_ends_the_session() {
    let short = bytes::Bytes::from_static(b"short");
    let cases = [
        Kind::Synced(v1::Synced { mailbox: short, revision: 1 }),
        Kind::SnapshotRows(v1::Rows::default()),
        Kind::Welcome(v1::Welcome::default()),
        // Larger than a device takes.
        Kind::Grant(v1::Grant { ciphertext: vec![0; 3 * 1024 * 1024].into(), ..v1::Grant::default() }),
    ];
    for kind in cases {
        let (mut link, _) = scripted(vec![message(kind)], false).await;
        let error = soon(link.recv()).await.unwrap_err();
        assert!(matches!(error, TransportError::Protocol { .. }), "{error}");
    }
}

/// An agent that says what it is told to say, and listens.
struct RawAgent {
    say: mpsc::Sender<v1::AgentMessage>,
    answers: Streaming<v1::ConnectorMessage>,
}

async fn raw_agent(connector: &Sessions, authority: &joinery_pki::Authority) -> RawAgent {
    let config = raw::client_config(Some(&device(authority, 0)), &[&TLS13]);
    let mut client = RawClient::new(raw::channel(connector.address, config).await);
    let (say, mut said) = mpsc::channel(8);
    let outgoing = futures::stream::poll_fn(move |cx| said.poll_recv(cx));
    let answers = soon(client.open(outgoing)).await.unwrap().into_inner();
    RawAgent { say, answers }
}

impl RawAgent {
    async fn say(&self, kind: Option<Said>) {
        self.say.send(v1::AgentMessage { kind }).await.unwrap();
    }

    async fn greet(&self) {
        self.say(Some(Said::Hello(v1::Hello { protocol: 1, ..v1::Hello::default() }))).await;
    }

    /// The status that ends the stream; pings before it do not count.
    async fn end(&mut self) -> Status {
        loop {
            match soon(self.answers.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => return Status::ok(""),
                Err(status) => return status,
            }
        }
    }
}

#[tokio::test]
async fn new_kinds_from_an_agent_are_ignored() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = raw_agent(&connector, &authority).await;
    agent.say(None).await;
    agent.greet().await;
    let mut session = connector.session().await;
    agent.say(None).await;
    agent.say(Some(Said::Report(v1::Report { shown: vec![], listed: 3 }))).await;
    assert_eq!(soon(session.link.recv()).await, Some(FromAgent::Report { shown: vec![], listed: 3 }));
}

#[tokio::test]
async fn an_agent_without_a_hello_is_shown_out() {
    let authority = authority();
    let short = Timing { hello: Duration::from_millis(200), ..timing() };
    let mut connector = Sessions::start(&authority, short).await;
    let mut silent = raw_agent(&connector, &authority).await;
    assert_ne!(silent.end().await.code(), Code::Ok);
    let mut hasty = raw_agent(&connector, &authority).await;
    hasty.say(Some(Said::Report(v1::Report::default()))).await;
    assert_eq!(hasty.end().await.code(), Code::InvalidArgument);
    assert!(connector.untouched());
}

#[tokio::test]
async fn malformed_and_oversized_messages_end_the_session() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let nack = |mailbox: Vec<u8>, code: usize| {
        Some(Said::Nack(v1::Nack { mailbox: mailbox.into(), revision: 1, code: "x".repeat(code) }))
    };
    for said in [nack(b"short".to_vec(), 1), nack(vec![0; 16], 300 * 1024)] {
        let mut agent = raw_agent(&connector, &authority).await;
        agent.greet().await;
        let mut session = connector.session().await;
        agent.say(said).await;
        assert_eq!(soon(session.link.recv()).await, None);
        drop(session);
        assert_ne!(agent.end().await.code(), Code::Cancelled);
    }
}

#[tokio::test]
async fn a_silent_agent_is_given_up() {
    let authority = authority();
    let short = Timing { stall_after: Duration::from_millis(300), ..quick() };
    let mut connector = Sessions::start(&authority, short).await;
    // It listens, but neither pings nor answers pings.
    let mut agent = raw_agent(&connector, &authority).await;
    agent.greet().await;
    let mut session = connector.session().await;
    assert_eq!(soon(session.link.recv()).await, None);
    drop(session);
    assert_eq!(agent.end().await.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_delays_nobody() {
    let authority = authority();
    let impatient = Timing { send: Duration::from_millis(300), ..timing() };
    let mut connector = Sessions::start(&authority, impatient).await;
    let (slow, quick) = (device(&authority, 0), device(&authority, 0));
    let (slow, quick) = (AgentAt::new(&connector, &slow).await, AgentAt::new(&connector, &quick).await);
    let mut slow_link = soon(slow.client.open(hello())).await.unwrap();
    let mut slow_session = connector.session().await;
    let mut quick_link = soon(quick.client.open(hello())).await.unwrap();
    let mut quick_session = connector.session().await;

    let flooding = async {
        // More than all buffers on the way hold.
        for revision in 0..100 {
            let rows = (0..10).map(|number| row(number, 100 * 1024)).collect();
            let snapshot = ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(revision), rows };
            if slow_session.link.send(snapshot).await.is_err() {
                return;
            }
        }
        panic!("a hundred mebibytes were taken by somebody who does not read");
    };
    let talking = async {
        for _ in 0..200 {
            quick_session.link.send(ToAgent::RenewNow).await.unwrap();
            assert_eq!(quick_link.recv().await, Ok(Some(ToAgent::RenewNow)));
        }
    };
    soon(futures::future::join(flooding, talking)).await;
    assert_eq!(soon(slow_session.link.recv()).await, None);
    drop(slow_session);
    // What had arrived may be read; then the end is told or the connection is cut.
    let error = soon(async {
        loop {
            match slow_link.recv().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("this is no end in order"),
                Err(error) => return error,
            }
        }
    })
    .await;
    assert!(error.is_retryable(), "{error}");
    quick_session.link.send(ToAgent::RenewNow).await.unwrap();
    assert_eq!(soon(quick_link.recv()).await, Ok(Some(ToAgent::RenewNow)));
}

#[tokio::test]
async fn an_ended_session_that_is_not_read_is_cut() {
    let authority = authority();
    let mut connector = Sessions::start(&authority, timing()).await;
    let agent = AgentAt::new(&connector, &device(&authority, 0)).await;
    let _unread = soon(agent.client.open(hello())).await.unwrap();
    let mut session = connector.session().await;
    let rows = (0..40).map(|number| row(number, 1024 * 1024)).collect();
    let sending = session.link.send(ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(9), rows });
    assert!(tokio::time::timeout(Duration::from_millis(500), sending).await.is_err(), "nobody reads");
    drop(session);
    let request = RenewRequest { csr: b"request".to_vec(), hpke: None };
    let error = soon(async {
        loop {
            if let Err(error) = agent.client.renew(request.clone()).await {
                return error;
            }
        }
    })
    .await;
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
}
