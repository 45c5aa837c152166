//! The tenant as tests and the demo hold it: start it, change its calendars, order faults, read the record.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::calendar::Patch;
use crate::entra::{Entra, guid};
use crate::ids::{IdKind, ItemRef};
use crate::journal::{Request, Violation};
use crate::mailbox::{Mailbox, MailboxKind};
use crate::meeting::{NewMeeting, Response, response_status, times};
use crate::refusal::Refusal;
use crate::serve::{SharedWorld, lock};
use crate::world::World;
use crate::{certificate, payload, serve};

/// How to start a tenant.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where HTTPS listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the control interface listens, if it is wanted.
    pub control: Option<SocketAddr>,
    /// Names and addresses in the server certificate; the first one stands in the URLs.
    pub names: Vec<String>,
    /// Verified domains, the default one first.
    pub domains: Vec<String>,
    /// Mailboxes to begin with.
    pub mailboxes: Vec<(String, MailboxKind)>,
    /// Application permissions with consent.
    pub roles: Vec<String>,
    /// How long access tokens live.
    pub token_lifetime: Duration,
    /// The client secret; a random one by default.
    pub client_secret: Option<String>,
    /// Where to write `ca.pem`, `client_secret` and `tenant.json`.
    pub state_dir: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let roles = [
            "Calendars.ReadWrite",
            "MailboxSettings.Read",
            "User.Read.All",
            "Domain.Read.All",
            "Place.Read.All",
        ];
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            control: None,
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            domains: vec!["contoso.example".to_owned(), "contoso.onmicrosoft.com".to_owned()],
            mailboxes: Vec::new(),
            roles: roles.map(str::to_owned).to_vec(),
            token_lifetime: Duration::from_secs(3599),
            client_secret: None,
            state_dir: None,
        }
    }
}

/// Why the tenant could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The socket could not be opened.
    #[error("the simulated tenant cannot listen on {0}: {1}; choose another address")]
    Listen(SocketAddr, std::io::Error),
    /// No certificate could be made.
    #[error("the certificate of the simulated tenant cannot be made: {0}; check the names given for it")]
    Certificate(String),
    /// The state directory could not be written.
    #[error("{} cannot be written: {source}; choose another state directory", path.display())]
    State {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system's random source does not answer")]
    Random,
    /// There is no such mailbox.
    #[error("the simulated tenant has no such mailbox; add it first")]
    UnknownMailbox,
    /// Graph's rules forbid it.
    #[error("the simulated tenant refuses: {code}: {message}")]
    Refused {
        /// Graph's code.
        code: String,
        /// Graph's text.
        message: String,
    },
}

impl TenantError {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen(..) => "tenant-listen",
            Self::Certificate(_) => "tenant-certificate",
            Self::State { .. } => "tenant-state",
            Self::Random => "tenant-random",
            Self::UnknownMailbox => "tenant-unknown-mailbox",
            Self::Refused { .. } => "tenant-refused",
        }
    }
}

impl From<Refusal> for TenantError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, message: refusal.message }
    }
}

/// A change that was made, and when: the beginning of every measured way to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The event's id as clients see it by default.
    pub id: String,
    /// The event's id as clients see it that prefer immutable ids.
    pub immutable_id: String,
    /// The instant from which on Graph reports the change.
    pub at: Timestamp,
}

