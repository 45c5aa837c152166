//! One walk over `calendarView/delta`, from its first request to what it brought.
//!
//! The rules stand in Microsoft's pages on delta queries: links are followed until a delta link ends the round; the same
//! entry may come again, on any page and in any round, and the last one counts; `@removed` may name what never was in
//! the window; a forgotten token (410) means reading everything anew and then dropping what was not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use joinery_model::{Event, EventId, EventKind};
use serde::{Deserialize, Serialize};

use crate::{DeltaLink, Item, Link, NextLink, OccurrenceStub, PageOutcome, PageRequest, Window};

/// Pages of one round before it counts as endless: at the 50 entries a page that we ask for, a mailbox with 1,000
/// events on each of 38 days still fits.
pub const MAX_PAGES: u32 = 1_000;

/// How often one round starts over before it gives up: once because the link was too old, once more because something
/// happened on the way.
pub const MAX_RESYNCS: u32 = 2;

/// What has to be kept between rounds. This, as JSON, is sealed and stored; an older reader ignores what it does not
/// know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// The window that `delta` is bound to.
    pub window: Window,
    /// Where the next round starts.
    pub delta: DeltaLink,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Fetch this page and hand its outcome to [`Round::page`].
    Fetch(PageRequest),
    /// Fetch these series masters and hand them to [`Round::series`].
    FetchSeries(Vec<EventId>),
    /// The round is complete.
    Commit(Box<RoundResult>),
    /// The round cannot be completed now. What was known stays; try again later.
    GiveUp(SyncError),
}

/// What a complete round brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundResult {
    /// `upserts` is everything there is in the window; what is known and not among it is gone.
    pub full: bool,
    /// Entries in the window: single events, exceptions and occurrences (stubs completed from their master).
    pub upserts: BTreeMap<EventId, Event>,
    /// Entries that are not, or no longer, in the window. May name some that are not known.
    pub removed: BTreeSet<EventId>,
    /// Where the next round starts.
    pub state: SyncState,
    /// Why the round started over, if it did.
    pub resync: Option<ResyncReason>,
    /// How many entries could not be understood and were left out.
    pub skipped: u32,
}

/// Why a round started over; as text, the end of a sentence for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResyncReason {
    /// Graph has forgotten the link's token.
    #[error("Graph has forgotten the place in the calendar that was kept")]
    LinkExpired,
    /// A next link came that had come before in the same round.
    #[error("Graph's calendar pages led back to a page that was already read")]
    LinkRepeated,
    /// More than [`MAX_PAGES`] pages.
    #[error("Graph's calendar pages did not end")]
    RoundTooLong,
}

/// Why a round was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Each new round's links were forgotten before it was complete.
    #[error(
        "Graph forgot the place in the calendar again before it was read to the end; it is read from the start later"
    )]
    LinkExpired,
    /// The pages lead in a circle.
    #[error(
        "Graph's calendar pages lead back to a page that was already read; the calendar is read from the start later"
    )]
    LinkRepeated,
    /// The pages do not end.
    #[error(
        "Graph's calendar pages did not end after {MAX_PAGES} of them; the calendar is read from the start later"
    )]
    RoundTooLong,
    /// [`Round::series`] was not given every series that [`Step::FetchSeries`] asked for.
    #[error("{missing} series of the calendar could not be read; the changes are read again later")]
    SeriesMissing {
        /// How many.
        missing: usize,
    },
}

impl SyncError {
    /// A stable name for scripts and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LinkExpired => "sync-link-expired",
            Self::LinkRepeated => "sync-link-repeated",
            Self::RoundTooLong => "sync-round-too-long",
            Self::SeriesMissing { .. } => "sync-series-missing",
        }
    }

    /// Whether a later round may succeed without anybody's doing: always.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LinkExpired | Self::LinkRepeated | Self::RoundTooLong | Self::SeriesMissing { .. } => true,
        }
    }
}

/// A round on its way.
#[derive(Debug)]
pub struct Round {
    window: Window,
    request: PageRequest,
    full: bool,
    latest: BTreeMap<EventId, Latest>,
    masters: BTreeMap<EventId, Master>,
    followed: BTreeSet<NextLink>,
    pages: u32,
    skipped: u32,
    resyncs: u32,
    resync: Option<ResyncReason>,
    end: Option<DeltaLink>,
}

/// The last that was said of an entry.
#[derive(Debug)]
enum Latest {
    Whole(Box<Event>),
    Stub(OccurrenceStub),
    Removed,
}

/// What is known of a series.
#[derive(Debug)]
enum Master {
    Found(Box<Event>),
    Gone,
}

impl Round {
    /// Starts a round: from where the last one ended, or a full one if there was none or its window is no longer that
    /// of today (the UTC day changed, or `past` or `future` did).
    pub fn begin(state: Option<SyncState>, now: Timestamp, past: Duration, future: Duration) -> (Self, Step) {
        let window = Window::around(now, past, future);
        let request = match state {
            Some(state) if state.window == window => PageRequest::Delta(state.delta),
            Some(_) | None => PageRequest::First(window),
        };
        let round = Self {
            window,
            full: matches!(request, PageRequest::First(_)),
            request: request.clone(),
            latest: BTreeMap::new(),
            masters: BTreeMap::new(),
            followed: BTreeSet::new(),
            pages: 0,
            skipped: 0,
            resyncs: 0,
            resync: None,
            end: None,
        };
        (round, Step::Fetch(request))
    }

