//! Mailboxes: add, list, show, remove, resync.

use std::sync::Arc;

use joinery_model::{MailboxAddress, MailboxId, Revision, TenantName};

use super::{AdminError, MailboxLine, MailboxProblem};
use crate::app::App;
use crate::records::{DeviceRecord, InvitationRecord, MailboxKind, MailboxRecord, Stored};
use crate::roster::Mailbox;

pub(super) fn parse(address: &str) -> Result<MailboxAddress, AdminError> {
    address.parse().map_err(|error| AdminError::usage("address", format!("{address:?} {error}")))
}

pub(super) fn find(app: &App, address: &str) -> Result<Arc<Mailbox>, AdminError> {
    let address = parse(address)?;
    app.roster.by_address(&address).ok_or_else(|| {
        let message = format!("mailbox {} is not synced; add it with `mailbox add`", address.as_str());
        AdminError::failed("mailbox-unknown", message)
    })
}

pub(super) async fn add(app: &App, address: &str, kind: MailboxKind) -> Result<MailboxLine, AdminError> {
    let address = parse(address)?;
    let tenant = tenant_of(app, &address).await?;
    let _one = app.registry.changes.lock().await;
    if app.roster.by_address(&address).is_some() {
        let message = format!("mailbox {} is synced already", address.as_str());
        return Err(AdminError::failed("mailbox-known", message));
    }
    let record = MailboxRecord {
        id: MailboxId::from_bytes(joinery_daemon::random().map_err(AdminError::internal)?),
        tenant,
        address,
        kind,
        added: joinery_daemon::now(),
    };
    app.records.put(&record).await?;
    tracing::info!(mailbox = %record.id, tenant = %record.tenant, "Mailbox added");
    let mailbox = app.roster.add(record, Revision(0));
    app.sync.add(mailbox.id()).await;
    Ok(line(&mailbox))
}

/// The tenant that owns the address's domain: as configured, else as Graph says; a single tenant without `domains`
/// owns every address.
async fn tenant_of(app: &App, address: &MailboxAddress) -> Result<TenantName, AdminError> {
    let domain = address.domain();
    let tenants = &app.config.tenants;
    if let Some(owner) = tenants.iter().find(|tenant| tenant.domains.iter().any(|known| known == domain)) {
        return Ok(owner.name.clone());
    }
    if let [only] = tenants.as_slice()
        && only.domains.is_empty()
    {
        return Ok(only.name.clone());
    }
    for tenant in tenants.iter().filter(|tenant| tenant.domains.is_empty()) {
        let Some(graph) = app.graphs.get(&tenant.name) else { continue };
        let domains = graph.domains().await.map_err(|error| {
            let message = format!("tenant {} does not tell its domains: {error}", tenant.name);
            AdminError::failed(error.code(), message)
        })?;
        if domains.iter().any(|known| known.eq_ignore_ascii_case(domain)) {
            return Ok(tenant.name.clone());
        }
    }
    let message = format!("no tenant owns the domain {domain}; add it to `domains` of its [[tenant]] table");
    Err(AdminError::usage("tenant-unknown", message))
}

pub(super) fn list(app: &App) -> Vec<MailboxLine> {
    app.roster.all().iter().map(|mailbox| line(mailbox)).collect()
}

pub(super) fn show(app: &App, address: &str) -> Result<MailboxLine, AdminError> {
    Ok(line(&*find(app, address)?))
}

/// Erases rows and every wrapped key of the mailbox, then its devices, its invitations and its own record, all at once.
/// Only then it leaves the roster, so that a removal that failed can be repeated.
pub(super) async fn remove(app: &App, address: &str) -> Result<MailboxLine, AdminError> {
    let mailbox = find(app, address)?;
    let gone = line(&mailbox);
    if let Err(error) = erase(app, &mailbox).await {
        let sentence = format!("its removal was interrupted, remove it once more: {error}");
        mailbox.failed(joinery_daemon::now(), "mailbox-half-removed", sentence);
        return Err(error);
    }
    tracing::info!(mailbox = %mailbox.id(), "Mailbox removed and its keys shredded");
    Ok(gone)
}

async fn erase(app: &App, mailbox: &Mailbox) -> Result<(), AdminError> {
    let id = mailbox.id();
    mailbox.close();
    app.sync.remove(id).await;
    let _writer = mailbox.writer.lock().await;
    let _changes = app.registry.changes.lock().await;
    app.registry.forget_mailbox(id);
    app.store.remove_mailbox(id).await?;
    app.keyring.forget(id).await;
    let devices = app.records.all::<DeviceRecord>().await?;
    let invitations = app.records.all::<InvitationRecord>().await?;
    let mut deletes = vec![(MailboxRecord::KIND, mailbox.record.id())];
    deletes
        .extend(devices.iter().filter(|of| of.mailbox == id).map(|device| (DeviceRecord::KIND, device.id())));
    let invitations = invitations.iter().filter(|of| of.mailbox == id);
    deletes.extend(invitations.map(|invitation| (InvitationRecord::KIND, invitation.id())));
    app.store.put_records(Vec::new(), deletes).await?;
    app.roster.remove(id);
    Ok(())
}

pub(super) async fn resync(app: &App, address: &str) -> Result<MailboxLine, AdminError> {
    let mailbox = find(app, address)?;
    mailbox.ask_for_resync();
    app.sync.may_have_changed(mailbox.id()).await;
    Ok(line(&mailbox))
}

pub(super) fn line(mailbox: &Mailbox) -> MailboxLine {
    let progress = mailbox.progress();
    let state = match (&progress.problem, progress.last_round) {
        (Some(_), _) => "failing",
        (None, Some(_)) => "ok",
        (None, None) => "waiting",
    };
    MailboxLine {
        id: mailbox.id().to_string(),
        address: mailbox.record.address.clone(),
        kind: mailbox.record.kind,
        tenant: mailbox.record.tenant.to_string(),
        state: state.to_owned(),
        revision: mailbox.revision().0,
        meetings: progress.meetings,
        skipped: progress.skipped,
        last_read: progress.last_round,
        problem: progress.problem.map(|problem| MailboxProblem {
            code: problem.code.to_owned(),
            message: problem.sentence,
            since: problem.since,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_mailbox_is_added_once() {
        let test = testing::app().await;
        let (app, room) = (&test.app, "room@contoso.example");
        let (first, second) =
            tokio::join!(add(app, room, MailboxKind::Room), add(app, room, MailboxKind::Room));
        assert!(first.is_ok());
        assert_eq!(second.unwrap_err().code, "mailbox-known");
    }
}
