//! What one mailbox's calendar holds and how it changes: plain values, no clock, no HTTP.
//!
//! A series is kept once, with what was changed or called off for single days beside it; its occurrences are computed
//! when somebody asks. What disappears leaves a ghost, from which delta rounds learn what to report as removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::ids::ItemRef;
use crate::moment::Moment;
use crate::recurrence::Recurrence;
use crate::refusal::Refusal;

/// A span of time, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// What an event says: times checked, everything else in Graph's own shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Properties of Graph's event, normalised.
    pub properties: Map<String, Value>,
    /// Start.
    pub start: Moment,
    /// End, exclusive.
    pub end: Moment,
    /// Whole days.
    pub all_day: bool,
}

/// A change to an event: only what is to be different.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patch {
    /// Properties of Graph's event, normalised.
    pub properties: Map<String, Value>,
    /// New start.
    pub start: Option<Moment>,
    /// New end.
    pub end: Option<Moment>,
    /// Whole days or not.
    pub all_day: Option<bool>,
    /// A new recurrence in Graph's shape, or `Null` for none.
    pub recurrence: Option<Value>,
}

/// A single event or a whole series.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number in the mailbox.
    pub number: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// The mailbox's version at its last change.
    pub version: u64,
    /// `transactionId` of the request that made it.
    pub transaction: Option<String>,
    /// What it says; of a series, what its first occurrence says.
    pub content: Content,
    /// Its recurrence, if it is a series.
    pub series: Option<Series>,
}

/// What makes an event a series.
#[derive(Debug, Clone)]
pub struct Series {
    /// When it takes place.
    pub recurrence: Recurrence,
    /// What was changed for single occurrences, by their original date.
    pub exceptions: BTreeMap<Date, Exception>,
    /// Occurrences that were deleted, by their original date.
    pub cancelled: BTreeSet<Date>,
}

/// What was changed for one occurrence.
#[derive(Debug, Clone)]
pub struct Exception {
    /// The changes, gathered.
    pub patch: Patch,
    /// When it was last changed.
    pub modified: Timestamp,
    /// The mailbox's version at its last change.
    pub version: u64,
}

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

impl Window {
    fn overlaps(&self, (start, end): (Timestamp, Timestamp)) -> bool {
        start < self.end && (end > self.start || (start == end && start >= self.start))
    }
}

impl Content {
    /// First and last instant. Of whole days only the date parts count, wherever the creator sat.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let instant = |moment: &Moment| {
            if self.all_day {
                Moment { wall: moment.wall, zone: crate::zones::Zone::utc() }.instant()
            } else {
                moment.instant()
            }
        };
        (instant(&self.start), instant(&self.end))
    }

    /// The content with the changes of `patch`.
    #[must_use]
    pub fn patched(&self, patch: &Patch) -> Self {
        let mut properties = self.properties.clone();
        properties.extend(patch.properties.clone());
        Self {
            properties,
            start: patch.start.clone().unwrap_or_else(|| self.start.clone()),
            end: patch.end.clone().unwrap_or_else(|| self.end.clone()),
            all_day: patch.all_day.unwrap_or(self.all_day),
        }
    }

    /// Refuses an end before the start, and whole days that do not begin and end at midnight of the same zone.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.end.instant() < self.start.instant() {
            return Err(Refusal::bad_value("The end of the event lies before its start."));
        }
        let whole_days = self.start.is_midnight()
            && self.end.is_midnight()
            && self.start.zone.name() == self.end.zone.name()
            && self.start.wall < self.end.wall;
        if self.all_day && !whole_days {
            return Err(Refusal::bad_value(
                "An all-day event starts and ends at midnight of the same zone, whole days apart.",
            ));
        }
        Ok(())
    }
}

impl Patch {
    /// It moves the event in time.
    pub fn moves(&self) -> bool {
        self.start.is_some() || self.end.is_some() || self.all_day.is_some() || self.recurrence.is_some()
    }

    fn merge(&mut self, later: &Self) {
        self.properties.extend(later.properties.clone());
        self.start = later.start.clone().or(self.start.take());
        self.end = later.end.clone().or(self.end.take());
        self.all_day = later.all_day.or(self.all_day);
    }
}

impl Entry {
    /// What the occurrence of `date` says, its exception included.
    pub fn occurrence(&self, date: Date) -> Content {
        let content = &self.content;
        let start = date.to_datetime(content.start.wall.time());
        let length = content.start.wall.duration_until(content.end.wall);
        let end = start.checked_add(length).unwrap_or(start);
        let plain = Content {
            properties: content.properties.clone(),
            start: content.start.on(start),
            end: content.end.on(end),
            all_day: content.all_day,
        };
        match self.exception(date) {
            Some(exception) => plain.patched(&exception.patch),
            None => plain,
        }
    }

    /// What was changed for the occurrence of `date`.
    pub fn exception(&self, date: Date) -> Option<&Exception> {
        self.series.as_ref()?.exceptions.get(&date)
    }

