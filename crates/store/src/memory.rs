//! A store in memory, for tests of everything that stands on a store. Keeps nothing beyond its own life.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use joinery_model::{Epoch, MailboxId, Revision, RowId, StoreId};
use joinery_seal::{BlindIndex, Day, Sealed, SealedRow};

use crate::{Changes, Commit, Head, Record, RecordKind, Store, StoreError, StoredKey};

/// A store in memory.
#[derive(Debug)]
pub struct Memory {
    id: StoreId,
    inner: Mutex<Inner>,
}

type Records = BTreeMap<(RecordKind, [u8; 16]), Record>;

#[derive(Debug, Default)]
struct Inner {
    records: Records,
    keys: BTreeMap<(MailboxId, Epoch), StoredKey>,
    lists: BTreeMap<MailboxId, List>,
}

#[derive(Debug, Default)]
struct List {
    revision: Revision,
    floor: Revision,
    state: Option<Sealed>,
    rows: BTreeMap<RowId, SealedRow>,
    tombstones: BTreeMap<RowId, Tombstone>,
}

#[derive(Debug, Clone, Copy)]
struct Tombstone {
    revision: Revision,
    until: Day,
}

impl Memory {
    /// An empty store of this id.
    pub fn new(id: StoreId) -> Self {
        Self { id, inner: Mutex::default() }
    }

    /// Nothing here panics while it holds the lock, and every change is applied whole: a poisoned lock is usable.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(StoreId::from_bytes([0x4d; 16]))
    }
}

impl List {
    fn commit(&mut self, mailbox: MailboxId, commit: Commit) -> Result<Revision, StoreError> {
        if self.revision != commit.from {
            return Err(StoreError::Conflict { mailbox, at: self.revision });
        }
        let next = commit.from.next();
        if let Some(row) = commit.upserts.iter().find(|row| row.revision != next) {
            return Err(StoreError::WrongRevision { mailbox, row: row.revision, next });
        }
        let mut changed = !commit.upserts.is_empty();
        for id in commit.removes {
            if self.rows.remove(&id).is_some() {
                self.tombstones.insert(id, Tombstone { revision: next, until: commit.tombstone_until });
                changed = true;
            }
        }
        for row in commit.upserts {
            self.tombstones.remove(&row.id);
            self.rows.insert(row.id, row);
        }
        if changed {
            self.revision = next;
        }
        if commit.state.is_some() {
            self.state = commit.state;
        }
        Ok(self.revision)
    }

    fn changes(&self, since: Revision) -> Changes {
        if since == self.revision && since != Revision(0) {
            return Changes::Same { revision: since };
        }
        if since == Revision(0) || since < self.floor || since > self.revision {
            return Changes::Snapshot {
                revision: self.revision,
                rows: self.rows.values().cloned().collect(),
            };
        }
        Changes::Delta {
            from: since,
            to: self.revision,
            upserts: self.rows.values().filter(|row| row.revision > since).cloned().collect(),
            removes: self
                .tombstones
                .iter()
                .filter(|(_, gone)| gone.revision > since)
                .map(|(id, _)| *id)
                .collect(),
        }
    }

    fn forget(&mut self, today: Day) {
        let old = |gone: &Tombstone| gone.until < today;
        let highest = self.tombstones.values().filter(|gone| old(gone)).map(|gone| gone.revision).max();
        self.floor = self.floor.max(highest.unwrap_or_default());
        self.tombstones.retain(|_, gone| !old(gone));
    }
}

#[async_trait]
impl Store for Memory {
    async fn store_id(&self) -> Result<StoreId, StoreError> {
        Ok(self.id)
    }

    async fn record(&self, kind: RecordKind, id: [u8; 16]) -> Result<Option<Record>, StoreError> {
        Ok(self.inner().records.get(&(kind, id)).cloned())
    }

    async fn record_by_index(
        &self,
        kind: RecordKind,
        index: BlindIndex,
    ) -> Result<Option<Record>, StoreError> {
        let found = |record: &&Record| record.kind == kind && record.index == Some(index);
        Ok(self.inner().records.values().find(found).cloned())
    }

    async fn records(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError> {
        Ok(self.inner().records.values().filter(|record| record.kind == kind).cloned().collect())
    }

    async fn delete_record(&self, kind: RecordKind, id: [u8; 16]) -> Result<bool, StoreError> {
        Ok(self.inner().records.remove(&(kind, id)).is_some())
    }

    async fn put_records(
        &self,
        records: Vec<Record>,
        deletes: Vec<(RecordKind, [u8; 16])>,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let mut after = inner.records.clone();
        for gone in deletes {
            after.remove(&gone);
        }
        for record in records {
            let taken = record.index.is_some()
                && after.values().any(|other| {
                    other.kind == record.kind && other.index == record.index && other.id != record.id
                });
            if taken {
                return Err(StoreError::IndexTaken);
            }
            after.insert((record.kind, record.id), record);
        }
        inner.records = after;
        Ok(())
    }

    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let place = (key.mailbox, key.epoch);
        if inner.keys.contains_key(&place) {
            return Err(StoreError::KeyExists { mailbox: key.mailbox, epoch: key.epoch });
        }
        inner.keys.insert(place, key);
        Ok(())
    }

    async fn keys(&self, mailbox: MailboxId) -> Result<Vec<StoredKey>, StoreError> {
        Ok(self.inner().keys.values().filter(|key| key.mailbox == mailbox).cloned().collect())
    }

    async fn head(&self, mailbox: MailboxId) -> Result<Head, StoreError> {
        let head =
            |list: &List| Head { revision: list.revision, floor: list.floor, state: list.state.clone() };
        Ok(self.inner().lists.get(&mailbox).map(head).unwrap_or_default())
    }

    async fn rows(&self, mailbox: MailboxId) -> Result<Vec<SealedRow>, StoreError> {
        let rows = |list: &List| list.rows.values().cloned().collect();
        Ok(self.inner().lists.get(&mailbox).map(rows).unwrap_or_default())
    }

    async fn commit(&self, mailbox: MailboxId, commit: Commit) -> Result<Revision, StoreError> {
        self.inner().lists.entry(mailbox).or_default().commit(mailbox, commit)
    }

    async fn changes(&self, mailbox: MailboxId, since: Revision) -> Result<Changes, StoreError> {
        let inner = self.inner();
        Ok(inner.lists.get(&mailbox).unwrap_or(&List::default()).changes(since))
    }

    async fn due(&self, today: Day) -> Result<Vec<(MailboxId, Vec<RowId>)>, StoreError> {
        let due = |list: &List| {
            list.rows.values().filter(|row| row.erase_after < today).map(|row| row.id).collect::<Vec<_>>()
        };
        let inner = self.inner();
        let lists = inner.lists.iter().map(|(mailbox, list)| (*mailbox, due(list)));
        Ok(lists.filter(|(_, rows)| !rows.is_empty()).collect())
    }

    async fn forget_tombstones(&self, today: Day) -> Result<(), StoreError> {
        self.inner().lists.values_mut().for_each(|list| list.forget(today));
        Ok(())
    }

    async fn remove_mailbox(&self, mailbox: MailboxId) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.lists.remove(&mailbox);
        inner.keys.retain(|(owner, _), _| *owner != mailbox);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::row_store_contract!(Memory::default());
}
