//! One round of one mailbox: ask Graph, compare, seal, commit, announce.

use std::collections::BTreeMap;

use joinery_calendar_sync::{Changes, Round, RoundResult, Step, SyncError, SyncState};
use joinery_kms::KmsError;
use joinery_model::{Epoch, EventId, Meeting, Revision, RowId, TenantName};
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
    NoTenant(TenantName),
    /// The program failed.
    #[error("reading this calendar hit a fault in the program; please report it with the log of this moment")]
    Fault,
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
            Self::Fault => "fault",
            Self::Removed => "removed",
        }
    }

    /// Whether asking again is useless before somebody acts.
    pub fn needs_operator(&self) -> bool {
        match self {
            Self::Graph(error) => !error.is_retryable(),
            Self::NoTenant(_) | Self::Fault => true,
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
            | Self::Fault
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
    let owner = mailbox.key_owner();
    let (epoch, current) = {
        // A removal shreds the keys: none is made after it.
        let _writer = mailbox.writer.lock().await;
        if mailbox.is_removed() {
            return Err(RoundError::Removed);
        }
        app.keyring.current(&owner).await?
    };
    let first = app.keyring.key(&owner, Epoch::FIRST).await?;
    let keys = RowKeys { owner: &owner, first: &first, epoch, current: &current };

    let head = app.store.head(mailbox.id()).await?;
    let state = if anew { None } else { open_state(app, &owner, &head).await? };
    let result = ask(app, graph, mailbox, state).await?;
    if let Applied::Committed(report) = apply(app, mailbox, &keys, &result).await? {
        return Ok(report);
    }
    let whole = ask(app, graph, mailbox, None).await?;
    match apply(app, mailbox, &keys, &whole).await? {
        Applied::Committed(report) => Ok(report),
        Applied::Damaged => Err(SealError::Malformed.into()),
    }
}

/// What became of a round's result.
enum Applied {
    /// It is committed and announced.
    Committed(RoundReport),
    /// Stored rows do not open, and the result is not whole: only reading the calendar anew can replace them.
    Damaged,
}

/// Compares what Graph said with what is stored and commits the difference. Nobody else writes the mailbox meanwhile.
async fn apply(
    app: &App,
    mailbox: &Mailbox,
    keys: &RowKeys<'_>,
    result: &RoundResult,
) -> Result<Applied, RoundError> {
    let _writer = mailbox.writer.lock().await;
    if mailbox.is_removed() {
        return Err(RoundError::Removed);
    }
    let head = app.store.head(mailbox.id()).await?;
    let before = mailbox.progress();
    let silent = !result.full && result.upserts.is_empty() && result.removed.is_empty();
    let (changes, damaged, meetings) = if silent && before.last_round.is_some() {
        (Changes::default(), Vec::new(), before.meetings)
    } else {
        let known = open_rows(app, mailbox, keys).await?;
        if !known.damaged.is_empty() && !result.full {
            return Ok(Applied::Damaged);
        }
        let changes = changes(&known.meetings, result, &app.config.own_sites).await;
        let new =
            changes.upserts.iter().filter(|meeting| !known.meetings.contains_key(&meeting.event)).count();
        let meetings = (known.meetings.len() + new).saturating_sub(changes.removes.len());
        (changes, known.damaged, meetings)
    };
    let revision = head.revision.next();
    let mut upserts = Vec::with_capacity(changes.upserts.len());
    for meeting in &changes.upserts {
        upserts.push(keys.seal(meeting, revision, app.config.sync.past, random()?)?);
    }
    let mut removes: Vec<RowId> = changes.removes.iter().map(|event| keys.row_id(event)).collect();
    removes.extend(damaged);
    let changed = upserts.len() + removes.len();
    let commit = Commit {
        from: head.revision,
        upserts,
        removes,
        tombstone_until: Day(Day::of(joinery_daemon::now()).0.saturating_add(TOMBSTONE_DAYS)),
        state: Some(seal_state(keys, &result.state)?),
    };
    let revision = app.store.commit(mailbox.id(), commit).await?;
    mailbox.announce(revision);
    Ok(Applied::Committed(RoundReport { meetings, skipped: result.skipped, changed }))
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
            Step::Commit(result) => {
                if let Some(reason) = result.resync {
                    tracing::info!(mailbox = %mailbox.id(), "Calendar read anew: {reason}");
                }
                return Ok(*result);
            }
            Step::GiveUp(error) => return Err(error.into()),
        };
    }
}

#[derive(Default)]
struct Known {
    meetings: BTreeMap<EventId, Meeting>,
    /// Rows that do not open.
    damaged: Vec<RowId>,
}

