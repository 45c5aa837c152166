//! One round of one mailbox: ask Graph, compare, seal, commit, announce.

use std::collections::BTreeMap;

use joinery_calendar_sync::{Round, RoundResult, Step, SyncError, SyncState};
use joinery_kms::KmsError;
use joinery_model::{EventId, Meeting, Revision};
use joinery_msgraph::{Graph, GraphError};
use joinery_seal::{ContentKey, Day, KeyBinding, RowBinding, RowKind, SealError, Sealed, open, seal};
use joinery_store::{Commit, Head, StoreError};

use crate::app::App;
use crate::ingest::{RowKeys, changes};
use crate::keyring::{KeyOwner, KeyringError};
use crate::roster::Mailbox;

/// Days for which the removal of a row is remembered: a device that was away for longer gets a snapshot.
pub const TOMBSTONE_DAYS: i32 = 7;

/// Why a round did not end with a commit.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// Graph refused or is away.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The keys are not to be had.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A meeting cannot be sealed.
    #[error("a meeting cannot be sealed: {0}")]
    Seal(#[from] SealError),
    /// The round was given up.
    #[error(transparent)]
    Round(#[from] SyncError),
    /// The system gives no random numbers.
    #[error("the system's random source failed: {0}")]
    Random(String),
    /// The configuration no longer has the mailbox's tenant.
    #[error("the configuration has no tenant {0}; add its [[tenant]] table or remove the mailbox")]
    NoTenant(joinery_model::TenantName),
    /// The operator removed the mailbox meanwhile.
    #[error("the mailbox was removed")]
    Removed,
}

impl RoundError {
    /// Stable, for scripts and counters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Graph(error) => error.code(),
            Self::Key(KeyringError::Kms(KmsError::Unavailable { .. })) => "keys-unavailable",
            Self::Key(_) => "keys",
            Self::Store(error) => error.code(),
            Self::Seal(_) => "seal",
            Self::Round(error) => error.code(),
            Self::Random(_) => "random",
            Self::NoTenant(_) => "tenant-missing",
            Self::Removed => "removed",
        }
    }

    /// Whether asking again is useless before somebody acts.
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Graph(error) => !error.is_retryable(),
            Self::NoTenant(_) => true,
            Self::Key(_)
            | Self::Store(_)
            | Self::Seal(_)
            | Self::Round(_)
            | Self::Random(_)
            | Self::Removed => false,
        }
    }

    /// How long Graph asked to wait.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Graph(error) => error.retry_after(),
            Self::Key(_)
            | Self::Store(_)
            | Self::Seal(_)
            | Self::Round(_)
            | Self::Random(_)
            | Self::NoTenant(_)
            | Self::Removed => None,
        }
    }
}

/// What a round found.
#[derive(Debug, Clone, Copy)]
pub struct RoundReport {
    /// Meetings in the window.
    pub meetings: usize,
    /// Entries that could not be understood.
    pub skipped: u32,
    /// Rows written and removed.
    pub changed: usize,
}

/// Reads one mailbox, `anew` from the whole window or from where the last round ended, and commits what changed. The only writer of meetings besides the retention worker, which only
/// removes.
///
/// # Errors
/// [`RoundError`]; nothing is written then, and the next round starts from the same state.
pub async fn read(app: &App, mailbox: &Mailbox, anew: bool) -> Result<RoundReport, RoundError> {
    let tenant = &mailbox.record.tenant;
    let graph = app.graphs.get(tenant).ok_or_else(|| RoundError::NoTenant(tenant.clone()))?;
    let _writer = mailbox.writer.lock().await;
    if mailbox.is_removed() {
        return Err(RoundError::Removed);
    }
    let owner = mailbox.key_owner();
    let (epoch, current) = app.keyring.current(&owner).await?;
    let first = app.keyring.key(&owner, joinery_model::Epoch::FIRST).await?;
    let keys = RowKeys { owner: &owner, first: &first, epoch, current: &current };

    let head = app.store.head(mailbox.id()).await?;
    let Known { meetings: known, whole } = open_rows(app, mailbox, &keys).await?;
    let state = if anew || !whole { None } else { open_state(app, &owner, &head).await? };
    let result = ask(app, graph, mailbox, state).await?;

    let changes = changes(&known, &result, &app.config.own_sites);
    let revision = head.revision.next();
    let mut upserts = Vec::with_capacity(changes.upserts.len());
    for meeting in &changes.upserts {
        upserts.push(keys.seal(meeting, revision, app.config.sync.past, random()?)?);
    }
    let removes: Vec<_> = changes.removes.iter().map(|event| keys.row_id(event)).collect();
    let changed = upserts.len() + removes.len();
    let meetings = known.len() + changes.upserts.iter().filter(|m| !known.contains_key(&m.event)).count()
        - changes.removes.iter().filter(|event| known.contains_key(*event)).count();
    if mailbox.is_removed() {
        return Err(RoundError::Removed);
    }
    let commit = Commit {
        from: head.revision,
        upserts,
        removes,
        tombstone_until: Day(Day::of(joinery_daemon::now()).0 + TOMBSTONE_DAYS),
        state: Some(seal_state(&owner, epoch, &current, &result.state)?),
    };
    let revision = app.store.commit(mailbox.id(), commit).await?;
    mailbox.announce(revision);
    Ok(RoundReport { meetings, skipped: result.skipped, changed })
}

