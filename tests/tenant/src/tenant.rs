//! The tenant as tests and the demo hold it: start it, change its calendars, order faults, read the record.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::changes::{Calendars, Change};
use crate::entra::{Entra, guid};
use crate::error::TenantError;
use crate::journal::{Request, Violation};
use crate::mailbox::MailboxKind;
use crate::meeting::{NewMeeting, Response};
use crate::options::Options;
use crate::serve::{SharedWorld, lock, random};
use crate::world::World;
use crate::{certificate, serve};

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
        Ok(Self { world, address, control, ca_pem: server.ca_pem, tasks })
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

    /// Writes `ca.pem`, `client_secret` (for its owner only) and last `tenant.json`, the [`Tenant::summary`], for other
    /// processes to find.
    pub fn write_state(&self, directory: &Path) -> Result<(), TenantError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TenantError::State { path, source }
        };
        let write = |name: &str, text: &str, mode: u32| {
            let path = directory.join(name);
            let open = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&path);
            open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed(&path))
        };
        std::fs::create_dir_all(directory).map_err(failed(directory))?;
        write("ca.pem", &self.ca_pem, 0o644)?;
        write("client_secret", &self.client_secret(), 0o600)?;
        write("tenant.json", &format!("{:#}\n", self.summary()), 0o644)
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
