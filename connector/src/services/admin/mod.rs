//! The admin socket: what the command line asks of the running daemon.

mod answer;
mod devices;
mod mailboxes;
mod request;
mod status;

use std::sync::Arc;

use serde_json::Value;

pub use answer::{
    AdminError, DeviceLine, InviteAnswer, KeysLine, MailboxLine, MailboxProblem, StatusAnswer, StoreLine,
    TenantLine,
};
pub use request::AdminRequest;

use crate::app::App;

/// Answers one request.
///
/// # Errors
/// [`AdminError`]: what is wrong and what to do, and whether the call itself was wrong.
pub async fn answer(app: &Arc<App>, request: AdminRequest) -> Result<Value, AdminError> {
    let value = match request {
        AdminRequest::Status => serde_json::to_value(status::status(app).await?),
        AdminRequest::MailboxAdd { address, kind } => {
            serde_json::to_value(mailboxes::add(app, &address, kind).await?)
        }
        AdminRequest::MailboxList => serde_json::to_value(mailboxes::list(app)),
        AdminRequest::MailboxShow { address } => serde_json::to_value(mailboxes::show(app, &address)?),
        AdminRequest::MailboxRemove { address } => {
            serde_json::to_value(mailboxes::remove(app, &address).await?)
        }
        AdminRequest::MailboxResync { address } => {
            serde_json::to_value(mailboxes::resync(app, &address).await?)
        }
        AdminRequest::DeviceInvite { address, kind, ttl_s } => {
            serde_json::to_value(devices::invite(app, &address, kind, ttl_s).await?)
        }
        AdminRequest::DeviceList => serde_json::to_value(devices::list(app)),
        AdminRequest::DeviceShow { device } => serde_json::to_value(devices::show(app, &device)?),
        AdminRequest::DeviceRename { device, name } => {
            serde_json::to_value(devices::rename(app, &device, &name).await?)
        }
        AdminRequest::DeviceRevoke { device } => serde_json::to_value(devices::revoke(app, &device).await?),
    };
    value.map_err(AdminError::internal)
}
