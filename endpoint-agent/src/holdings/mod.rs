//! What this device holds: the sealed lists with their grants on disk, the meetings opened from them in memory.
//!
//! Takes over what a session brings, makes it durable, and only then says what to acknowledge. On disk there is one
//! file, sealed as a whole and replaced as a whole; a damaged one is dropped and fetched again.

mod format;
mod ledger;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use joinery_agenda::Policy;
use joinery_daemon::{NoRandomness, WriteError, random, write_durably};
use joinery_model::{Epoch, MailboxAddress, MailboxId, Meeting, Revision, RowId, StoreId};
use joinery_seal::{Day, SealError, SealedRow};
use zeroize::Zeroizing;

use crate::identity::Identity;
use format::Cached;
pub use ledger::{Delta, DeltaOutcome, Held, HeldGrant, Ledger, Settings};
use reader::Reader;

/// The cache's name in the state folder.
const FILE: &str = "meetings.cache";

/// No list is as long; a bound for what is read.
const MAX_FILE: u64 = 256 << 20;

/// The cache could not be brought to the disk. What is shown is right all the same; nothing is acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Nothing to make a nonce of.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// Sealing failed.
    #[error("the cache cannot be sealed: {0}")]
    Seal(#[from] SealError),
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The task that writes was cut.
    #[error("writing the cache was interrupted")]
    Interrupted,
}

impl SaveError {
    /// A stable name for logs and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRandomness(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::Interrupted => "cache-interrupted",
        }
    }

    /// All of it is tried again at the next change or within half a minute.
    pub const fn is_retryable(&self) -> bool {
        true
    }
}

/// What the connector is told about what it sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Durable on this device.
    Ack(MailboxId, Revision),
    /// A row of that revision tells nothing here.
    Nack(MailboxId, Revision, &'static str),
    /// Rows of that epoch cannot be opened.
    NeedGrant(MailboxId, Epoch),
    /// What came does not follow on what is held: the session must be begun anew.
    StartOver,
}

/// The state of one mailbox's list, for `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListState {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its address, where it was told.
    pub address: Option<MailboxAddress>,
    /// The life of the connector's store.
    pub store_id: Option<StoreId>,
    /// Where the list stands.
    pub revision: Revision,
    /// Rows held.
    pub rows: usize,
    /// Rows that could not be opened.
    pub unreadable: usize,
}

/// The opened lists, as the rest of the program sees them.
#[derive(Clone, Default)]
pub struct View {
    /// Meetings by row.
    pub meetings: BTreeMap<RowId, Meeting>,
    /// The device's rules. `None` before the first session.
    pub policy: Option<Policy>,
    /// When the list was last known to be up to date.
    pub as_of: Option<Timestamp>,
    /// The lists they come from.
    pub lists: Vec<ListState>,
    /// The last change is not on the disk yet.
    pub unsaved: bool,
}

impl View {
    /// What the device lists at `now`, in order.
    pub fn agenda(&self, now: Timestamp) -> Vec<joinery_agenda::Entry> {
        self.policy.map(|policy| joinery_agenda::agenda(&self.meetings, &policy, now)).unwrap_or_default()
    }
}

/// The lists with everything around them. One task owns it.
pub struct Holdings {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    ledger: Ledger,
    reader: Reader,
    /// The store of the session that runs.
    store_id: Option<StoreId>,
    as_of: Option<Timestamp>,
    /// Acknowledgements that wait for the disk.
    unsaved: Option<BTreeMap<MailboxId, Revision>>,
    /// Told once.
    told: BTreeSet<(MailboxId, RowId, Revision)>,
    asked: BTreeSet<(MailboxId, Epoch)>,
    view: Arc<View>,
}

impl Holdings {
    /// Reads the cache under `state_dir`. A damaged one is dropped with a warning.
    pub fn open(state_dir: &Path, identity: &Identity) -> Self {
        let path = state_dir.join(FILE);
        let cached = match read_file(&path) {
            Ok(Some(file)) => format::decode(&file, &identity.cache_key).unwrap_or_else(|error| {
                tracing::warn!(code = error.code(), %error, "The cache is dropped");
                Cached::default()
            }),
            Ok(None) => Cached::default(),
            Err(error) => {
                tracing::warn!(%error, "The cache cannot be read; it is fetched again from the connector");
                Cached::default()
            }
        };
        let mut holdings = Self {
            path,
            key: identity.cache_key.clone(),
            ledger: cached.ledger,
            reader: Reader::new(identity.device, identity.secret.clone()),
            store_id: None,
            as_of: cached.as_of,
            unsaved: None,
            told: BTreeSet::new(),
            asked: BTreeSet::new(),
            view: Arc::default(),
        };
        holdings.look();
        holdings
    }

    /// The opened lists as they are now.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// What is held of each mailbox, for the hello of a session; call it right before.
    pub fn begin_session(&mut self, now: Timestamp) -> &Ledger {
        if self.ledger.erased_too_early(Day::of(now)) {
            tracing::warn!(
                "The clock had run ahead and meetings were erased too early; they are fetched again"
            );
            self.ledger.forget_positions();
        }
        self.store_id = None;
        self.asked.clear();
        &self.ledger
    }

    /// The connector's welcome.
    pub async fn welcome(&mut self, store_id: StoreId, settings: Settings) -> Vec<Answer> {
        self.store_id = Some(store_id);
        if self.ledger.settings == Some(settings) {
            return Vec::new();
        }
        self.ledger.settings = Some(settings);
        self.keep(None).await
    }

    /// A grant.
    pub async fn grant(&mut self, mailbox: MailboxId, epoch: Epoch, grant: HeldGrant) -> Vec<Answer> {
        if !self.ledger.grant(mailbox, epoch, grant) {
            return Vec::new();
        }
        self.keep(None).await
    }

