//! A mailbox as `calendarView/delta` shows it, small enough to be obviously right: singles and series, tokens that
//! remember what was told, and the liberties that the contract allows (bare occurrences, series that come or do not,
//! repeats, removals of what nobody knows, pages of any size).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use joinery_calendar_sync::{
    DeltaLink, Item, Link, NextLink, OccurrenceStub, Page, PageOutcome, PageRequest, Window,
};
use joinery_model::{Body, Event, EventId, EventKind, Response, Sensitivity, ShowAs};

/// What the calendar's days are counted from.
pub const EPOCH: &str = "2026-11-24T00:00:00Z";

/// Small numbers in an order that looks random and is the same in each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

#[derive(Clone)]
pub struct Series {
    pub title: u8,
    pub first_day: i64,
    pub count: i64,
    pub exceptions: BTreeMap<i64, (i64, u8)>,
    pub cancelled: BTreeSet<i64>,
}

#[derive(Default)]
pub struct Calendar {
    pub singles: BTreeMap<u32, (i64, u8)>,
    pub series: BTreeMap<u32, Series>,
    tokens: Vec<Option<(Window, View)>>,
    walk: Option<Walk>,
}

/// What a walk has shown: enough of each entry to see whether it changed.
type View = BTreeMap<EventId, Event>;

struct Walk {
    pages: Vec<Vec<Item>>,
    token: usize,
}

/// What goes wrong at one page of a walk.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Gone,
    Circle,
}

impl Calendar {
    /// Every instance that touches `window`, whole.
    pub fn view(&self, window: &Window) -> View {
        let single = |(id, &(day, title)): (&u32, &(i64, u8))| {
            event(&format!("e{id}"), EventKind::Single, None, day, title)
        };
        let singles = self.singles.iter().map(single);
        let instances = self.series.iter().flat_map(|(id, series)| instances(*id, series));
        let inside = |event: &Event| window.touches(event.start, event.end);
        singles.chain(instances).filter(inside).map(|event| (event.id.clone(), event)).collect()
    }

    pub fn master(&self, id: &EventId) -> Option<Event> {
        let number = id.as_str().strip_prefix('e')?.parse().ok()?;
        let series = self.series.get(&number)?;
        Some(event(id.as_str(), EventKind::SeriesMaster, None, series.first_day, series.title))
    }

    /// All delta links that were given so far are forgotten.
    pub fn forget_tokens(&mut self) {
        self.tokens.iter_mut().for_each(|token| *token = None);
    }

    pub fn answer(
        &mut self,
        request: &PageRequest,
        dice: &mut Dice,
        page_size: usize,
        fault: Option<Fault>,
    ) -> PageOutcome {
        if matches!(fault, Some(Fault::Gone)) {
            return PageOutcome::Gone;
        }
        let number = match request {
            PageRequest::First(window) => {
                self.start(*window, &View::new(), dice, page_size);
                0
            }
            PageRequest::Delta(link) => {
                let token: usize = link.as_str().strip_prefix("token ").unwrap().parse().unwrap();
                let Some((window, told)) = self.tokens[token].clone() else { return PageOutcome::Gone };
                self.start(window, &told, dice, page_size);
                0
            }
            PageRequest::Next(link) => link.as_str().strip_prefix("page ").unwrap().parse::<usize>().unwrap(),
        };
        let walk = self.walk.as_ref().unwrap();
        let last = number + 1 >= walk.pages.len();
        let link = match fault {
            Some(Fault::Circle) if number > 0 => Link::Next(NextLink::new(format!("page {number}"))),
            _ if last => Link::Delta(DeltaLink::new(format!("token {}", walk.token))),
            _ => Link::Next(NextLink::new(format!("page {}", number + 1))),
        };
        PageOutcome::Page(Page { items: walk.pages[number].clone(), link, skipped: 0 })
    }

    fn start(&mut self, window: Window, told: &View, dice: &mut Dice, page_size: usize) {
        let view = self.view(&window);
        let mut items = self.changes(&view, told, dice);
        self.add_noise(&mut items, dice);
        let mut pages: Vec<Vec<Item>> = items.chunks(page_size).map(<[Item]>::to_vec).collect();
        for _ in 0..dice.below(3) {
            pages.insert(dice.below(pages.len() + 1), Vec::new());
        }
        if pages.is_empty() {
            pages.push(Vec::new());
        }
        self.tokens.push(Some((window, view)));
        self.walk = Some(Walk { pages, token: self.tokens.len() - 1 });
    }

