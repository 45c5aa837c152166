//! Enrollment as the device does it: proves the code and has it proved, before anything that came is believed.

use futures::stream;
use http::Uri;
use joinery_model::{DeploymentId, DeviceId};
use joinery_pki::proof::{ChannelBinding, DeviceRun, answer_hash, request_hash};
use joinery_pki::{ActivationCode, peer_name};
use joinery_proto::v1;
use joinery_proto::v1::enroll_request::Kind as AskKind;
use joinery_proto::v1::enroll_response::Kind;
use joinery_proto::v1::enrollment_client::EnrollmentClient;
use joinery_seal::DevicePublic;
use rustls_pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::dial::{Channel, dial, origin};
use crate::status::enroll_error;
use crate::tls::{TlsFault, channel_binding, check_server, proof_config};
use crate::{EnrollError, Enrolled, Timing, TransportError, wire};

/// Largest answer that is taken: a certificate and a few anchors.
const MAX_ANSWER: usize = 64 * 1024;

/// Enrolls this device at `host`: proves `code`, hands in the certificate request (PKCS#10, DER), the key that content
/// keys are sealed to and what the device calls itself.
///
/// Any server certificate is accepted for the proof alone. What is returned came from whoever knows the code, over this
/// connection, and the server's certificate was found to come from the returned anchors and to name `host`, so that
/// sessions will work. After a lost reply, the same call with the same request gets the same answer.
///
/// # Errors
/// [`EnrollError`]; after [`EnrollError::WrongCode`] the code should not be tried again unseen: five wrong tries burn it.
pub async fn enroll(
    host: &str,
    port: u16,
    code: &ActivationCode,
    csr: &[u8],
    hpke: DevicePublic,
    name: &str,
) -> Result<Enrolled, EnrollError> {
    enroll_timed(host, port, code, csr, hpke, name, &Timing::default()).await
}

/// [`enroll`] with other durations.
///
/// # Errors
/// As [`enroll`].
pub async fn enroll_timed(
    host: &str,
    port: u16,
    code: &ActivationCode,
    csr: &[u8],
    hpke: DevicePublic,
    name: &str,
    timing: &Timing,
) -> Result<Enrolled, EnrollError> {
    let request = Details { csr, hpke, name };
    // A TLS and HTTP/2 handshake is large; on the heap it does not make every future around it as large.
    Box::pin(whole(host, port, code, request, timing)).await
}

/// What the device tells once it knows whom.
#[derive(Clone, Copy)]
struct Details<'a> {
    csr: &'a [u8],
    hpke: DevicePublic,
    name: &'a str,
}

async fn whole(
    host: &str,
    port: u16,
    code: &ActivationCode,
    details: Details<'_>,
    timing: &Timing,
) -> Result<Enrolled, EnrollError> {
    let stream = dial(host, port, proof_config()?, timing).await?;
    let connection = stream.get_ref().1;
    let binding = channel_binding(connection)?;
    let presented: Vec<CertificateDer<'static>> =
        connection.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
    let channel = Channel::over(stream, timing).await?;
    let conversation = converse(channel, origin(host, port)?, code, &binding, details);
    let enrolled = match timeout(timing.enrollment, conversation).await {
        Ok(outcome) => outcome?,
        Err(_) => return Err(TransportError::Stalled(timing.enrollment).into()),
    };
    check_server(&presented, &enrolled.anchors, host)?;
    Ok(enrolled)
}

