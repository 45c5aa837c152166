//! The port itself.

use async_trait::async_trait;
use joinery_model::{MailboxId, Revision, RowId, StoreId};
use joinery_seal::{BlindIndex, Day, SealedRow};

use crate::{Changes, Commit, Head, Record, RecordKind, StoreError, StoredKey};

/// Where sealed rows, records and wrapped keys are kept.
///
/// Every write is durable when it returns, and has changed nothing when it fails. Every call may fail with the
/// conditions of the place it stores in ([`StoreError::Full`], [`StoreError::Corrupt`], [`StoreError::Permission`],
/// [`StoreError::Busy`], [`StoreError::Failed`]); what it can fail with besides stands at the call.
#[async_trait]
pub trait Store: Send + Sync {
    /// The life of this store: made at creation, changed by a restore. Revisions compare only within it.
    async fn store_id(&self) -> Result<StoreId, StoreError>;

    /// Writes a record in place of the one of the same kind and id.
    ///
    /// # Errors
    /// [`StoreError::IndexTaken`] if another record of the kind has the same index.
    async fn put_record(&self, record: Record) -> Result<(), StoreError> {
        self.put_records(vec![record], Vec::new()).await
    }

    /// One record.
    async fn record(&self, kind: RecordKind, id: [u8; 16]) -> Result<Option<Record>, StoreError>;

    /// The record of a kind that has this index.
    async fn record_by_index(
        &self,
        kind: RecordKind,
        index: BlindIndex,
    ) -> Result<Option<Record>, StoreError>;

    /// All records of a kind, in rising order of id.
    async fn records(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError>;

    /// Erases a record; says whether it was there.
    async fn delete_record(&self, kind: RecordKind, id: [u8; 16]) -> Result<bool, StoreError>;

    /// Erases the records in `deletes`, then writes those in `records`: all or nothing.
    ///
    /// # Errors
    /// [`StoreError::IndexTaken`] if two records of a kind would have the same index.
    async fn put_records(
        &self,
        records: Vec<Record>,
        deletes: Vec<(RecordKind, [u8; 16])>,
    ) -> Result<(), StoreError>;

    /// Keeps a wrapped content key.
    ///
    /// # Errors
    /// [`StoreError::KeyExists`] if the mailbox has one of that epoch: a key is never overwritten.
    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError>;

    /// All wrapped keys of a mailbox, in rising order of epoch.
    async fn keys(&self, mailbox: MailboxId) -> Result<Vec<StoredKey>, StoreError>;

    /// Where a mailbox's list stands. A mailbox that nothing was committed to is at revision zero.
    async fn head(&self, mailbox: MailboxId) -> Result<Head, StoreError>;

    /// The whole list of a mailbox, in rising order of id.
    async fn rows(&self, mailbox: MailboxId) -> Result<Vec<SealedRow>, StoreError>;

    /// Applies what one round changed, in one transaction, and says where the mailbox stands then: at
    /// `commit.from.next()` if a row was written or one that was there was removed, else still at `commit.from`.
    /// The state is replaced in both cases.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the mailbox is not at `commit.from`; [`StoreError::WrongRevision`] if a row in it
    /// was sealed for another revision than the next.
    async fn commit(&self, mailbox: MailboxId, commit: Commit) -> Result<Revision, StoreError>;

    /// What changed in a mailbox's list after `since`. A snapshot if that is below the floor, above the head (another
    /// life of the store), or zero.
    async fn changes(&self, mailbox: MailboxId, since: Revision) -> Result<Changes, StoreError>;

    /// The rows whose last day is before `today`, by mailbox; both in rising order of id.
    async fn due(&self, today: Day) -> Result<Vec<(MailboxId, Vec<RowId>)>, StoreError>;

    /// Forgets the removed rows whose last day is before `today`, and raises each mailbox's floor over them.
    async fn forget_tombstones(&self, today: Day) -> Result<(), StoreError>;

    /// Erases everything of a mailbox, its keys too, and overwrites the bytes on the disk (at once, or as soon as
    /// nobody reads them any more). It is then as unknown as it was before its first commit.
    async fn remove_mailbox(&self, mailbox: MailboxId) -> Result<(), StoreError>;
}
