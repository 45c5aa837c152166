//! The daemon's records, the wrapped keys, the store's id.

use joinery_model::{Epoch, MailboxId, StoreId};
use joinery_seal::{BlindIndex, Sealed};
use joinery_store::{Record, RecordKind, StoreError, StoredKey};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use crate::failure::{Failure, is_taken, misshapen};

pub(crate) fn store_id(db: &mut Connection) -> Result<StoreId, Failure> {
    Ok(db.query_row("SELECT id FROM store", [], |row| Ok(StoreId::from_bytes(row.get(0)?)))?)
}

pub(crate) fn record(
    db: &mut Connection,
    kind: RecordKind,
    id: &[u8; 16],
) -> Result<Option<Record>, Failure> {
    let mut query =
        db.prepare_cached("SELECT kind, id, lookup, sealed FROM record WHERE kind = ?1 AND id = ?2")?;
    Ok(query.query_row((kind.number(), id), read).optional()?)
}

pub(crate) fn record_by_index(
    db: &mut Connection,
    kind: RecordKind,
    index: BlindIndex,
) -> Result<Option<Record>, Failure> {
    let mut query =
        db.prepare_cached("SELECT kind, id, lookup, sealed FROM record WHERE kind = ?1 AND lookup = ?2")?;
    Ok(query.query_row((kind.number(), index.0), read).optional()?)
}

pub(crate) fn records(db: &mut Connection, kind: RecordKind) -> Result<Vec<Record>, Failure> {
    let mut query =
        db.prepare_cached("SELECT kind, id, lookup, sealed FROM record WHERE kind = ?1 ORDER BY id")?;
    let found = query.query_map([kind.number()], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(crate) fn delete(db: &mut Connection, kind: RecordKind, id: &[u8; 16]) -> Result<bool, Failure> {
    let mut statement = db.prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?;
    Ok(statement.execute((kind.number(), id))? > 0)
}

pub(crate) fn put(
    db: &mut Connection,
    records: &[Record],
    deletes: &[(RecordKind, [u8; 16])],
) -> Result<(), Failure> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut erase = transaction.prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?;
        for (kind, id) in deletes {
            erase.execute((kind.number(), id))?;
        }
        let mut write = transaction.prepare_cached(
            "INSERT INTO record (kind, id, lookup, sealed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, id) DO UPDATE SET lookup = excluded.lookup, sealed = excluded.sealed",
        )?;
        for record in records {
            let lookup = record.index.map(|index| index.0);
            let written = write.execute((record.kind.number(), record.id, lookup, record.sealed.as_bytes()));
            written.map_err(|error| {
                if is_taken(&error) { StoreError::IndexTaken.into() } else { Failure::Sql(error) }
            })?;
        }
    }
    Ok(transaction.commit()?)
}

pub(crate) fn add_key(db: &mut Connection, key: &StoredKey) -> Result<(), Failure> {
    let mut write =
        db.prepare_cached("INSERT INTO content_key (mailbox, epoch, wrapped) VALUES (?1, ?2, ?3)")?;
    match write.execute((key.mailbox.as_bytes(), key.epoch.0, &key.wrapped)) {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error) => {
            Err(StoreError::KeyExists { mailbox: key.mailbox, epoch: key.epoch }.into())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn keys(db: &mut Connection, mailbox: MailboxId) -> Result<Vec<StoredKey>, Failure> {
    let mut query =
        db.prepare_cached("SELECT epoch, wrapped FROM content_key WHERE mailbox = ?1 ORDER BY epoch")?;
    let found = query.query_map([mailbox.as_bytes()], |row| {
        Ok(StoredKey { mailbox, epoch: Epoch(row.get(0)?), wrapped: row.get(1)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        kind: RecordKind::try_from(row.get::<_, i64>(0)?).map_err(|_| misshapen(0))?,
        id: row.get(1)?,
        index: row.get::<_, Option<[u8; 16]>>(2)?.map(BlindIndex),
        sealed: sealed(row, 3)?,
    })
}

/// Reads a column that holds something sealed.
pub(crate) fn sealed(row: &Row<'_>, column: usize) -> rusqlite::Result<Sealed> {
    Sealed::from_stored(row.get(column)?).map_err(|_| misshapen(column))
}
