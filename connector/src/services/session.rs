//! Sessions of agents: grants, then a snapshot or the differences, then each change as it commits.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use joinery_model::{Epoch, Revision};
use joinery_pki::PeerName;
use joinery_seal::{
    ContentKey, DevicePublic, GrantBinding, KeyBinding, RowBinding, RowKind, Sealed, grant, seal,
};
use joinery_store::Changes;
use joinery_transport::{
    Closed, ConnectorLink, DeviceSettings, FromAgent, GoodbyeReason, Hello, Refusal, RenewRequest, Renewed,
    SessionDesk, ToAgent,
};

use crate::app::App;
use crate::records::DeviceRecord;
use crate::registry::{Seat, Seen};
use crate::roster::Mailbox;

/// Pause before a session asks again for a key that the key manager did not give, or a store that did not answer.
const RETRY: Duration = Duration::from_secs(5);

/// How long a goodbye may take: a revoked device is cut within a second.
const COURTESY: Duration = Duration::from_millis(300);

/// Serves sessions.
pub struct Sessions {
    app: Arc<App>,
}

impl Sessions {
    /// Sessions over `app`.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

/// Why a session ended.
enum End {
    /// The agent went.
    Gone,
    /// We end it, and say why.
    Goodbye(GoodbyeReason),
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Gone
    }
}

#[async_trait]
impl SessionDesk for Sessions {
    async fn admit(&self, peer: &PeerName) -> Result<(), Refusal> {
        if peer.deployment != self.app.deployment {
            return Err(Refusal::OtherDeployment);
        }
        self.app.registry.active(peer.device).map(|_| ()).ok_or(Refusal::Revoked)
    }

    async fn open(&self, peer: PeerName, hello: Hello, mut link: ConnectorLink) {
        let ahead = hello.now.as_second() - joinery_daemon::now().as_second();
        let seen = Seen {
            agent_version: hello.agent_version.clone(),
            drivers: hello.drivers.clone(),
            clock_ahead_s: ahead,
            ..Seen::default()
        };
        if ahead.abs() > 120 {
            tracing::warn!(device = %peer.device, seconds = ahead, "The device's clock differs from ours");
        }
        let Some((device, mut seat)) = self.app.registry.enter(peer.device, seen) else { return };
        tracing::info!(device = %device.id, "Session opened");
        let end = tokio::select! {
            Err(end) = run(&self.app, &device, &hello, &mut link) => end,
            end = dismissed(&mut seat) => end,
        };
        if let End::Goodbye(reason) = end {
            // The stream is closed either way; the reason is a courtesy that a slow agent must not draw out.
            let _closed = tokio::time::timeout(COURTESY, link.send(ToAgent::Goodbye(reason))).await;
        }
        drop(seat);
        tracing::info!(device = %device.id, "Session ended");
    }

    async fn renew(&self, peer: PeerName, request: RenewRequest) -> Result<Renewed, Refusal> {
        let serial = joinery_daemon::random().map_err(refuse)?;
        let now = joinery_daemon::now();
        let issued = self
            .app
            .authority
            .issue_device(&request.csr, self.app.deployment, peer.device, now, serial)
            .map_err(|_| Refusal::BadRequest)?;
        let renew = |device: &mut DeviceRecord| {
            if device.revoked.is_some() {
                return;
            }
            device.certificate_until = issued.not_after;
            if let Some(DevicePublic(key)) = request.hpke {
                device.hpke = key.to_vec();
            }
        };
        let device = self.app.change_device(peer.device, renew).await.map_err(refuse)?;
        device.filter(|device| device.revoked.is_none()).ok_or(Refusal::Revoked)?;
        tracing::info!(device = %peer.device, "Certificate renewed");
        Ok(Renewed { certificate: issued.der, anchors: vec![self.app.authority.certificate().to_vec()] })
    }
}

