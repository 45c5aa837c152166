//! The agent as it runs, with a real session port whose desk is the test's: lists, acknowledgements, restarts, renewal,
//! revocation, and a second agent that is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use joinery_agent::config::{Config, Surroundings};
use joinery_agent::identity::{Identity, IdentityFolder};
use joinery_agent::listing::{Connection, EventJson, EventKind, MeetingsJson};
use joinery_agent::{RunError, run};
use joinery_daemon::control::Client;
use joinery_daemon::{Shutdown, now, random};
use joinery_model::{
    DeploymentId, DeviceId, DeviceKind, Epoch, MailboxId, Revision, RowId, StoreId, TenantName,
};
use joinery_pki::{Authority, PeerName, device_request};
use joinery_seal::{
    ContentKey, Day, DevicePublic, DeviceSecret, GrantBinding, KeyBinding, RowBinding, RowKind, SealedRow,
    grant, seal,
};
use joinery_transport::{
    ConnectorLink, DeviceSettings, FromAgent, GoodbyeReason, Hello, Refusal, RenewRequest, Renewed,
    ServerIdentity, SessionDesk, SharedServerTls, ToAgent, serve_sessions,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

const MAILBOX: MailboxId = MailboxId::from_bytes([1; 16]);
const STORE: StoreId = StoreId::from_bytes([2; 16]);
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([3; 16]);
const DEVICE: DeviceId = DeviceId::from_bytes([4; 16]);
const KEY: [u8; 32] = [5; 32];

/// A connector in so far as an agent meets it.
struct Desk {
    authority: Authority,
    /// What the next sessions begin with, one after the other.
    beginnings: Mutex<VecDeque<Vec<ToAgent>>>,
    /// What is sent in the session that runs.
    outbox: tokio::sync::Mutex<mpsc::UnboundedReceiver<ToAgent>>,
    heard: mpsc::UnboundedSender<FromAgent>,
    hellos: mpsc::UnboundedSender<Hello>,
    renewals: Mutex<u32>,
}

#[async_trait]
impl SessionDesk for Desk {
    async fn admit(&self, _: &PeerName) -> Result<(), Refusal> {
        Ok(())
    }

    async fn open(&self, _: PeerName, hello: Hello, mut link: ConnectorLink) {
        let beginning = self.beginnings.lock().unwrap().pop_front().unwrap_or_default();
        let mut outbox = self.outbox.lock().await;
        let _ = self.hellos.send(hello);
        for message in beginning {
            link.send(message).await.unwrap();
        }
        loop {
            tokio::select! {
                said = link.recv() => match said {
                    Some(said) => drop(self.heard.send(said)),
                    None => return,
                },
                Some(message) = outbox.recv() => {
                    let last = matches!(message, ToAgent::Goodbye(_));
                    if link.send(message).await.is_err() || last {
                        return;
                    }
                }
            }
        }
    }

    async fn renew(&self, _: PeerName, request: RenewRequest) -> Result<Renewed, Refusal> {
        let certificate =
            self.authority.issue_device(&request.csr, DEPLOYMENT, DEVICE, now(), random().unwrap()).unwrap();
        *self.renewals.lock().unwrap() += 1;
        Ok(Renewed { certificate: certificate.der, anchors: vec![self.authority.certificate().to_vec()] })
    }
}

/// A connector and the state folder of a device that is enrolled there.
struct World {
    folder: tempfile::TempDir,
    desk: Arc<Desk>,
    outbox: mpsc::UnboundedSender<ToAgent>,
    heard: mpsc::UnboundedReceiver<FromAgent>,
    hellos: mpsc::UnboundedReceiver<Hello>,
    port: u16,
    tls: SharedServerTls,
    stop: Shutdown,
    serving: JoinHandle<()>,
}

impl World {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = Authority::create(DEPLOYMENT, now(), random().unwrap()).unwrap();
        let server = authority.issue_server(&["127.0.0.1".to_owned()], now(), random().unwrap()).unwrap();
        let tls = SharedServerTls::new(ServerIdentity::new(vec![server.certificate], &server.key).unwrap())
            .unwrap();
        let (key, csr) = device_request().unwrap();
        let device = authority.issue_device(&csr, DEPLOYMENT, DEVICE, now(), random().unwrap()).unwrap();
        let (heard_at, heard) = mpsc::unbounded_channel();
        let (hello_at, hellos) = mpsc::unbounded_channel();
        let (outbox, sent) = mpsc::unbounded_channel();
        let anchors = vec![authority.certificate().to_vec()];
        let desk = Arc::new(Desk {
            authority,
            beginnings: Mutex::default(),
            outbox: tokio::sync::Mutex::new(sent),
            heard: heard_at,
            hellos: hello_at,
            renewals: Mutex::new(0),
        });
        let folder = tempfile::tempdir().unwrap();
        let stop = Shutdown::new();
        let (port, serving) = serve(0, &tls, &desk, &stop).await;
        let identity = Identity {
            device: DEVICE,
            deployment: DEPLOYMENT,
            host: "127.0.0.1".into(),
            session_port: port,
            key: Zeroizing::new(key.to_vec()),
            certificate: device.der,
            anchors,
            secret: DeviceSecret::from_seed([6; 32]),
            cache_key: Zeroizing::new([7; 32]),
        };
        IdentityFolder::new(folder.path()).save(&identity, random().unwrap()).unwrap();
        Self { folder, desk, outbox, heard, hellos, port, tls, stop, serving }
    }

    /// The connector goes away.
    async fn close(&mut self) {
        self.stop.trigger();
        (&mut self.serving).await.unwrap();
    }

    /// And comes back.
    async fn reopen(&mut self) {
        self.stop = Shutdown::new();
        self.serving = serve(self.port, &self.tls, &self.desk, &self.stop).await.1;
    }

    /// Sends in the session that runs.
    fn send(&self, messages: impl IntoIterator<Item = ToAgent>) {
        messages.into_iter().for_each(|message| self.outbox.send(message).unwrap());
    }

    /// What the session after those that are planned begins with.
    fn plan(&self, messages: impl IntoIterator<Item = ToAgent>) {
        self.desk.beginnings.lock().unwrap().push_back(messages.into_iter().collect());
    }

    /// Waits until the agent says something that is as wanted.
    async fn hear(&mut self, wanted: impl Fn(&FromAgent) -> bool) {
        let waiting = async { while !wanted(&self.heard.recv().await.unwrap()) {} };
        timeout(Duration::from_secs(20), waiting).await.expect("the agent did not say it within 20 s");
    }

    async fn hello(&mut self) -> Hello {
        timeout(Duration::from_secs(20), self.hellos.recv()).await.expect("no session within 20 s").unwrap()
    }
}

