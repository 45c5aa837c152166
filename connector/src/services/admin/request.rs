//! What can be asked.

use joinery_model::DeviceKind;
use serde::{Deserialize, Serialize};

use crate::records::MailboxKind;

/// One request on the admin socket, as a JSON line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdminRequest {
    /// What the daemon is doing.
    Status,
    /// Sync a mailbox.
    MailboxAdd {
        /// Its address.
        address: String,
        /// Whose calendar it is.
        kind: MailboxKind,
    },
    /// All mailboxes.
    MailboxList,
    /// One mailbox.
    MailboxShow {
        /// Its address.
        address: String,
    },
    /// Erase a mailbox and shred its keys.
    MailboxRemove {
        /// Its address.
        address: String,
    },
    /// Read a mailbox anew.
    MailboxResync {
        /// Its address.
        address: String,
    },
    /// An activation code.
    DeviceInvite {
        /// Address of the mailbox that the device may show.
        address: String,
        /// What kind of device.
        kind: DeviceKind,
        /// Seconds for which the code is good.
        ttl_s: u64,
    },
    /// All devices.
    DeviceList,
    /// One device.
    DeviceShow {
        /// Its id, the beginning of it, or its name.
        device: String,
    },
    /// Call a device something else.
    DeviceRename {
        /// Its id, the beginning of it, or its name.
        device: String,
        /// The new name.
        name: String,
    },
    /// Cut a device off for good.
    DeviceRevoke {
        /// Its id, the beginning of it, or its name.
        device: String,
    },
}
