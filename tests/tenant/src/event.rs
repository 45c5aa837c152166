//! What one event says, and how it is changed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::zones::Zone;

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
impl Window {
    /// Whether a span touches it; one without length does so by its instant.
    pub fn overlaps(&self, (start, end): (Timestamp, Timestamp)) -> bool {
        start < self.end && (end > self.start || (start == end && start >= self.start))
    }
}

impl Content {
    /// First and last instant. Of whole days only the date parts count, wherever the creator sat.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let instant = |moment: &Moment| {
            if self.all_day {
                Moment { wall: moment.wall, zone: Zone::utc() }.instant()
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

    /// Moves it to another day, at the same hours on the wall.
    pub fn move_to(&mut self, date: Date) {
        let start = date.to_datetime(self.start.wall.time());
        let length = self.start.wall.duration_until(self.end.wall);
        self.end = self.end.on(start.checked_add(length).unwrap_or(start));
        self.start = self.start.on(start);
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

    /// Adds a later change to the same event.
    pub fn merge(&mut self, later: &Self) {
        self.properties.extend(later.properties.clone());
        self.start = later.start.clone().or(self.start.take());
        self.end = later.end.clone().or(self.end.take());
        self.all_day = later.all_day.or(self.all_day);
    }
}