fn refuse(error: impl std::fmt::Display) -> Refusal {
    tracing::error!("A device's request is refused: {error}");
    Refusal::Unavailable
}

/// Waits until the registry says that the session must end.
async fn dismissed(seat: &mut Seat<'_>) -> End {
    match seat.end.wait_for(Option::is_some).await.map(|reason| *reason) {
        Ok(Some(reason)) => End::Goodbye(reason),
        Ok(None) | Err(_) => End::Gone,
    }
}

/// What one session knows of its agent.
struct Conversation<'a> {
    app: &'a App,
    device: &'a DeviceRecord,
    mailbox: &'a Mailbox,
    /// Epochs that the device can open.
    granted: BTreeSet<Epoch>,
    /// What the device holds, once everything sent has arrived.
    position: Revision,
    /// The first `Synced` was sent.
    greeted: bool,
}

/// The session itself; ends with an error only.
async fn run(
    app: &App,
    device: &DeviceRecord,
    hello: &Hello,
    link: &mut ConnectorLink,
) -> Result<Infallible, End> {
    let mailbox = app.roster.by_id(device.mailbox).ok_or(End::Goodbye(GoodbyeReason::Revoked))?;
    let mut dirty = mailbox.follow();
    let have = hello.have.iter().find(|have| have.mailbox == mailbox.id());
    let mut conversation = Conversation {
        app,
        device,
        mailbox: &mailbox,
        granted: have.map(|have| have.epochs.iter().copied().collect()).unwrap_or_default(),
        position: have.filter(|have| have.store_id == app.store_id).map_or(Revision(0), |have| have.revision),
        greeted: false,
    };
    link.send(ToAgent::Welcome {
        server_time: joinery_daemon::now(),
        store_id: app.store_id,
        settings: DeviceSettings {
            kind: device.kind,
            button_lead: app.config.button_lead,
            past: app.config.sync.past,
            future: app.config.sync.future,
        },
    })
    .await?;
    let mut due = true;
    // What the agent waits for, said once and not at each try.
    let mut told = None;
    loop {
        let mut waiting = false;
        if due {
            dirty.mark_unchanged();
            match conversation.catch_up(link).await {
                Ok(()) => told = None,
                Err(Trouble::Wait(error)) => {
                    if told.as_ref() != Some(&error) {
                        tracing::warn!(device = %device.id, "The device has to wait: {error}");
                    }
                    told = Some(error);
                    waiting = true;
                }
                Err(Trouble::End(end)) => return Err(end),
            }
        }
        due = tokio::select! {
            received = link.recv() => conversation.take(received.ok_or(End::Gone)?),
            changed = dirty.changed() => {
                changed.map_err(|_| End::Goodbye(GoodbyeReason::Revoked))?;
                true
            }
            () = tokio::time::sleep(RETRY), if waiting => true,
        } || waiting;
    }
}

/// Why the agent could not be brought up to date.
enum Trouble {
    /// Keys or store are away; later it may go.
    Wait(String),
    /// The session is over.
    End(End),
}

impl From<Closed> for Trouble {
    fn from(closed: Closed) -> Self {
        Self::End(closed.into())
    }
}

fn wait(error: impl std::fmt::Display) -> Trouble {
    Trouble::Wait(error.to_string())
}