    /// A whole list.
    pub async fn snapshot(
        &mut self,
        mailbox: MailboxId,
        revision: Revision,
        rows: Vec<SealedRow>,
        now: Timestamp,
    ) -> Vec<Answer> {
        let Some(store_id) = self.store_id else { return vec![Answer::StartOver] };
        self.ledger.snapshot(mailbox, store_id, revision, rows);
        self.as_of = Some(now);
        self.keep(Some((mailbox, revision))).await
    }

    /// Differences.
    pub async fn delta(&mut self, mailbox: MailboxId, delta: Delta, now: Timestamp) -> Vec<Answer> {
        let Some(store_id) = self.store_id else { return vec![Answer::StartOver] };
        let to = delta.to;
        match self.ledger.delta(mailbox, store_id, delta) {
            DeltaOutcome::Applied => {
                self.as_of = Some(now);
                self.keep(Some((mailbox, to))).await
            }
            DeltaOutcome::Known => self.acknowledge_known(mailbox),
            DeltaOutcome::Gap => vec![Answer::StartOver],
        }
    }

    /// Nothing up to `revision` is missing.
    pub async fn synced(&mut self, mailbox: MailboxId, revision: Revision, now: Timestamp) -> Vec<Answer> {
        let Some(store_id) = self.store_id else { return vec![Answer::StartOver] };
        self.as_of = Some(now);
        if self.ledger.synced(mailbox, store_id, revision) {
            return self.keep(Some((mailbox, revision))).await;
        }
        self.look();
        self.acknowledge_known(mailbox)
    }

    /// Once in a while: erases by the own clock what may not be kept, and tries again to write what could not be.
    pub async fn tend(&mut self, now: Timestamp) -> Vec<Answer> {
        if self.ledger.erase(Day::of(now)) || self.unsaved.is_some() {
            return self.keep(None).await;
        }
        Vec::new()
    }

    /// What came did not follow on what is held: the next session brings whole lists. What is held stays until then.
    pub fn start_over(&mut self) {
        self.ledger.forget_positions();
    }

    /// The session has ended; the list was up to date until now.
    pub async fn end_session(&mut self, now: Timestamp) {
        if self.store_id.take().is_some() && self.as_of.is_some() {
            self.as_of = Some(now);
            self.keep(None).await;
        }
    }

    /// This device may hold nothing any more.
    pub async fn forget_everything(&mut self) {
        self.ledger.forget_everything();
        self.as_of = None;
        self.keep(None).await;
    }

    /// Opens what is new, writes everything, and says what may be acknowledged. What is shown does not wait for the
    /// disk.
    async fn keep(&mut self, acknowledge: Option<(MailboxId, Revision)>) -> Vec<Answer> {
        let mut answers = self.look();
        let waiting = self.unsaved.get_or_insert_default();
        waiting.extend(acknowledge);
        match self.save().await {
            Ok(()) => {
                let saved = self.unsaved.take().unwrap_or_default();
                answers.extend(saved.into_iter().map(|(mailbox, revision)| Answer::Ack(mailbox, revision)));
            }
            Err(error) => {
                tracing::error!(code = error.code(), %error, "The meeting list could not be saved; it is tried again");
            }
        }
        if self.view.unsaved != self.unsaved.is_some() {
            self.view = Arc::new(View { unsaved: self.unsaved.is_some(), ..View::clone(&self.view) });
        }
        answers
    }

    fn acknowledge_known(&self, mailbox: MailboxId) -> Vec<Answer> {
        match self.ledger.mailboxes.get(&mailbox) {
            Some(held) if self.unsaved.is_none() => vec![Answer::Ack(mailbox, held.revision)],
            Some(_) | None => Vec::new(),
        }
    }

    async fn save(&self) -> Result<(), SaveError> {
        let cached = Cached { ledger: self.ledger.clone(), as_of: self.as_of };
        let (key, path, nonce) = (self.key.clone(), self.path.clone(), random()?);
        let write = move || {
            let file = format::encode(&cached, &key, nonce)?;
            write_durably(&path, &file, 0o600).map_err(SaveError::from)
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| SaveError::Interrupted)?
    }

    /// Opens what is new and makes the view anew.
    fn look(&mut self) -> Vec<Answer> {
        let reading = self.reader.read(&self.ledger);
        let list = |(mailbox, held): (&MailboxId, &Held)| ListState {
            mailbox: *mailbox,
            address: reading.addresses.get(mailbox).cloned(),
            store_id: held.store_id,
            revision: held.revision,
            rows: held.rows.len(),
            unreadable: reading.unreadable.keys().filter(|(of, _)| of == mailbox).count(),
        };
        self.view = Arc::new(View {
            policy: self.ledger.settings.map(|settings| settings.policy()),
            as_of: self.as_of,
            lists: self.ledger.mailboxes.iter().map(list).collect(),
            unsaved: self.unsaved.is_some(),
            meetings: reading.meetings,
        });
        let mut answers = Vec::new();
        for (mailbox, epoch) in reading.missing {
            if self.asked.insert((mailbox, epoch)) {
                answers.push(Answer::NeedGrant(mailbox, epoch));
            }
        }
        for ((mailbox, row), unreadable) in reading.unreadable {
            if self.told.insert((mailbox, row, unreadable.revision)) {
                tracing::warn!(row = %row, code = unreadable.code, "A meeting cannot be opened; it is not shown");
                answers.push(Answer::Nack(mailbox, unreadable.revision, unreadable.code));
            }
        }
        self.told.retain(|(mailbox, row, _)| {
            self.ledger.mailboxes.get(mailbox).is_some_and(|held| held.rows.contains_key(row))
        });
        answers
    }
}

fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than any list"))
        }
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
