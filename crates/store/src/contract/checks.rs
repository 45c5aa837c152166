//! The checks. Each gets a new, empty store; the name says what must hold.
#![expect(missing_docs, reason = "each check's name is its sentence")]

use std::collections::BTreeMap;

use joinery_model::{Epoch, MailboxId, Revision, RowId};
use joinery_seal::{BlindIndex, Day, Sealed};

use super::samples::{DESK, LAST_DAY, ROOM, change, id, record, row, sealed, told};
use crate::{Changes, Commit, Head, RecordKind, Store, StoreError, StoredKey};

type Checked = Result<(), StoreError>;

pub async fn a_new_store_is_empty_and_has_an_id(store: &dyn Store) -> Checked {
    assert_eq!(store.store_id().await?, store.store_id().await?);
    assert_eq!(store.head(ROOM).await?, Head::default());
    assert!(store.rows(ROOM).await?.is_empty());
    assert!(store.keys(ROOM).await?.is_empty());
    assert!(store.due(Day(i32::MAX)).await?.is_empty());
    for kind in RecordKind::ALL {
        assert!(store.records(kind).await?.is_empty());
    }
    assert_eq!(told(store, ROOM, 0).await?, "=0");
    store.remove_mailbox(ROOM).await?;
    store.forget_tombstones(Day(i32::MAX)).await
}

pub async fn a_commit_moves_the_mailbox_one_revision(store: &dyn Store) -> Checked {
    let mut first = change(0, &[(2, "b"), (1, "a")], &[]);
    first.state = Some(sealed("state"));
    assert_eq!(store.commit(ROOM, first).await?, Revision(1));
    let head = Head { revision: Revision(1), floor: Revision(0), state: Some(sealed("state")) };
    assert_eq!(store.head(ROOM).await?, head);
    assert_eq!(store.rows(ROOM).await?, [row(1, 1, "a"), row(2, 1, "b")]);
    assert_eq!(store.commit(ROOM, change(1, &[(1, "a2")], &[])).await?, Revision(2));
    assert_eq!(store.rows(ROOM).await?, [row(1, 2, "a2"), row(2, 1, "b")]);
    assert_eq!(store.head(ROOM).await?.state, Some(sealed("state")));
    Ok(())
}

pub async fn a_commit_computed_elsewhere_is_a_conflict(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await?;
    for from in [0, 2, u64::MAX] {
        let mut late = change(0, &[], &[1]);
        late.from = Revision(from);
        let conflict = StoreError::Conflict { mailbox: ROOM, at: Revision(1) };
        assert_eq!(store.commit(ROOM, late).await, Err(conflict));
    }
    assert_eq!(store.rows(ROOM).await?, [row(1, 1, "a")]);
    Ok(())
}

pub async fn a_commit_with_nothing_new_only_keeps_the_state(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await?;
    let mut quiet = change(1, &[], &[]);
    quiet.state = Some(sealed("later"));
    assert_eq!(store.commit(ROOM, quiet).await?, Revision(1));
    assert_eq!(store.head(ROOM).await?.state, Some(sealed("later")));
    assert_eq!(told(store, ROOM, 1).await?, "same 1");
    let mut first = change(0, &[], &[]);
    first.state = Some(sealed("empty calendar"));
    assert_eq!(store.commit(DESK, first).await?, Revision(0));
    assert_eq!(store.head(DESK).await?.state, Some(sealed("empty calendar")));
    Ok(())
}

pub async fn a_failed_commit_changes_nothing(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a"), (2, "b")], &[])).await?;
    let before = (store.head(ROOM).await?, store.rows(ROOM).await?);
    let mut wrong = change(1, &[(1, "a2"), (3, "c")], &[2]);
    wrong.upserts.push(row(4, 7, "sealed for another revision"));
    wrong.state = Some(sealed("never"));
    let refused = StoreError::WrongRevision { mailbox: ROOM, row: Revision(7), next: Revision(2) };
    assert_eq!(store.commit(ROOM, wrong).await, Err(refused));
    assert_eq!((store.head(ROOM).await?, store.rows(ROOM).await?), before);
    assert_eq!(told(store, ROOM, 1).await?, "same 1");
    Ok(())
}

pub async fn a_row_changed_five_times_comes_once(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a"), (2, "b")], &[])).await?;
    for from in 1..=5 {
        store.commit(ROOM, change(from, &[(1, &format!("a{from}"))], &[])).await?;
    }
    assert_eq!(told(store, ROOM, 1).await?, "1>6 1@6");
    assert_eq!(told(store, ROOM, 5).await?, "5>6 1@6");
    assert_eq!(told(store, ROOM, 6).await?, "same 6");
    assert_eq!(store.rows(ROOM).await?, [row(1, 6, "a5"), row(2, 1, "b")]);
    Ok(())
}

