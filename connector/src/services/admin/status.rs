//! `status`: everything at a glance.

use super::{AdminError, KeysLine, StatusAnswer, StoreLine, TenantLine, devices, mailboxes};
use crate::app::App;

pub(super) async fn status(app: &App) -> Result<StatusAnswer, AdminError> {
    let mailboxes = mailboxes::list(app);
    let graph = app
        .config
        .tenants
        .iter()
        .map(|tenant| {
            let mine = mailboxes.iter().filter(|mailbox| mailbox.tenant == tenant.name.as_str());
            let any = |state: &str| mine.clone().any(|mailbox| mailbox.state == state);
            let state = match (any("ok"), any("failing")) {
                (true, _) => "ok",
                (false, true) => "failing",
                (false, false) => "waiting",
            };
            TenantLine {
                name: tenant.name.to_string(),
                graph_url: tenant.graph_url.to_string(),
                state: state.to_owned(),
                mailboxes: mine.clone().count(),
            }
        })
        .collect();
    let state = |result: Result<(), String>| result.err().unwrap_or_else(|| "ok".to_owned());
    let listening = app.listening();
    Ok(StatusAnswer {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        deployment: app.deployment.to_string(),
        started: app.started,
        listen: [listening.sessions.to_string(), listening.enrollment.to_string()],
        graph,
        keys: KeysLine {
            provider: app.keyring.kms().describe(),
            state: state(app.keyring.kms().health().await.map_err(|error| error.to_string())),
        },
        store: StoreLine {
            kind: "sqlite".to_owned(),
            id: app.store_id.to_string(),
            state: state(app.store.store_id().await.map(|_| ()).map_err(|error| error.to_string())),
        },
        notifications: "off".to_owned(),
        mailboxes,
        devices: devices::list(app),
    })
}
