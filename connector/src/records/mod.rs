//! The daemon's own records: small values as JSON, sealed under the daemon's own key before they reach the store.

mod authority;
mod device;
mod invitation;
mod mailbox;

use std::sync::Arc;

use joinery_model::Revision;
use joinery_seal::{
    BlindIndex, ContentKey, KeyBinding, RowBinding, RowKind, SealError, blind_index, open, seal,
};
use joinery_store::{Record, RecordKind, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::keyring::{KeyOwner, Keyring, KeyringError};

pub use authority::{AuthorityRecord, DeploymentRecord, ServerCertificateRecord};
pub use device::DeviceRecord;
pub use invitation::{InvitationRecord, Outcome};
pub use mailbox::{MailboxKind, MailboxRecord};

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The key of the records is not to be had.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record does not open, or does not hold what it should.
    #[error("a {0} record in the database is damaged; restore the database from a backup")]
    Damaged(&'static str),
    /// The system gives no random numbers.
    #[error("the system's random source failed: {0}")]
    Random(String),
}

/// A value that is kept as one sealed record.
pub trait Stored: Serialize + DeserializeOwned {
    /// What kind of record it is.
    const KIND: RecordKind;
    /// What an error calls it.
    const NAME: &'static str;

    /// Its id among the records of its kind.
    fn id(&self) -> [u8; 16];

    /// What it can be found by besides its id; stored as a keyed hash.
    fn index(&self) -> Option<&[u8]> {
        None
    }
}

/// Reads and writes sealed records.
#[derive(Clone)]
pub struct Records {
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
}

impl Records {
    /// Records of `store`, sealed with the daemon's key of `keyring`.
    pub fn new(store: Arc<dyn Store>, keyring: Arc<Keyring>) -> Self {
        Self { store, keyring }
    }

    /// Writes one value, durably.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn put<T: Stored>(&self, value: &T) -> Result<(), RecordError> {
        Ok(self.store.put_record(self.sealed(value).await?).await?)
    }

    /// Writes values of one kind, all or none.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn put_all<T: Stored>(&self, values: &[T]) -> Result<(), RecordError> {
        let mut records = Vec::with_capacity(values.len());
        for value in values {
            records.push(self.sealed(value).await?);
        }
        Ok(self.store.put_records(records, Vec::new()).await?)
    }

    /// Writes two values of different kinds, both or none.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn put_both<A: Stored, B: Stored>(&self, first: &A, second: &B) -> Result<(), RecordError> {
        let records = vec![self.sealed(first).await?, self.sealed(second).await?];
        Ok(self.store.put_records(records, Vec::new()).await?)
    }

    /// All values of a kind.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn all<T: Stored>(&self) -> Result<Vec<T>, RecordError> {
        let mut values = Vec::new();
        for record in self.store.records(T::KIND).await? {
            values.push(self.opened(&record).await?);
        }
        Ok(values)
    }

    /// The one value of a kind that exists once.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn only<T: Stored>(&self) -> Result<Option<T>, RecordError> {
        match self.store.records(T::KIND).await?.first() {
            Some(record) => Ok(Some(self.opened(record).await?)),
            None => Ok(None),
        }
    }

    /// The value that has this index.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn find<T: Stored>(&self, index: &[u8]) -> Result<Option<T>, RecordError> {
        let (_, key) = self.keyring.current(&KeyOwner::daemon()).await?;
        match self.store.record_by_index(T::KIND, index_of::<T>(&key, index)).await? {
            Some(record) => Ok(Some(self.opened(&record).await?)),
            None => Ok(None),
        }
    }

    /// Erases a value; says whether it was there.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn delete<T: Stored>(&self, id: [u8; 16]) -> Result<bool, RecordError> {
        Ok(self.store.delete_record(T::KIND, id).await?)
    }

    async fn sealed<T: Stored>(&self, value: &T) -> Result<Record, RecordError> {
        let owner = KeyOwner::daemon();
        let (epoch, key) = self.keyring.current(&owner).await?;
        let text = Zeroizing::new(serde_json::to_vec(value).map_err(|_| RecordError::Damaged(T::NAME))?);
        let nonce = joinery_daemon::random().map_err(|error| RecordError::Random(error.to_string()))?;
        let id = value.id();
        let binding = RowBinding {
            key: KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch },
            kind: RowKind::Record(T::KIND.number()),
            id: &id,
            revision: Revision(0),
        };
        let sealed =
            seal(&key, &binding, nonce, &text).map_err(|_: SealError| RecordError::Damaged(T::NAME))?;
        let index = value.index().map(|index| index_of::<T>(&key, index));
        Ok(Record { kind: T::KIND, id, index, sealed })
    }

    async fn opened<T: Stored>(&self, record: &Record) -> Result<T, RecordError> {
        let owner = KeyOwner::daemon();
        let epoch = record.sealed.epoch();
        let key = self.keyring.key(&owner, epoch).await?;
        let binding = RowBinding {
            key: KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch },
            kind: RowKind::Record(T::KIND.number()),
            id: &record.id,
            revision: Revision(0),
        };
        let text = open(&key, &binding, &record.sealed).map_err(|_| RecordError::Damaged(T::NAME))?;
        serde_json::from_slice(&text).map_err(|_| RecordError::Damaged(T::NAME))
    }
}

fn index_of<T: Stored>(key: &ContentKey, value: &[u8]) -> BlindIndex {
    blind_index(key, T::NAME, value)
}

/// Bytes as hexadecimal text in a JSON record.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        text.as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => digit(high).zip(digit(low)).map(|(high, low)| (high << 4) | low),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}