impl Conversation<'_> {
    /// Brings the agent from its position to the newest revision, grants before the rows that need them.
    async fn catch_up(&mut self, link: &mut ConnectorLink) -> Result<(), Trouble> {
        let mailbox = self.mailbox.id();
        if !self.greeted {
            let all = self.app.keyring.epochs(mailbox).await.map_err(wait)?;
            self.grant(link, all).await?;
        }
        let changes = self.app.store.changes(mailbox, self.position).await.map_err(wait)?;
        let (message, reached) = match changes {
            Changes::Same { revision } if self.greeted => {
                self.position = revision;
                return Ok(());
            }
            Changes::Same { revision } => (None, revision),
            Changes::Delta { from, to, upserts, removes } => {
                self.grant(link, upserts.iter().map(|row| row.sealed.epoch())).await?;
                tracing::debug!(device = %self.device.id, upserts = upserts.len(), removes = removes.len(), revision = to.0, "Changes sent");
                (Some(ToAgent::Delta { mailbox, from, to, upserts, removes }), to)
            }
            Changes::Snapshot { revision, rows } => {
                self.grant(link, rows.iter().map(|row| row.sealed.epoch())).await?;
                tracing::info!(device = %self.device.id, rows = rows.len(), revision = revision.0, "Whole list sent");
                (Some(ToAgent::Snapshot { mailbox, revision, rows }), revision)
            }
        };
        if let Some(message) = message {
            link.send(message).await?;
        }
        link.send(ToAgent::Synced { mailbox, revision: reached }).await?;
        self.position = reached;
        self.greeted = true;
        Ok(())
    }

    /// Seals the content keys of these epochs to the device, those that it lacks.
    async fn grant(
        &mut self,
        link: &mut ConnectorLink,
        epochs: impl IntoIterator<Item = Epoch>,
    ) -> Result<(), Trouble> {
        let owner = self.mailbox.key_owner();
        let missing: BTreeSet<Epoch> =
            epochs.into_iter().filter(|epoch| !self.granted.contains(epoch)).collect();
        for epoch in missing {
            // As it is now: a renewal may have brought another one.
            let device = self.app.registry.record(self.device.id);
            let public = device
                .and_then(|device| device.public())
                .ok_or_else(|| wait("its record holds no key; let it enroll anew"))?;
            let key = self.app.keyring.key(&owner, epoch).await.map_err(wait)?;
            let binding = GrantBinding {
                key: KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch },
                device: self.device.id,
            };
            let sealed =
                grant(&key, &binding, &public, joinery_daemon::random().map_err(wait)?).map_err(wait)?;
            let tenant = owner.tenant.clone();
            let address = Some(self.sealed_address(&key, binding.key)?);
            link.send(ToAgent::Grant { mailbox: owner.mailbox, tenant, epoch, grant: sealed, address })
                .await?;
            self.granted.insert(epoch);
            tracing::info!(device = %self.device.id, mailbox = %owner.mailbox, epoch = epoch.0, "Content key granted");
        }
        Ok(())
    }

    /// The mailbox's address for the device's screen: nobody between may read it.
    fn sealed_address(&self, key: &ContentKey, binding: KeyBinding<'_>) -> Result<Sealed, Trouble> {
        let binding = RowBinding { key: binding, kind: RowKind::Address, id: &[], revision: Revision(0) };
        let nonce = joinery_daemon::random().map_err(wait)?;
        seal(key, &binding, nonce, self.mailbox.record.address.as_str().as_bytes()).map_err(wait)
    }

    /// Takes what the agent says; answers whether there is something to send.
    fn take(&mut self, message: FromAgent) -> bool {
        let registry = &self.app.registry;
        match message {
            FromAgent::Ack { revision, .. } => {
                registry.note(self.device.id, |seen| seen.acknowledge(revision));
            }
            FromAgent::Nack { revision, code, .. } => {
                tracing::warn!(device = %self.device.id, revision = revision.0, code, "The device could not take a change");
                registry.note(self.device.id, |seen| seen.problem = Some((revision, code)));
            }
            FromAgent::NeedGrant { mailbox, epoch } if mailbox == self.mailbox.id() => {
                self.granted.remove(&epoch);
                self.greeted = false;
                return true;
            }
            FromAgent::NeedGrant { mailbox, .. } => {
                tracing::warn!(device = %self.device.id, %mailbox, "The device asked for a mailbox that it may not show; refused");
            }
            FromAgent::Report { shown, listed } => registry.note(self.device.id, |seen| {
                seen.shown = shown.len();
                seen.listed = listed;
            }),
        }
        false
    }
}
