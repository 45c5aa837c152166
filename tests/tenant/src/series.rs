//! A single event or a whole series, kept once: what was changed or called off for single days stands beside it, and
//! its occurrences are computed when somebody asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::event::{Content, Patch, Window};
use crate::recurrence::Recurrence;
use crate::refusal::Refusal;

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
impl Entry {
    /// What the occurrence of `date` says, its exception included.
    pub fn occurrence(&self, date: Date) -> Content {
        let mut plain = self.content.clone();
        plain.move_to(date);
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

    /// The occurrence of `date` is one of the series and was not deleted.
    pub fn has_occurrence(&self, date: Date) -> bool {
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
impl Series {
    /// Reads Graph's recurrence for an event that says `content`, which moves to the first day that fits.
    pub fn parse(value: &Value, content: &mut Content) -> Result<Self, Refusal> {
        Self::starting(Recurrence::parse(value, &content.start)?, content)
    }

    /// A series of which nothing was changed or called off.
    fn starting(recurrence: Recurrence, content: &mut Content) -> Result<Self, Refusal> {
        let first =
            recurrence.first().ok_or_else(|| Refusal::bad_value("The recurrence has no instance."))?;
        content.move_to(first);
        let recurrence = Recurrence { start: first, ..recurrence };
        Ok(Self { recurrence, exceptions: BTreeMap::new(), cancelled: BTreeSet::new() })
    }
}

impl Entry {
    /// Changes the event or the whole series. Gives back what the series was before, if its occurrences may have gone by the change.
    pub fn change_whole(
        &mut self,
        now: Timestamp,
        version: u64,
        patch: &Patch,
    ) -> Result<Option<Self>, Refusal> {
        let mut content = self.content.patched(patch);
        content.check()?;
        let series = match (&patch.recurrence, &self.series) {
            (Some(Value::Null), _) | (None, None) => None,
            (Some(value), _) => Some(Series::parse(value, &mut content)?),
            (None, Some(series)) if patch.moves() => {
                // The documentation is silent; Outlook forgets what was changed for single days when the series moves.
                let recurrence = series.recurrence.moved_to(content.start.wall.date());
                Some(Series::starting(recurrence, &mut content)?)
            }
            (None, Some(series)) => Some(series.clone()),
        };
        let before = (self.series.is_some() && patch.moves()).then(|| self.clone());
        (self.content, self.series, self.modified, self.version) = (content, series, now, version);
        Ok(before)
    }

    /// Makes the occurrence of `date` an exception, or changes it once more.
    pub fn change_occurrence(
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
