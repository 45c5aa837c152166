//! A connector of one process: an authority, both ports, and desks that record what is asked of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use joinery_model::{DeploymentId, DeviceId, MailboxId, Revision, RowId};
use joinery_pki::{Authority, PeerName, device_request};
use joinery_seal::{Day, Sealed, SealedRow};
use joinery_transport::{
    ConnectorLink, DeviceTls, EnrollRefusal, EnrollRequest, Enrolled, EnrollmentDesk, Hello, Refusal,
    RenewRequest, Renewed, ServerIdentity, SessionClient, SessionDesk, SharedServerTls, Ticket, Timing,
    TransportError, connect_timed, serve_enrollment_timed, serve_sessions_timed,
};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0xd0; 16]);
pub const DEVICE: DeviceId = DeviceId::from_bytes([0xde; 16]);
pub const MAILBOX: MailboxId = MailboxId::from_bytes([0xab; 16]);

/// Nothing that a test waits for takes longer.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for something that must come.
pub async fn soon<T>(wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, wanted).await.expect("nothing came in time")
}

pub fn authority() -> Authority {
    Authority::create(DEPLOYMENT, Timestamp::now(), [1; 16]).unwrap()
}

pub fn server_identity(authority: &Authority, names: &[&str]) -> ServerIdentity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = authority.issue_server(&names, Timestamp::now(), [2; 16]).unwrap();
    ServerIdentity::new(vec![made.certificate, authority.certificate().to_vec()], &made.key).unwrap()
}

/// A device of `authority`, enrolled `days_ago`.
pub fn device(authority: &Authority, days_ago: i64) -> DeviceTls {
    let (key, csr) = device_request().unwrap();
    let then = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    let certificate = authority.issue_device(&csr, DEPLOYMENT, DEVICE, then, [3; 16]).unwrap().der;
    DeviceTls { certificate, key, anchors: vec![authority.certificate().to_vec()] }
}

pub fn hello() -> Hello {
    Hello {
        agent_version: "0.1.0".into(),
        have: vec![],
        now: Timestamp::now(),
        drivers: vec!["command".into()],
    }
}

/// Durations for tests: short where something is waited for, long where nothing should happen.
pub fn timing() -> Timing {
    Timing { farewell: Duration::from_millis(100), drain: Duration::from_millis(200), ..Timing::default() }
}

/// A row of `size` bytes that has the outer shape of something sealed.
pub fn row(number: u32, size: usize) -> SealedRow {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let sealed = [&[1, 0, 0, 0, 1][..], &vec![7; 12 + 256 * (size / 256).max(1) + 16]].concat();
    SealedRow {
        id: RowId::from_bytes(id),
        revision: Revision(5),
        erase_after: Day(20_000),
        sealed: Sealed::from_stored(sealed).unwrap(),
    }
}

/// A session as a test plays it, from the connector's side. Dropping it ends the session.
pub struct Opened {
    pub peer: PeerName,
    pub hello: Hello,
    pub link: ConnectorLink,
    _done: oneshot::Sender<()>,
}

impl Opened {
    /// The link for as long as the test runs: the desk waits for ever.
    pub fn keep(self) -> ConnectorLink {
        std::mem::forget(self._done);
        self.link
    }
}

/// An agent that is connected.
pub struct AgentAt {
    pub client: SessionClient,
}

impl AgentAt {
    pub async fn new(connector: &Sessions, identity: &DeviceTls) -> Self {
        Self::timed(connector, identity, timing()).await
    }

    pub async fn timed(connector: &Sessions, identity: &DeviceTls, timing: Timing) -> Self {
        let port = connector.address.port();
        Self { client: connect_timed("127.0.0.1", port, identity, timing).await.unwrap() }
    }
}

/// Hands sessions to the test.
pub struct Desk {
    refused: Mutex<Option<Refusal>>,
    opened: mpsc::UnboundedSender<Opened>,
    pub renewals: Mutex<Vec<RenewRequest>>,
}

impl Desk {
    pub fn refuse(&self, refusal: Option<Refusal>) {
        *self.refused.lock() = refusal;
    }
}

#[async_trait]
impl SessionDesk for Desk {
    async fn admit(&self, peer: &PeerName) -> Result<(), Refusal> {
        assert_eq!((peer.deployment, peer.device), (DEPLOYMENT, DEVICE));
        self.refused.lock().map_or(Ok(()), Err)
    }

    async fn open(&self, peer: PeerName, hello: Hello, link: ConnectorLink) {
        let (done, wait) = oneshot::channel();
        if self.opened.send(Opened { peer, hello, link, _done: done }).is_ok() {
            let _dropped = wait.await;
        }
    }

    async fn renew(&self, _: PeerName, request: RenewRequest) -> Result<Renewed, Refusal> {
        self.renewals.lock().push(request.clone());
        if request.csr.is_empty() {
            return Err(Refusal::BadRequest);
        }
        Ok(Renewed { certificate: request.csr, anchors: vec![b"anchor".to_vec()] })
    }
}

