//! Sealed values for the tests of this crate.

use joinery_model::{Epoch, MailboxId, Revision, RowId, TenantName};
use joinery_seal::{ContentKey, Day, KeyBinding, RowBinding, RowKind, Sealed, SealedRow, seal};
use joinery_store::Commit;

pub const ROOM: MailboxId = MailboxId::from_bytes([0xa1; 16]);

/// Seals `text`; what differs in text or revision shares no bytes.
pub fn sealed(text: &str, revision: u64) -> Sealed {
    let tenant = TenantName::new("tests");
    let key = KeyBinding { tenant: &tenant, mailbox: ROOM, epoch: Epoch::FIRST };
    let binding = RowBinding { key, kind: RowKind::Meeting, id: b"", revision: Revision(revision) };
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&revision.to_be_bytes());
    nonce[8..].copy_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
    seal(&ContentKey::from_bytes([7; 32]), &binding, nonce, text.as_bytes()).unwrap()
}

pub fn row(n: u8, revision: u64, text: &str) -> SealedRow {
    let id = RowId::from_bytes([n; 16]);
    SealedRow { id, revision: Revision(revision), erase_after: Day(100), sealed: sealed(text, revision) }
}

pub fn change(from: u64, writes: &[(u8, &str)], removes: &[u8]) -> Commit {
    Commit {
        from: Revision(from),
        upserts: writes.iter().map(|(n, text)| row(*n, from + 1, text)).collect(),
        removes: removes.iter().map(|n| RowId::from_bytes([*n; 16])).collect(),
        tombstone_until: Day(100),
        state: None,
    }
}
