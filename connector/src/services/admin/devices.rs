//! Devices: invite, list, show, rename, revoke.

use std::time::Duration;

use joinery_model::DeviceKind;
use joinery_pki::ActivationCode;
use joinery_transport::GoodbyeReason;

use super::{AdminError, DeviceLine, InviteAnswer, mailboxes};
use crate::app::App;
use crate::records::{DeviceRecord, InvitationRecord};
use crate::registry::Seen;

/// An activation code may wait this long to be typed.
const LONGEST_TTL: Duration = Duration::from_secs(30 * 86_400);

/// The six look-up digits name one of a million invitations: a few draws always find a free one.
const DRAWS: usize = 16;

/// A name that an operator can read in a table.
const LONGEST_NAME: usize = 64;

pub(super) async fn invite(
    app: &App,
    address: &str,
    kind: DeviceKind,
    ttl_s: u64,
) -> Result<InviteAnswer, AdminError> {
    let ttl = Duration::from_secs(ttl_s);
    if ttl < Duration::from_secs(60) || ttl > LONGEST_TTL {
        return Err(AdminError::usage("ttl", "--ttl is out of bounds; set it to 1m to 30d"));
    }
    let expires = joinery_daemon::now()
        .checked_add(jiff::SignedDuration::try_from(ttl).map_err(AdminError::internal)?)
        .map_err(AdminError::internal)?;
    let _one = app.registry.changes.lock().await;
    let mailbox = mailboxes::find(app, address)?;
    let code = free_code(app).await?;
    let id: [u8; 16] = joinery_daemon::random().map_err(AdminError::internal)?;
    let invitation = InvitationRecord {
        id: id.to_vec(),
        lookup: code.lookup().to_owned(),
        password: code.password().to_owned(),
        mailbox: mailbox.id(),
        kind,
        expires,
        tries: 0,
        outcome: None,
    };
    app.records.put(&invitation).await?;
    tracing::info!(mailbox = %mailbox.id(), %kind, "Device invited");
    let host = app.config.server.names.first().map_or("localhost", String::as_str);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let port = app.listening().enrollment.port();
    Ok(InviteAnswer {
        url: format!("joinery://{host}:{port}/enroll/{}{}", code.lookup(), code.password()),
        code: code.to_string(),
        mailbox: mailbox.record.address.clone(),
        kind,
        expires,
    })
}

async fn free_code(app: &App) -> Result<ActivationCode, AdminError> {
    for _ in 0..DRAWS {
        let code = ActivationCode::from_random(joinery_daemon::random().map_err(AdminError::internal)?);
        if app.records.find::<InvitationRecord>(code.lookup().as_bytes()).await?.is_none() {
            return Ok(code);
        }
    }
    Err(AdminError::failed("invitations", "too many invitations are open; let some expire first"))
}

/// A device by its id, the beginning of its id (four digits at least), or its name.
fn find(app: &App, wanted: &str) -> Result<DeviceRecord, AdminError> {
    let matches = |record: &DeviceRecord| {
        let id = record.id.to_string();
        record.name == wanted || id == wanted || (wanted.len() >= 4 && id.starts_with(wanted))
    };
    if let Some(exact) = app.registry.all().into_iter().find(|(record, ..)| record.id.to_string() == wanted) {
        return Ok(exact.0);
    }
    let mut found: Vec<_> =
        app.registry.all().into_iter().map(|(record, ..)| record).filter(matches).collect();
    match (found.pop(), found.is_empty()) {
        (Some(record), true) => Ok(record),
        (Some(_), false) => {
            let message = format!("{wanted:?} names several devices; use the id that `device list` shows");
            Err(AdminError::usage("device-ambiguous", message))
        }
        (None, _) => {
            let message = format!("no device is called {wanted:?}; `device list` shows them all");
            Err(AdminError::failed("device-unknown", message))
        }
    }
}

pub(super) fn list(app: &App) -> Vec<DeviceLine> {
    app.registry.all().into_iter().map(|(record, seen, here)| line(app, record, seen, here)).collect()
}

pub(super) fn show(app: &App, wanted: &str) -> Result<DeviceLine, AdminError> {
    let id = find(app, wanted)?.id;
    let found = app.registry.all().into_iter().find(|(record, ..)| record.id == id);
    let (record, seen, here) = found.ok_or_else(|| AdminError::internal("the device left meanwhile"))?;
    Ok(line(app, record, seen, here))
}

pub(super) async fn rename(app: &App, wanted: &str, name: &str) -> Result<DeviceLine, AdminError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        let message = format!("a name has 1 to {LONGEST_NAME} printable characters");
        return Err(AdminError::usage("name", message));
    }
    let id = find(app, wanted)?.id;
    app.change_device(id, |record| record.name = name.to_owned()).await?;
    show(app, &id.to_string())
}

/// Durable first, then the session is cut.
pub(super) async fn revoke(app: &App, wanted: &str) -> Result<DeviceLine, AdminError> {
    let id = find(app, wanted)?.id;
    let now = joinery_daemon::now();
    app.change_device(id, |record| {
        record.revoked.get_or_insert(now);
    })
    .await?;
    tracing::info!(device = %id, "Device revoked");
    app.registry.dismiss(id, GoodbyeReason::Revoked);
    show(app, &id.to_string())
}

fn line(app: &App, record: DeviceRecord, seen: Seen, here: bool) -> DeviceLine {
    let state = match (record.revoked, here) {
        (Some(_), _) => "revoked",
        (None, true) => "online",
        (None, false) => "offline",
    };
    DeviceLine {
        id: record.id.to_string(),
        name: record.name,
        kind: record.kind,
        mailbox: app.roster.by_id(record.mailbox).map(|mailbox| mailbox.record.address.clone()),
        state: state.to_owned(),
        agent_version: Some(seen.agent_version).filter(|version| !version.is_empty()),
        drivers: seen.drivers,
        acknowledged: seen.acknowledged.map(|revision| revision.0),
        listed: seen.listed,
        shown: seen.shown,
        clock_ahead_s: seen.clock_ahead_s,
        problem: seen.problem.map(|(_, code)| code),
        enrolled: record.enrolled,
        certificate_until: record.certificate_until,
        last_seen: record.last_seen,
        revoked: record.revoked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_revocation_survives_whatever_else_is_changed_meanwhile() {
        let test = testing::app().await;
        let app = &test.app;
        let mailbox = testing::mailbox(app, "room@contoso.example").await;
        testing::device(app, &mailbox, "Panel").await;
        let (revoked, renamed) = tokio::join!(revoke(app, "Panel"), rename(app, "Panel", "Board"));
        assert!(revoked.is_ok() && renamed.is_ok());
        let kept = app.records.all::<DeviceRecord>().await.unwrap().remove(0);
        assert!(kept.revoked.is_some() && kept.name == "Board");
        assert_eq!(show(app, "Board").unwrap().state, "revoked");
    }

    #[tokio::test]
    async fn the_id_of_a_device_names_it_whatever_another_calls_itself() {
        let test = testing::app().await;
        let app = &test.app;
        let mailbox = testing::mailbox(app, "room@contoso.example").await;
        let panel = testing::device(app, &mailbox, "Panel").await.to_string();
        testing::device(app, &mailbox, &panel).await;
        assert_eq!(find(app, &panel).unwrap().name, "Panel");
    }
}
