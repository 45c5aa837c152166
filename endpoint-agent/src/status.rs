//! What `status --json` prints.

use std::collections::BTreeMap;

use jiff::Timestamp;
use joinery_model::{DeploymentId, DeviceId, MailboxAddress, MailboxId, Revision, RowId, StoreId};
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::holdings::View;
use crate::listing::Connection;
use crate::session::LinkState;

/// How the agent is. No subject and no address: ids, times and counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusJson {
    /// Version of the program.
    pub version: String,
    /// Whether the daemon runs.
    pub running: bool,
    /// Whether this device is enrolled.
    pub enrolled: bool,
    /// The device.
    pub device: Option<DeviceId>,
    /// The installation.
    pub deployment: Option<DeploymentId>,
    /// Where its connector is.
    pub connector: Option<ConnectorJson>,
    /// Whether a session runs.
    pub connection: Connection,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What stands in the way.
    pub problem: Option<ProblemJson>,
    /// The certificate.
    pub certificate: Option<CertificateJson>,
    /// Seconds by which this device's clock is ahead of the connector's.
    pub clock_ahead_s: Option<f64>,
    /// When the list was last known to be up to date.
    pub as_of: Option<Timestamp>,
    /// The last change is not on the disk.
    pub unsaved: bool,
    /// Lists that are held.
    pub mailboxes: Vec<MailboxJson>,
    /// How many meetings are listed.
    pub listed: usize,
    /// Whose Join button is on.
    pub buttons: Vec<RowId>,
    /// Drivers that are on and how they are.
    pub drivers: BTreeMap<String, String>,
}

/// Where the connector is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorJson {
    /// Name or address.
    pub host: String,
    /// Port of sessions.
    pub port: u16,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemJson {
    /// Stable name.
    pub code: String,
    /// What to do, in words.
    pub message: String,
}

/// The device certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateJson {
    /// Good from here,
    pub not_before: Timestamp,
    /// to here.
    pub not_after: Timestamp,
    /// When a new one is asked for.
    pub renews: Timestamp,
}

/// One mailbox's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxJson {
    /// The mailbox, as the connector names it.
    pub mailbox: MailboxId,
    /// Its address.
    pub address: Option<MailboxAddress>,
    /// The life of the connector's store.
    pub store_id: Option<StoreId>,
    /// The last revision held.
    pub revision: Revision,
    /// Meetings held.
    pub meetings: usize,
    /// Meetings that cannot be opened.
    pub unreadable: usize,
}

impl StatusJson {
    /// Puts together what the parts of the program know.
    pub fn of(
        running: bool,
        link: &LinkState,
        view: &View,
        board: &Board,
        drivers: BTreeMap<&'static str, String>,
    ) -> Self {
        let enrolled = link.enrolled.as_ref();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running,
            enrolled: enrolled.is_some(),
            device: enrolled.map(|enrolled| enrolled.device),
            deployment: enrolled.map(|enrolled| enrolled.deployment),
            connector: enrolled
                .map(|enrolled| ConnectorJson { host: enrolled.host.clone(), port: enrolled.port }),
            connection: link.connection,
            since: link.since,
            problem: link
                .problem
                .as_ref()
                .map(|problem| ProblemJson { code: problem.code.clone(), message: problem.message.clone() }),
            certificate: enrolled.and_then(|enrolled| enrolled.certificate).map(|renewal| CertificateJson {
                not_before: renewal.not_before,
                not_after: renewal.not_after,
                renews: renewal.due,
            }),
            clock_ahead_s: link.clock_ahead.map(|ahead| ahead.as_secs_f64()),
            as_of: view.as_of,
            unsaved: view.unsaved,
            mailboxes: view
                .lists
                .iter()
                .map(|list| MailboxJson {
                    mailbox: list.mailbox,
                    address: list.address.clone(),
                    store_id: list.store_id,
                    revision: list.revision,
                    meetings: list.rows,
                    unreadable: list.unreadable,
                })
                .collect(),
            listed: board.entries.len(),
            buttons: board.shown.entries().map(|entry| entry.id).collect(),
            drivers: drivers.into_iter().map(|(name, state)| (name.to_owned(), state)).collect(),
        }
    }
}
