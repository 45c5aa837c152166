//! Large messages in parts, and whole again. A snapshot or difference that is cut off in the middle is never seen.

use joinery_model::{MailboxId, Revision, RowId};
use joinery_proto::v1;
use joinery_proto::v1::connector_message::Kind;
use joinery_seal::{Sealed, SealedRow};
use prost::Message;

use crate::ToAgent;
use crate::wire::{self, Malformed};

/// Size that parts are filled up to, in bytes. With what is around it a part stays under 256 KiB; a single row that is
/// larger goes alone.
const PART: usize = 192 * 1024;

/// Rows that a device takes for one mailbox: a calendar's month has some hundreds.
const MAX_ROWS: usize = 50_000;

/// Bytes of rows that a device takes for one mailbox.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The messages that `message` travels as.
pub(crate) fn parts(message: ToAgent) -> Vec<v1::ConnectorMessage> {
    let kinds = match message {
        ToAgent::Welcome { server_time, store_id, settings } => vec![Kind::Welcome(v1::Welcome {
            server_time_ms: server_time.as_millisecond(),
            store_id: wire::bytes(store_id.as_bytes()),
            settings: Some(wire::to_settings(&settings)),
        })],
        ToAgent::Grant { mailbox, tenant, epoch, grant, address } => vec![Kind::Grant(v1::Grant {
            mailbox: wire::bytes(mailbox.as_bytes()),
            tenant: tenant.as_str().to_owned(),
            epoch: epoch.0,
            encapsulated: grant.encapsulated.into(),
            ciphertext: grant.ciphertext.into(),
            sealed_address: address.map(Sealed::into_bytes).unwrap_or_default().into(),
        })],
        ToAgent::Snapshot { mailbox, revision, rows } => snapshot(mailbox, revision, rows),
        ToAgent::Delta { mailbox, from, to, upserts, removes } => delta(mailbox, from, to, upserts, &removes),
        ToAgent::Synced { mailbox, revision } => {
            vec![Kind::Synced(v1::Synced { mailbox: wire::bytes(mailbox.as_bytes()), revision: revision.0 })]
        }
        ToAgent::RenewNow => vec![Kind::RenewNow(v1::RenewNow {})],
        ToAgent::Goodbye(reason) => {
            vec![Kind::Goodbye(v1::Goodbye { reason: wire::to_reason(reason).to_owned() })]
        }
    };
    kinds.into_iter().map(|kind| v1::ConnectorMessage { kind: Some(kind) }).collect()
}

fn snapshot(mailbox: MailboxId, revision: Revision, rows: Vec<SealedRow>) -> Vec<Kind> {
    let mailbox = wire::bytes(mailbox.as_bytes());
    let begin = Kind::SnapshotBegin(v1::SnapshotBegin { mailbox: mailbox.clone(), revision: revision.0 });
    let end = Kind::SnapshotEnd(v1::SnapshotEnd { mailbox, revision: revision.0 });
    let rows = filled(rows.into_iter().map(wire::to_row), row_size);
    let rows = rows.into_iter().map(|rows| Kind::SnapshotRows(v1::Rows { rows }));
    std::iter::once(begin).chain(rows).chain([end]).collect()
}

fn delta(
    mailbox: MailboxId,
    from: Revision,
    to: Revision,
    upserts: Vec<SealedRow>,
    removes: &[RowId],
) -> Vec<Kind> {
    let mailbox = wire::bytes(mailbox.as_bytes());
    let part = |upserts, removes| v1::Delta {
        mailbox: mailbox.clone(),
        from: from.0,
        to: to.0,
        upserts,
        removes,
        more: true,
    };
    let removes = filled(removes.iter().map(|id| wire::bytes(id.as_bytes())), |id| id.len() + 8);
    let upserts = filled(upserts.into_iter().map(wire::to_row), row_size);
    let mut deltas: Vec<v1::Delta> = removes.into_iter().map(|removes| part(Vec::new(), removes)).collect();
    for rows in upserts {
        match deltas.last_mut() {
            // The usual difference is small and goes in one message.
            Some(last) if last.upserts.is_empty() && last.encoded_len() + size_of(&rows) <= PART => {
                last.upserts = rows;
            }
            Some(_) | None => deltas.push(part(rows, Vec::new())),
        }
    }
    if deltas.is_empty() {
        deltas.push(part(Vec::new(), Vec::new()));
    }
    if let Some(last) = deltas.last_mut() {
        last.more = false;
    }
    deltas.into_iter().map(Kind::Delta).collect()
}