    /// Original dates of the occurrences and exceptions that touch `window`.
    pub fn dates_in(&self, window: &Window) -> Vec<Date> {
        let Some(series) = &self.series else { return Vec::new() };
        let (start, end) = self.content.span();
        let slack = jiff::SignedDuration::from_hours(48);
        let day = |instant: Timestamp| self.content.start.zone.rules().to_datetime(instant).date();
        let earliest =
            window.start.checked_sub(end.duration_since(start)).and_then(|at| at.checked_sub(slack));
        let latest = window.end.checked_add(slack).unwrap_or(Timestamp::MAX);
        let regular = series
            .recurrence
            .dates(day(earliest.unwrap_or(Timestamp::MIN)))
            .take_while(|date| *date <= day(latest));
        let mut dates: BTreeSet<Date> = regular.collect();
        dates.extend(series.exceptions.keys());
        dates.retain(|date| {
            !series.cancelled.contains(date) && window.overlaps(self.occurrence(*date).span())
        });
        dates.into_iter().collect()
    }

    fn has_occurrence(&self, date: Date) -> bool {
        self.series.as_ref().is_some_and(|series| {
            !series.cancelled.contains(&date) && series.recurrence.dates(date).next() == Some(date)
        })
    }

    /// Refuses to move the occurrence of `date` to or past the day of a neighbour (graph contract, section 4.3).
    fn check_neighbours(&self, date: Date, moved: &Content) -> Result<(), Refusal> {
        let Some(series) = &self.series else { return Ok(()) };
        let zone = &self.content.start.zone;
        let day_of = |date: Date| self.occurrence(date).start.in_zone(zone).wall.date();
        let stands = |other: &Date| !series.cancelled.contains(other);
        let new_day = moved.start.in_zone(zone).wall.date();
        let before = series
            .recurrence
            .dates(series.recurrence.start)
            .take_while(|other| *other < date)
            .filter(stands)
            .last();
        let after = series.recurrence.dates(date).find(|other| *other > date && stands(other));
        if before.is_some_and(|before| new_day <= day_of(before))
            || after.is_some_and(|after| new_day >= day_of(after))
        {
            return Err(Refusal::mistake(
                400,
                "ErrorOccurrenceCrossingBoundary",
                "Modified occurrence is crossing or overlapping adjacent occurrence.",
            ));
        }
        Ok(())
    }
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
        content: Content,
        recurrence: Option<&Value>,
        transaction: Option<String>,
    ) -> Result<ItemRef, Refusal> {
        content.check()?;
        let series = recurrence.map(|value| Series::parse(value, &content)).transpose()?;
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

impl Series {
    fn parse(value: &Value, content: &Content) -> Result<Self, Refusal> {
        let recurrence = Recurrence::parse(value, &content.start)?;
        if recurrence.first().is_none() {
            return Err(Refusal::bad_value("The recurrence has no instance."));
        }
        Ok(Self { recurrence, exceptions: BTreeMap::new(), cancelled: BTreeSet::new() })
    }
}

impl Entry {
    /// Gives back what the series was before, if its occurrences may have gone by the change.
    fn change_whole(&mut self, now: Timestamp, version: u64, patch: &Patch) -> Result<Option<Self>, Refusal> {
        let content = self.content.patched(patch);
        content.check()?;
        let series = match (&patch.recurrence, &self.series) {
            (Some(Value::Null), _) | (None, None) => None,
            (Some(value), _) => Some(Series::parse(value, &content)?),
            (None, Some(series)) if patch.moves() => {
                // The documentation is silent; Outlook forgets what was changed for single days when the series moves.
                let recurrence = Recurrence { start: content.start.wall.date(), ..series.recurrence.clone() };
                Some(Series { recurrence, exceptions: BTreeMap::new(), cancelled: BTreeSet::new() })
            }
            (None, Some(series)) => Some(series.clone()),
        };
        let before = (self.series.is_some() && patch.moves()).then(|| self.clone());
        (self.content, self.series, self.modified, self.version) = (content, series, now, version);
        Ok(before)
    }

    fn change_occurrence(
        &mut self,
        now: Timestamp,
        version: u64,
        date: Date,
        patch: &Patch,
    ) -> Result<(), Refusal> {
        if patch.recurrence.as_ref().is_some_and(|value| !value.is_null()) {
            return Err(Refusal::bad_value("One of a series cannot have a recurrence of its own."));
        }
        let moved = self.occurrence(date).patched(patch);
        moved.check()?;
        if patch.start.is_some() {
            self.check_neighbours(date, &moved)?;
        }
        if let Some(series) = &mut self.series {
            let blank = || Exception { patch: Patch::default(), modified: now, version };
            let exception = series.exceptions.entry(date).or_insert_with(blank);
            exception.patch.merge(patch);
            (exception.modified, exception.version) = (now, version);
        }
        Ok(())
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
