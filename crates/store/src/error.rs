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

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences as operators and scripts see them.
    #[test]
    fn each_error_has_its_sentence() {
        let check = |error: StoreError, retryable: bool, code: &str, sentence: &str| {
            assert_eq!(error.to_string(), sentence);
            assert_eq!((error.code(), error.is_retryable()), (code, retryable));
        };
        let place = || "/d/c.db".to_owned();
        let mailbox = MailboxId::from_bytes([0xa1; 16]);
        check(
            StoreError::Full { place: place() },
            true,
            "store-full",
            "no space is left for the database /d/c.db; free some, the connector then goes on by itself",
        );
        check(
            StoreError::Corrupt { place: place(), detail: "page 3".into() },
            false,
            "store-corrupt",
            "the database /d/c.db is damaged (page 3); stop the connector, move /d/c.db* away and restore a backup",
        );
        check(
            StoreError::Newer { place: place(), found: 9, known: 1 },
            false,
            "store-newer",
            "the database /d/c.db has schema 9, this program knows up to 1; install the newer version, or restore a \
             backup made with this one",
        );
        check(
            StoreError::Permission { place: place(), action: "opened" },
            false,
            "store-permission",
            "the database /d/c.db cannot be opened: permission denied; make it and its folder belong to the \
             connector's user",
        );
        check(
            StoreError::Missing { place: place() },
            false,
            "store-missing",
            "the database /d/c.db cannot be opened: its folder does not exist; create it, or change [store] url",
        );
        check(
            StoreError::Busy { place: place() },
            true,
            "store-busy",
            "the database /d/c.db is locked by another program; stop that program, or wait until it is done",
        );
        check(
            StoreError::Conflict { mailbox, at: Revision(4) },
            true,
            "store-conflict",
            "mailbox a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 is at revision 4, not where the change was computed; it is \
             computed again",
        );
        check(
            StoreError::KeyExists { mailbox, epoch: Epoch(2) },
            false,
            "store-key-exists",
            "mailbox a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 already has a content key of epoch 2; the stored one is kept",
        );
        check(
            StoreError::IndexTaken,
            false,
            "store-index-taken",
            "another record of the same kind is already found by the same value; remove that one first",
        );
        check(
            StoreError::WrongRevision { mailbox, row: Revision(7), next: Revision(2) },
            false,
            "store-wrong-revision",
            "a row for mailbox a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 carries revision 7 in a commit that leads to 2; \
             please report this",
        );
        check(
            StoreError::Failed { place: place(), detail: "disk I/O error".into() },
            true,
            "store-failed",
            "the database /d/c.db failed: disk I/O error; see the system's log for disk errors, and `check` when that \
             is solved",
        );
    }
}
