//! Where a Join button leads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The one address to join a meeting by. At least one of `url` and `sip` is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinTarget {
    /// What a person's click opens: `https` or `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What a room system dials: `user@host`, without scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<String>,
    /// Whose meeting it is: `webex`, `zoom`, `teams`, `meet`, `sip`, …
    pub provider: String,
    /// The meeting's number or code, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting_id: Option<String>,
    /// What the meeting asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
}

impl fmt::Debug for JoinTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinTarget({}, ..)", self.provider)
    }
}
