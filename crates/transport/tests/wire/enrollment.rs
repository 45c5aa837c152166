//! Enrollment: the right code, wrong codes, people in the middle, lost replies.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use joinery_pki::proof::ConnectorRun;
use joinery_pki::{ActivationCode, device_request, peer_name};
use joinery_proto::v1;
use joinery_proto::v1::enroll_request::Kind as AskKind;
use joinery_proto::v1::enroll_response::Kind as AnswerKind;
use joinery_proto::v1::enrollment_client::EnrollmentClient;
use joinery_proto::v1::enrollment_server::{Enrollment as Service, EnrollmentServer};
use joinery_seal::DevicePublic;
use joinery_transport::{
    EnrollError, EnrollRefusal, Enrolled, ServerIdentity, Timing, TransportError, enroll_timed,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::connector::{Asked, DEPLOYMENT, DEVICE, Enrollment, authority, server_identity, soon, timing};
use crate::raw;

const CODE: &str = "1234 5678 9012 3456";
const HPKE: DevicePublic = DevicePublic([5; 32]);

async fn enroll_at(address: std::net::SocketAddr, code: &str, csr: &[u8]) -> Result<Enrolled, EnrollError> {
    let code: ActivationCode = code.parse().unwrap();
    soon(enroll_timed("127.0.0.1", address.port(), &code, csr, HPKE, "Room\u{7} One", &timing())).await
}

fn csr() -> Vec<u8> {
    device_request().unwrap().1
}

#[tokio::test]
async fn the_right_code_gives_a_certificate() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let enrolled = enroll_at(connector.address, CODE, &csr()).await.unwrap();
    assert_eq!((enrolled.device, enrolled.deployment, enrolled.session_port), (DEVICE, DEPLOYMENT, 8443));
    assert_eq!(peer_name(&enrolled.certificate).unwrap().device, DEVICE);
    assert_eq!(connector.desk.asked(), Asked { begun: 1, finished: 1, failed: 0 });
    assert_eq!(*connector.desk.names.lock(), ["Room One"], "names are made printable");
}

#[tokio::test]
async fn a_wrong_code_is_a_try_and_gives_nothing() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    // A wrong password, and an invitation that does not exist, look the same.
    for code in ["1234 5600 0000 0000", "6543 2178 9012 3456"] {
        assert_eq!(enroll_at(connector.address, code, &csr()).await, Err(EnrollError::WrongCode));
    }
    assert_eq!(connector.desk.asked(), Asked { begun: 2, finished: 0, failed: 2 });
}

#[tokio::test]
async fn a_man_in_the_middle_who_relays_the_proof_gets_nothing() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let middle = raw::man_in_the_middle(connector.address, &authority()).await;
    let error = enroll_at(middle, CODE, &csr()).await.unwrap_err();
    assert_eq!(error, EnrollError::WrongCode);
    assert!(error.to_string().contains("proxy"), "{error}");
    assert_eq!(connector.desk.asked(), Asked { begun: 1, finished: 0, failed: 1 });
}

#[tokio::test]
async fn a_lost_reply_is_repeated() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let cut = CancellationToken::new();
    let wire = raw::breakable(connector.address, cut.clone()).await;
    *connector.desk.before_answer.lock() = Some(Box::new(move || {
        cut.cancel();
        Box::pin(async {})
    }));
    let csr = csr();
    let lost = enroll_at(wire, CODE, &csr).await.unwrap_err();
    assert!(lost.is_retryable(), "{lost}");
    *connector.desk.before_answer.lock() = None;
    let first = enroll_at(connector.address, CODE, &csr).await.unwrap();
    let second = enroll_at(connector.address, CODE, &csr).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(connector.desk.asked(), Asked { begun: 3, finished: 3, failed: 0 });
}

#[tokio::test]
async fn refusals_of_the_desk_arrive_as_they_are() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let retry_after = Duration::from_secs(17);
    for refusal in [EnrollRefusal::TooMany { retry_after }, EnrollRefusal::Unavailable] {
        *connector.desk.refuse_begin.lock() = Some(refusal);
        assert_eq!(enroll_at(connector.address, CODE, &csr()).await, Err(EnrollError::Refused(refusal)));
    }
    assert_eq!(connector.desk.asked(), Asked::default());
    *connector.desk.refuse_begin.lock() = None;
    for refusal in [EnrollRefusal::Gone, EnrollRefusal::Used, EnrollRefusal::BadRequest] {
        *connector.desk.refuse_finish.lock() = Some(refusal);
        assert_eq!(enroll_at(connector.address, CODE, &csr()).await, Err(EnrollError::Refused(refusal)));
    }
    assert_eq!(connector.desk.asked(), Asked { begun: 3, finished: 3, failed: 0 });
}

#[tokio::test]
async fn a_connector_without_this_name_is_told_by_name() {
    let connector = Enrollment::start(&["connector.example.com"], timing()).await;
    let error = enroll_at(connector.address, CODE, &csr()).await.unwrap_err();
    assert_eq!(error, EnrollError::ServerName { host: "127.0.0.1".into() });
    assert!(error.to_string().contains("add it to server.names"), "{error}");
}

