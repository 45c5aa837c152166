//! How the connection to the connector is, as the rest of the program and a person see it.

use jiff::{SignedDuration, Timestamp};
use joinery_model::{DeploymentId, DeviceId};

use crate::listing::Connection;

/// How things are with the connector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkState {
    /// Who this device is and where its connector is. `None`: it is not enrolled.
    pub enrolled: Option<Enrolled>,
    /// Whether a session runs.
    pub connection: Connection,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What stands in the way.
    pub problem: Option<Problem>,
    /// How far this device's clock is ahead of the connector's.
    pub clock_ahead: Option<SignedDuration>,
}

/// Who this device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device.
    pub device: DeviceId,
    /// The installation.
    pub deployment: DeploymentId,
    /// The connector's host.
    pub host: String,
    /// The connector's port for sessions.
    pub port: u16,
    /// The certificate's life and its next renewal.
    pub certificate: Option<super::Renewal>,
}

/// What stands in the way, for people and for scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable name.
    pub code: String,
    /// A sentence that says what to do.
    pub message: String,
}

impl Problem {
    /// A problem from an error's code and sentence.
    pub fn new(code: &str, message: impl ToString) -> Self {
        Self { code: code.to_owned(), message: message.to_string() }
    }
}