fn row_size(row: &v1::Row) -> usize {
    row.encoded_len() + 8
}

fn size_of(rows: &[v1::Row]) -> usize {
    rows.iter().map(row_size).sum()
}

/// The items in groups of up to [`PART`] bytes, at least one item each.
fn filled<T>(items: impl Iterator<Item = T>, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut room = 0_usize;
    for item in items {
        let needed = size(&item);
        match groups.last_mut() {
            Some(group) if needed <= room => group.push(item),
            Some(_) | None => {
                groups.push(vec![item]);
                room = PART;
            }
        }
        room = room.saturating_sub(needed);
    }
    groups
}

/// Puts parts together.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    mailbox: MailboxId,
    /// `Some`: a difference from there; `None`: a snapshot.
    from: Option<Revision>,
    to: Revision,
    rows: Vec<SealedRow>,
    removes: Vec<RowId>,
    bytes: usize,
}

impl Begun {
    fn add(&mut self, rows: Vec<v1::Row>, removes: &[bytes::Bytes]) -> Result<(), Malformed> {
        self.bytes += size_of(&rows);
        let count = self.rows.len() + rows.len() + self.removes.len() + removes.len();
        if count > MAX_ROWS || self.bytes > MAX_BYTES {
            return Err(Malformed("more meetings than a device can hold"));
        }
        for row in rows {
            self.rows.push(wire::from_row(row)?);
        }
        self.removes.extend(wire::row_ids(removes)?);
        Ok(())
    }
}

impl Assembly {
    /// Takes a message; answers what it completes. A new beginning drops what was begun before.
    pub(crate) fn take(&mut self, message: v1::ConnectorMessage) -> Result<Option<ToAgent>, Malformed> {
        let whole = match message.kind {
            Some(Kind::Welcome(welcome)) => ToAgent::Welcome {
                server_time: wire::time(welcome.server_time_ms)?,
                store_id: wire::store_id(&welcome.store_id)?,
                settings: wire::from_settings(welcome.settings)?,
            },
            Some(Kind::Grant(grant)) => wire::from_grant(grant)?,
            Some(Kind::SnapshotBegin(begin)) => {
                self.begun = Some(Begun {
                    mailbox: wire::mailbox(&begin.mailbox)?,
                    from: None,
                    to: Revision(begin.revision),
                    rows: Vec::new(),
                    removes: Vec::new(),
                    bytes: 0,
                });
                return Ok(None);
            }
            Some(Kind::SnapshotRows(rows)) => {
                let begun = self.begun.as_mut().filter(|begun| begun.from.is_none());
                begun.ok_or(Malformed("rows of no snapshot"))?.add(rows.rows, &[])?;
                return Ok(None);
            }
            Some(Kind::SnapshotEnd(end)) => self.end_snapshot(&end)?,
            Some(Kind::Delta(delta)) => match self.take_delta(delta)? {
                Some(whole) => whole,
                None => return Ok(None),
            },
            Some(Kind::Synced(synced)) => ToAgent::Synced {
                mailbox: wire::mailbox(&synced.mailbox)?,
                revision: Revision(synced.revision),
            },
            Some(Kind::RenewNow(v1::RenewNow {})) => ToAgent::RenewNow,
            Some(Kind::Goodbye(goodbye)) => ToAgent::Goodbye(wire::from_reason(&goodbye.reason)),
            Some(Kind::Ping(_) | Kind::Pong(_)) | None => return Ok(None),
        };
        Ok(Some(whole))
    }