#[tokio::test]
async fn a_server_certificate_of_another_authority_is_told() {
    let identity: ServerIdentity = server_identity(&authority(), &["127.0.0.1"]);
    let connector = Enrollment::start_as(authority(), identity, timing()).await;
    let error = enroll_at(connector.address, CODE, &csr()).await.unwrap_err();
    assert!(matches!(error, EnrollError::ServerUntrusted { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let error = enroll_at("127.0.0.1:1".parse().unwrap(), CODE, &csr()).await.unwrap_err();
    assert!(matches!(&error, EnrollError::Transport(TransportError::Unreachable { port: 1, .. })), "{error}");
    assert!(error.to_string().starts_with("127.0.0.1:1 cannot be reached"), "{error}");
}

/// Says what it is told to, and ends or waits.
async fn half_a_run(connector: &Enrollment, kinds: Vec<AskKind>, wait: bool) -> Option<Status> {
    let config = raw::client_config(None, &[&rustls::version::TLS13]);
    let mut client = EnrollmentClient::new(raw::channel(connector.address, config).await);
    let (ask, mut asked) = mpsc::channel(8);
    for kind in kinds {
        ask.send(v1::EnrollRequest { kind: Some(kind) }).await.unwrap();
    }
    let outgoing = futures::stream::poll_fn(move |cx| asked.poll_recv(cx));
    let mut answers = client.enroll(outgoing).await.unwrap().into_inner();
    if !wait {
        drop(ask);
    }
    loop {
        match soon(answers.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(status) => return Some(status),
        }
    }
}

fn start(lookup: &str, share: &[u8]) -> AskKind {
    AskKind::Start(v1::EnrollStart { lookup: lookup.into(), share: share.to_vec().into() })
}

fn good_share() -> Vec<u8> {
    joinery_pki::proof::DeviceRun::start(&CODE.parse().unwrap(), [1; 32]).1
}

#[tokio::test]
async fn a_run_that_is_given_up_is_a_try() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    half_a_run(&connector, vec![start("123456", &good_share())], false).await;
    connector.desk.asked_exactly(Asked { begun: 1, finished: 0, failed: 1 }).await;
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_a_try() {
    let connector =
        Enrollment::start(&["127.0.0.1"], Timing { enrollment: Duration::from_millis(200), ..timing() })
            .await;
    let status = half_a_run(&connector, vec![start("123456", &good_share())], true).await.unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    connector.desk.asked_exactly(Asked { begun: 1, finished: 0, failed: 1 }).await;
}

#[tokio::test]
async fn junk_is_refused_and_counted_where_a_try_was_begun() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let proof =
        || AskKind::Proof(v1::EnrollProof { mac: vec![0; 32].into(), request_hash: vec![0; 32].into() });
    let cases = [
        (vec![proof()], 0, Code::InvalidArgument),
        (vec![start("12345", &good_share())], 0, Code::InvalidArgument),
        (vec![start("12345x", &good_share())], 0, Code::InvalidArgument),
        (vec![start("123456", b"junk")], 1, Code::InvalidArgument),
        (vec![start("123456", &good_share()), start("123456", &good_share())], 1, Code::InvalidArgument),
        (vec![start("123456", &good_share()), proof()], 1, Code::Unauthenticated),
    ];
    let mut tries = 0;
    for (kinds, counted, want) in cases {
        tries += counted;
        let status = half_a_run(&connector, kinds, true).await.unwrap();
        assert_eq!(status.code(), want, "{status:?}");
        connector.desk.asked_exactly(Asked { begun: tries, finished: 0, failed: tries }).await;
    }
}

#[tokio::test]
async fn an_oversized_request_is_refused() {
    let connector = Enrollment::start(&["127.0.0.1"], timing()).await;
    let status = half_a_run(&connector, vec![start("123456", &vec![0; 64 * 1024])], true).await;
    assert!(status.is_some());
    assert_eq!(connector.desk.asked(), Asked::default());
}

/// A server that does not know the code and claims that everything is right.
struct Impostor {
    heard: Arc<Mutex<Vec<AskKind>>>,
}

#[async_trait]
impl Service for Impostor {
    type EnrollStream =
        std::pin::Pin<Box<dyn futures::Stream<Item = Result<v1::EnrollResponse, Status>> + Send>>;

    async fn enroll(
        &self,
        request: Request<Streaming<v1::EnrollRequest>>,
    ) -> Result<Response<Self::EnrollStream>, Status> {
        let mut inbound = request.into_inner();
        let heard = Arc::clone(&self.heard);
        let (out, mut answers) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok(Some(message)) = inbound.message().await {
                let kind = message.kind.unwrap();
                heard.lock().push(kind.clone());
                let answer = match kind {
                    AskKind::Start(start) => {
                        let run = ConnectorRun::start("0000000000", &start.lookup, &start.share, [1; 32]);
                        AnswerKind::Share(v1::EnrollShare { share: run.unwrap().1.into() })
                    }
                    AskKind::Proof(_) => AnswerKind::Confirm(v1::EnrollConfirm { mac: vec![0; 32].into() }),
                    AskKind::Details(_) => AnswerKind::Grant(v1::EnrollGrant::default()),
                };
                out.send(Ok(v1::EnrollResponse { kind: Some(answer) })).await.unwrap();
            }
        });
        Ok(Response::new(Box::pin(futures::stream::poll_fn(move |cx| answers.poll_recv(cx)))))
    }
}

#[tokio::test]
async fn an_impostor_is_found_out_and_hears_nothing_but_the_proof() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let service = EnrollmentServer::new(Impostor { heard: Arc::clone(&heard) });
    let address = raw::serve(raw::server_config(&authority(), false), service).await;
    assert_eq!(enroll_at(address, CODE, &csr()).await, Err(EnrollError::NotOurConnector));
    assert!(matches!(heard.lock().as_slice(), [AskKind::Start(_), AskKind::Proof(_)]));
}