/// What the store holds of the mailbox.
async fn open_rows(app: &App, mailbox: &Mailbox, keys: &RowKeys<'_>) -> Result<Known, RoundError> {
    let mut known = Known::default();
    let mut older: BTreeMap<Epoch, ContentKey> = BTreeMap::new();
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
                known.damaged.push(row.id);
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

fn seal_state(keys: &RowKeys<'_>, state: &SyncState) -> Result<Sealed, RoundError> {
    let text = serde_json::to_vec(state).map_err(|_| SealError::Malformed)?;
    Ok(seal(keys.current, &state_binding(keys.owner, keys.epoch), random()?, &text)?)
}

fn state_binding(owner: &KeyOwner, epoch: Epoch) -> RowBinding<'_> {
    let key = KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch };
    RowBinding { key, kind: RowKind::SyncState, id: &[], revision: Revision(0) }
}

fn random<const N: usize>() -> Result<[u8; N], RoundError> {
    joinery_daemon::random().map_err(|error| RoundError::Random(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, TestApp};
    use jiff::SignedDuration;
    use joinery_tenant::{MailboxKind, NewMeeting, Options, Tenant};
    use std::sync::Arc;

    const ROOM: &str = "room@contoso.example";

    async fn world() -> (Tenant, TestApp, Arc<Mailbox>) {
        let options = Options { mailboxes: vec![(ROOM.to_owned(), MailboxKind::Room)], ..Options::default() };
        let tenant = Tenant::start(options).await.unwrap();
        let test = testing::app_of(&tenant).await;
        let mailbox = testing::mailbox(&test.app, ROOM).await;
        (tenant, test, mailbox)
    }

    fn meeting(subject: &str) -> NewMeeting {
        let start = joinery_daemon::now() + SignedDuration::from_hours(1);
        NewMeeting::new(subject, start, start + SignedDuration::from_mins(30))
    }

    async fn subjects(app: &App, mailbox: &Mailbox) -> Vec<String> {
        let owner = mailbox.key_owner();
        let (epoch, key) = app.keyring.current(&owner).await.unwrap();
        let keys = RowKeys { owner: &owner, first: &key, epoch, current: &key };
        let known = open_rows(app, mailbox, &keys).await.unwrap();
        assert!(known.damaged.is_empty());
        let mut subjects: Vec<String> = known.meetings.into_values().map(|meeting| meeting.subject).collect();
        subjects.sort();
        subjects
    }

    #[tokio::test]
    async fn a_round_commits_only_what_changed() {
        let (tenant, test, mailbox) = world().await;
        let app = &test.app;
        let first = tenant.create(ROOM, &meeting("One")).unwrap();
        tenant.create(ROOM, &meeting("Two")).unwrap();
        let mut changed = Vec::new();
        for step in 0..5 {
            match step {
                2 => drop(tenant.delete(ROOM, &first.id).unwrap()),
                4 => drop(tenant.create(ROOM, &meeting("Three")).unwrap()),
                _ => {}
            }
            let report = read(app, &mailbox, false).await.unwrap();
            mailbox.succeeded(joinery_daemon::now(), report.meetings, report.skipped);
            changed.push((report.changed, report.meetings, mailbox.revision().0));
        }
        assert_eq!(changed, [(2, 2, 1), (0, 2, 1), (1, 1, 2), (0, 1, 2), (1, 2, 3)]);
        assert_eq!(
            read(app, &mailbox, true).await.unwrap().changed,
            0,
            "reading anew changes nothing by itself"
        );
        assert_eq!(subjects(app, &mailbox).await, ["Three", "Two"]);
        assert!(tenant.violations().is_empty());
    }

    #[tokio::test]
    async fn a_row_that_does_not_open_is_read_anew_and_replaced() {
        let (tenant, test, mailbox) = world().await;
        let app = &test.app;
        tenant.create(ROOM, &meeting("One")).unwrap();
        read(app, &mailbox, false).await.unwrap();
        let head = app.store.head(mailbox.id()).await.unwrap();
        let mut row = app.store.rows(mailbox.id()).await.unwrap().remove(0);
        // Sealed for revision 1, now said to be of revision 2: it does not open there. One more belongs to no event.
        row.revision = head.revision.next();
        let stray = testing::row(app, &mailbox, 9, Day(99_999)).await;
        let commit = Commit {
            from: head.revision,
            upserts: vec![row, stray],
            removes: Vec::new(),
            tombstone_until: Day(0),
            state: None,
        };
        app.store.commit(mailbox.id(), commit).await.unwrap();
        let report = read(app, &mailbox, false).await.unwrap();
        assert_eq!((report.changed, report.meetings), (3, 1));
        assert_eq!(subjects(app, &mailbox).await, ["One"]);
    }

    #[tokio::test]
    async fn a_mailbox_that_was_removed_meanwhile_is_not_written() {
        let (tenant, test, mailbox) = world().await;
        let app = &test.app;
        tenant.create(ROOM, &meeting("One")).unwrap();
        mailbox.close();
        assert!(matches!(read(app, &mailbox, false).await, Err(RoundError::Removed)));
        assert!(app.store.keys(mailbox.id()).await.unwrap().is_empty());
    }
}