    fn end_snapshot(&mut self, end: &v1::SnapshotEnd) -> Result<ToAgent, Malformed> {
        let begun = self.begun.take().filter(|begun| begun.from.is_none());
        let begun = begun.ok_or(Malformed("the end of no snapshot"))?;
        if begun.mailbox != wire::mailbox(&end.mailbox)? || begun.to != Revision(end.revision) {
            return Err(Malformed("the end of another snapshot"));
        }
        Ok(ToAgent::Snapshot { mailbox: begun.mailbox, revision: begun.to, rows: begun.rows })
    }

    fn take_delta(&mut self, delta: v1::Delta) -> Result<Option<ToAgent>, Malformed> {
        let (mailbox, from, to) = (wire::mailbox(&delta.mailbox)?, Revision(delta.from), Revision(delta.to));
        if to < from {
            return Err(Malformed("a difference that goes backwards"));
        }
        let goes_on = |begun: &Begun| (begun.mailbox, begun.from, begun.to) == (mailbox, Some(from), to);
        let mut begun = self.begun.take().filter(goes_on).unwrap_or_else(|| Begun {
            mailbox,
            from: Some(from),
            to,
            rows: Vec::new(),
            removes: Vec::new(),
            bytes: 0,
        });
        begun.add(delta.upserts, &delta.removes)?;
        if delta.more {
            self.begun = Some(begun);
            return Ok(None);
        }
        Ok(Some(ToAgent::Delta { mailbox, from, to, upserts: begun.rows, removes: begun.removes }))
    }
}

#[cfg(test)]
mod tests {
    use joinery_model::{DeviceKind, Epoch, StoreId, TenantName};
    use joinery_seal::{Day, Sealed, SealedGrant};

    use super::*;
    use crate::{DeviceSettings, GoodbyeReason};

    const MAILBOX: MailboxId = MailboxId::from_bytes([1; 16]);

    /// A row whose sealed form has the right header; whether it opens is nobody's concern here.
    pub(super) fn row(number: u32, size: usize) -> SealedRow {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let sealed = [&[1, 0, 0, 0, 1][..], &vec![7; 12 + 256 * (size / 256).max(1) + 16]].concat();
        SealedRow {
            id: RowId::from_bytes(id),
            revision: Revision(5),
            erase_after: Day(20_000),
            sealed: Sealed::from_stored(sealed).unwrap(),
        }
    }

    fn rows(count: u32, size: usize) -> Vec<SealedRow> {
        (0..count).map(|number| row(number, size)).collect()
    }

    fn assemble(parts: impl IntoIterator<Item = v1::ConnectorMessage>) -> Result<Vec<ToAgent>, Malformed> {
        let mut assembly = Assembly::default();
        let taken: Result<Vec<_>, _> = parts.into_iter().map(|part| assembly.take(part)).collect();
        Ok(taken?.into_iter().flatten().collect())
    }

    fn check(message: &ToAgent, want_parts: usize) {
        let sent = parts(message.clone());
        assert_eq!(sent.len(), want_parts);
        assert!(sent.iter().all(|part| part.encoded_len() < crate::MAX_TO_AGENT));
        assert_eq!(assemble(sent).as_deref(), Ok(std::slice::from_ref(message)));
    }