    /// What changed between two views, in no order, with or without the series concerned.
    fn changes(&self, view: &View, told: &View, dice: &mut Dice) -> Vec<Item> {
        let mut items = Vec::new();
        let mut masters = BTreeSet::new();
        for (id, event) in view.iter().filter(|(id, event)| told.get(id) != Some(event)) {
            masters.extend(event.series_master.clone());
            let whole = event.kind != EventKind::Occurrence || dice.one_in(4);
            items.push(if whole { Item::Event(Box::new(event.clone())) } else { stub(event) });
            assert_eq!(id, &event.id);
        }
        // What left the window is told as removed or, with its new time, as itself.
        let everything = self.view(&Window { start: Timestamp::MIN, end: Timestamp::MAX });
        for id in told.keys().filter(|id| !view.contains_key(*id)) {
            items.push(match everything.get(id) {
                Some(event) if dice.one_in(2) => Item::Event(Box::new(event.clone())),
                Some(_) | None => Item::Removed(id.clone()),
            });
        }
        for id in masters {
            if dice.one_in(2) {
                items.push(Item::Event(Box::new(self.master(&id).unwrap())));
            }
        }
        for at in (1..items.len()).rev() {
            items.swap(at, dice.below(at + 1));
        }
        items
    }

    /// Repeats, old versions before the right ones, and removals of what was never there. A series may be called
    /// removed as long as it does not come itself: its first occurrence is outside the window.
    fn add_noise(&self, items: &mut Vec<Item>, dice: &mut Dice) {
        let mut again = Vec::new();
        for item in std::mem::take(items) {
            if dice.one_in(4) {
                items.insert(dice.below(items.len() + 1), old_version(&item));
            }
            if dice.one_in(4) {
                again.push(item.clone());
            }
            items.push(item);
        }
        items.append(&mut again);
        if dice.one_in(3) {
            items.insert(dice.below(items.len() + 1), Item::Removed(EventId::new("never seen")));
        }
        if let Some(id) = self.series.keys().next().filter(|_| dice.one_in(3)) {
            let id = EventId::new(format!("e{id}"));
            let comes = items.iter().any(|item| matches!(item, Item::Event(event) if event.id == id));
            if !comes {
                items.insert(dice.below(items.len() + 1), Item::Removed(id));
            }
        }
    }
}

fn instances(id: u32, series: &Series) -> impl Iterator<Item = Event> {
    let master = format!("e{id}");
    (0..series.count).filter(|index| !series.cancelled.contains(index)).map(move |index| {
        let name = format!("{master}.{index}");
        match series.exceptions.get(&index) {
            Some(&(day, title)) => event(&name, EventKind::Exception, Some(&master), day, title),
            None => {
                event(&name, EventKind::Occurrence, Some(&master), series.first_day + index, series.title)
            }
        }
    })
}

fn old_version(item: &Item) -> Item {
    match item {
        Item::Event(event) => {
            Item::Event(Box::new(Event { subject: "an old version".into(), ..(**event).clone() }))
        }
        Item::Stub(stub) => Item::Removed(stub.id.clone()),
        Item::Removed(id) => Item::Event(Box::new(event(id.as_str(), EventKind::Single, None, 0, 0))),
    }
}

fn stub(event: &Event) -> Item {
    let date = |time: Timestamp| jiff::tz::Offset::UTC.to_datetime(time).date();
    Item::Stub(OccurrenceStub {
        id: event.id.clone(),
        series_master: event.series_master.clone().unwrap(),
        start: event.start,
        end: event.end,
        first_day: date(event.start),
        after_last_day: date(event.end),
    })
}

fn event(id: &str, kind: EventKind, master: Option<&str>, day: i64, title: u8) -> Event {
    let midnight = EPOCH.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day);
    Event {
        id: EventId::new(id),
        kind,
        series_master: master.map(EventId::new),
        subject: format!("title {title}"),
        body: Body::default(),
        location: String::new(),
        online_meeting_url: None,
        start: midnight + SignedDuration::from_hours(9),
        end: midnight + SignedDuration::from_hours(10),
        all_day: false,
        cancelled: false,
        organizer: None,
        response: Response::Accepted,
        sensitivity: Sensitivity::Normal,
        show_as: ShowAs::Busy,
    }
}
