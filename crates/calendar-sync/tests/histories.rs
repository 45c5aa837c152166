//! Whatever happens to a mailbox, and whatever goes wrong on the way, a round that completes leaves exactly what is in
//! the window, and never reports a change that is none.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod calendar;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use calendar::{Calendar, Dice, EPOCH, Fault, Series};
use jiff::{SignedDuration, Timestamp};
use joinery_calendar_sync::{Round, Step, SyncState, Window, diff, meeting};
use joinery_model::{EventId, Meeting};
use proptest::prelude::*;

const PAST: Duration = Duration::from_secs(7 * 86_400);
const FUTURE: Duration = Duration::from_secs(31 * 86_400);

/// Something that happens to the mailbox or to us. Entries are picked by number, modulo how many there are.
#[derive(Debug, Clone)]
enum Happening {
    AddSingle { day: i64, title: u8 },
    ChangeSingle { pick: usize, day: i64, title: u8 },
    DeleteSingle { pick: usize },
    MakeRecurring { pick: usize, count: i64 },
    AddSeries { day: i64, count: i64, title: u8 },
    ChangeSeries { pick: usize, day: i64, title: u8 },
    ChangeOccurrence { pick: usize, index: i64, day: i64, title: u8 },
    CancelOccurrence { pick: usize, index: i64 },
    RestoreOccurrence { pick: usize, index: i64 },
    DeleteSeries { pick: usize },
    HoursPass(i64),
    TokensExpire,
    WeLoseTheState,
    Sync { seed: u64, page_size: usize, faults: Vec<(u32, Fault)>, meanwhile: Option<(u32, Box<Happening>)> },
}

fn day() -> impl Strategy<Value = i64> {
    -12..45_i64
}

fn change() -> impl Strategy<Value = Happening> {
    let pick = 0..64_usize;
    let index = 0..20_i64;
    let title = 0..4_u8;
    prop_oneof![
        (day(), title.clone()).prop_map(|(day, title)| Happening::AddSingle { day, title }),
        (pick.clone(), day(), title.clone()).prop_map(|(pick, day, title)| Happening::ChangeSingle {
            pick,
            day,
            title
        }),
        pick.clone().prop_map(|pick| Happening::DeleteSingle { pick }),
        (pick.clone(), 1..20_i64).prop_map(|(pick, count)| Happening::MakeRecurring { pick, count }),
        (day(), 1..20_i64, title.clone()).prop_map(|(day, count, title)| Happening::AddSeries {
            day,
            count,
            title
        }),
        (pick.clone(), day(), title.clone()).prop_map(|(pick, day, title)| Happening::ChangeSeries {
            pick,
            day,
            title
        }),
        (pick.clone(), index.clone(), day(), title)
            .prop_map(|(pick, index, day, title)| Happening::ChangeOccurrence { pick, index, day, title }),
        (pick.clone(), index.clone()).prop_map(|(pick, index)| Happening::CancelOccurrence { pick, index }),
        (pick.clone(), index).prop_map(|(pick, index)| Happening::RestoreOccurrence { pick, index }),
        pick.prop_map(|pick| Happening::DeleteSeries { pick }),
    ]
}

