//! Small sealed values to store, and short ways to commit them.
#![expect(clippy::expect_used, reason = "the contract is test code")]

use joinery_model::{Epoch, MailboxId, Revision, RowId, TenantName};
use joinery_seal::{BlindIndex, ContentKey, Day, KeyBinding, RowBinding, RowKind, Sealed, SealedRow, seal};

use crate::{Changes, Commit, Record, RecordKind, Store, StoreError};

pub(super) const ROOM: MailboxId = MailboxId::from_bytes([0xa1; 16]);
pub(super) const DESK: MailboxId = MailboxId::from_bytes([0xb2; 16]);
/// Last day of the rows made here, and of their tombstones.
pub(super) const LAST_DAY: Day = Day(100);

/// Something sealed that differs with `text`.
pub(super) fn sealed(text: &str) -> Sealed {
    let tenant = TenantName::new("contract");
    let key = KeyBinding { tenant: &tenant, mailbox: ROOM, epoch: Epoch::FIRST };
    let binding = RowBinding { key, kind: RowKind::Meeting, id: b"", revision: Revision(0) };
    seal(&ContentKey::from_bytes([7; 32]), &binding, [9; 12], text.as_bytes()).expect("short text")
}

pub(super) fn id(n: u8) -> RowId {
    RowId::from_bytes([n; 16])
}

pub(super) fn row(n: u8, revision: u64, text: &str) -> SealedRow {
    SealedRow { id: id(n), revision: Revision(revision), erase_after: LAST_DAY, sealed: sealed(text) }
}

pub(super) fn record(kind: RecordKind, n: u8, index: Option<u8>, text: &str) -> Record {
    Record { kind, id: [n; 16], index: index.map(|n| BlindIndex([n; 16])), sealed: sealed(text) }
}

/// A commit from `from` that writes the rows and removes the ids.
pub(super) fn change(from: u64, writes: &[(u8, &str)], removes: &[u8]) -> Commit {
    Commit {
        from: Revision(from),
        upserts: writes.iter().map(|(n, text)| row(*n, from + 1, text)).collect(),
        removes: removes.iter().copied().map(id).collect(),
        tombstone_until: LAST_DAY,
        state: None,
    }
}

/// Rows and removed ids as short text: `"1@3 2@4 -5"`; a snapshot starts with `=`.
pub(super) async fn told(store: &dyn Store, mailbox: MailboxId, since: u64) -> Result<String, StoreError> {
    let first = |id: &RowId| id.as_bytes().first().copied().unwrap_or_default();
    let rows = |rows: &[SealedRow]| {
        rows.iter().map(|row| format!("{}@{}", first(&row.id), row.revision)).collect::<Vec<_>>()
    };
    Ok(match store.changes(mailbox, Revision(since)).await? {
        Changes::Same { revision } => format!("same {revision}"),
        Changes::Delta { from, to, upserts, removes } => {
            let mut words = vec![format!("{from}>{to}")];
            words.extend(rows(&upserts));
            words.extend(removes.iter().map(|id| format!("-{}", first(id))));
            words.join(" ")
        }
        Changes::Snapshot { revision, rows: all } => {
            let mut words = vec![format!("={revision}")];
            words.extend(rows(&all));
            words.join(" ")
        }
    })
}
