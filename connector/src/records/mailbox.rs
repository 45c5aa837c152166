//! A mailbox that is synced.

use jiff::Timestamp;
use joinery_model::{MailboxAddress, MailboxId, TenantName};
use joinery_store::RecordKind;
use serde::{Deserialize, Serialize};

use super::Stored;

/// Whose calendar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    /// A person's.
    User,
    /// A room's.
    Room,
}

impl std::fmt::Display for MailboxKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Room => "room",
        })
    }
}

/// A mailbox as the operator added it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRecord {
    /// Its id here.
    pub id: MailboxId,
    /// Its address at Microsoft.
    pub address: MailboxAddress,
    /// Whose calendar it is.
    pub kind: MailboxKind,
    /// The tenant it belongs to.
    pub tenant: TenantName,
    /// When it was added.
    pub added: Timestamp,
}

impl Stored for MailboxRecord {
    const KIND: RecordKind = RecordKind::Mailbox;
    const NAME: &'static str = "mailbox";

    fn id(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }

    fn index(&self) -> Option<&[u8]> {
        Some(self.address.as_str().as_bytes())
    }
}