fn sync() -> impl Strategy<Value = Happening> {
    let fault = prop_oneof![Just(Fault::Gone), Just(Fault::Circle)];
    let faults = prop::collection::vec((0..12_u32, fault), 0..4);
    let meanwhile = prop::option::of((0..6_u32, change().prop_map(Box::new)));
    (any::<u64>(), 1..6_usize, faults, meanwhile).prop_map(|(seed, page_size, faults, meanwhile)| {
        Happening::Sync { seed, page_size, faults, meanwhile }
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => change(),
        4 => sync(),
        1 => (1..60_i64).prop_map(Happening::HoursPass),
        1 => prop_oneof![Just(Happening::TokensExpire), Just(Happening::WeLoseTheState)],
    ]
}

/// A mailbox, and what we know of it.
struct World {
    calendar: Calendar,
    next_id: u32,
    now: Timestamp,
    state: Option<SyncState>,
    known: BTreeMap<EventId, Meeting>,
}

impl World {
    fn new() -> Self {
        let now = EPOCH.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(8);
        Self { calendar: Calendar::default(), next_id: 0, now, state: None, known: BTreeMap::new() }
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::HoursPass(hours) => self.now += SignedDuration::from_hours(hours),
            Happening::TokensExpire => self.calendar.forget_tokens(),
            Happening::WeLoseTheState => self.state = None,
            Happening::Sync { seed, page_size, ref faults, ref meanwhile } => {
                self.sync(&mut Dice(seed), page_size, faults, meanwhile.as_ref());
            }
            ref change => self.change(change),
        }
    }

    fn change(&mut self, change: &Happening) {
        let singles: Vec<u32> = self.calendar.singles.keys().copied().collect();
        let series: Vec<u32> = self.calendar.series.keys().copied().collect();
        let picked = |ids: &[u32], pick: usize| ids.get(pick % ids.len().max(1)).copied();
        let calendar = &mut self.calendar;
        match *change {
            Happening::AddSingle { day, title } => {
                calendar.singles.insert(self.next_id, (day, title));
                self.next_id += 1;
            }
            Happening::AddSeries { day, count, title } => {
                calendar.series.insert(self.next_id, new_series(day, count, title));
                self.next_id += 1;
            }
            Happening::ChangeSingle { pick, day, title } => {
                if let Some(single) = picked(&singles, pick).and_then(|id| calendar.singles.get_mut(&id)) {
                    *single = (day, title);
                }
            }
            Happening::DeleteSingle { pick } => {
                picked(&singles, pick).and_then(|id| calendar.singles.remove(&id));
            }
            Happening::MakeRecurring { pick, count } => {
                if let Some(id) = picked(&singles, pick)
                    && let Some((day, title)) = calendar.singles.remove(&id)
                {
                    calendar.series.insert(id, new_series(day, count, title));
                }
            }
            Happening::DeleteSeries { pick } => {
                picked(&series, pick).and_then(|id| calendar.series.remove(&id));
            }
            Happening::ChangeSeries { pick, .. }
            | Happening::ChangeOccurrence { pick, .. }
            | Happening::CancelOccurrence { pick, .. }
            | Happening::RestoreOccurrence { pick, .. } => {
                if let Some(series) = picked(&series, pick).and_then(|id| calendar.series.get_mut(&id)) {
                    change_series(series, change);
                }
            }
            Happening::HoursPass(_)
            | Happening::TokensExpire
            | Happening::WeLoseTheState
            | Happening::Sync { .. } => unreachable!(),
        }
    }

    /// One round, as the connector runs it. What fails leaves everything as it was.
    fn sync(
        &mut self,
        dice: &mut Dice,
        page_size: usize,
        faults: &[(u32, Fault)],
        meanwhile: Option<&(u32, Box<Happening>)>,
    ) {
        let (mut round, mut step) = Round::begin(self.state.clone(), self.now, PAST, FUTURE);
        let mut requests = 0;
        loop {
            if let Some((_, change)) = meanwhile.filter(|(at, _)| *at == requests) {
                self.change(change);
            }
            requests += 1;
            assert!(requests < 4_000, "the round does not end");
            step = match step {
                Step::Fetch(request) => {
                    let fault = faults.iter().find(|(at, _)| at + 1 == requests).map(|(_, fault)| *fault);
                    round.page(self.calendar.answer(&request, dice, page_size, fault))
                }
                Step::FetchSeries(ids) => {
                    let answer = |id: EventId| (id.clone(), self.calendar.master(&id));
                    round.series(ids.into_iter().map(answer).collect())
                }
                Step::GiveUp(error) => {
                    assert!(error.is_retryable());
                    return;
                }
                Step::Commit(result) => {
                    let meetings =
                        result.upserts.iter().map(|(id, event)| (id.clone(), meeting(event, None)));
                    self.commit(result.full, meetings.collect(), &result.removed);
                    self.state = Some(result.state);
                    return;
                }
            };
        }
    }

    fn commit(&mut self, full: bool, meetings: BTreeMap<EventId, Meeting>, removed: &BTreeSet<EventId>) {
        let changes = diff(&self.known, full, meetings, removed);
        for id in &changes.removes {
            assert!(self.known.remove(id).is_some(), "something was removed that was not known");
        }
        for meeting in changes.upserts {
            let old = self.known.insert(meeting.event.clone(), meeting.clone());
            assert_ne!(old, Some(meeting), "something was reported that had not changed");
        }
    }

    fn expected(&self) -> BTreeMap<EventId, Meeting> {
        let window = Window::around(self.now, PAST, FUTURE);
        self.calendar.view(&window).into_iter().map(|(id, event)| (id, meeting(&event, None))).collect()
    }
}

fn new_series(first_day: i64, count: i64, title: u8) -> Series {
    Series { title, first_day, count, exceptions: BTreeMap::new(), cancelled: Default::default() }
}

fn change_series(series: &mut Series, change: &Happening) {
    match *change {
        Happening::ChangeSeries { day, title, .. } => (series.first_day, series.title) = (day, title),
        Happening::ChangeOccurrence { index, day, title, .. } => {
            series.exceptions.insert(index % series.count, (day, title));
        }
        Happening::CancelOccurrence { index, .. } => drop(series.cancelled.insert(index % series.count)),
        Happening::RestoreOccurrence { index, .. } => {
            series.cancelled.remove(&(index % series.count));
            series.exceptions.remove(&(index % series.count));
        }
        _ => unreachable!(),
    }
}

fn titles(meetings: &BTreeMap<EventId, Meeting>) -> BTreeMap<String, String> {
    let line = |(id, meeting): (&EventId, &Meeting)| {
        (id.as_str().to_owned(), format!("{} at {} {:?}", meeting.subject, meeting.start, meeting.status))
    };
    meetings.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_in_what_the_calendar_holds(
        history in prop::collection::vec(happening(), 1..60),
        seed in any::<u64>(),
    ) {
        let mut world = World::new();
        for happening in &history {
            world.happen(happening);
        }
        let mut dice = Dice(seed);
        world.sync(&mut dice, 3, &[], None);
        prop_assert_eq!(titles(&world.known), titles(&world.expected()));
        prop_assert!(world.known == world.expected());

        // Read once more, by what changed and then from the start: nothing did.
        let before = world.known.clone();
        world.sync(&mut dice, 2, &[], None);
        prop_assert!(world.known == before);
        world.state = None;
        world.sync(&mut dice, 4, &[], None);
        prop_assert!(world.known == before);
    }
}