/// A running tenant. It ends when it is dropped.
#[derive(Debug)]
pub struct Tenant {
    world: SharedWorld,
    address: SocketAddr,
    control: Option<SocketAddr>,
    ca_pem: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Tenant {
    /// Starts a tenant in this process.
    pub async fn start(options: Options) -> Result<Self, TenantError> {
        let listener = bind(options.listen).await?;
        let address = listener.local_addr().map_err(|error| TenantError::Listen(options.listen, error))?;
        let names = options.names.clone();
        let host = names.first().cloned().unwrap_or_else(|| address.ip().to_string());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let server = certificate::make(names).map_err(|error| TenantError::Certificate(error.to_string()))?;
        let tls = acceptor(server.certificate, server.key)?;
        let secret = match options.client_secret {
            Some(secret) => secret,
            None => format!("{}~{}", guid(random()?), guid(random()?)).replace('-', "_"),
        };
        let mut entra = Entra::new(guid(random()?), guid(random()?), secret, options.domains, options.roles);
        entra.lifetime = options.token_lifetime;
        let mut world = World::new(format!("https://{host}:{}", address.port()), entra);
        for (mailbox, kind) in &options.mailboxes {
            world.add_mailbox(mailbox, *kind, random()?);
        }
        let world = Arc::new(Mutex::new(world));
        let mut tasks = vec![tokio::spawn(serve::serve(listener, tls, Arc::clone(&world)))];
        let mut control = None;
        if let Some(wanted) = options.control {
            let listener = bind(wanted).await?;
            control = Some(listener.local_addr().map_err(|error| TenantError::Listen(wanted, error))?);
            tasks.push(tokio::spawn(crate::control::serve(listener, Arc::clone(&world))));
        }
        let tenant = Self { world, address, control, ca_pem: server.ca_pem, tasks };
        if let Some(directory) = &options.state_dir {
            tenant.write_state(directory)?;
        }
        Ok(tenant)
    }

    /// Graph's root, for `graph_url`.
    pub fn graph_url(&self) -> String {
        lock(&self.world).graph_url.clone()
    }

    /// Entra's root, for `authority_url`.
    pub fn authority_url(&self) -> String {
        self.graph_url()
    }

    /// The tenant's id.
    pub fn tenant_id(&self) -> String {
        lock(&self.world).entra.tenant_id.clone()
    }

    /// The application's id.
    pub fn client_id(&self) -> String {
        lock(&self.world).entra.client_id.clone()
    }

    /// The application's secret.
    pub fn client_secret(&self) -> String {
        lock(&self.world).entra.secret.clone()
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where HTTPS listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the control interface listens.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Adds an empty mailbox.
    pub fn add_mailbox(&self, address: &str, kind: MailboxKind) -> Result<(), TenantError> {
        Calendars(&self.world).add_mailbox(address, kind)
    }

    /// Puts a meeting into a mailbox.
    pub fn create(&self, address: &str, meeting: &NewMeeting) -> Result<Change, TenantError> {
        Calendars(&self.world).create(address, meeting)
    }

    /// Moves a meeting, a whole series, or one of a series. It stays in its zone.
    pub fn reschedule(
        &self,
        address: &str,
        id: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Change, TenantError> {
        Calendars(&self.world).reschedule(address, id, start, end)
    }

    /// Changes properties, given in Graph's shape as a `PATCH` has them.
    pub fn update(&self, address: &str, id: &str, patch: &Value) -> Result<Change, TenantError> {
        Calendars(&self.world).update(address, id, patch)
    }

    /// The organizer calls it off: the item stays, marked as cancelled.
    pub fn cancel(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        Calendars(&self.world).cancel(address, id)
    }

    /// The item goes: a meeting, a whole series, or one of a series.
    pub fn delete(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        Calendars(&self.world).delete(address, id)
    }

    /// The mailbox's owner answers an invitation.
    pub fn respond(&self, address: &str, id: &str, response: Response) -> Result<Change, TenantError> {
        Calendars(&self.world).respond(address, id, response)
    }

    /// Ids of what happens in a mailbox between two instants, by start: singles, occurrences and exceptions.
    pub fn view(&self, address: &str, start: Timestamp, end: Timestamp) -> Result<Vec<String>, TenantError> {
        Calendars(&self.world).view(address, start, end)
    }

    /// What clients did wrong so far.
    pub fn violations(&self) -> Vec<Violation> {
        lock(&self.world).journal.violations().to_vec()
    }

    /// How many requests of each kind there were; see [`Request::kind`].
    pub fn requests(&self) -> BTreeMap<String, u64> {
        lock(&self.world).journal.counts().clone()
    }

    /// The newest requests, one by one.
    pub fn request_log(&self) -> Vec<Request> {
        lock(&self.world).journal.requests().cloned().collect()
    }

    /// Starts a fresh record of requests and violations.
    pub fn clear_record(&self) {
        lock(&self.world).journal.clear();
    }

    pub(crate) fn world(&self) -> &SharedWorld {
        &self.world
    }

    fn write_state(&self, directory: &Path) -> Result<(), TenantError> {
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).map_err(|source| TenantError::State { path, source })
        };
        std::fs::create_dir_all(directory)
            .map_err(|source| TenantError::State { path: directory.to_owned(), source })?;
        write("ca.pem", &self.ca_pem)?;
        write("client_secret", &self.client_secret())?;
        write("tenant.json", &format!("{:#}\n", self.summary()))
    }

    /// Everything that a configuration needs but the secret.
    pub fn summary(&self) -> Value {
        let world = lock(&self.world);
        json!({
            "graph_url": world.graph_url, "authority_url": world.graph_url,
            "tenant_id": world.entra.tenant_id, "client_id": world.entra.client_id,
            "domains": world.entra.domains, "control": self.control.map(|address| format!("http://{address}")),
            "mailboxes": world.mailboxes().map(|mailbox| mailbox.address.as_str()).collect::<Vec<_>>(),
        })
    }
}

/// The changes that a test makes, the same for the library and the control interface.
pub(crate) struct Calendars<'a>(pub &'a SharedWorld);

