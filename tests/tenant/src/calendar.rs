//! What one mailbox's calendar holds and how it changes: plain values, no clock, no HTTP.
//!
//! What disappears leaves a ghost, from which delta rounds learn what to report as removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::event::{Content, Patch, Window};
use crate::ids::ItemRef;
use crate::refusal::Refusal;
use crate::series::{Entry, Series};

/// Something that is not there any more, or not as it was.
#[derive(Debug)]
enum Ghost {
    Item(ItemRef),
    Series(Box<Entry>),
}

/// One mailbox's calendar.
#[derive(Debug, Default)]
pub struct Calendar {
    entries: BTreeMap<u64, Entry>,
    ghosts: Vec<(u64, Ghost)>,
    version: u64,
    last_number: u64,
}
impl Calendar {
    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The single event or series of this number.
    pub fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// All single events and series.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The item is there.
    pub fn holds(&self, item: ItemRef) -> bool {
        self.entry(item.number).is_some_and(|entry| item.date.is_none_or(|date| entry.has_occurrence(date)))
    }

    /// Adds an event. `recurrence` is in Graph's shape.
    pub fn create(
        &mut self,
        now: Timestamp,
        mut content: Content,
        recurrence: Option<&Value>,
        transaction: Option<String>,
    ) -> Result<ItemRef, Refusal> {
        content.check()?;
        let series = recurrence.map(|value| Series::parse(value, &mut content)).transpose()?;
        self.version += 1;
        self.last_number += 1;
        let (number, version) = (self.last_number, self.version);
        self.entries.insert(
            number,
            Entry { number, created: now, modified: now, version, transaction, content, series },
        );
        Ok(ItemRef::whole(number))
    }

    /// Changes an event, a series, or one of a series, which becomes an exception by it.
    pub fn change(&mut self, now: Timestamp, item: ItemRef, patch: &Patch) -> Result<(), Refusal> {
        if !self.holds(item) {
            return Err(Refusal::item_gone());
        }
        let version = self.version + 1;
        let entry = self.entries.get_mut(&item.number).ok_or_else(Refusal::item_gone)?;
        let ghost = match item.date {
            Some(date) => {
                entry.change_occurrence(now, version, date, patch)?;
                None
            }
            None => entry
                .change_whole(now, version, patch)?
                .map(|before| (version, Ghost::Series(Box::new(before)))),
        };
        self.ghosts.extend(ghost);
        self.version = version;
        Ok(())
    }

    /// Removes an event, a whole series, or one of a series.
    pub fn delete(&mut self, now: Timestamp, item: ItemRef) -> Result<(), Refusal> {
        if !self.holds(item) {
            return Err(Refusal::item_gone());
        }
        self.version += 1;
        let ghost = match item.date {
            None => match self.entries.remove(&item.number) {
                Some(entry) if entry.series.is_some() => Ghost::Series(Box::new(entry)),
                Some(_) | None => Ghost::Item(item),
            },
            Some(date) => {
                if let Some(entry) = self.entries.get_mut(&item.number)
                    && let Some(series) = &mut entry.series
                {
                    series.exceptions.remove(&date);
                    series.cancelled.insert(date);
                    entry.modified = now;
                }
                Ghost::Item(item)
            }
        };
        self.ghosts.push((self.version, ghost));
        Ok(())
    }

    /// Singles, occurrences and exceptions that touch `window`; no series masters.
    pub fn in_window(&self, window: &Window) -> Vec<ItemRef> {
        self.entries().flat_map(|entry| items_in(entry, window)).collect()
    }

    /// What a delta round over `window` reports. The first round: everything inside, and a series master that starts
    /// inside. A later one: everything that changed after version `since`, inside or not.
    pub fn changed(&self, window: &Window, since: Option<u64>) -> BTreeSet<ItemRef> {
        let mut found = BTreeSet::new();
        let Some(since) = since else {
            found.extend(self.in_window(window));
            found.extend(
                self.entries().filter(|entry| entry.series.is_some() && starts_in(entry, window)).map(whole),
            );
            return found;
        };
        for entry in self.entries() {
            if entry.version > since {
                found.insert(whole(entry));
                found.extend(items_in(entry, window));
            }
            let exceptions = entry.series.iter().flat_map(|series| &series.exceptions);
            let changed = exceptions.filter(|(_, exception)| exception.version > since);
            found.extend(changed.map(|(date, _)| ItemRef::occurrence(entry.number, *date)));
        }
        for (_, ghost) in self.ghosts.iter().rev().take_while(|(version, _)| *version > since) {
            match ghost {
                Ghost::Item(item) => {
                    found.insert(*item);
                }
                Ghost::Series(entry) => {
                    found.insert(whole(entry));
                    found.extend(items_in(entry, window));
                }
            }
        }
        found
    }

    /// Whether a delta round over `window` shows the item as it is, rather than as removed.
    pub fn shown(&self, item: ItemRef, window: &Window) -> bool {
        let Some(entry) = self.entry(item.number) else { return false };
        match item.date {
            Some(date) => entry.has_occurrence(date) && window.overlaps(entry.occurrence(date).span()),
            None if entry.series.is_some() => starts_in(entry, window) || !entry.dates_in(window).is_empty(),
            None => window.overlaps(entry.content.span()),
        }
    }
}
fn whole(entry: &Entry) -> ItemRef {
    ItemRef::whole(entry.number)
}

fn items_in(entry: &Entry, window: &Window) -> Vec<ItemRef> {
    if entry.series.is_some() {
        return entry
            .dates_in(window)
            .into_iter()
            .map(|date| ItemRef::occurrence(entry.number, date))
            .collect();
    }
    window.overlaps(entry.content.span()).then(|| whole(entry)).into_iter().collect()
}

/// A series master is dated as its first occurrence.
fn starts_in(entry: &Entry, window: &Window) -> bool {
    let first = entry.series.as_ref().and_then(|series| series.recurrence.first());
    first.is_some_and(|date| window.overlaps(entry.occurrence(date).span()))
}
