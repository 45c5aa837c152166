//! The mailboxes in memory: who they are, where their lists stand, how their reading goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use joinery_model::{MailboxAddress, MailboxId, Revision};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::keyring::KeyOwner;
use crate::records::MailboxRecord;

/// One mailbox.
#[derive(Debug)]
pub struct Mailbox {
    /// As the operator added it.
    pub record: MailboxRecord,
    /// Held by whoever writes the mailbox's rows.
    pub writer: tokio::sync::Mutex<()>,
    removed: AtomicBool,
    resync: AtomicBool,
    revision: watch::Sender<Revision>,
    progress: Mutex<Progress>,
}

/// How the reading of a mailbox goes.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// End of the last round that succeeded.
    pub last_round: Option<Timestamp>,
    /// Meetings in the window.
    pub meetings: usize,
    /// Entries of the last round that could not be understood.
    pub skipped: u32,
    /// Rounds that failed since the last one that succeeded.
    pub failures: u32,
    /// What went wrong last, and since when something is wrong.
    pub problem: Option<Problem>,
}

/// What is wrong with a mailbox, in words for the operator.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Stable.
    pub code: &'static str,
    /// What happened and what to do.
    pub sentence: String,
    /// Since when something is wrong.
    pub since: Timestamp,
}

impl Mailbox {
    fn new(record: MailboxRecord, revision: Revision) -> Self {
        Self {
            record,
            writer: tokio::sync::Mutex::new(()),
            removed: AtomicBool::new(false),
            resync: AtomicBool::new(false),
            revision: watch::Sender::new(revision),
            progress: Mutex::new(Progress::default()),
        }
    }

    /// Its id.
    pub fn id(&self) -> MailboxId {
        self.record.id
    }

    /// Whose content keys seal its rows.
    pub fn key_owner(&self) -> KeyOwner {
        KeyOwner { tenant: self.record.tenant.clone(), mailbox: self.record.id }
    }

    /// A cell that is dirty whenever a revision was committed.
    pub fn follow(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    /// Says that a revision is committed. Never before it is durable.
    pub fn announce(&self, revision: Revision) {
        self.revision.send_if_modified(|known| {
            let newer = revision > *known;
            *known = revision.max(*known);
            newer
        });
    }

    /// The newest revision that was announced.
    pub fn revision(&self) -> Revision {
        *self.revision.borrow()
    }

    /// The operator removes it: from now on no round writes it.
    pub fn close(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// Whether the operator removed it meanwhile; then nothing is written any more.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// The operator wants the calendar read anew.
    pub fn ask_for_resync(&self) {
        self.resync.store(true, Ordering::Release);
    }

    /// Whether the calendar is to be read anew; asked once by the round that does it.
    pub fn take_resync(&self) -> bool {
        self.resync.swap(false, Ordering::AcqRel)
    }

    /// How its reading goes.
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Notes a round that succeeded.
    pub fn succeeded(&self, now: Timestamp, meetings: usize, skipped: u32) {
        *self.progress.lock() =
            Progress { last_round: Some(now), meetings, skipped, failures: 0, problem: None };
    }

    /// Notes a round that failed; answers how many failed in a row.
    pub fn failed(&self, now: Timestamp, code: &'static str, sentence: String) -> u32 {
        let mut progress = self.progress.lock();
        progress.failures = progress.failures.saturating_add(1);
        let since = progress.problem.as_ref().map_or(now, |problem| problem.since);
        progress.problem = Some(Problem { code, sentence, since });
        progress.failures
    }
}

/// All mailboxes.
#[derive(Debug, Default)]
pub struct Roster {
    mailboxes: RwLock<BTreeMap<MailboxId, Arc<Mailbox>>>,
}

impl Roster {
    /// Takes a mailbox in; its list stands at `revision`.
    pub fn add(&self, record: MailboxRecord, revision: Revision) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(record, revision));
        self.mailboxes.write().insert(mailbox.id(), Arc::clone(&mailbox));
        mailbox
    }

    /// Lets a mailbox go.
    pub fn remove(&self, id: MailboxId) {
        self.mailboxes.write().remove(&id);
    }

    /// The mailbox of this id.
    pub fn by_id(&self, id: MailboxId) -> Option<Arc<Mailbox>> {
        self.mailboxes.read().get(&id).cloned()
    }

    /// The mailbox of this address.
    pub fn by_address(&self, address: &MailboxAddress) -> Option<Arc<Mailbox>> {
        self.mailboxes.read().values().find(|mailbox| mailbox.record.address == *address).cloned()
    }

    /// All, ordered by address.
    pub fn all(&self) -> Vec<Arc<Mailbox>> {
        let mut all: Vec<_> = self.mailboxes.read().values().cloned().collect();
        all.sort_by(|a, b| a.record.address.cmp(&b.record.address));
        all
    }
}