impl Calendars<'_> {
    pub fn add_mailbox(&self, address: &str, kind: MailboxKind) -> Result<(), TenantError> {
        lock(self.0).add_mailbox(address, kind, random()?);
        Ok(())
    }

    pub fn create(&self, address: &str, meeting: &NewMeeting) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let draft = meeting.draft(&mailbox.address, mailbox.kind)?;
        let now = Timestamp::now();
        let item = mailbox.create(now, draft)?;
        Ok(change(mailbox, item, now))
    }

    pub fn reschedule(
        &self,
        address: &str,
        id: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Change, TenantError> {
        self.edit(address, id, |mailbox, item, _| {
            let entry = mailbox.calendar.entry(item.number).ok_or_else(Refusal::item_gone)?;
            let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
            let (start, end) = times(start, end, &content.start.zone, content.all_day);
            Ok(Patch { start: Some(start), end: Some(end), ..Patch::default() })
        })
    }

    pub fn update(&self, address: &str, id: &str, patch: &Value) -> Result<Change, TenantError> {
        let patch = payload::patch(patch)?;
        self.edit(address, id, |_, _, _| Ok(patch))
    }

    pub fn cancel(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        self.edit(address, id, |mailbox, item, _| {
            let entry = mailbox.calendar.entry(item.number).ok_or_else(Refusal::item_gone)?;
            let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
            let subject = content.properties.get("subject").and_then(Value::as_str).unwrap_or_default();
            Ok(properties([
                ("isCancelled", json!(true)),
                ("showAs", json!("free")),
                ("subject", json!(format!("Canceled: {subject}"))),
            ]))
        })
    }

    pub fn respond(&self, address: &str, id: &str, response: Response) -> Result<Change, TenantError> {
        self.edit(address, id, |_, _, now| {
            Ok(properties([("responseStatus", response_status(response, Some(now)))]))
        })
    }

    pub fn delete(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let item = mailbox.find(id)?;
        let now = Timestamp::now();
        mailbox.calendar.delete(now, item)?;
        Ok(change(mailbox, item, now))
    }

    pub fn view(&self, address: &str, start: Timestamp, end: Timestamp) -> Result<Vec<String>, TenantError> {
        let world = lock(self.0);
        let mailbox = world.mailbox(address).ok_or(TenantError::UnknownMailbox)?;
        let mut items: Vec<(Timestamp, ItemRef)> = Vec::new();
        for item in mailbox.calendar.in_window(&crate::calendar::Window { start, end }) {
            if let Some(entry) = mailbox.calendar.entry(item.number) {
                let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
                items.push((content.span().0, item));
            }
        }
        items.sort();
        Ok(items.into_iter().map(|(_, item)| mailbox.id(item, IdKind::Regular)).collect())
    }

    fn edit(
        &self,
        address: &str,
        id: &str,
        patch: impl FnOnce(&Mailbox, ItemRef, Timestamp) -> Result<Patch, Refusal>,
    ) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let item = mailbox.find(id)?;
        let now = Timestamp::now();
        let patch = patch(mailbox, item, now)?;
        mailbox.calendar.change(now, item, &patch)?;
        Ok(change(mailbox, item, now))
    }
}

fn change(mailbox: &Mailbox, item: ItemRef, at: Timestamp) -> Change {
    Change { id: mailbox.id(item, IdKind::Regular), immutable_id: mailbox.id(item, IdKind::Immutable), at }
}

fn properties<const N: usize>(pairs: [(&str, Value); N]) -> Patch {
    Patch {
        properties: pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Patch::default()
    }
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, TenantError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| TenantError::Certificate(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, TenantError> {
    TcpListener::bind(address).await.map_err(|error| TenantError::Listen(address, error))
}

fn random<const N: usize>() -> Result<[u8; N], TenantError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| TenantError::Random)?;
    Ok(bytes)
}
