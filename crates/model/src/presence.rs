//! Whether a person is there, as their automatic replies say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A mailbox's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presence {
    /// The state now.
    pub state: PresenceState,
    /// When it ends, where that is known.
    pub until: Option<Timestamp>,
}

/// The two states that automatic replies can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// No automatic reply is in force.
    #[default]
    Available,
    /// An automatic reply is in force.
    OutOfOffice,
}