async fn serve(port: u16, tls: &SharedServerTls, desk: &Arc<Desk>, stop: &Shutdown) -> (u16, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tls, desk, stop) = (tls.clone(), Arc::clone(desk), stop.cancelled());
    let anchors = vec![desk.authority.certificate().to_vec()];
    let serving =
        tokio::spawn(async move { serve_sessions(listener, tls, &anchors, desk, stop).await.unwrap() });
    (port, serving)
}

/// The daemon over a state folder.
struct Running {
    stop: Shutdown,
    task: JoinHandle<Result<(), RunError>>,
    socket: std::path::PathBuf,
}

impl Running {
    async fn start(state_dir: &Path) -> Self {
        let stop = Shutdown::new();
        let config = config(state_dir);
        let socket = config.socket();
        let task = tokio::spawn(run(config, stop.clone()));
        let running = Self { stop, task, socket };
        running.until("it answers", |_| true).await;
        running
    }

    async fn ask(&self, request: Value) -> Option<Value> {
        Client::call(&self.socket, &request).await.ok()
    }

    /// Waits until the list is as wanted.
    async fn until(&self, what: &str, holds: impl Fn(&MeetingsJson) -> bool) -> MeetingsJson {
        let waiting = async {
            loop {
                let list = self
                    .ask(json!({"command": "meetings"}))
                    .await
                    .map(|list| serde_json::from_value(list).unwrap());
                match list {
                    Some(list) if holds(&list) => return list,
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("{what}: not within 20 s"))
    }

    async fn stop(self) {
        self.stop.trigger();
        self.task.await.unwrap().unwrap();
    }
}

fn config(state_dir: &Path) -> Config {
    let text = format!("[agent]\nstate_dir = {state_dir:?}\nopener = [\"true\"]");
    Config::parse(&text, &Surroundings::default()).unwrap()
}

fn subjects(list: &MeetingsJson) -> Vec<&str> {
    list.meetings.iter().map(|meeting| meeting.subject.as_str()).collect()
}

fn binding(tenant: &TenantName) -> KeyBinding<'_> {
    KeyBinding { tenant, mailbox: MAILBOX, epoch: Epoch::FIRST }
}

fn welcome() -> Vec<ToAgent> {
    let tenant = TenantName::new("contoso");
    let public: DevicePublic = DeviceSecret::from_seed([6; 32]).public();
    let binding = GrantBinding { key: binding(&tenant), device: DEVICE };
    let grant = grant(&ContentKey::from_bytes(KEY), &binding, &public, [8; 32]).unwrap();
    let day = Duration::from_secs(86_400);
    let settings = DeviceSettings {
        kind: DeviceKind::Room,
        button_lead: Duration::from_secs(300),
        past: 7 * day,
        future: 31 * day,
    };
    vec![
        ToAgent::Welcome { server_time: now(), store_id: STORE, settings },
        ToAgent::Grant { mailbox: MAILBOX, tenant, epoch: Epoch::FIRST, grant, address: None },
    ]
}

/// A row at `revision` of a meeting that starts in `minutes` and lasts half an hour.
fn row(name: u8, revision: u64, minutes: i64) -> SealedRow {
    let start: Timestamp = now() + jiff::SignedDuration::from_mins(minutes);
    let end = start + jiff::SignedDuration::from_mins(30);
    let text = format!(
        r#"{{"event":"E","subject":"m{name} r{revision}","start":"{start}","end":"{end}","status":"confirmed","response":"accepted","join":{{"url":"https://zoom.us/j/1","provider":"zoom"}}}}"#
    );
    let (id, revision, tenant) =
        (RowId::from_bytes([name; 16]), Revision(revision), TenantName::new("contoso"));
    let binding = RowBinding { key: binding(&tenant), kind: RowKind::Meeting, id: id.as_bytes(), revision };
    let sealed = seal(&ContentKey::from_bytes(KEY), &binding, random().unwrap(), text.as_bytes()).unwrap();
    SealedRow { id, revision, erase_after: Day(Day::of(now()).0 + 8), sealed }
}

fn snapshot(revision: u64, rows: Vec<SealedRow>) -> [ToAgent; 2] {
    let revision = Revision(revision);
    [ToAgent::Snapshot { mailbox: MAILBOX, revision, rows }, ToAgent::Synced { mailbox: MAILBOX, revision }]
}

fn delta(from: u64, to: u64, upserts: Vec<SealedRow>, removes: &[u8]) -> ToAgent {
    let removes = removes.iter().map(|name| RowId::from_bytes([*name; 16])).collect();
    ToAgent::Delta { mailbox: MAILBOX, from: Revision(from), to: Revision(to), upserts, removes }
}

fn is_ack(revision: u64) -> impl Fn(&FromAgent) -> bool {
    move |said| *said == FromAgent::Ack { mailbox: MAILBOX, revision: Revision(revision) }
}

#[tokio::test]
async fn a_list_lives_through_changes_restarts_and_absence() {
    let mut world = World::new().await;
    let agent = Running::start(world.folder.path()).await;
    assert!(world.hello().await.have.is_empty());
    let mut watch = Client::stream(&agent.socket, &json!({"command": "watch"})).await.unwrap();
    world.send(welcome().into_iter().chain(snapshot(5, vec![row(1, 5, 2), row(2, 5, 120)])));
    world.hear(is_ack(5)).await;
    world.hear(|said| matches!(said, FromAgent::Report { shown, listed: 2 } if *shown == [RowId::from_bytes([1; 16])])).await;
    let list = agent.until("the list", |list| subjects(list) == ["m1 r5", "m2 r5"]).await;
    assert_eq!(list.connection, Connection::Online);

    let mut kinds = Vec::new();
    while kinds.last() != Some(&EventKind::ButtonShown) {
        let event = timeout(Duration::from_secs(20), watch.next()).await.unwrap().unwrap().unwrap();
        kinds.push(serde_json::from_value::<EventJson>(event).unwrap().kind);
    }
    assert!(
        kinds.contains(&EventKind::Connection) && kinds.contains(&EventKind::MeetingsChanged),
        "{kinds:?}"
    );

    world.send([delta(5, 6, vec![row(2, 6, 60)], &[1])]);
    world.hear(is_ack(6)).await;
    agent.until("the change", |list| subjects(list) == ["m2 r6"]).await;

    world.close().await;
    let list = agent.until("offline", |list| list.connection == Connection::Offline).await;
    assert_eq!(subjects(&list), ["m2 r6"]);
    agent.stop().await;
    let agent = Running::start(world.folder.path()).await;
    let list = agent.until("the kept list", |list| subjects(list) == ["m2 r6"]).await;
    assert_eq!(list.connection, Connection::Offline);
    assert!(list.as_of.is_some_and(|as_of| as_of <= now()));

    world.plan(welcome());
    world.reopen().await;
    let have = world.hello().await.have;
    assert_eq!(
        (have[0].store_id, have[0].revision, have[0].epochs.as_slice()),
        (STORE, Revision(6), [Epoch(1)].as_slice())
    );
    agent.until("online again", |list| list.connection == Connection::Online).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_gap_brings_the_whole_list() {
    let mut world = World::new().await;
    world.plan(welcome().into_iter().chain(snapshot(5, vec![row(1, 5, 2)])));
    world.plan(welcome().into_iter().chain(snapshot(8, vec![row(3, 8, 2)])));
    let agent = Running::start(world.folder.path()).await;
    world.hello().await;
    world.hear(is_ack(5)).await;
    world.send([delta(7, 8, vec![row(2, 8, 2)], &[])]);
    assert!(world.hello().await.have.is_empty(), "a whole list is asked for");
    agent.until("the whole list", |list| subjects(list) == ["m3 r8"]).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_when_the_connector_asks() {
    let mut world = World::new().await;
    let folder = IdentityFolder::new(world.folder.path());
    let before = folder.load().unwrap().unwrap();
    world.plan(welcome());
    world.plan(welcome());
    let agent = Running::start(world.folder.path()).await;
    world.hello().await;
    world.send([ToAgent::RenewNow]);
    // The next session comes with the new certificate.
    world.hello().await;
    let after = folder.load().unwrap().unwrap();
    assert!(before.certificate != after.certificate && *before.key != *after.key);
    assert_eq!((before.device, *before.cache_key), (after.device, *after.cache_key));
    assert_eq!(*world.desk.renewals.lock().unwrap(), 1);
    agent.until("online with it", |list| list.connection == Connection::Online).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_revoked_device_forgets_everything() {
    let mut world = World::new().await;
    world.plan(welcome().into_iter().chain(snapshot(5, vec![row(1, 5, 2)])));
    let agent = Running::start(world.folder.path()).await;
    world.hear(is_ack(5)).await;
    agent.until("the list", |list| subjects(list) == ["m1 r5"]).await;
    world.send([ToAgent::Goodbye(GoodbyeReason::Revoked)]);
    agent.until("nothing", |list| list.meetings.is_empty() && list.connection == Connection::Offline).await;
    let status = agent.ask(json!({"command": "status"})).await.unwrap();
    assert_eq!(status["problem"]["code"], "device-revoked");
    world.close().await;
    agent.stop().await;
    let again = Running::start(world.folder.path()).await;
    assert!(again.until("after a restart", |_| true).await.meetings.is_empty());
    again.stop().await;
}

#[tokio::test]
async fn a_second_agent_on_the_same_state_is_refused() {
    let world = World::new().await;
    let agent = Running::start(world.folder.path()).await;
    let error = run(config(world.folder.path()), Shutdown::new()).await.unwrap_err();
    assert_eq!(error.code(), "already-running");
    assert!(error.to_string().contains("state_dir"), "{error}");
    agent.stop().await;
}

#[tokio::test]
async fn an_agent_that_is_not_enrolled_waits_and_says_so() {
    let enrolled = World::new().await;
    enrolled.plan(welcome());
    let folder = tempfile::tempdir().unwrap();
    let agent = Running::start(folder.path()).await;
    let status = agent.ask(json!({"command": "status"})).await.unwrap();
    assert_eq!((&status["enrolled"], &status["problem"]["code"]), (&json!(false), &json!("not-enrolled")));
    // Enrolled meanwhile, by another process.
    let identity = IdentityFolder::new(enrolled.folder.path()).load().unwrap().unwrap();
    IdentityFolder::new(folder.path()).save(&identity, random().unwrap()).unwrap();
    agent.until("online", |list| list.connection == Connection::Online).await;
    agent.stop().await;
}