pub async fn a_removed_row_is_told_until_it_is_forgotten(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a"), (2, "b")], &[])).await?;
    store.commit(ROOM, change(1, &[], &[2])).await?;
    store.commit(ROOM, change(2, &[(3, "c")], &[])).await?;
    assert_eq!(told(store, ROOM, 1).await?, "1>3 3@3 -2");
    store.forget_tombstones(LAST_DAY).await?;
    assert_eq!(told(store, ROOM, 1).await?, "1>3 3@3 -2", "on its last day it is still known");
    store.forget_tombstones(Day(LAST_DAY.0 + 1)).await?;
    assert_eq!(store.head(ROOM).await?.floor, Revision(2));
    assert_eq!(told(store, ROOM, 1).await?, "=3 1@1 3@3", "what was removed is no longer known");
    assert_eq!(told(store, ROOM, 2).await?, "2>3 3@3", "who saw the removal gets the difference");
    assert_eq!(store.commit(ROOM, change(3, &[(4, "d")], &[])).await?, Revision(4));
    assert_eq!(store.head(ROOM).await?.floor, Revision(2), "the floor outlives later commits");
    Ok(())
}

pub async fn a_row_that_came_back_is_no_removal(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await?;
    store.commit(ROOM, change(1, &[], &[1])).await?;
    store.commit(ROOM, change(2, &[(1, "again")], &[])).await?;
    assert_eq!(told(store, ROOM, 1).await?, "1>3 1@3");
    assert_eq!(told(store, ROOM, 2).await?, "2>3 1@3");
    store.commit(ROOM, change(3, &[], &[1])).await?;
    assert_eq!(told(store, ROOM, 3).await?, "3>4 -1");
    Ok(())
}

pub async fn a_row_both_written_and_removed_stays(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await?;
    store.commit(ROOM, change(1, &[(1, "b"), (2, "c")], &[1, 2])).await?;
    assert_eq!(told(store, ROOM, 1).await?, "1>2 1@2 2@2");
    Ok(())
}

pub async fn removing_what_is_not_there_is_no_change(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await?;
    assert_eq!(store.commit(ROOM, change(1, &[], &[8, 9])).await?, Revision(1));
    store.commit(ROOM, change(1, &[], &[1, 1])).await?;
    assert_eq!(store.commit(ROOM, change(2, &[], &[1])).await?, Revision(2));
    assert_eq!(told(store, ROOM, 1).await?, "1>2 -1");
    Ok(())
}

pub async fn an_unknown_revision_gets_a_snapshot(store: &dyn Store) -> Checked {
    for from in 0..3 {
        store.commit(ROOM, change(from, &[(u8::try_from(from).unwrap_or(0), "x")], &[])).await?;
    }
    assert_eq!(told(store, ROOM, 0).await?, "=3 0@1 1@2 2@3", "a device that holds nothing");
    for future in [4, 1 << 40, u64::MAX] {
        assert_eq!(told(store, ROOM, future).await?, "=3 0@1 1@2 2@3", "{future}: another life of the store");
    }
    assert_eq!(told(store, ROOM, 1).await?, "1>3 1@2 2@3");
    assert_eq!(told(store, DESK, 5).await?, "=0", "a mailbox that is not known here");
    Ok(())
}

pub async fn rows_are_due_after_their_last_day(store: &dyn Store) -> Checked {
    let mut mixed = change(0, &[(3, "c"), (1, "a"), (2, "b")], &[]);
    for row in &mut mixed.upserts {
        row.erase_after = if row.id == id(2) { Day(101) } else { Day(-3) };
    }
    store.commit(DESK, mixed).await?;
    store.commit(ROOM, change(0, &[(5, "e")], &[])).await?;
    assert!(store.due(Day(-3)).await?.is_empty(), "kept through its last day");
    assert_eq!(store.due(Day(-2)).await?, [(DESK, vec![id(1), id(3)])]);
    assert_eq!(store.due(Day(101)).await?, [(ROOM, vec![id(5)]), (DESK, vec![id(1), id(3)])]);
    store.commit(DESK, change(1, &[], &[1, 3])).await?;
    assert!(store.due(Day(50)).await?.is_empty());
    assert_eq!(store.rows(DESK).await?.len(), 1);
    Ok(())
}

