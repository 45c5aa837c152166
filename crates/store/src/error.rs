//! What can go wrong with a store.

use joinery_model::{Epoch, MailboxId, Revision};

/// Why a store did not do what was asked. What was not acknowledged has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room left where the store keeps its files.
    #[error("no space is left for the database {place}; free some, the connector then goes on by itself")]
    Full {
        /// The database file, or what names the store.
        place: String,
    },
    /// The files are damaged, or are not a database of this program.
    #[error(
        "the database {place} is damaged ({detail}); stop the connector, move {place}* away and restore a backup"
    )]
    Corrupt {
        /// The database file, or what names the store.
        place: String,
        /// What was found.
        detail: String,
    },
    /// A newer version of the program has written the store.
    #[error(
        "the database {place} has schema {found}, this program knows up to {known}; \
         install the newer version, or restore a backup made with this one"
    )]
    Newer {
        /// The database file, or what names the store.
        place: String,
        /// Schema number found.
        found: i64,
        /// Newest schema number known.
        known: i64,
    },
    /// The program may not read or write the files.
    #[error(
        "the database {place} cannot be {action}: permission denied; make it and its folder belong to the connector's user"
    )]
    Permission {
        /// The database file, or what names the store.
        place: String,
        /// "opened" or "written".
        action: &'static str,
    },
    /// The files or their folder are not there.
    #[error(
        "the database {place} cannot be opened: its folder does not exist; create it, or change [store] url"
    )]
    Missing {
        /// The database file, or what names the store.
        place: String,
    },
    /// Another program holds the store longer than is waited for.
    #[error("the database {place} is locked by another program; stop that program, or wait until it is done")]
    Busy {
        /// The database file, or what names the store.
        place: String,
    },
    /// The mailbox has moved on since the commit was computed.
    #[error("mailbox {mailbox} is at revision {at}, not where the change was computed; it is computed again")]
    Conflict {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where it stands.
        at: Revision,
    },
    /// The mailbox already has a key of this epoch. Keys are never overwritten: what they seal would be lost.
    #[error("mailbox {mailbox} already has a content key of epoch {epoch}; the stored one is kept")]
    KeyExists {
        /// The mailbox.
        mailbox: MailboxId,
        /// The epoch.
        epoch: Epoch,
    },
    /// Another record of the kind has the same index.
    #[error("another record of the same kind is already found by the same value; remove that one first")]
    IndexTaken,
    /// A commit whose rows are not sealed for the revision it leads to. A fault of the program.
    #[error(
        "a row for mailbox {mailbox} carries revision {row} in a commit that leads to {next}; please report this"
    )]
    WrongRevision {
        /// The mailbox.
        mailbox: MailboxId,
        /// What the row carries.
        row: Revision,
        /// What it should carry.
        next: Revision,
    },
    /// Reading or writing failed in another way.
    #[error(
        "the database {place} failed: {detail}; see the system's log for disk errors, and `check` when that is solved"
    )]
    Failed {
        /// The database file, or what names the store.
        place: String,
        /// What the system said.
        detail: String,
    },
}

impl StoreError {
    /// Stable name of the error, for scripts and the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "store-full",
            Self::Corrupt { .. } => "store-corrupt",
            Self::Newer { .. } => "store-newer",
            Self::Permission { .. } => "store-permission",
            Self::Missing { .. } => "store-missing",
            Self::Busy { .. } => "store-busy",
            Self::Conflict { .. } => "store-conflict",
            Self::KeyExists { .. } => "store-key-exists",
            Self::IndexTaken => "store-index-taken",
            Self::WrongRevision { .. } => "store-wrong-revision",
            Self::Failed { .. } => "store-failed",
        }
    }

    /// Whether the same thing may work later, without anybody changing the program or its configuration.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Full { .. } | Self::Busy { .. } | Self::Conflict { .. } | Self::Failed { .. } => true,
            Self::Corrupt { .. }
            | Self::Newer { .. }
            | Self::Permission { .. }
            | Self::Missing { .. }
            | Self::KeyExists { .. }
            | Self::IndexTaken
            | Self::WrongRevision { .. } => false,
        }
    }
}
