//! The meeting lists: heads, rows, tombstones.

use joinery_model::{MailboxId, Revision, RowId};
use joinery_seal::{Day, Sealed, SealedRow};
use joinery_store::{Changes, Commit, Head, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use crate::failure::{Failure, misshapen};
use crate::records::sealed;

pub(crate) fn head(db: &Connection, mailbox: MailboxId) -> Result<Head, Failure> {
    let mut query = db.prepare_cached("SELECT revision, floor, state FROM mailbox WHERE id = ?1")?;
    let head = query.query_row([mailbox.as_bytes()], |row| {
        let state: Option<Vec<u8>> = row.get(2)?;
        let state = state.map(Sealed::from_stored).transpose().map_err(|_| misshapen(2))?;
        Ok(Head { revision: revision(row, 0)?, floor: revision(row, 1)?, state })
    });
    Ok(head.optional()?.unwrap_or_default())
}

/// The rows that were written after `since`.
pub(crate) fn rows(db: &Connection, mailbox: MailboxId, since: Revision) -> Result<Vec<SealedRow>, Failure> {
    let mut query = db.prepare_cached(
        "SELECT id, revision, erase_after, sealed FROM meeting WHERE mailbox = ?1 AND revision > ?2 ORDER BY id",
    )?;
    let found = query.query_map((mailbox.as_bytes(), number(since)), |row| {
        Ok(SealedRow {
            id: RowId::from_bytes(row.get(0)?),
            revision: revision(row, 1)?,
            erase_after: Day(row.get(2)?),
            sealed: sealed(row, 3)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(crate) fn commit(db: &mut Connection, mailbox: MailboxId, commit: &Commit) -> Result<Revision, Failure> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let at = head(&transaction, mailbox)?.revision;
    if at != commit.from {
        return Err(StoreError::Conflict { mailbox, at }.into());
    }
    let next = at.next();
    if let Some(row) = commit.upserts.iter().find(|row| row.revision != next) {
        return Err(StoreError::WrongRevision { mailbox, row: row.revision, next }.into());
    }
    transaction
        .prepare_cached("INSERT INTO mailbox (id, revision, floor) VALUES (?1, 0, 0) ON CONFLICT DO NOTHING")?
        .execute([mailbox.as_bytes()])?;
    let removed = remove(&transaction, mailbox, commit, next)?;
    upsert(&transaction, mailbox, commit)?;
    let reached = if removed || !commit.upserts.is_empty() { next } else { at };
    transaction
        .prepare_cached("UPDATE mailbox SET revision = ?2, state = coalesce(?3, state) WHERE id = ?1")?
        .execute((mailbox.as_bytes(), number(reached), commit.state.as_ref().map(Sealed::as_bytes)))?;
    transaction.commit()?;
    Ok(reached)
}

/// Says whether one of the rows was there.
fn remove(
    db: &Transaction<'_>,
    mailbox: MailboxId,
    commit: &Commit,
    next: Revision,
) -> Result<bool, Failure> {
    let mut erase = db.prepare_cached("DELETE FROM meeting WHERE mailbox = ?1 AND id = ?2")?;
    let mut remember = db.prepare_cached(
        "INSERT INTO tombstone (mailbox, id, revision, erase_after) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut removed = false;
    for id in &commit.removes {
        if erase.execute((mailbox.as_bytes(), id.as_bytes()))? > 0 {
            remember.execute((mailbox.as_bytes(), id.as_bytes(), number(next), commit.tombstone_until.0))?;
            removed = true;
        }
    }
    Ok(removed)
}

fn upsert(db: &Transaction<'_>, mailbox: MailboxId, commit: &Commit) -> Result<(), Failure> {
    let mut revive = db.prepare_cached("DELETE FROM tombstone WHERE mailbox = ?1 AND id = ?2")?;
    let mut write = db.prepare_cached(
        "INSERT INTO meeting (mailbox, id, revision, erase_after, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (mailbox, id) DO UPDATE
         SET revision = excluded.revision, erase_after = excluded.erase_after, sealed = excluded.sealed",
    )?;
    for row in &commit.upserts {
        revive.execute((mailbox.as_bytes(), row.id.as_bytes()))?;
        let place = (mailbox.as_bytes(), row.id.as_bytes());
        write.execute((place.0, place.1, number(row.revision), row.erase_after.0, row.sealed.as_bytes()))?;
    }
    Ok(())
}

pub(crate) fn changes(db: &mut Connection, mailbox: MailboxId, since: Revision) -> Result<Changes, Failure> {
    // One snapshot of the database for head, rows and tombstones.
    let view = db.transaction()?;
    let Head { revision: at, floor, .. } = head(&view, mailbox)?;
    if since == Revision(0) || since < floor || since > at {
        return Ok(Changes::Snapshot { revision: at, rows: rows(&view, mailbox, Revision(0))? });
    }
    if since == at {
        return Ok(Changes::Same { revision: at });
    }
    let upserts = rows(&view, mailbox, since)?;
    let mut query =
        view.prepare_cached("SELECT id FROM tombstone WHERE mailbox = ?1 AND revision > ?2 ORDER BY id")?;
    let removes = query
        .query_map((mailbox.as_bytes(), number(since)), |row| Ok(RowId::from_bytes(row.get(0)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Changes::Delta { from: since, to: at, upserts, removes })
}

pub(crate) fn due(db: &mut Connection, today: Day) -> Result<Vec<(MailboxId, Vec<RowId>)>, Failure> {
    let mut query =
        db.prepare_cached("SELECT mailbox, id FROM meeting WHERE erase_after < ?1 ORDER BY mailbox, id")?;
    let found = query.query_map([today.0], |row| {
        Ok((MailboxId::from_bytes(row.get(0)?), RowId::from_bytes(row.get(1)?)))
    })?;
    let mut due: Vec<(MailboxId, Vec<RowId>)> = Vec::new();
    for found in found {
        let (mailbox, id) = found?;
        match due.last_mut() {
            Some((last, ids)) if *last == mailbox => ids.push(id),
            _ => due.push((mailbox, vec![id])),
        }
    }
    Ok(due)
}

pub(crate) fn forget_tombstones(db: &mut Connection, today: Day) -> Result<(), Failure> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "UPDATE mailbox SET floor = max(floor, old.highest)
         FROM (SELECT mailbox, max(revision) AS highest FROM tombstone WHERE erase_after < ?1 GROUP BY mailbox) AS old
         WHERE old.mailbox = mailbox.id",
        [today.0],
    )?;
    transaction.execute("DELETE FROM tombstone WHERE erase_after < ?1", [today.0])?;
    Ok(transaction.commit()?)
}

pub(crate) fn remove_mailbox(db: &mut Connection, mailbox: MailboxId) -> Result<(), Failure> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for erase in [
        "DELETE FROM meeting WHERE mailbox = ?1",
        "DELETE FROM tombstone WHERE mailbox = ?1",
        "DELETE FROM content_key WHERE mailbox = ?1",
        "DELETE FROM mailbox WHERE id = ?1",
    ] {
        transaction.execute(erase, [mailbox.as_bytes()])?;
    }
    Ok(transaction.commit()?)
}

/// SQLite's integers end at 2^63: no revision gets there, and one from outside that claims to is above all of them.
fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

fn revision(row: &Row<'_>, column: usize) -> rusqlite::Result<Revision> {
    u64::try_from(row.get::<_, i64>(column)?).map(Revision).map_err(|_| misshapen(column))
}
