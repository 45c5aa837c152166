//! Stored shapes. Numbers in here are on disk: they never change their meaning.

use joinery_model::{Epoch, MailboxId, Revision, RowId};
use joinery_seal::{BlindIndex, Day, Sealed, SealedRow};

/// What a record of the daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// This installation's id.
    Deployment,
    /// The internal certificate authority.
    Authority,
    /// The certificate that agents see.
    ServerCertificate,
    /// A mailbox that is synchronized.
    Mailbox,
    /// A registered device.
    Device,
    /// An invitation for a device.
    Invitation,
}

/// A number that is no kind of record known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no kind of record that this program knows")]
pub struct UnknownRecordKind(pub i64);

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Deployment,
        Self::Authority,
        Self::ServerCertificate,
        Self::Mailbox,
        Self::Device,
        Self::Invitation,
    ];

    /// The kind's stable number, as stored and as bound into the sealed record.
    pub const fn number(self) -> u8 {
        match self {
            Self::Deployment => 1,
            Self::Authority => 2,
            Self::ServerCertificate => 3,
            Self::Mailbox => 4,
            Self::Device => 5,
            Self::Invitation => 6,
        }
    }
}

impl TryFrom<i64> for RecordKind {
    type Error = UnknownRecordKind;

    fn try_from(number: i64) -> Result<Self, UnknownRecordKind> {
        let found = Self::ALL.into_iter().find(|kind| i64::from(kind.number()) == number);
        found.ok_or(UnknownRecordKind(number))
    }
}

/// One of the daemon's own records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Its id among its kind.
    pub id: [u8; 16],
    /// What it can be found by besides; no two records of a kind share one.
    pub index: Option<BlindIndex>,
    /// The content.
    pub sealed: Sealed,
}

/// A content key, wrapped by the key manager.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Whose key; [`MailboxId::DAEMON`] for the daemon's own.
    pub mailbox: MailboxId,
    /// Which of the mailbox's keys.
    pub epoch: Epoch,
    /// What the key manager made of it.
    pub wrapped: Vec<u8>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKey({}, epoch {})", self.mailbox, self.epoch)
    }
}

/// Where a mailbox's list stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The last revision that changed the list; zero: none has.
    pub revision: Revision,
    /// From this revision on the differences are known. Below it, removed rows have been forgotten.
    pub floor: Revision,
    /// State of the synchronization, as the last commit left it.
    pub state: Option<Sealed>,
}

/// What one round changes in a mailbox's list: all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The revision that the changes were computed against. The mailbox must still be there.
    pub from: Revision,
    /// Rows that are new or changed, each sealed for revision `from.next()`.
    pub upserts: Vec<SealedRow>,
    /// Rows that go. One that is not there is no change. A row also in `upserts` stays.
    pub removes: Vec<RowId>,
    /// The last day on which it is remembered that the rows in `removes` were there.
    pub tombstone_until: Day,
    /// New state of the synchronization; `None` leaves the old one.
    pub state: Option<Sealed>,
}

/// What an agent lacks that holds a certain revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Nothing.
    Same {
        /// The revision that both hold.
        revision: Revision,
    },
    /// These rows, each once and as it is now. Rows and ids are in rising order of id.
    Delta {
        /// The revision that was asked about.
        from: Revision,
        /// The revision that the changes lead to.
        to: Revision,
        /// Rows that are new or changed since.
        upserts: Vec<SealedRow>,
        /// Rows that were there and are gone.
        removes: Vec<RowId>,
    },
    /// Everything anew: the differences are not known, or everything is the difference.
    Snapshot {
        /// The revision of the list.
        revision: Revision,
        /// The whole list, in rising order of id.
        rows: Vec<SealedRow>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_numbers_are_stable() {
        let numbers: Vec<u8> = RecordKind::ALL.into_iter().map(RecordKind::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::try_from(i64::from(kind.number())), Ok(kind));
        }
        assert_eq!(RecordKind::try_from(7), Err(UnknownRecordKind(7)));
    }
}