    /// Takes what the last [`Step::Fetch`] ended in.
    pub fn page(&mut self, outcome: PageOutcome) -> Step {
        let page = match outcome {
            PageOutcome::Page(page) => page,
            PageOutcome::Gone => return self.start_over(ResyncReason::LinkExpired),
        };
        self.pages = self.pages.saturating_add(1);
        self.skipped = self.skipped.saturating_add(page.skipped);
        page.items.into_iter().for_each(|item| self.note(item));
        match page.link {
            Link::Delta(link) => {
                self.end = Some(link);
                self.finish()
            }
            Link::Next(_) if self.pages >= MAX_PAGES => self.start_over(ResyncReason::RoundTooLong),
            Link::Next(link) if !self.followed.insert(link.clone()) => {
                self.start_over(ResyncReason::LinkRepeated)
            }
            Link::Next(link) => self.fetch(PageRequest::Next(link)),
        }
    }

    /// Takes the series that [`Step::FetchSeries`] asked for: `None` stands for one that no longer exists, whose
    /// occurrences do not either.
    pub fn series(&mut self, answers: BTreeMap<EventId, Option<Event>>) -> Step {
        for (id, answer) in answers {
            self.masters.insert(id, answer.map_or(Master::Gone, |event| Master::Found(Box::new(event))));
        }
        match self.missing_masters().len() {
            0 => self.finish(),
            missing => Step::GiveUp(SyncError::SeriesMissing { missing }),
        }
    }

    fn fetch(&mut self, request: PageRequest) -> Step {
        self.request = request.clone();
        Step::Fetch(request)
    }

    /// Remembers the last that was said of an entry.
    fn note(&mut self, item: Item) {
        let (id, latest) = match item {
            // A single event that became a series keeps its id: the meeting it was is gone.
            Item::Event(event) if event.kind == EventKind::SeriesMaster => {
                self.masters.insert(event.id.clone(), Master::Found(event.clone()));
                (event.id, Latest::Removed)
            }
            Item::Event(event) => (event.id.clone(), Latest::Whole(event)),
            Item::Stub(stub) => (stub.id.clone(), Latest::Stub(stub)),
            // Of a series this may only say that its first occurrence is outside the window. Whether it still exists is
            // asked if an occurrence needs it.
            Item::Removed(id) => {
                self.masters.remove(&id);
                (id, Latest::Removed)
            }
        };
        self.latest.insert(id, latest);
    }

    fn start_over(&mut self, reason: ResyncReason) -> Step {
        if self.resyncs >= MAX_RESYNCS {
            return Step::GiveUp(match reason {
                ResyncReason::LinkExpired => SyncError::LinkExpired,
                ResyncReason::LinkRepeated => SyncError::LinkRepeated,
                ResyncReason::RoundTooLong => SyncError::RoundTooLong,
            });
        }
        *self = Self {
            window: self.window,
            request: PageRequest::First(self.window),
            full: true,
            latest: BTreeMap::new(),
            masters: BTreeMap::new(),
            followed: BTreeSet::new(),
            pages: 0,
            skipped: 0,
            resyncs: self.resyncs.saturating_add(1),
            resync: Some(reason),
            end: None,
        };
        Step::Fetch(self.request.clone())
    }

    /// Series that an occurrence needs and that nothing is known of, in order.
    fn missing_masters(&self) -> BTreeSet<EventId> {
        let needed = self.latest.values().filter_map(|latest| match latest {
            Latest::Stub(stub) => Some(&stub.series_master),
            Latest::Whole(_) | Latest::Removed => None,
        });
        needed.filter(|id| !self.masters.contains_key(id)).cloned().collect()
    }

    fn finish(&mut self) -> Step {
        let Some(delta) = self.end.clone() else {
            return Step::Fetch(self.request.clone());
        };
        let missing = self.missing_masters();
        if !missing.is_empty() {
            return Step::FetchSeries(missing.into_iter().collect());
        }
        let mut upserts = BTreeMap::new();
        let mut removed = BTreeSet::new();
        for (id, latest) in std::mem::take(&mut self.latest) {
            let event = match latest {
                Latest::Whole(event) => Some(*event),
                Latest::Stub(stub) => match self.masters.get(&stub.series_master) {
                    Some(Master::Found(master)) => Some(complete(stub, master)),
                    Some(Master::Gone) | None => None,
                },
                Latest::Removed => None,
            };
            match event.filter(|event| self.window.touches(event.start, event.end)) {
                Some(event) => drop(upserts.insert(id, event)),
                None => drop(removed.insert(id)),
            }
        }
        let state = SyncState { window: self.window, delta };
        let result = RoundResult {
            full: self.full,
            upserts,
            removed,
            state,
            resync: self.resync,
            skipped: self.skipped,
        };
        Step::Commit(Box::new(result))
    }
}

/// The occurrence that `stub` stands for: everything but its time is the series'.
fn complete(stub: OccurrenceStub, master: &Event) -> Event {
    let (start, end) = if master.all_day {
        (midnight(stub.first_day), midnight(stub.after_last_day))
    } else {
        (stub.start, stub.end)
    };
    Event {
        id: stub.id,
        kind: EventKind::Occurrence,
        series_master: Some(stub.series_master),
        start,
        end,
        ..master.clone()
    }
}

/// Only the dates of all-day events mean something; the model holds them as midnight UTC.
fn midnight(day: Date) -> Timestamp {
    Offset::UTC.to_timestamp(day.into()).unwrap_or(Timestamp::MAX)
}
