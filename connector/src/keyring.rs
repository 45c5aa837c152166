//! Content keys in memory: made once, unwrapped by the key manager, kept for a bounded time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use joinery_kms::{KeyManager, KmsError, WrappedKey};
use joinery_model::{Epoch, MailboxId, TenantName};
use joinery_seal::{ContentKey, KeyBinding, SealError, unwrap_payload, wrap_payload};
use joinery_store::{Store, StoreError, StoredKey};
use tokio::sync::Mutex;

/// Whose key: content keys belong to a mailbox, the daemon's own key to [`KeyOwner::daemon`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyOwner {
    /// Part of what the key is bound to.
    pub tenant: TenantName,
    /// The mailbox.
    pub mailbox: MailboxId,
}

impl KeyOwner {
    /// The owner of the key that seals the daemon's own records.
    pub fn daemon() -> Self {
        Self { tenant: TenantName::new(""), mailbox: MailboxId::DAEMON }
    }

    fn binding(&self, epoch: Epoch) -> KeyBinding<'_> {
        KeyBinding { tenant: &self.tenant, mailbox: self.mailbox, epoch }
    }
}

/// Why a content key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The key manager refused, is away, or does not know the key.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What came back from the key manager is not the key of this mailbox.
    #[error(
        "the content key of mailbox {mailbox} epoch {epoch} does not belong there; restore the database from a backup"
    )]
    Misplaced {
        /// Whose key was asked for.
        mailbox: MailboxId,
        /// Which of its keys.
        epoch: Epoch,
    },
    /// The mailbox has no key of this epoch.
    #[error("mailbox {mailbox} has no content key of epoch {epoch}; it was shredded or never made")]
    Unknown {
        /// Whose key was asked for.
        mailbox: MailboxId,
        /// Which of its keys.
        epoch: Epoch,
    },
    /// The system gives no random numbers.
    #[error("the system's random source failed: {0}")]
    Random(String),
}

struct Held {
    key: ContentKey,
    since: Instant,
}

/// The keyring of one connector.
pub struct Keyring {
    kms: KeyManager,
    store: Arc<dyn Store>,
    max_age: Duration,
    /// One lock over look-up and unwrap: a cold start asks the key manager once per key.
    held: Mutex<BTreeMap<(MailboxId, Epoch), Held>>,
}

impl Keyring {
    /// An empty keyring over a key manager and the store that holds the wrapped keys.
    pub fn new(kms: KeyManager, store: Arc<dyn Store>, max_age: Duration) -> Self {
        Self { kms, store, max_age, held: Mutex::new(BTreeMap::new()) }
    }

    /// Who wraps the keys, for `status`.
    pub fn kms(&self) -> &KeyManager {
        &self.kms
    }

    /// The owner's key of one epoch.
    ///
    /// # Errors
    /// [`KeyringError`]; [`KmsError::is_retryable`] tells whether waiting helps.
    pub async fn key(&self, owner: &KeyOwner, epoch: Epoch) -> Result<ContentKey, KeyringError> {
        let mut held = self.held.lock().await;
        self.drop_old(&mut held);
        if let Some(found) = held.get(&(owner.mailbox, epoch)) {
            return Ok(found.key.clone());
        }
        let stored = self.store.keys(owner.mailbox).await?.into_iter().find(|key| key.epoch == epoch);
        let stored = stored.ok_or(KeyringError::Unknown { mailbox: owner.mailbox, epoch })?;
        let payload = self.kms.unwrap(&WrappedKey::from_bytes(&stored.wrapped)?).await?;
        let key = unwrap_payload(&payload, &owner.binding(epoch))
            .map_err(|_: SealError| KeyringError::Misplaced { mailbox: owner.mailbox, epoch })?;
        held.insert((owner.mailbox, epoch), Held { key: key.clone(), since: Instant::now() });
        Ok(key)
    }

