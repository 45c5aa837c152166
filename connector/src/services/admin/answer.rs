//! What is answered: the JSON that `--json` prints.

use jiff::Timestamp;
use joinery_daemon::control::Refusal;
use joinery_model::{DeviceKind, MailboxAddress};
use serde::{Deserialize, Serialize};

use crate::keyring::KeyringError;
use crate::records::{MailboxKind, RecordError};

/// Why a request was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// Stable.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// The call was wrong, not the state of things: exit code 2.
    pub usage: bool,
}

impl AdminError {
    /// The call was wrong.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), usage: true }
    }

    /// The call was right, but it cannot be done.
    pub fn failed(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), usage: false }
    }

    /// Something that should not happen.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::failed("internal", error.to_string())
    }
}

impl From<AdminError> for Refusal {
    fn from(error: AdminError) -> Self {
        Self { code: error.code, message: error.message, wrong_call: error.usage }
    }
}

impl From<RecordError> for AdminError {
    fn from(error: RecordError) -> Self {
        Self::failed("records", error.to_string())
    }
}

impl From<KeyringError> for AdminError {
    fn from(error: KeyringError) -> Self {
        Self::failed("keys", error.to_string())
    }
}

impl From<joinery_store::StoreError> for AdminError {
    fn from(error: joinery_store::StoreError) -> Self {
        Self::failed(error.code(), error.to_string())
    }
}

/// A mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailboxLine {
    /// Its id in logs and metrics.
    pub id: String,
    /// Its address.
    pub address: MailboxAddress,
    /// Whose calendar it is.
    pub kind: MailboxKind,
    /// Its tenant.
    pub tenant: String,
    /// `waiting` (not read yet), `ok` or `failing`.
    pub state: String,
    /// Where its list stands.
    pub revision: u64,
    /// Meetings in the window.
    pub meetings: usize,
    /// Calendar entries that could not be understood.
    pub skipped: u32,
    /// When it was last read.
    pub last_read: Option<Timestamp>,
    /// What is wrong, if anything.
    pub problem: Option<MailboxProblem>,
}

/// What is wrong with a mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailboxProblem {
    /// Stable.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// A device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What kind of screen it is.
    pub kind: DeviceKind,
    /// Address of the mailbox that it may show.
    pub mailbox: Option<MailboxAddress>,
    /// `online`, `offline` or `revoked`.
    pub state: String,
    /// Version of its agent, if it was here since the start.
    pub agent_version: Option<String>,
    /// Its drivers.
    pub drivers: Vec<String>,
    /// Newest revision that is durable on it.
    pub acknowledged: Option<u64>,
    /// Meetings that it lists.
    pub listed: u32,
    /// Join buttons that it shows.
    pub shown: usize,
    /// How far its clock is ahead, in seconds.
    pub clock_ahead_s: i64,
    /// What it could not take, by code.
    pub problem: Option<String>,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// End of its certificate.
    pub certificate_until: Timestamp,
    /// End of its last session.
    pub last_seen: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// An activation code.
#[derive(Clone, Serialize, Deserialize)]
pub struct InviteAnswer {
    /// Sixteen digits in groups of four.
    pub code: String,
    /// The same for `joinery-agent enroll URL`.
    pub url: String,
    /// The mailbox that the device may show.
    pub mailbox: MailboxAddress,
    /// What kind of device.
    pub kind: DeviceKind,
    /// When the code ends.
    pub expires: Timestamp,
}

impl std::fmt::Debug for InviteAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InviteAnswer(..)")
    }
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantLine {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is asked.
    pub graph_url: String,
    /// `waiting`, `ok` or `failing`: whether any of its mailboxes was read without a problem.
    pub state: String,
    /// Mailboxes that are synced.
    pub mailboxes: usize,
}

/// What the daemon is doing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Version of the connector.
    pub version: String,
    /// Id of this installation.
    pub deployment: String,
    /// When the daemon started.
    pub started: Timestamp,
    /// Where agents come: sessions, enrollment.
    pub listen: [String; 2],
    /// Tenants.
    pub graph: Vec<TenantLine>,
    /// Key manager and its state.
    pub keys: KeysLine,
    /// Where sealed rows are.
    pub store: StoreLine,
    /// How changes are noticed.
    pub notifications: String,
    /// Mailboxes.
    pub mailboxes: Vec<MailboxLine>,
    /// Devices.
    pub devices: Vec<DeviceLine>,
}

/// The key manager.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeysLine {
    /// Which.
    pub provider: String,
    /// `ok`, or what is wrong.
    pub state: String,
}

/// The store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreLine {
    /// What kind.
    pub kind: String,
    /// Which life of it this is.
    pub id: String,
    /// `ok`, or what is wrong.
    pub state: String,
}