/// The run itself. What it returns was proved to come from who knows the code, over this channel.
async fn converse(
    channel: Channel,
    origin: Uri,
    code: &ActivationCode,
    binding: &ChannelBinding,
    details: Details<'_>,
) -> Result<Enrolled, EnrollError> {
    let fault = channel.fault().clone();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| TransportError::Randomness)?;
    let (run, share) = DeviceRun::start(code, seed);
    // Room for all messages: none waits.
    let (ask, mut asked) = mpsc::channel(3);
    send(&ask, AskKind::Start(v1::EnrollStart { lookup: code.lookup().to_owned(), share: share.into() }))
        .await?;
    let outgoing = stream::poll_fn(move |cx| asked.poll_recv(cx));
    let mut client = EnrollmentClient::with_origin(channel, origin).max_decoding_message_size(MAX_ANSWER);
    let mut answers = client.enroll(outgoing).await.map_err(|status| meaning(&fault, &status))?.into_inner();
    let Kind::Share(connector) = next(&mut answers, &fault).await? else { return Err(unexpected()) };

    let request = request_hash(details.csr, &details.hpke.0, details.name);
    let (mac, waiting) =
        run.prove(&connector.share, binding, request).map_err(|_| EnrollError::NotOurConnector)?;
    send(&ask, AskKind::Proof(v1::EnrollProof { mac: mac.into(), request_hash: wire::bytes(&request) }))
        .await?;
    let Kind::Confirm(confirm) = next(&mut answers, &fault).await? else { return Err(unexpected()) };
    // Until here nothing but the proof was sent.
    let waiting = waiting.confirm(&confirm.mac).map_err(|_| EnrollError::NotOurConnector)?;

    send(
        &ask,
        AskKind::Details(v1::EnrollDetails {
            certificate_request: details.csr.to_vec().into(),
            hpke_public_key: wire::bytes(&details.hpke.0),
            device_name: details.name.to_owned(),
        }),
    )
    .await?;
    let Kind::Grant(grant) = next(&mut answers, &fault).await? else { return Err(unexpected()) };
    let mac = grant.mac.clone();
    let enrolled = read(grant)?;
    let answer = answer_hash(
        &enrolled.certificate,
        &enrolled.anchors,
        enrolled.device,
        enrolled.deployment,
        enrolled.session_port,
    );
    waiting.verify(&mac, answer).map_err(|_| EnrollError::NotOurConnector)?;
    Ok(enrolled)
}

fn unexpected() -> EnrollError {
    TransportError::Protocol { what: "another answer than enrollment has" }.into()
}

/// Why the run ended: the alert that broke the connection, or else the status.
fn meaning(fault: &TlsFault, status: &Status) -> EnrollError {
    fault.meaning().map_or_else(|| enroll_error(status), EnrollError::from)
}

/// The next answer of a kind that this version knows.
async fn next(answers: &mut Streaming<v1::EnrollResponse>, fault: &TlsFault) -> Result<Kind, EnrollError> {
    loop {
        match answers.message().await {
            Ok(Some(v1::EnrollResponse { kind: Some(kind) })) => return Ok(kind),
            Ok(Some(v1::EnrollResponse { kind: None })) => {}
            Ok(None) => return Err(lost().into()),
            Err(status) => return Err(meaning(fault, &status)),
        }
    }
}

fn lost() -> TransportError {
    TransportError::Lost { reason: "it ended before the answer".to_owned() }
}

async fn send(ask: &mpsc::Sender<v1::EnrollRequest>, kind: AskKind) -> Result<(), EnrollError> {
    ask.send(v1::EnrollRequest { kind: Some(kind) }).await.map_err(|_| lost().into())
}

fn read(grant: v1::EnrollGrant) -> Result<Enrolled, EnrollError> {
    let odd = |what| TransportError::Protocol { what };
    let device = DeviceId::from_slice(&grant.device_id).map_err(|_| odd("a device id of another length"))?;
    let deployment = DeploymentId::from_slice(&grant.deployment_id)
        .map_err(|_| odd("a deployment id of another length"))?;
    let session_port = u16::try_from(grant.session_port).map_err(|_| odd("a port that is none"))?;
    let named = peer_name(&grant.certificate).map_err(TransportError::from)?;
    if (named.deployment, named.device) != (deployment, device) {
        return Err(odd("a certificate of another device").into());
    }
    Ok(Enrolled {
        certificate: grant.certificate.into(),
        anchors: grant.trust_anchors.into_iter().map(Vec::from).collect(),
        device,
        deployment,
        session_port,
    })
}
