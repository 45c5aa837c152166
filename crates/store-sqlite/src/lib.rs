//! Sealed rows in SQLite.
//!
//! One file, in WAL mode, every commit on the disk before it is acknowledged (`synchronous=FULL`), erased content
//! overwritten (`secure_delete`, and the WAL emptied after an erasure). One thread writes, one reads; nothing here
//! blocks the async runtime. Another process may have the file open at the same time.

mod failure;
mod lists;
mod open;
mod records;
mod worker;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use joinery_model::{MailboxId, Revision, RowId, StoreId};
use joinery_seal::{BlindIndex, Day, SealedRow};
use joinery_store::{Changes, Commit, Head, Record, RecordKind, Store, StoreError, StoredKey};

use worker::{Traces, Worker};

/// A store in one SQLite file.
///
/// A call whose future is dropped may still be carried out. Dropping the store waits for the calls under way and
/// closes the file.
#[derive(Debug)]
pub struct Sqlite {
    // Closed in this order: the last to close empties the WAL.
    reader: Worker,
    writer: Worker,
}

impl Sqlite {
    /// Opens the database, creating it (mode 0600) or bringing its schema up to date as needed, and checks that it is
    /// whole. Reads the whole file once, on the calling thread.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Permission`], [`StoreError::Corrupt`], [`StoreError::Newer`],
    /// [`StoreError::Full`], [`StoreError::Busy`], or [`StoreError::Failed`] for anything else; each names the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let place: Arc<str> = path.display().to_string().into();
        let writing = open::for_writing(path, &place)?;
        let reading = open::for_reading(path, &place)?;
        Ok(Self {
            reader: Worker::start("store-reader", &place, reading)?,
            writer: Worker::start("store-writer", &place, writing)?,
        })
    }

    /// The wrapped keys of `mailbox` as they stand in the database file, without opening it as a store: nothing is made
    /// or changed beside it, so any user who may read the file may ask. What is only in the write-ahead log is not
    /// seen; of a file that holds no tables yet, nothing is.
    ///
    /// # Errors
    /// [`StoreError`]; each names the file.
    pub fn keys_at_rest(path: &Path, mailbox: MailboxId) -> Result<Vec<StoredKey>, StoreError> {
        let place = path.display().to_string();
        let look = || -> Result<Vec<StoredKey>, failure::Failure> {
            let mut connection = open::for_looking(path)?;
            match connection.table_exists(None, "content_key")? {
                true => records::keys(&mut connection, mailbox),
                false => Ok(Vec::new()),
            }
        };
        look().map_err(|failure| failure.at(&place))
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn store_id(&self) -> Result<StoreId, StoreError> {
        self.reader.call(Traces::None, records::store_id).await
    }

    async fn record(&self, kind: RecordKind, id: [u8; 16]) -> Result<Option<Record>, StoreError> {
        self.reader.call(Traces::None, move |db| records::record(db, kind, &id)).await
    }

    async fn record_by_index(
        &self,
        kind: RecordKind,
        index: BlindIndex,
    ) -> Result<Option<Record>, StoreError> {
        self.reader.call(Traces::None, move |db| records::record_by_index(db, kind, index)).await
    }

    async fn records(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError> {
        self.reader.call(Traces::None, move |db| records::records(db, kind)).await
    }

    async fn delete_record(&self, kind: RecordKind, id: [u8; 16]) -> Result<bool, StoreError> {
        self.writer.call(Traces::Soon, move |db| records::delete(db, kind, &id)).await
    }

    async fn put_records(
        &self,
        records: Vec<Record>,
        deletes: Vec<(RecordKind, [u8; 16])>,
    ) -> Result<(), StoreError> {
        let traces = if deletes.is_empty() { Traces::None } else { Traces::Soon };
        self.writer.call(traces, move |db| records::put(db, &records, &deletes)).await
    }

    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError> {
        self.writer.call(Traces::None, move |db| records::add_key(db, &key)).await
    }

    async fn keys(&self, mailbox: MailboxId) -> Result<Vec<StoredKey>, StoreError> {
        self.reader.call(Traces::None, move |db| records::keys(db, mailbox)).await
    }

    async fn head(&self, mailbox: MailboxId) -> Result<Head, StoreError> {
        self.reader.call(Traces::None, move |db| lists::head(db, mailbox)).await
    }

    async fn rows(&self, mailbox: MailboxId) -> Result<Vec<SealedRow>, StoreError> {
        self.reader.call(Traces::None, move |db| lists::rows(db, mailbox, Revision(0))).await
    }

    async fn commit(&self, mailbox: MailboxId, commit: Commit) -> Result<Revision, StoreError> {
        let traces = if commit.removes.is_empty() { Traces::None } else { Traces::Soon };
        self.writer.call(traces, move |db| lists::commit(db, mailbox, &commit)).await
    }

    async fn changes(&self, mailbox: MailboxId, since: Revision) -> Result<Changes, StoreError> {
        self.reader.call(Traces::None, move |db| lists::changes(db, mailbox, since)).await
    }

    async fn due(&self, today: Day) -> Result<Vec<(MailboxId, Vec<RowId>)>, StoreError> {
        self.reader.call(Traces::None, move |db| lists::due(db, today)).await
    }

    async fn forget_tombstones(&self, today: Day) -> Result<(), StoreError> {
        self.writer.call(Traces::Soon, move |db| lists::forget_tombstones(db, today)).await
    }

    async fn remove_mailbox(&self, mailbox: MailboxId) -> Result<(), StoreError> {
        self.writer.call(Traces::Now, move |db| lists::remove_mailbox(db, mailbox)).await
    }
}
