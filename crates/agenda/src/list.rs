//! The list and its order, the buttons that are on, and when that changes next.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use joinery_model::{Meeting, RowId};

use crate::{Entry, Policy};

/// The meetings that a device lists, in the order in which it lists them:
///
/// 1. what is over, oldest first;
/// 2. what runs now or has its button on, the one that started (or starts) last first: of two overlapping meetings
///    the later one is the one that people look for;
/// 3. what comes, soonest first;
/// 4. apart from those, whole-day meetings and those that take nobody's time, soonest first.
pub fn agenda(meetings: &BTreeMap<RowId, Meeting>, policy: &Policy, now: Timestamp) -> Vec<Entry> {
    let mut entries: Vec<Entry> =
        meetings.iter().filter_map(|(id, meeting)| Entry::of(*id, meeting, policy, now)).collect();
    entries.sort_by_cached_key(|entry| place(entry, now));
    entries
}

/// Whose Join button is on, in the order of the list: the one that started last first.
pub fn lit(entries: &[Entry], now: Timestamp) -> Vec<RowId> {
    lit_entries(entries, now).into_iter().map(|entry| entry.id).collect()
}

/// The entries whose Join button is on, in the order of [`lit`].
pub fn lit_entries(entries: &[Entry], now: Timestamp) -> Vec<&Entry> {
    let mut lit: Vec<&Entry> = entries.iter().filter(|entry| entry.is_lit(now)).collect();
    // The list may have been ordered at another instant.
    lit.sort_by_key(|entry| place(entry, now));
    lit
}

/// The first instant after `now` at which a button goes on or off, or a meeting whose button is on starts. What else
/// the clock changes (a meeting leaves the window) may wait for the next look at the list.
pub fn next_change(entries: &[Entry], now: Timestamp) -> Option<Timestamp> {
    entries
        .iter()
        .filter_map(|entry| entry.button.map(|button| [button.from, entry.start, button.until]))
        .flatten()
        .filter(|at| *at > now)
        .min()
}

/// Where an entry stands in the list. The id makes the order total.
fn place(entry: &Entry, now: Timestamp) -> (u8, Reverse<Timestamp>, Timestamp, Timestamp, RowId) {
    let latest_first = |at| Reverse(at);
    let oldest_first = Reverse(Timestamp::MIN);
    let (section, by_latest) = if entry.is_apart() {
        (3, oldest_first)
    } else if entry.is_running(now) || entry.is_lit(now) {
        (1, latest_first(entry.start))
    } else if entry.end <= now {
        (0, oldest_first)
    } else {
        (2, oldest_first)
    };
    (section, by_latest, entry.start, entry.end, entry.id)
}
