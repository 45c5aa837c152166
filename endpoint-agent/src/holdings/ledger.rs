//! What the connector has given to this device, sealed as it came: rules of how snapshots and differences are applied.
//!
//! Plain values: what becomes of them on disk is the cache's, who opens them the reader's.

use std::collections::BTreeMap;
use std::time::Duration;

use joinery_agenda::Policy;
use joinery_model::{DeviceKind, Epoch, MailboxId, Revision, RowId, StoreId, TenantName};
use joinery_seal::{Day, Sealed, SealedGrant, SealedRow};

/// What the operator decided for this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What kind of screen it is.
    pub kind: DeviceKind,
    /// How long before the start the Join button appears.
    pub button_lead: Duration,
    /// How long a meeting that is over stays.
    pub past: Duration,
    /// How far ahead the list goes.
    pub future: Duration,
}

impl Settings {
    /// The agenda's rules for such a device.
    pub fn policy(&self) -> Policy {
        let shared = match self.kind {
            DeviceKind::Room => true,
            DeviceKind::Desktop => false,
        };
        Policy { shared, lead: self.button_lead, past: self.past, future: self.future }
    }
}

/// Everything that the device holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// `None` before the first session.
    pub settings: Option<Settings>,
    /// Meeting lists by mailbox; in practice one.
    pub mailboxes: BTreeMap<MailboxId, Held>,
    /// The latest day on which rows were erased by this device's own clock. If that clock ran ahead, they are asked
    /// for again.
    pub erased_on: Option<Day>,
}

/// One mailbox's list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// The life of the store that `revision` belongs to. `None`: no list has come yet.
    pub store_id: Option<StoreId>,
    /// Where the list stands.
    pub revision: Revision,
    /// Sealed meetings.
    pub rows: BTreeMap<RowId, SealedRow>,
    /// Sealed keys.
    pub grants: BTreeMap<Epoch, HeldGrant>,
}

/// A content key, sealed to this device, and what it is bound to.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldGrant {
    /// The mailbox's tenant.
    pub tenant: TenantName,
    /// The key.
    pub sealed: SealedGrant,
    /// The mailbox's address, sealed under that key.
    pub address: Option<Sealed>,
}

/// What became of a list of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The list now stands at its end.
    Applied,
    /// All of it was known.
    Known,
    /// It begins where this device is not: something between is missing, the list must be asked for again.
    Gap,
}

impl Ledger {
    /// Takes over a whole list in the place of what was held.
    pub fn snapshot(
        &mut self,
        mailbox: MailboxId,
        store_id: StoreId,
        revision: Revision,
        rows: Vec<SealedRow>,
    ) {
        let held = self.mailboxes.entry(mailbox).or_default();
        held.store_id = Some(store_id);
        held.revision = revision;
        held.rows = rows.into_iter().map(|row| (row.id, row)).collect();
    }

    /// Takes over differences. They may begin before the revision held, as long as they end after it: a row carries
    /// its present state, whatever happened between.
    pub fn delta(&mut self, mailbox: MailboxId, store_id: StoreId, delta: Delta) -> DeltaOutcome {
        let Some(held) = self.mailboxes.get_mut(&mailbox).filter(|held| held.store_id == Some(store_id))
        else {
            return DeltaOutcome::Gap;
        };
        if delta.from > held.revision {
            return DeltaOutcome::Gap;
        }
        if delta.to <= held.revision {
            return DeltaOutcome::Known;
        }
        for id in &delta.removes {
            held.rows.remove(id);
        }
        held.rows.extend(delta.upserts.into_iter().map(|row| (row.id, row)));
        held.revision = delta.to;
        DeltaOutcome::Applied
    }

