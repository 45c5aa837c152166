//! From what Graph said to sealed rows: finds the join target, compares with what is stored, seals what changed.

use std::collections::BTreeMap;
use std::time::Duration;

use joinery_calendar_sync::{Changes, RoundResult, diff, erase_after, meeting};
use joinery_joinlink::{Input, find};
use joinery_model::{Epoch, Event, EventId, JoinTarget, Meeting, Revision, RowId};
use joinery_seal::{
    ContentKey, Day, KeyBinding, RowBinding, RowKind, SealError, SealedRow, open, row_id, seal,
};

use crate::keyring::KeyOwner;

/// The join target of an event, by the rules of the join-address policy.
fn join_target(event: &Event, own_sites: &[String]) -> Option<JoinTarget> {
    find(&Input {
        subject: &event.subject,
        location: &event.location,
        body_kind: event.body.kind,
        body: &event.body.content,
        online_meeting_url: event.online_meeting_url.as_deref(),
        own_sites,
    })
    .target
}

/// What a round changes in the list that is known.
pub async fn changes(
    known: &BTreeMap<EventId, Meeting>,
    result: &RoundResult,
    own_sites: &[String],
) -> Changes {
    let mut meetings = BTreeMap::new();
    for (id, event) in &result.upserts {
        meetings.insert(id.clone(), meeting(event, join_target(event, own_sites)));
        // A month of long invitations takes a while to search: sessions go on between two of them.
        tokio::task::yield_now().await;
    }
    diff(known, result.full, meetings, &result.removed)
}

/// Keys to seal and open the rows of one mailbox with.
pub struct RowKeys<'a> {
    /// Whose rows.
    pub owner: &'a KeyOwner,
    /// The key that row ids are made with: the mailbox's first.
    pub first: &'a ContentKey,
    /// The newest epoch.
    pub epoch: Epoch,
    /// Its key.
    pub current: &'a ContentKey,
}

impl RowKeys<'_> {
    /// Id of an event's row.
    pub fn row_id(&self, event: &EventId) -> RowId {
        row_id(self.first, event)
    }

    /// Seals a meeting as the row of `revision`.
    ///
    /// # Errors
    /// [`SealError`], where the meeting is too large to seal.
    pub fn seal(
        &self,
        meeting: &Meeting,
        revision: Revision,
        past: Duration,
        nonce: [u8; 12],
    ) -> Result<SealedRow, SealError> {
        let id = self.row_id(&meeting.event);
        let text = zeroize::Zeroizing::new(serde_json::to_vec(meeting).map_err(|_| SealError::Malformed)?);
        let sealed = seal(self.current, &self.binding(&id, revision, self.epoch), nonce, &text)?;
        Ok(SealedRow { id, revision, erase_after: Day(erase_after(meeting, past)), sealed })
    }

    /// Opens a row that was sealed with `key`, the key of the row's own epoch.
    ///
    /// # Errors
    /// [`SealError`], where the row was not sealed for this place or does not hold a meeting.
    pub fn open(&self, key: &ContentKey, row: &SealedRow) -> Result<Meeting, SealError> {
        let text = open(key, &self.binding(&row.id, row.revision, row.sealed.epoch()), &row.sealed)?;
        serde_json::from_slice(&text).map_err(|_| SealError::Malformed)
    }

    fn binding<'b>(&'b self, id: &'b RowId, revision: Revision, epoch: Epoch) -> RowBinding<'b> {
        let key = KeyBinding { tenant: &self.owner.tenant, mailbox: self.owner.mailbox, epoch };
        RowBinding { key, kind: RowKind::Meeting, id: id.as_bytes(), revision }
    }
}