    /// All epochs that the owner has keys of, rising.
    ///
    /// # Errors
    /// The store's.
    pub async fn epochs(&self, mailbox: MailboxId) -> Result<Vec<Epoch>, KeyringError> {
        let mut epochs: Vec<Epoch> =
            self.store.keys(mailbox).await?.into_iter().map(|key| key.epoch).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// The owner's newest key; the first one is made here.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn current(&self, owner: &KeyOwner) -> Result<(Epoch, ContentKey), KeyringError> {
        let newest = match self.epochs(owner.mailbox).await?.last() {
            Some(newest) => *newest,
            None => self.make(owner, Epoch::FIRST).await?,
        };
        Ok((newest, self.key(owner, newest).await?))
    }

    /// Forgets a mailbox's keys at once.
    pub async fn forget(&self, mailbox: MailboxId) {
        self.held.lock().await.retain(|(held, _), _| *held != mailbox);
    }

    /// Makes and stores the key of an epoch. Another connector may have been first: then its key stands.
    async fn make(&self, owner: &KeyOwner, epoch: Epoch) -> Result<Epoch, KeyringError> {
        let random = joinery_daemon::random().map_err(|error| KeyringError::Random(error.to_string()))?;
        let key = ContentKey::from_bytes(random);
        let wrapped = self.kms.wrap(&wrap_payload(&key, &owner.binding(epoch))).await?;
        let stored = StoredKey { mailbox: owner.mailbox, epoch, wrapped: wrapped.to_bytes() };
        match self.store.add_key(stored).await {
            Ok(()) | Err(StoreError::KeyExists { .. }) => Ok(epoch),
            Err(error) => Err(error.into()),
        }
    }

    fn drop_old(&self, held: &mut BTreeMap<(MailboxId, Epoch), Held>) {
        held.retain(|_, found| found.since.elapsed() < self.max_age);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joinery_kms::Embedded;
    use joinery_store::Memory;

    fn keyring() -> (Keyring, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let kms = KeyManager::Embedded(Embedded::create(&folder.path().join("kek")).unwrap());
        (Keyring::new(kms, Arc::new(Memory::default()), Duration::from_secs(60)), folder)
    }

    fn owner(n: u8) -> KeyOwner {
        KeyOwner { tenant: TenantName::new("contoso"), mailbox: MailboxId::from_bytes([n; 16]) }
    }

    #[tokio::test]
    async fn a_key_is_made_once_and_comes_back() {
        let (ring, _folder) = keyring();
        let owner_of_both = owner(1);
        let (first, second) = tokio::join!(ring.current(&owner_of_both), ring.current(&owner_of_both));
        let ((epoch, first), (_, second)) = (first.unwrap(), second.unwrap());
        assert_eq!(epoch, Epoch::FIRST);
        let index = |key| joinery_seal::blind_index(key, "test", b"value");
        assert_eq!(index(&first), index(&second));
        ring.forget(owner(1).mailbox).await;
        let unwrapped_again = ring.key(&owner(1), epoch).await.unwrap();
        assert_eq!(index(&first), index(&unwrapped_again));
        let another = ring.current(&owner(2)).await.unwrap().1;
        assert_ne!(index(&first), index(&another));
    }

    #[tokio::test]
    async fn a_key_that_was_moved_to_another_mailbox_is_refused() {
        let (ring, _folder) = keyring();
        ring.current(&owner(1)).await.unwrap();
        let stolen = ring.store.keys(owner(1).mailbox).await.unwrap().remove(0);
        ring.store.add_key(StoredKey { mailbox: owner(2).mailbox, ..stolen }).await.unwrap();
        let error = ring.current(&owner(2)).await.unwrap_err();
        assert!(matches!(error, KeyringError::Misplaced { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_key_that_was_never_made_is_unknown() {
        let (ring, _folder) = keyring();
        let error = ring.key(&owner(1), Epoch(2)).await.unwrap_err();
        assert!(matches!(error, KeyringError::Unknown { .. }), "{error}");
    }
}