pub async fn mailboxes_do_not_touch_each_other(store: &dyn Store) -> Checked {
    store.commit(ROOM, change(0, &[(1, "room")], &[])).await?;
    store.commit(DESK, change(0, &[(1, "desk"), (2, "desk")], &[])).await?;
    store.commit(DESK, change(1, &[], &[1])).await?;
    assert_eq!(store.rows(ROOM).await?, [row(1, 1, "room")]);
    assert_eq!(told(store, DESK, 1).await?, "1>2 -1");
    assert_eq!(told(store, ROOM, 1).await?, "same 1");
    store.forget_tombstones(Day(1000)).await?;
    assert_eq!(store.head(ROOM).await?.floor, Revision(0));
    assert_eq!(store.head(DESK).await?.floor, Revision(2));
    Ok(())
}

pub async fn a_removed_mailbox_is_unknown_again(store: &dyn Store) -> Checked {
    for mailbox in [ROOM, DESK] {
        let mut first = change(0, &[(1, "a"), (2, "b")], &[]);
        first.state = Some(sealed("state"));
        store.commit(mailbox, first).await?;
        store.commit(mailbox, change(1, &[], &[2])).await?;
        store.add_key(StoredKey { mailbox, epoch: Epoch::FIRST, wrapped: vec![1] }).await?;
    }
    store.remove_mailbox(ROOM).await?;
    assert_eq!(store.head(ROOM).await?, Head::default());
    assert!(store.rows(ROOM).await?.is_empty());
    assert!(store.keys(ROOM).await?.is_empty());
    assert_eq!(told(store, ROOM, 1).await?, "=0");
    assert_eq!(store.rows(DESK).await?, [row(1, 1, "a")]);
    assert_eq!(store.keys(DESK).await?.len(), 1);
    assert_eq!(store.commit(ROOM, change(0, &[(1, "new")], &[])).await?, Revision(1));
    assert_eq!(told(store, ROOM, 0).await?, "=1 1@1");
    Ok(())
}

pub async fn records_are_replaced_found_and_erased(store: &dyn Store) -> Checked {
    use RecordKind::{Device, Mailbox};
    store.put_record(record(Device, 2, Some(20), "two")).await?;
    store.put_record(record(Device, 1, None, "one")).await?;
    store.put_record(record(Mailbox, 1, Some(20), "same index, another kind")).await?;
    assert_eq!(store.record(Device, [1; 16]).await?, Some(record(Device, 1, None, "one")));
    assert_eq!(store.record(Device, [3; 16]).await?, None);
    let all = [record(Device, 1, None, "one"), record(Device, 2, Some(20), "two")];
    assert_eq!(store.records(Device).await?, all);
    assert_eq!(store.record_by_index(Device, BlindIndex([20; 16])).await?, Some(all[1].clone()));
    store.put_record(record(Device, 2, Some(21), "two, anew")).await?;
    assert_eq!(store.record_by_index(Device, BlindIndex([20; 16])).await?, None);
    assert_eq!(
        store.record_by_index(Device, BlindIndex([21; 16])).await?,
        Some(record(Device, 2, Some(21), "two, anew"))
    );
    assert!(store.delete_record(Device, [2; 16]).await?);
    assert!(!store.delete_record(Device, [2; 16]).await?);
    assert_eq!(store.record_by_index(Device, BlindIndex([21; 16])).await?, None);
    assert_eq!(store.records(Mailbox).await?.len(), 1);
    Ok(())
}

pub async fn an_index_is_unique_within_its_kind(store: &dyn Store) -> Checked {
    use RecordKind::{Invitation, Mailbox};
    store.put_record(record(Mailbox, 1, Some(7), "first")).await?;
    let taken = store.put_record(record(Mailbox, 2, Some(7), "second")).await;
    assert_eq!(taken, Err(StoreError::IndexTaken));
    assert_eq!(store.record(Mailbox, [2; 16]).await?, None);
    assert_eq!(store.record(Mailbox, [1; 16]).await?, Some(record(Mailbox, 1, Some(7), "first")));
    store.put_record(record(Invitation, 1, Some(7), "another kind")).await?;
    store.put_record(record(Mailbox, 1, Some(7), "itself again")).await?;
    store.put_record(record(Mailbox, 3, None, "none")).await?;
    store.put_record(record(Mailbox, 4, None, "none is not an index")).await?;
    let moved = vec![record(Mailbox, 2, Some(7), "takes over")];
    store.put_records(moved, vec![(Mailbox, [1; 16])]).await?;
    assert_eq!(store.records(Mailbox).await?.len(), 3);
    Ok(())
}

