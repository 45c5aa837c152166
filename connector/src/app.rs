//! The connector put together: opens what it keeps, makes what it lacks, hands the parts to workers and services.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use jiff::Timestamp;
use joinery_kms::{Embedded, KeyManager};
use joinery_model::{DeploymentId, DeviceId, MailboxId, StoreId, TenantName};
use joinery_msgraph::{Graph, GraphSettings};
use joinery_pki::Authority;
use joinery_store::Store;
use joinery_store_sqlite::Sqlite;

use crate::config::{Config, TenantConfig};
use crate::keyring::{KeyOwner, Keyring};
use crate::records::{AuthorityRecord, DeploymentRecord, DeviceRecord, MailboxRecord, RecordError, Records};
use crate::registry::Registry;
use crate::roster::Roster;
use crate::workers::sync::SyncHandle;

/// Everything that workers and services share.
pub struct App {
    /// As configured.
    pub config: Config,
    /// When it started.
    pub started: Timestamp,
    /// Sealed rows and records.
    pub store: Arc<dyn Store>,
    /// Which life of the store this is.
    pub store_id: StoreId,
    /// Content keys.
    pub keyring: Arc<Keyring>,
    /// The daemon's own records.
    pub records: Records,
    /// Graph, one for each tenant.
    pub graphs: BTreeMap<TenantName, Graph>,
    /// Mailboxes.
    pub roster: Roster,
    /// Devices.
    pub registry: Registry,
    /// Which installation this is.
    pub deployment: DeploymentId,
    /// The internal certificate authority.
    pub authority: Authority,
    /// The one way to have a mailbox read.
    pub sync: SyncHandle,
    listening: OnceLock<Listening>,
}

/// The addresses that are really listened on: a configured port 0 is chosen by the system.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    /// Sessions.
    pub sessions: SocketAddr,
    /// Enrollment.
    pub enrollment: SocketAddr,
}

impl App {
    /// Where agents come; before the ports are open, as configured.
    pub fn listening(&self) -> Listening {
        let server = &self.config.server;
        let configured = Listening { sessions: server.listen, enrollment: server.enrollment_listen };
        self.listening.get().copied().unwrap_or(configured)
    }

    /// Notes the addresses that were opened, once.
    pub fn opened(&self, listening: Listening) {
        let _first = self.listening.set(listening);
    }

    /// Changes a device's record as it is now, not as somebody read it before: durable first, then for everybody to
    /// see. Answers the record; `None`: there is no such device any more.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is changed then.
    pub async fn change_device(
        &self,
        id: DeviceId,
        change: impl FnOnce(&mut DeviceRecord) + Send,
    ) -> Result<Option<DeviceRecord>, RecordError> {
        let _one = self.registry.changes.lock().await;
        let Some(known) = self.registry.record(id) else { return Ok(None) };
        let mut record = known.clone();
        change(&mut record);
        if record != known {
            self.records.put(&record).await?;
            self.registry.put(record.clone());
        }
        Ok(Some(record))
    }

    /// Keeps when devices were last seen, in one write.
    ///
    /// # Errors
    /// [`RecordError`]; the next call writes it then.
    pub async fn keep_last_seen(&self) -> Result<(), RecordError> {
        let _one = self.registry.changes.lock().await;
        let records = self.registry.unsaved();
        if !records.is_empty() {
            self.records.put_all(&records).await?;
            records.into_iter().for_each(|record| self.registry.put(record));
        }
        Ok(())
    }

    /// Opens store and keys, loads mailboxes and devices, makes key file, deployment id and authority at the first
    /// start.
    ///
    /// # Errors
    /// One sentence that says what is missing or damaged and what to do.
    pub async fn open(config: Config, sync: SyncHandle) -> Result<Self> {
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&config.database)?);
        let fresh = store.keys(MailboxId::DAEMON).await?.is_empty();
        let kms = KeyManager::Embedded(open_key_file(&config.keys.file, fresh)?);
        let keyring = Arc::new(Keyring::new(kms, Arc::clone(&store), config.keys.max_age));
        keyring.current(&KeyOwner::daemon()).await.context("the daemon's own key cannot be opened")?;
        let records = Records::new(Arc::clone(&store), Arc::clone(&keyring));
        let deployment = deployment(&records).await?;
        let authority = authority(&records, deployment).await?;
        let graphs = config
            .tenants
            .iter()
            .map(|tenant| Ok((tenant.name.clone(), graph(tenant)?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let app = Self {
            started: joinery_daemon::now(),
            store_id: store.store_id().await?,
            store,
            keyring,
            records,
            graphs,
            roster: Roster::default(),
            registry: Registry::default(),
            deployment,
            authority,
            sync,
            listening: OnceLock::new(),
            config,
        };
        app.load().await?;
        Ok(app)
    }

    async fn load(&self) -> Result<()> {
        for record in self.records.all::<MailboxRecord>().await? {
            let head = self.store.head(record.id).await?;
            self.roster.add(record, head.revision);
        }
        for record in self.records.all::<DeviceRecord>().await? {
            self.registry.put(record);
        }
        Ok(())
    }
}

/// A key file is made only for an empty database: with an existing one, a missing file is a loss to be told.
fn open_key_file(path: &std::path::Path, fresh: bool) -> Result<Embedded> {
    if fresh && !path.exists() {
        return Ok(Embedded::create(path)?);
    }
    Ok(Embedded::open(path)?)
}

async fn deployment(records: &Records) -> Result<DeploymentId> {
    if let Some(known) = records.only::<DeploymentRecord>().await? {
        return Ok(known.id);
    }
    let made = DeploymentRecord { id: DeploymentId::from_bytes(joinery_daemon::random()?) };
    records.put(&made).await?;
    Ok(made.id)
}

async fn authority(records: &Records, deployment: DeploymentId) -> Result<Authority> {
    if let Some(known) = records.only::<AuthorityRecord>().await? {
        return Ok(Authority::from_stored(&known.certificate, &known.key)?);
    }
    let made = Authority::create(deployment, joinery_daemon::now(), joinery_daemon::random()?)?;
    let record = AuthorityRecord { certificate: made.certificate().to_vec(), key: made.key().to_vec() };
    records.put(&record).await?;
    Ok(made)
}

/// Graph for a configured tenant.
///
/// # Errors
/// Where a file that the configuration names cannot be read.
pub fn graph(tenant: &TenantConfig) -> Result<Graph> {
    let settings = GraphSettings {
        tenant_id: tenant.id.clone(),
        client_id: tenant.client_id.clone(),
        secret_file: tenant.client_secret_file.clone(),
        authority_url: tenant.authority_url.clone(),
        graph_url: tenant.graph_url.clone(),
        ca_file: tenant.ca_file.clone(),
    };
    Graph::new(settings).with_context(|| format!("tenant {}", tenant.name))
}