/// Obeys the round's steps until it says what to commit.
async fn ask(
    app: &App,
    graph: &Graph,
    mailbox: &Mailbox,
    state: Option<SyncState>,
) -> Result<RoundResult, RoundError> {
    let address = &mailbox.record.address;
    let window = &app.config.sync;
    let (mut round, mut step) = Round::begin(state, joinery_daemon::now(), window.past, window.future);
    loop {
        step = match step {
            Step::Fetch(request) => round.page(graph.page(address, &request).await?),
            Step::FetchSeries(masters) => round.series(graph.series(address, &masters).await?),
            Step::Commit(result) => return Ok(*result),
            Step::GiveUp(error) => return Err(error.into()),
        };
    }
}

struct Known {
    meetings: BTreeMap<EventId, Meeting>,
    /// Every row opened.
    whole: bool,
}

/// What the store holds of the mailbox. A row that does not open is left out and the calendar is read anew, which
/// writes it again.
async fn open_rows(app: &App, mailbox: &Mailbox, keys: &RowKeys<'_>) -> Result<Known, RoundError> {
    let mut known = Known { meetings: BTreeMap::new(), whole: true };
    let mut older: BTreeMap<joinery_model::Epoch, ContentKey> = BTreeMap::new();
    for row in app.store.rows(mailbox.id()).await? {
        let epoch = row.sealed.epoch();
        let key = if epoch == keys.epoch {
            keys.current.clone()
        } else if let Some(key) = older.get(&epoch) {
            key.clone()
        } else {
            let key = app.keyring.key(keys.owner, epoch).await?;
            older.insert(epoch, key.clone());
            key
        };
        match keys.open(&key, &row) {
            Ok(meeting) => {
                known.meetings.insert(meeting.event.clone(), meeting);
            }
            Err(_) => {
                tracing::error!(mailbox = %mailbox.id(), row = %row.id, "A stored row does not open; the calendar is read anew");
                known.whole = false;
            }
        }
    }
    Ok(known)
}

async fn open_state(app: &App, owner: &KeyOwner, head: &Head) -> Result<Option<SyncState>, RoundError> {
    let Some(sealed) = &head.state else { return Ok(None) };
    let key = app.keyring.key(owner, sealed.epoch()).await?;
    let text = match open(&key, &state_binding(owner, sealed.epoch()), sealed) {
        Ok(text) => text,
        Err(_) => {
            tracing::error!(mailbox = %owner.mailbox, "The stored delta link does not open; the calendar is read anew");
            return Ok(None);
        }
    };
    Ok(serde_json::from_slice(&text).ok())
}

fn seal_state(
    owner: &KeyOwner,
    epoch: joinery_model::Epoch,
    key: &ContentKey,
    state: &SyncState,
) -> Result<Sealed, RoundError> {
    let text = serde_json::to_vec(state).map_err(|_| SealError::Malformed)?;
    Ok(seal(key, &state_binding(owner, epoch), random()?, &text)?)
}

fn state_binding(owner: &KeyOwner, epoch: joinery_model::Epoch) -> RowBinding<'_> {
    let key = KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch };
    RowBinding { key, kind: RowKind::SyncState, id: &[], revision: Revision(0) }
}

fn random<const N: usize>() -> Result<[u8; N], RoundError> {
    joinery_daemon::random().map_err(|error| RoundError::Random(error.to_string()))
}
