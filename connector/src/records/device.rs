//! A registered device.

use jiff::Timestamp;
use joinery_model::{DeviceId, DeviceKind, MailboxId};
use joinery_seal::DevicePublic;
use joinery_store::RecordKind;
use serde::{Deserialize, Serialize};

use super::{Stored, hex};

/// A device that enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// Its id, also in its certificate.
    pub id: DeviceId,
    /// What the operator calls it; at first what it calls itself.
    pub name: String,
    /// What kind of screen it is.
    pub kind: DeviceKind,
    /// The mailbox that it may show.
    pub mailbox: MailboxId,
    /// Public key that content keys are sealed to.
    #[serde(with = "hex")]
    pub hpke: Vec<u8>,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// End of its newest certificate.
    pub certificate_until: Timestamp,
    /// When it was revoked; it gets nothing since.
    #[serde(default)]
    pub revoked: Option<Timestamp>,
    /// End of its last session.
    #[serde(default)]
    pub last_seen: Option<Timestamp>,
}

impl DeviceRecord {
    /// The public key that content keys are sealed to; `None`: the record holds none.
    pub fn public(&self) -> Option<DevicePublic> {
        self.hpke.as_slice().try_into().ok().map(DevicePublic)
    }
}

impl Stored for DeviceRecord {
    const KIND: RecordKind = RecordKind::Device;
    const NAME: &'static str = "device";

    fn id(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }
}