pub async fn records_change_together_or_not_at_all(store: &dyn Store) -> Checked {
    use RecordKind::{Device, Invitation};
    store.put_record(record(Invitation, 1, Some(1), "open")).await?;
    store.put_record(record(Device, 9, Some(9), "there")).await?;
    let both = || vec![record(Invitation, 1, Some(1), "used"), record(Device, 5, Some(9), "new")];
    assert_eq!(store.put_records(both(), vec![(Invitation, [1; 16])]).await, Err(StoreError::IndexTaken));
    assert_eq!(store.record(Invitation, [1; 16]).await?, Some(record(Invitation, 1, Some(1), "open")));
    assert_eq!(store.record(Device, [5; 16]).await?, None);
    store.put_records(both(), vec![(Device, [9; 16])]).await?;
    assert_eq!(store.record(Invitation, [1; 16]).await?, Some(record(Invitation, 1, Some(1), "used")));
    assert_eq!(store.records(Device).await?, [record(Device, 5, Some(9), "new")]);
    Ok(())
}

pub async fn a_key_is_never_overwritten(store: &dyn Store) -> Checked {
    let key = |mailbox, epoch, byte: u8| StoredKey { mailbox, epoch: Epoch(epoch), wrapped: vec![byte; 40] };
    store.add_key(key(ROOM, 2, 2)).await?;
    store.add_key(key(ROOM, 1, 1)).await?;
    store.add_key(key(MailboxId::DAEMON, 1, 9)).await?;
    let again = store.add_key(key(ROOM, 1, 3)).await;
    assert_eq!(again, Err(StoreError::KeyExists { mailbox: ROOM, epoch: Epoch(1) }));
    assert_eq!(store.keys(ROOM).await?, [key(ROOM, 1, 1), key(ROOM, 2, 2)]);
    assert_eq!(store.keys(MailboxId::DAEMON).await?, [key(MailboxId::DAEMON, 1, 9)]);
    Ok(())
}

/// Devices that are told at odd moments, against the list itself, over a long walk of changes.
pub async fn a_device_that_follows_holds_the_list(store: &dyn Store) -> Checked {
    type Held = BTreeMap<RowId, Sealed>;
    let mut dice: u64 = 0x5eed;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let byte = |n: u64| u8::try_from(n).unwrap_or(u8::MAX);
    let mut devices: [(Revision, Held); 4] = Default::default();
    let mut at = Revision(0);
    for step in 0..120 {
        let text = format!("step {step}");
        let mut writes: Vec<u8> = (0..roll(3)).map(|_| byte(roll(12))).collect();
        writes.dedup();
        let removes: Vec<u8> = (0..roll(3)).map(|_| byte(roll(12))).collect();
        let mut commit: Commit = change(at.0, &[], &removes);
        commit.upserts = writes.iter().map(|n| row(*n, at.next().0, &text)).collect();
        commit.tombstone_until = Day(step);
        let next = store.commit(ROOM, commit).await?;
        assert!(next == at || next == at.next(), "{at} to {next}");
        at = next;
        if roll(5) == 0 {
            store.forget_tombstones(Day(step - 5)).await?;
        }
        for (revision, held) in &mut devices {
            if roll(3) != 0 {
                continue;
            }
            match store.changes(ROOM, *revision).await? {
                Changes::Same { revision: same } => assert_eq!(same, *revision),
                Changes::Delta { from, to, upserts, removes } => {
                    assert_eq!((from, to), (*revision, at));
                    held.extend(upserts.into_iter().map(|row| (row.id, row.sealed)));
                    held.retain(|id, _| !removes.contains(id));
                }
                Changes::Snapshot { revision: to, rows } => {
                    assert_eq!(to, at);
                    *held = rows.into_iter().map(|row| (row.id, row.sealed)).collect();
                }
            }
            *revision = at;
            let list: Held = store.rows(ROOM).await?.into_iter().map(|row| (row.id, row.sealed)).collect();
            assert_eq!(*held, list, "step {step}");
        }
    }
    assert!(at > Revision(60), "the walk changed things");
    Ok(())
}

pub async fn of_two_commits_at_once_one_wins(store: &dyn Store) -> Checked {
    for from in 0..10 {
        let one = store.commit(ROOM, change(from, &[(1, "one")], &[]));
        let two = store.commit(ROOM, change(from, &[(2, "two")], &[]));
        let (one, two) = futures::future::join(one, two).await;
        let won = [&one, &two].into_iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{one:?} {two:?}");
    }
    assert_eq!(store.head(ROOM).await?.revision, Revision(10));
    Ok(())
}
