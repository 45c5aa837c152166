//! An invitation: the connector's half of an activation code.

use std::fmt;

use jiff::Timestamp;
use joinery_model::{DeviceId, DeviceKind, MailboxId};
use joinery_store::RecordKind;
use serde::{Deserialize, Serialize};

use super::{Stored, hex};

/// Wrong tries after which an invitation is burned.
const MAX_TRIES: u32 = 5;

/// An invitation for one device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRecord {
    /// Its id here.
    #[serde(with = "hex")]
    pub id: Vec<u8>,
    /// The first six digits, by which it is found.
    pub lookup: String,
    /// The other ten, the password.
    pub password: String,
    /// The mailbox that the device may show.
    pub mailbox: MailboxId,
    /// What kind of device is invited.
    pub kind: DeviceKind,
    /// When it ends.
    pub expires: Timestamp,
    /// Runs that were begun and did not end with a right proof.
    pub tries: u32,
    /// What was answered, once it was.
    #[serde(default)]
    pub outcome: Option<Outcome>,
}

/// The answer that was given: repeated to the same request, so that a lost reply does not burn the code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Hash of the request that was answered.
    #[serde(with = "hex")]
    pub request_hash: Vec<u8>,
    /// The device that came of it.
    pub device: DeviceId,
    /// Its certificate, DER.
    #[serde(with = "hex")]
    pub certificate: Vec<u8>,
}

impl fmt::Debug for InvitationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationRecord(..)")
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outcome(..)")
    }
}

impl InvitationRecord {
    /// Whether a run may begin: not over, not burned.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires && self.tries < MAX_TRIES
    }
}

impl Stored for InvitationRecord {
    const KIND: RecordKind = RecordKind::Invitation;
    const NAME: &'static str = "invitation";

    fn id(&self) -> [u8; 16] {
        self.id.as_slice().try_into().unwrap_or_default()
    }

    fn index(&self) -> Option<&[u8]> {
        Some(self.lookup.as_bytes())
    }
}
