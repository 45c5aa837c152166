//! One session, from connecting to its end.

use std::sync::Arc;

use joinery_daemon::{Shutdown, now, random};
use joinery_model::RowId;
use joinery_pki::device_request;
use joinery_transport::{
    AgentLink, DeviceSettings, DeviceTls, FromAgent, Have, Hello, RenewRequest, SessionClient, ToAgent,
    connect,
};
use tokio::time::{MissedTickBehavior, interval};
use zeroize::Zeroizing;

use super::{Device, End, Problem, Session, TEND_EVERY};
use crate::holdings::{Answer, Delta, HeldGrant, Holdings, Settings};
use crate::identity::{Identity, IdentityFolder};

impl Session {
    /// One session, from connecting to its end.
    pub(super) async fn attempt(
        &mut self,
        device: &mut Device,
        folder: &IdentityFolder,
        stop: &Shutdown,
    ) -> End {
        let identity = &device.identity;
        let tls = DeviceTls {
            certificate: identity.certificate.clone(),
            key: identity.key.clone(),
            anchors: identity.anchors.clone(),
        };
        let hello = self.hello(&mut device.holdings);
        let opening = async {
            let client = connect(&identity.host, identity.session_port, &tls).await?;
            let link = client.open(hello).await?;
            Ok((client, link))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = stop.cancelled() => return End::Stopped,
        };
        match opened {
            Ok((client, link)) => self.converse(device, folder, client, link, stop).await,
            Err(error) => End::Failed(error),
        }
    }

    fn hello(&self, holdings: &mut Holdings) -> Hello {
        let ledger = holdings.begin_session(now());
        let have = ledger.mailboxes.iter().filter_map(|(mailbox, held)| {
            let epochs = held.grants.keys().copied().collect();
            Some(Have { mailbox: *mailbox, store_id: held.store_id?, revision: held.revision, epochs })
        });
        Hello {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            have: have.collect(),
            now: now(),
            drivers: self.drivers.clone(),
        }
    }

    /// A session that is open.
    async fn converse(
        &mut self,
        device: &mut Device,
        folder: &IdentityFolder,
        client: SessionClient,
        mut link: AgentLink,
        stop: &Shutdown,
    ) -> End {
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        let mut tend = interval(TEND_EVERY);
        tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reported: Option<(Vec<RowId>, usize)> = None;
        let mut welcomed = false;
        loop {
            let answers = tokio::select! {
                told = link.recv() => match told {
                    Ok(Some(ToAgent::RenewNow)) => {
                        if let Some(renewal) = &mut device.renewal {
                            renewal.hasten(now());
                        }
                        Vec::new()
                    }
                    Ok(Some(ToAgent::Goodbye(reason))) => return End::Goodbye(reason),
                    Ok(Some(told)) => {
                        welcomed |= matches!(told, ToAgent::Welcome { .. });
                        self.take(&mut device.holdings, told).await
                    }
                    Ok(None) => return End::Ended,
                    Err(error) => return End::Failed(error),
                },
                _ = tend.tick() => {
                    if !self.is_current(folder, &device.identity) {
                        return End::NewIdentity;
                    }
                    device.holdings.tend(now()).await
                }
                changed = self.board.changed(), if welcomed => {
                    if changed.is_err() {
                        return End::Stopped;
                    }
                    Vec::new()
                }
                () = &mut stopped => return End::Stopped,
            };
            self.publish(&device.holdings);
            if answers.contains(&Answer::StartOver) {
                return End::StartOver;
            }
            for answer in answers {
                if let Some(message) = message(answer)
                    && link.send(message).await.is_err()
                {
                    // Why is told at the receiving end.
                    break;
                }
            }
            if welcomed {
                self.report(&mut link, &mut reported).await;
                if self.renew_if_due(device, folder, &client).await {
                    return End::NewIdentity;
                }
            }
        }
    }