    fn snapshot_of(rows: Vec<SealedRow>) -> ToAgent {
        ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(9), rows }
    }

    fn delta_of(upserts: Vec<SealedRow>, removes: usize) -> ToAgent {
        let removes = (0..removes).map(|number| RowId::from_bytes([u8::try_from(number % 251).unwrap(); 16]));
        ToAgent::Delta {
            mailbox: MAILBOX,
            from: Revision(3),
            to: Revision(9),
            upserts,
            removes: removes.collect(),
        }
    }

    #[test]
    fn every_message_survives_the_wire() {
        let settings = DeviceSettings {
            kind: DeviceKind::Room,
            button_lead: std::time::Duration::from_secs(300),
            past: std::time::Duration::from_secs(7 * 86_400),
            future: std::time::Duration::from_secs(31 * 86_400),
        };
        let server_time = "2026-11-24T09:00:00.123Z".parse().unwrap();
        check(&ToAgent::Welcome { server_time, store_id: StoreId::from_bytes([2; 16]), settings }, 1);
        let grant = SealedGrant { encapsulated: vec![1; 32], ciphertext: vec![2; 48] };
        check(
            &ToAgent::Grant {
                mailbox: MAILBOX,
                tenant: TenantName::new("contoso"),
                epoch: Epoch(2),
                grant: grant.clone(),
                address: None,
            },
            1,
        );
        check(
            &ToAgent::Grant {
                mailbox: MAILBOX,
                tenant: TenantName::new("contoso"),
                epoch: Epoch(2),
                grant,
                address: Some(rows(1, 256).remove(0).sealed),
            },
            1,
        );
        check(&ToAgent::Synced { mailbox: MAILBOX, revision: Revision(9) }, 1);
        check(&ToAgent::RenewNow, 1);
        check(&ToAgent::Goodbye(GoodbyeReason::Revoked), 1);
    }

    #[test]
    fn lists_travel_in_parts_and_arrive_whole() {
        check(&snapshot_of(vec![]), 2);
        check(&snapshot_of(rows(3, 512)), 3);
        check(&snapshot_of(rows(1000, 1024)), 2 + 6);
        check(&snapshot_of(rows(3, 1024 * 1024)), 2 + 3);
        check(&delta_of(vec![], 0), 1);
        check(&delta_of(rows(2, 512), 3), 1);
        check(&delta_of(rows(1000, 1024), 0), 6);
        check(&delta_of(rows(1000, 1024), 20_000), 3 + 6);
    }

    #[test]
    fn parts_stay_under_a_quarter_mebibyte() {
        for message in [snapshot_of(rows(1000, 900)), delta_of(rows(1000, 900), 20_000)] {
            assert!(parts(message).iter().all(|part| part.encoded_len() < 256 * 1024));
        }
    }

    #[test]
    fn a_cut_in_the_middle_gives_nothing() {
        for message in [snapshot_of(rows(1000, 1024)), delta_of(rows(1000, 1024), 3)] {
            let mut sent = parts(message);
            sent.pop();
            assert_eq!(assemble(sent), Ok(vec![]));
        }
    }

    #[test]
    fn a_new_beginning_drops_the_old() {
        let mut cut = parts(snapshot_of(rows(1000, 1024)));
        cut.pop();
        let whole = snapshot_of(rows(2, 512));
        cut.extend(parts(whole.clone()));
        assert_eq!(assemble(cut), Ok(vec![whole]));
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let sent = parts(snapshot_of(rows(2, 512)));
        assert_eq!(assemble(sent[1..].to_vec()), Err(Malformed("rows of no snapshot")));
        assert_eq!(assemble(sent[2..].to_vec()), Err(Malformed("the end of no snapshot")));
        let mut other = sent;
        let last = parts(ToAgent::Snapshot { mailbox: MAILBOX, revision: Revision(10), rows: vec![] });
        other[2] = last[1].clone();
        assert_eq!(assemble(other), Err(Malformed("the end of another snapshot")));
    }

    #[test]
    fn more_than_a_device_can_hold_is_refused() {
        let begin = parts(snapshot_of(vec![])).remove(0);
        let one = parts(snapshot_of(rows(1, 1024 * 1024))).remove(1);
        let flood = std::iter::once(begin).chain(std::iter::repeat_n(one, 65));
        assert_eq!(assemble(flood), Err(Malformed("more meetings than a device can hold")));
    }

    #[test]
    fn unknown_kinds_are_ignored_within_a_snapshot() {
        let whole = snapshot_of(rows(2, 512));
        let mut sent = parts(whole.clone());
        sent.insert(1, v1::ConnectorMessage { kind: None });
        sent.insert(2, v1::ConnectorMessage { kind: Some(Kind::Ping(v1::Ping { seq: 1 })) });
        assert_eq!(assemble(sent), Ok(vec![whole]));
    }
}
