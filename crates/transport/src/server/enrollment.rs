//! The enrollment port: one stream is one run of the proof, then the certificate.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use joinery_pki::proof::{
    ChannelBinding, ConnectorRun, Proven, answer_hash, request_hash as hash_of_request,
};
use joinery_pki::{LOOKUP_DIGITS, PkiError};
use joinery_proto::v1;
use joinery_proto::v1::enroll_request::Kind;
use joinery_proto::v1::enroll_response::Kind as AnswerKind;
use joinery_proto::v1::enrollment_server::{Enrollment, EnrollmentServer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::server::TlsStream;
use tonic::{Request, Response, Status, Streaming};

use super::accept::{PerSource, accept};
use super::connection::{self, Handle, Phases};
use super::link::Outgoing;
use crate::tls::{SharedServerTls, channel_binding};
use crate::{EnrollRefusal, EnrollRequest, EnrollmentDesk, Ticket, Timing, TransportError, wire};

/// Connections that one source may hold open. Whoever needs no certificate must not be able to fill the port alone.
const PER_SOURCE: usize = 64;

/// A certificate request has some hundreds of bytes.
const MAX_REQUEST: usize = 32 * 1024;

/// Length of a device's name in characters.
const MAX_NAME: usize = 100;

/// Serves enrollment until `stop`.
///
/// # Errors
/// [`TransportError::BadIdentity`]; nothing once it serves.
pub async fn serve_enrollment(
    listener: TcpListener,
    tls: SharedServerTls,
    desk: Arc<dyn EnrollmentDesk>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), TransportError> {
    serve_enrollment_timed(listener, tls, desk, stop, Timing::default()).await
}

/// [`serve_enrollment`] with other durations.
///
/// # Errors
/// As [`serve_enrollment`].
pub async fn serve_enrollment_timed(
    listener: TcpListener,
    tls: SharedServerTls,
    desk: Arc<dyn EnrollmentDesk>,
    stop: impl Future<Output = ()> + Send,
    timing: Timing,
) -> Result<(), TransportError> {
    let config = tls.enrollment_config()?;
    let phases = Phases::default();
    let served = {
        let (phases, timing) = (phases.clone(), timing.clone());
        move |stream, remote: std::net::SocketAddr| {
            one(stream, remote.ip(), Arc::clone(&desk), phases.clone(), timing.clone())
        }
    };
    accept(listener, config, Some(PerSource::new(PER_SOURCE)), &timing, phases, stop, served).await;
    Ok(())
}

async fn one(
    stream: TlsStream<TcpStream>,
    remote: IpAddr,
    desk: Arc<dyn EnrollmentDesk>,
    phases: Phases,
    timing: Timing,
) {
    let channel = match channel_binding(stream.get_ref().1) {
        Ok(channel) => channel,
        Err(error) => {
            tracing::warn!("An enrollment cannot be bound to its connection: {error}");
            return;
        }
    };
    let handle = phases.handle();
    // A run takes seconds; twice its time is enough for one that starts late.
    let age = timing.enrollment * 2;
    let port = Port { desk, channel, remote, handle: handle.clone(), timing: timing.clone() };
    let service = EnrollmentServer::new(port).max_decoding_message_size(MAX_REQUEST);
    connection::serve(stream, service, &handle, &phases.closing, age, &timing).await;
}

struct Port {
    desk: Arc<dyn EnrollmentDesk>,
    channel: ChannelBinding,
    remote: IpAddr,
    handle: Handle,
    timing: Timing,
}

#[async_trait]
impl Enrollment for Port {
    type EnrollStream = Outgoing<v1::EnrollResponse>;

    async fn enroll(
        &self,
        request: Request<Streaming<v1::EnrollRequest>>,
    ) -> Result<Response<Self::EnrollStream>, Status> {
        // Room for all answers: a device that does not read holds nothing up.
        let (out, messages) = mpsc::channel(3);
        let (stream, end) = Outgoing::new(messages);
        let mut run = Run {
            desk: Arc::clone(&self.desk),
            channel: self.channel,
            remote: self.remote,
            inbound: request.into_inner(),
            out,
            deadline: Instant::now() + self.timing.enrollment,
        };
        let cut = self.handle.cut.clone();
        // A task of its own: a device that goes away does not keep a failed try from being told.
        self.handle.tasks.spawn(async move {
            let refused = tokio::select! {
                outcome = run.whole() => outcome.err(),
                () = cut.cancelled() => Some(EnrollRefusal::Unavailable),
            };
            if let Some(refusal) = refused {
                // The device may be gone already.
                let _nobody = end.send(refusal.into());
            }
        });
        Ok(Response::new(stream))
    }
}

/// One run.
struct Run {
    desk: Arc<dyn EnrollmentDesk>,
    channel: ChannelBinding,
    remote: IpAddr,
    inbound: Streaming<v1::EnrollRequest>,
    out: mpsc::Sender<v1::EnrollResponse>,
    deadline: Instant,
}

impl Run {
    async fn whole(&mut self) -> Result<(), EnrollRefusal> {
        let Kind::Start(start) = self.next().await? else { return Err(EnrollRefusal::BadRequest) };
        let digits =
            start.lookup.len() == LOOKUP_DIGITS && start.lookup.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(EnrollRefusal::BadRequest);
        }
        let ticket = self.desk.begin(&start.lookup, self.remote).await?;
        match self.proof(&ticket, &start).await {
            Ok((proven, request)) => self.grant(ticket, proven, request).await,
            Err(refusal) => {
                self.desk.failed(ticket).await;
                Err(refusal)
            }
        }
    }

    /// From the try being counted to what the device asks for, proved by both sides.
    async fn proof(
        &mut self,
        ticket: &Ticket,
        start: &v1::EnrollStart,
    ) -> Result<(Proven, EnrollRequest), EnrollRefusal> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| EnrollRefusal::Unavailable)?;
        let (run, share) = ConnectorRun::start(&ticket.password, &start.lookup, &start.share, seed)
            .map_err(|_| EnrollRefusal::BadRequest)?;
        self.answer(AnswerKind::Share(v1::EnrollShare { share: share.into() })).await?;
        let Kind::Proof(proof) = self.next().await? else { return Err(EnrollRefusal::BadRequest) };
        let request_hash: [u8; 32] =
            proof.request_hash.as_ref().try_into().map_err(|_| EnrollRefusal::BadRequest)?;
        let proven = run.verify(&proof.mac, &self.channel, request_hash).map_err(|error| {
            if error == PkiError::ProofFailed { EnrollRefusal::WrongCode } else { EnrollRefusal::BadRequest }
        })?;
        let mac = proven.confirm().map_err(|_| EnrollRefusal::Unavailable)?;
        self.answer(AnswerKind::Confirm(v1::EnrollConfirm { mac: mac.into() })).await?;
        let Kind::Details(details) = self.next().await? else { return Err(EnrollRefusal::BadRequest) };
        let hash =
            hash_of_request(&details.certificate_request, &details.hpke_public_key, &details.device_name);
        if !proven.is_about(hash) {
            return Err(EnrollRefusal::BadRequest);
        }
        let request = EnrollRequest {
            csr: details.certificate_request.into(),
            hpke: wire::public_key(&details.hpke_public_key).map_err(|_| EnrollRefusal::BadRequest)?,
            name: wire::printable(&details.device_name, MAX_NAME),
            request_hash,
        };
        Ok((proven, request))
    }

    async fn grant(
        &mut self,
        ticket: Ticket,
        proven: Proven,
        request: EnrollRequest,
    ) -> Result<(), EnrollRefusal> {
        let enrolled = self.desk.finish(ticket, request).await?;
        let hash = answer_hash(
            &enrolled.certificate,
            &enrolled.anchors,
            enrolled.device,
            enrolled.deployment,
            enrolled.session_port,
        );
        let mac = proven.answer(hash).map_err(|_| EnrollRefusal::Unavailable)?;
        let grant = v1::EnrollGrant {
            mac: mac.into(),
            certificate: enrolled.certificate.into(),
            trust_anchors: enrolled.anchors.into_iter().map(Bytes::from).collect(),
            device_id: wire::bytes(enrolled.device.as_bytes()),
            deployment_id: wire::bytes(enrolled.deployment.as_bytes()),
            session_port: enrolled.session_port.into(),
        };
        self.answer(AnswerKind::Grant(grant)).await
    }

    /// The next message of a kind that this version knows, in time.
    async fn next(&mut self) -> Result<Kind, EnrollRefusal> {
        loop {
            match timeout_at(self.deadline, self.inbound.message()).await {
                Ok(Ok(Some(v1::EnrollRequest { kind: Some(kind) }))) => return Ok(kind),
                Ok(Ok(Some(v1::EnrollRequest { kind: None }))) => {}
                Ok(Ok(None) | Err(_)) => return Err(EnrollRefusal::BadRequest),
                Err(_) => return Err(EnrollRefusal::TimedOut),
            }
        }
    }

    async fn answer(&self, kind: AnswerKind) -> Result<(), EnrollRefusal> {
        let sent = self.out.send(v1::EnrollResponse { kind: Some(kind) }).await;
        sent.map_err(|_| EnrollRefusal::TimedOut)
    }
}
