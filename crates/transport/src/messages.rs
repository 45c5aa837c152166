//! What connector and agent say to each other in a session, in the words of the domain.

use std::time::Duration;

use jiff::Timestamp;
use joinery_model::{DeviceKind, Epoch, MailboxId, Revision, RowId, StoreId, TenantName};
use joinery_seal::{DevicePublic, Sealed, SealedGrant, SealedRow};

/// The agent's first word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Version of the program. Printable, at most 64 characters.
    pub agent_version: String,
    /// What the device holds.
    pub have: Vec<Have>,
    /// The device's clock.
    pub now: Timestamp,
    /// Drivers that are on, for the operator. Printable, at most 64 characters each.
    pub drivers: Vec<String>,
}

/// What the device holds of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The life of the store that the revision belongs to.
    pub store_id: StoreId,
    /// The last revision that is durable on the device.
    pub revision: Revision,
    /// Epochs that the device has grants of.
    pub epochs: Vec<Epoch>,
}

/// What the operator decides for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSettings {
    /// Shared or one person's own.
    pub kind: DeviceKind,
    /// How long before the start the Join button appears. Whole seconds travel.
    pub button_lead: Duration,
    /// How far back the device keeps meetings. Whole seconds travel.
    pub past: Duration,
    /// How far ahead the device keeps meetings. Whole seconds travel.
    pub future: Duration,
}

/// Why the connector ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoodbyeReason {
    /// The device may not come any more.
    Revoked,
    /// The same device opened another session.
    Replaced,
    /// The connector stops; another may be there, or this one again soon.
    Shutdown,
    /// The device did not read.
    Slow,
    /// A reason that only a newer version knows. The session ends all the same.
    Other,
}

/// From the connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToAgent {
    /// The answer to [`Hello`].
    Welcome {
        /// The connector's clock.
        server_time: Timestamp,
        /// The life of the store that revisions belong to.
        store_id: StoreId,
        /// What the operator decides.
        settings: DeviceSettings,
    },
    /// A content key, sealed to the device.
    Grant {
        /// Whose key.
        mailbox: MailboxId,
        /// The tenant that the seal binds.
        tenant: TenantName,
        /// Which of the mailbox's keys.
        epoch: Epoch,
        /// The key.
        grant: SealedGrant,
        /// The mailbox's address, sealed under that key; `None`: an older connector does not tell it.
        address: Option<Sealed>,
    },
    /// A mailbox's whole list; replaces what the device holds. Travels in parts and arrives whole or not at all.
    Snapshot {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where the list stands.
        revision: Revision,
        /// Its rows.
        rows: Vec<SealedRow>,
    },
    /// What changed since `from`. Travels in parts where it is large and arrives whole or not at all.
    Delta {
        /// The mailbox.
        mailbox: MailboxId,
        /// What the device must hold for the difference to apply.
        from: Revision,
        /// What it holds then.
        to: Revision,
        /// New and changed rows.
        upserts: Vec<SealedRow>,
        /// Rows that are gone.
        removes: Vec<RowId>,
    },
    /// The device now holds everything up to this revision.
    Synced {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where its list stands.
        revision: Revision,
    },
    /// The certificate should be renewed now.
    RenewNow,
    /// The last message of a session that the connector ends.
    Goodbye(GoodbyeReason),
}

/// From the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromAgent {
    /// This revision is durable on the device.
    Ack {
        /// The mailbox.
        mailbox: MailboxId,
        /// The revision.
        revision: Revision,
    },
    /// This revision cannot be taken; it is not to be sent again until it changes.
    Nack {
        /// The mailbox.
        mailbox: MailboxId,
        /// The revision.
        revision: Revision,
        /// Stable name of what is wrong. Printable, at most 64 characters.
        code: String,
    },
    /// Rows came that are sealed under a key that the device lacks.
    NeedGrant {
        /// The mailbox.
        mailbox: MailboxId,
        /// The key that is lacking.
        epoch: Epoch,
    },
    /// What the device shows; ids and counts only.
    Report {
        /// Meetings whose Join button is on.
        shown: Vec<RowId>,
        /// How many meetings are listed.
        listed: u32,
    },
}

/// A request for a new certificate, made over the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewRequest {
    /// PKCS#10, DER, for a new key.
    pub csr: Vec<u8>,
    /// A new HPKE key; `None`: it stays.
    pub hpke: Option<DevicePublic>,
}

/// The answer to [`RenewRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The new certificate, DER.
    pub certificate: Vec<u8>,
    /// What the device trusts from now on, DER.
    pub anchors: Vec<Vec<u8>>,
}