    /// The connector says that nothing up to `revision` is missing. True if that moved the revision. A mailbox of
    /// which no list has come cannot be synced.
    pub fn synced(&mut self, mailbox: MailboxId, store_id: StoreId, revision: Revision) -> bool {
        match self.mailboxes.get_mut(&mailbox) {
            Some(held) if held.store_id == Some(store_id) && held.revision < revision => {
                held.revision = revision;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Keeps a grant. True if it is new.
    pub fn grant(&mut self, mailbox: MailboxId, epoch: Epoch, grant: HeldGrant) -> bool {
        let grants = &mut self.mailboxes.entry(mailbox).or_default().grants;
        grants.insert(epoch, grant.clone()).is_none_or(|former| former != grant)
    }

    /// Erases what may not be kept beyond yesterday, by this device's own clock. True if anything went.
    pub fn erase(&mut self, today: Day) -> bool {
        let mut erased = false;
        for held in self.mailboxes.values_mut() {
            let before = held.rows.len();
            held.rows.retain(|_, row| row.erase_after >= today);
            erased |= held.rows.len() != before;
        }
        if erased {
            self.erased_on = self.erased_on.max(Some(today));
        }
        erased
    }

    /// Whether the clock now says an earlier day than when rows were last erased: it ran ahead then, and the rows may be
    /// missed. The answer is to ask for whole lists; [`Ledger::forget_positions`] does.
    pub fn erased_too_early(&self, today: Day) -> bool {
        self.erased_on.is_some_and(|erased| erased > today)
    }

    /// Makes the next session bring whole lists. What is held stays until they come.
    pub fn forget_positions(&mut self) {
        for held in self.mailboxes.values_mut() {
            held.store_id = None;
            held.revision = Revision::default();
        }
        self.erased_on = None;
    }

    /// Forgets every meeting and every key: this device may hold them no longer.
    pub fn forget_everything(&mut self) {
        *self = Self::default();
    }
}

/// Differences of one mailbox's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// The revision they begin at.
    pub from: Revision,
    /// The revision they lead to.
    pub to: Revision,
    /// Rows that are new or changed.
    pub upserts: Vec<SealedRow>,
    /// Rows that are gone.
    pub removes: Vec<RowId>,
}

#[cfg(test)]
mod tests {
    use joinery_model::TenantName;
    use joinery_seal::{ContentKey, KeyBinding, RowBinding, RowKind, seal};

    use super::*;

    const MAILBOX: MailboxId = MailboxId::from_bytes([1; 16]);
    const STORE: StoreId = StoreId::from_bytes([2; 16]);
    const OTHER_STORE: StoreId = StoreId::from_bytes([3; 16]);

    fn row(name: char, revision: u64, erase_after: i32) -> SealedRow {
        let (id, revision) = (RowId::from_bytes([name as u8; 16]), Revision(revision));
        let tenant = TenantName::new("t");
        let key = KeyBinding { tenant: &tenant, mailbox: MAILBOX, epoch: Epoch::FIRST };
        let binding = RowBinding { key, kind: RowKind::Meeting, id: id.as_bytes(), revision };
        let sealed = seal(&ContentKey::from_bytes([9; 32]), &binding, [0; 12], b"{}").unwrap();
        SealedRow { id, revision, erase_after: Day(erase_after), sealed }
    }

    /// A device that holds `abc` at revision 5.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        let rows = vec![row('a', 3, 10), row('b', 4, 20), row('c', 5, 30)];
        ledger.snapshot(MAILBOX, STORE, Revision(5), rows);
        ledger
    }

    fn show(ledger: &Ledger) -> String {
        let Some(held) = ledger.mailboxes.get(&MAILBOX) else { return "nothing".into() };
        let rows: String = held
            .rows
            .values()
            .map(|row| format!("{}{}", char::from(row.id.as_bytes()[0]), row.revision))
            .collect();
        format!("{rows} at {}", held.revision)
    }

    #[test]
    fn differences() {
        let check = |store, from, to, upserts: &[char], removes: &[char], outcome, want: &str| {
            let mut ledger = ledger();
            let delta = Delta {
                from: Revision(from),
                to: Revision(to),
                upserts: upserts.iter().map(|name| row(*name, to, 40)).collect(),
                removes: removes.iter().map(|name| RowId::from_bytes([*name as u8; 16])).collect(),
            };
            assert_eq!(ledger.delta(MAILBOX, store, delta), outcome);
            assert_eq!(show(&ledger), want);
        };
        check(STORE, 5, 6, &['d'], &['a'], DeltaOutcome::Applied, "b4c5d6 at 6");
        check(STORE, 5, 9, &['b'], &[], DeltaOutcome::Applied, "a3b9c5 at 9");
        check(STORE, 3, 6, &['a'], &['x'], DeltaOutcome::Applied, "a6b4c5 at 6");
        check(STORE, 3, 5, &['a'], &['b'], DeltaOutcome::Known, "a3b4c5 at 5");
        check(STORE, 5, 5, &[], &[], DeltaOutcome::Known, "a3b4c5 at 5");
        check(STORE, 6, 7, &['d'], &[], DeltaOutcome::Gap, "a3b4c5 at 5");
        check(OTHER_STORE, 5, 6, &['d'], &[], DeltaOutcome::Gap, "a3b4c5 at 5");
        // Removed and made anew within one commit: what is there counts.
        check(STORE, 5, 6, &['a'], &['a'], DeltaOutcome::Applied, "a6b4c5 at 6");
    }

    #[test]
    fn a_snapshot_replaces_everything_also_backwards() {
        let mut ledger = ledger();
        ledger.snapshot(MAILBOX, OTHER_STORE, Revision(2), vec![row('x', 1, 10)]);
        assert_eq!(show(&ledger), "x1 at 2");
    }

    #[test]
    fn synced_moves_forward_only_and_within_one_store() {
        let check = |store, revision, moved, want: &str| {
            let mut ledger = ledger();
            assert_eq!(ledger.synced(MAILBOX, store, Revision(revision)), moved);
            assert_eq!(show(&ledger), want);
        };
        check(STORE, 8, true, "a3b4c5 at 8");
        check(STORE, 5, false, "a3b4c5 at 5");
        check(STORE, 4, false, "a3b4c5 at 5");
        check(OTHER_STORE, 8, false, "a3b4c5 at 5");
        assert!(!Ledger::default().synced(MAILBOX, STORE, Revision(1)));
    }

    #[test]
    fn rows_go_on_the_day_after_their_last() {
        let check = |today, erased, want: &str| {
            let mut ledger = ledger();
            assert_eq!(ledger.erase(Day(today)), erased);
            assert_eq!(show(&ledger), want);
        };
        check(10, false, "a3b4c5 at 5");
        check(11, true, "b4c5 at 5");
        check(99, true, " at 5");
    }

    #[test]
    fn a_clock_that_ran_ahead_is_made_good() {
        let mut ledger = ledger();
        assert!(ledger.erase(Day(400)));
        assert!(!ledger.erased_too_early(Day(400)));
        assert!(ledger.erased_too_early(Day(12)));
        ledger.forget_positions();
        assert!(!ledger.erased_too_early(Day(12)));
        assert_eq!(
            ledger.mailboxes.get(&MAILBOX).map(|held| (held.store_id, held.revision)),
            Some((None, Revision(0)))
        );
    }

    #[test]
    fn grants_are_kept_once() {
        let mut ledger = ledger();
        let grant = |byte| HeldGrant {
            tenant: TenantName::new("t"),
            sealed: SealedGrant { encapsulated: vec![byte], ciphertext: vec![byte] },
            address: None,
        };
        assert!(ledger.grant(MAILBOX, Epoch(1), grant(1)));
        assert!(!ledger.grant(MAILBOX, Epoch(1), grant(1)));
        assert!(ledger.grant(MAILBOX, Epoch(1), grant(2)));
        assert!(ledger.grant(MAILBOX, Epoch(2), grant(1)));
        ledger.forget_everything();
        assert_eq!(ledger, Ledger::default());
    }
}