/// The session port, running.
pub struct Sessions {
    pub address: SocketAddr,
    pub desk: Arc<Desk>,
    pub tls: SharedServerTls,
    opened: mpsc::UnboundedReceiver<Opened>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), TransportError>>,
}

impl Sessions {
    pub async fn start(authority: &Authority, timing: Timing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = SharedServerTls::new(server_identity(authority, &["127.0.0.1"])).unwrap();
        let (send, opened) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk { refused: Mutex::new(None), opened: send, renewals: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let anchors = vec![authority.certificate().to_vec()];
        let (port_tls, port_desk) = (tls.clone(), Arc::clone(&desk));
        let running = tokio::spawn(async move {
            let stop = async {
                let _either_way = stopped.await;
            };
            serve_sessions_timed(listener, port_tls, &anchors, port_desk, stop, timing).await
        });
        Self { address, desk, tls, opened, stop: Some(stop), running }
    }

    /// The next session that an agent opens.
    pub async fn session(&mut self) -> Opened {
        soon(self.opened.recv()).await.unwrap()
    }

    /// Whether a session reached the desk.
    pub fn untouched(&mut self) -> bool {
        self.opened.try_recv().is_err()
    }

    pub fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub async fn stopped(self) {
        soon(self.running).await.unwrap().unwrap();
    }
}

/// What the enrollment desk was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub begun: u32,
    pub finished: u32,
    pub failed: u32,
}

type Hook = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Invitations in memory.
pub struct Invitations {
    authority: Authority,
    pub passwords: BTreeMap<String, String>,
    pub asked: Mutex<Asked>,
    pub names: Mutex<Vec<String>>,
    pub refuse_begin: Mutex<Option<EnrollRefusal>>,
    pub refuse_finish: Mutex<Option<EnrollRefusal>>,
    /// Runs after the answer was recorded and before it is given.
    pub before_answer: Mutex<Option<Hook>>,
    answers: Mutex<BTreeMap<[u8; 32], Enrolled>>,
}

impl Invitations {
    pub fn asked(&self) -> Asked {
        *self.asked.lock()
    }

    /// Waits until the desk was asked this, exactly.
    pub async fn asked_exactly(&self, want: Asked) {
        soon(async {
            while self.asked() != want {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[async_trait]
impl EnrollmentDesk for Invitations {
    async fn begin(&self, lookup: &str, remote: IpAddr) -> Result<Ticket, EnrollRefusal> {
        assert_eq!(remote, IpAddr::from([127, 0, 0, 1]));
        if let Some(refusal) = *self.refuse_begin.lock() {
            return Err(refusal);
        }
        self.asked.lock().begun += 1;
        let password = self.passwords.get(lookup).cloned().unwrap_or_else(|| "nobody's".to_owned());
        Ok(Ticket { id: lookup.to_owned(), password: password.into() })
    }

    async fn finish(&self, _: Ticket, request: EnrollRequest) -> Result<Enrolled, EnrollRefusal> {
        self.asked.lock().finished += 1;
        self.names.lock().push(request.name);
        if let Some(refusal) = *self.refuse_finish.lock() {
            return Err(refusal);
        }
        let known = self.answers.lock().get(&request.request_hash).cloned();
        let enrolled = known.unwrap_or_else(|| {
            let (now, serial) = (Timestamp::now(), [4; 16]);
            let made = self.authority.issue_device(&request.csr, DEPLOYMENT, DEVICE, now, serial).unwrap();
            Enrolled {
                certificate: made.der,
                anchors: vec![self.authority.certificate().to_vec()],
                device: DEVICE,
                deployment: DEPLOYMENT,
                session_port: 8443,
            }
        });
        self.answers.lock().insert(request.request_hash, enrolled.clone());
        let hook = self.before_answer.lock().as_ref().map(|hook| hook());
        if let Some(hook) = hook {
            hook.await;
        }
        Ok(enrolled)
    }

    async fn failed(&self, _: Ticket) {
        self.asked.lock().failed += 1;
    }
}

/// The enrollment port, running.
pub struct Enrollment {
    pub address: SocketAddr,
    pub desk: Arc<Invitations>,
    _stop: oneshot::Sender<()>,
}

impl Enrollment {
    pub async fn start(names: &[&str], timing: Timing) -> Self {
        let authority = authority();
        let identity = server_identity(&authority, names);
        Self::start_as(authority, identity, timing).await
    }

    pub async fn start_as(authority: Authority, identity: ServerIdentity, timing: Timing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = SharedServerTls::new(identity).unwrap();
        let desk = Arc::new(Invitations {
            authority,
            passwords: BTreeMap::from([("123456".to_owned(), "7890123456".to_owned())]),
            asked: Mutex::default(),
            names: Mutex::default(),
            refuse_begin: Mutex::default(),
            refuse_finish: Mutex::default(),
            before_answer: Mutex::default(),
            answers: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let port_desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let stop = async {
                let _either_way = stopped.await;
            };
            serve_enrollment_timed(listener, tls, port_desk, stop, timing).await.unwrap();
        });
        Self { address, desk, _stop: stop }
    }
}