    /// Takes over one message.
    async fn take(&self, holdings: &mut Holdings, told: ToAgent) -> Vec<Answer> {
        match told {
            ToAgent::Welcome { server_time, store_id, settings } => {
                self.came_online(server_time);
                holdings.welcome(store_id, used_settings(settings)).await
            }
            ToAgent::Grant { mailbox, tenant, epoch, grant, address } => {
                holdings.grant(mailbox, epoch, HeldGrant { tenant, sealed: grant, address }).await
            }
            ToAgent::Snapshot { mailbox, revision, rows } => {
                tracing::info!(%mailbox, %revision, meetings = rows.len(), "Whole meeting list received");
                holdings.snapshot(mailbox, revision, rows, now()).await
            }
            ToAgent::Delta { mailbox, from, to, upserts, removes } => {
                let (changed, gone) = (upserts.len(), removes.len());
                tracing::info!(%mailbox, revision = %to, changed, gone, "Meeting list changed");
                holdings.delta(mailbox, Delta { from, to, upserts, removes }, now()).await
            }
            ToAgent::Synced { mailbox, revision } => holdings.synced(mailbox, revision, now()).await,
            ToAgent::RenewNow | ToAgent::Goodbye(_) => Vec::new(),
        }
    }

    /// Tells the connector what is shown, where that has changed.
    async fn report(&mut self, link: &mut AgentLink, reported: &mut Option<(Vec<RowId>, usize)>) {
        let board = Arc::clone(&self.board.borrow_and_update());
        let fresh = (board.shown.entries().map(|entry| entry.id).collect::<Vec<_>>(), board.entries.len());
        if reported.as_ref() == Some(&fresh) {
            return;
        }
        let listed = u32::try_from(fresh.1).unwrap_or(u32::MAX);
        if link.send(FromAgent::Report { shown: fresh.0.clone(), listed }).await.is_ok() {
            *reported = Some(fresh);
        }
    }

    /// True if there is a new certificate.
    async fn renew_if_due(
        &self,
        device: &mut Device,
        folder: &IdentityFolder,
        client: &SessionClient,
    ) -> bool {
        let Some(renewal) = device.renewal.as_mut().filter(|renewal| renewal.due <= now()) else {
            return false;
        };
        match renew(&device.identity, folder, client).await {
            Ok(()) => {
                tracing::info!("The device certificate was renewed");
                true
            }
            Err(problem) => {
                renewal.failed(now());
                tracing::warn!(
                    code = problem.code, again = %renewal.due, expires = %renewal.not_after,
                    "The device certificate could not be renewed: {}", problem.message
                );
                let renewal = *renewal;
                self.update_link(|link| {
                    if let Some(enrolled) = &mut link.enrolled {
                        enrolled.certificate = Some(renewal);
                    }
                });
                false
            }
        }
    }
}

fn used_settings(settings: DeviceSettings) -> Settings {
    let DeviceSettings { kind, button_lead, past, future } = settings;
    Settings { kind, button_lead, past, future }
}

fn message(answer: Answer) -> Option<FromAgent> {
    match answer {
        Answer::Ack(mailbox, revision) => Some(FromAgent::Ack { mailbox, revision }),
        Answer::Nack(mailbox, revision, code) => {
            Some(FromAgent::Nack { mailbox, revision, code: code.to_owned() })
        }
        Answer::NeedGrant(mailbox, epoch) => Some(FromAgent::NeedGrant { mailbox, epoch }),
        Answer::StartOver => None,
    }
}

/// Asks for a certificate for a new key and puts both in place.
async fn renew(identity: &Identity, folder: &IdentityFolder, client: &SessionClient) -> Result<(), Problem> {
    let (key, csr) = device_request().map_err(|error| Problem::new(error.code(), error))?;
    let answer = client.renew(RenewRequest { csr, hpke: None }).await;
    let renewed = answer.map_err(|error| Problem::new(error.code(), error))?;
    let fresh = Identity {
        key: Zeroizing::new(key.to_vec()),
        certificate: renewed.certificate,
        anchors: if renewed.anchors.is_empty() { identity.anchors.clone() } else { renewed.anchors },
        ..identity.clone()
    };
    let tag = random().map_err(|error| Problem::new(error.code(), error))?;
    let folder = folder.clone();
    let saved = tokio::task::spawn_blocking(move || folder.save(&fresh, tag)).await;
    match saved {
        Ok(saved) => saved.map_err(|error| Problem::new(error.code(), error)),
        Err(_) => Err(Problem::new("identity-interrupted", "writing the new certificate was interrupted")),
    }
}
