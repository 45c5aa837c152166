//! Rows outside the window are erased, not hidden.

use std::sync::Arc;

use jiff::Timestamp;
use joinery_model::{MailboxId, RowId};
use joinery_seal::Day;
use joinery_store::{Commit, Store, StoreError};

use super::round::TOMBSTONE_DAYS;
use crate::app::App;
use crate::records::{InvitationRecord, RecordError, Records, Stored};
use crate::roster::Roster;

/// Runs until `stop`.
pub async fn run(app: Arc<App>, stop: joinery_daemon::Shutdown) {
    loop {
        let now = joinery_daemon::now();
        if let Err(error) = erase_rows(app.store.as_ref(), &app.roster, Day::of(now)).await {
            tracing::error!("Old rows are not erased: {error}; it is tried again");
        }
        let changes = app.registry.changes.lock().await;
        if let Err(error) = erase_invitations(&app.records, now).await {
            tracing::error!("Old invitations are not erased: {error}; it is tried again");
        }
        drop(changes);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(app.config.enforce_every) => {}
        }
    }
}

/// Erases every row whose day is over, and tombstones that nobody needs any more. What an error keeps from being
/// erased is erased by the next call.
async fn erase_rows(store: &dyn Store, roster: &Roster, today: Day) -> Result<(), StoreError> {
    for (mailbox, rows) in store.due(today).await? {
        let erased = rows.len();
        erase(store, roster, mailbox, rows, today).await?;
        tracing::info!(%mailbox, erased, "Rows outside the window erased");
    }
    store.forget_tombstones(today).await
}

async fn erase(
    store: &dyn Store,
    roster: &Roster,
    id: MailboxId,
    removes: Vec<RowId>,
    today: Day,
) -> Result<(), StoreError> {
    // One that was removed meanwhile has no rows any more.
    let Some(mailbox) = roster.by_id(id) else { return Ok(()) };
    let _writer = mailbox.writer.lock().await;
    if mailbox.is_removed() {
        return Ok(());
    }
    let commit = Commit {
        from: store.head(id).await?.revision,
        upserts: Vec::new(),
        removes,
        tombstone_until: Day(today.0.saturating_add(TOMBSTONE_DAYS)),
        state: None,
    };
    let revision = store.commit(id, commit).await?;
    mailbox.announce(revision);
    Ok(())
}

/// Erases invitations that ended.
async fn erase_invitations(records: &Records, now: Timestamp) -> Result<(), RecordError> {
    for invitation in records.all::<InvitationRecord>().await? {
        if invitation.expires < now {
            records.delete::<InvitationRecord>(invitation.id()).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn rows_are_erased_when_their_day_is_over_and_devices_are_told() {
        let test = testing::app().await;
        let app = &test.app;
        let mailbox = testing::mailbox(app, "room@contoso.example").await;
        let rows =
            [testing::row(app, &mailbox, 1, Day(100)).await, testing::row(app, &mailbox, 2, Day(101)).await];
        let from = app.store.head(mailbox.id()).await.unwrap().revision;
        let commit = Commit {
            from,
            upserts: rows.to_vec(),
            removes: Vec::new(),
            tombstone_until: Day(0),
            state: None,
        };
        let before = app.store.commit(mailbox.id(), commit).await.unwrap();
        mailbox.announce(before);

        erase_rows(app.store.as_ref(), &app.roster, Day(100)).await.unwrap();
        assert_eq!(app.store.rows(mailbox.id()).await.unwrap().len(), 2);
        erase_rows(app.store.as_ref(), &app.roster, Day(101)).await.unwrap();
        assert_eq!(app.store.rows(mailbox.id()).await.unwrap().len(), 1);
        assert_eq!(mailbox.revision(), before.next());
    }

    #[tokio::test]
    async fn invitations_are_erased_when_they_ended() {
        let test = testing::app().await;
        let app = &test.app;
        let mailbox = testing::mailbox(app, "room@contoso.example").await;
        let invitation = testing::invitation(&mailbox, "123456", joinery_daemon::now());
        app.records.put(&invitation).await.unwrap();
        erase_invitations(&app.records, invitation.expires).await.unwrap();
        assert_eq!(app.records.all::<InvitationRecord>().await.unwrap().len(), 1);
        let later = invitation.expires + jiff::SignedDuration::from_secs(1);
        erase_invitations(&app.records, later).await.unwrap();
        assert_eq!(app.records.all::<InvitationRecord>().await.unwrap().len(), 0);
    }
}
