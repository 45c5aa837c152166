//! `calendarView/delta`: rounds, their pages, and the opaque tokens between them (graph contract, section 5).
//!
//! A round fixes at its start which items it reports; each page shows them as they are when the page is made. The delta
//! link at its end remembers where the calendar stood at the round's start, so a change during the round comes again
//! in the next one: repeated perhaps, never lost.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::event::Window;
use crate::ids::{self, ItemRef, Seed};

/// How many tokens of a mailbox are alive. Outlook's tokens hang on a cache and die of being old; this bounds the
/// memory of a simulator that is polled for days.
const TOKENS_ALIVE: usize = 2_000;

/// After so many more a token is not even known to have been one, and its use becomes a mistake.
const TOKENS_FORGOTTEN: usize = 20_000;

/// One walk through what changed.
#[derive(Debug, PartialEq)]
pub struct Round {
    /// The window that the tokens carry.
    pub window: Window,
    /// Path of the request that began it; the links lead there.
    pub path: String,
    /// Where the calendar stood when the round before began; nothing in a first round.
    pub since: Option<u64>,
    /// Where the calendar stands at its beginning.
    upto: u64,
    items: Vec<ItemRef>,
}

/// How the server pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paging {
    /// Most items on a page.
    pub size: usize,
    /// Each page begins with the item that the page before ended with, and the last one ends with the round's first.
    pub replay: bool,
    /// Each page but the last is followed by an empty one.
    pub empty_pages: bool,
}

/// A page of a round.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// What it reports, in the order of the answer.
    pub items: Vec<ItemRef>,
    /// Path and query of the link that follows.
    pub link: String,
    /// The link is a delta link.
    pub last: bool,
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLink {
    /// It was given once and has died; the window is the one that it carried.
    Expired(Window),
    /// It is not the link that was given: something was added, left out or written differently.
    Altered,
}

/// Where a link leads.
#[derive(Debug, Clone)]
pub enum Next {
    /// Into the round, at this item; `true` if an empty page comes first.
    Page(Arc<Round>, usize, bool),
    /// To a new round.
    Round(Window, u64),
}

#[derive(Debug)]
struct Link {
    target: String,
    window: Window,
    /// Nothing once it has died.
    next: Option<Next>,
}

/// The links that a mailbox has given.
#[derive(Debug)]
pub struct Links {
    seed: Seed,
    given: u64,
    links: HashMap<String, Link>,
    order: VecDeque<String>,
    /// The next use of a next link finds all links dead.
    pub dies_in_round: bool,
}

impl Links {
    /// No links yet.
    pub fn new(seed: Seed) -> Self {
        Self { seed, given: 0, links: HashMap::new(), order: VecDeque::new(), dies_in_round: false }
    }

    /// Begins a round over `window` at `path`.
    pub fn begin(&self, calendar: &Calendar, window: Window, since: Option<u64>, path: &str) -> Arc<Round> {
        let mut items: Vec<ItemRef> = calendar.changed(&window, since).into_iter().collect();
        if since.is_none() {
            items.retain(|item| calendar.shown(*item, &window));
        }
        // No order is promised: the one of the ids is none that a client could rely on.
        items.sort_by_cached_key(|item| ids::id(&self.seed, *item, ids::IdKind::Regular));
        Arc::new(Round { window, path: path.to_owned(), since, upto: calendar.version(), items })
    }

    /// Makes the page of `round` that begins at item `from`.
    pub fn page(&mut self, round: &Arc<Round>, from: usize, empty: bool, paging: Paging) -> Page {
        let size = if empty { 0 } else { paging.size.max(1) };
        let to = from.saturating_add(size).min(round.items.len());
        let last = to == round.items.len() && !empty;
        let replayed = usize::from(paging.replay && !empty && from > 0);
        let mut items: Vec<ItemRef> = round.items.get(from - replayed..to).unwrap_or_default().to_vec();
        if paging.replay && last && from > 0 {
            items.extend(round.items.first());
        }
        let (kind, next) = if last {
            ("$deltatoken", Next::Round(round.window, round.upto))
        } else {
            ("$skiptoken", Next::Page(Arc::clone(round), to, paging.empty_pages && !empty))
        };
        Page { items, link: self.give(round, kind, next), last }
    }

    /// Follows the link of `path` and `query`, which must be exactly as given.
    pub fn follow(&mut self, path: &str, query: &str) -> Result<Next, DeadLink> {
        let token = query.split_once('=').map_or("", |(_, token)| token);
        let link = self.links.get(token).filter(|link| link.target == format!("{path}?{query}"));
        let Link { next, window, .. } = link.ok_or(DeadLink::Altered)?;
        let (next, window) = (next.clone().ok_or(DeadLink::Expired(*window))?, *window);
        if self.dies_in_round && matches!(next, Next::Page(..)) {
            self.dies_in_round = false;
            self.expire();
            return Err(DeadLink::Expired(window));
        }
        Ok(next)
    }

    /// Lets all links die that were given so far.
    pub fn expire(&mut self) {
        self.links.values_mut().for_each(|link| link.next = None);
    }

    fn give(&mut self, round: &Round, kind: &str, next: Next) -> String {
        self.given += 1;
        let token = ids::token(&self.seed, self.given);
        let target = format!("{}?{kind}={token}", round.path);
        self.links
            .insert(token.clone(), Link { target: target.clone(), window: round.window, next: Some(next) });
        self.order.push_back(token);
        if self.order.len() > TOKENS_FORGOTTEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.links.remove(&oldest);
        }
        if let Some(link) =
            self.order.iter().nth_back(TOKENS_ALIVE).and_then(|token| self.links.get_mut(token))
        {
            link.next = None;
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::event::Patch;
    use crate::mailbox::{Mailbox, MailboxKind};
    use crate::meeting::{NewMeeting, times};
    use crate::zones::Zone;

    /// A client that believes what delta tells it.
    struct Reader {
        window: Window,
        link: Option<String>,
        known: BTreeMap<ItemRef, String>,
    }

    impl Reader {
        fn read(&mut self, mailbox: &mut Mailbox, paging: Paging) {
            let mut place = match &self.link {
                None => {
                    Next::Page(mailbox.links.begin(&mailbox.calendar, self.window, None, "/delta"), 0, false)
                }
                Some(link) => follow(mailbox, link).unwrap(),
            };
            loop {
                let (round, from, empty) = match place {
                    Next::Page(round, from, empty) => (round, from, empty),
                    Next::Round(window, since) => {
                        (mailbox.links.begin(&mailbox.calendar, window, Some(since), "/delta"), 0, false)
                    }
                };
                let page = mailbox.links.page(&round, from, empty, paging);
                for item in page.items {
                    if mailbox.calendar.shown(item, &self.window) {
                        self.known.insert(item, mailbox.change_key(item));
                    } else {
                        self.known.remove(&item);
                    }
                }
                if page.last {
                    self.link = Some(page.link);
                    return;
                }
                place = follow(mailbox, &page.link).unwrap();
            }
        }

        /// It knows what a calendar view shows, in its newest state, and nothing else but masters.
        fn check(&self, mailbox: &Mailbox) {
            let view: BTreeMap<ItemRef, String> = mailbox
                .calendar
                .in_window(&self.window)
                .into_iter()
                .map(|item| (item, mailbox.change_key(item)))
                .collect();
            let master = |item: &ItemRef| {
                let entry = mailbox.calendar.entry(item.number);
                item.date.is_none() && entry.is_some_and(|entry| entry.series.is_some())
            };
            let mut known = self.known.clone();
            known.retain(|item, _| !master(item));
            assert_eq!(known, view);
        }
    }

    fn follow(mailbox: &mut Mailbox, link: &str) -> Result<Next, DeadLink> {
        let (path, query) = link.split_once('?').unwrap();
        mailbox.links.follow(path, query)
    }

    fn at(hours: u64) -> Timestamp {
        let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(i64::try_from(hours).unwrap())
    }

    /// One random change to the mailbox; most of them succeed.
    fn change(mailbox: &mut Mailbox, mut dice: impl FnMut(u64) -> u64) {
        let now = at(0);
        let start = at(dice(24 * 70));
        let end = start + SignedDuration::from_hours(i64::try_from(1 + dice(30)).unwrap());
        let everything = Window { start: at(0), end: at(24 * 100) };
        let items: BTreeSet<ItemRef> = mailbox
            .calendar
            .changed(&everything, None)
            .into_iter()
            .chain(mailbox.calendar.in_window(&everything))
            .collect();
        let picked = items.iter().nth(usize::try_from(dice(40)).unwrap()).copied();
        let moved = || {
            let (start, end) = times(start, end, &Zone::named("Europe/Berlin").unwrap(), false);
            Patch { start: Some(start), end: Some(end), ..Patch::default() }
        };
        let renamed =
            || Patch { properties: json!({"subject": "x"}).as_object().unwrap().clone(), ..Patch::default() };
        let _ = match (dice(6), picked) {
            (0, Some(item)) => mailbox.calendar.delete(now, item),
            (1 | 2, Some(item)) => mailbox.calendar.change(now, item, &moved()),
            (3, Some(item)) => mailbox.calendar.change(now, item, &renamed()),
            (roll, _) => {
                let rhythm = json!({
                    "pattern": {"type": "daily", "interval": 1 + dice(9)},
                    "range": {"type": "numbered", "numberOfOccurrences": 1 + dice(12)},
                });
                let meeting = NewMeeting {
                    time_zone: "Europe/Berlin".to_owned(),
                    recurrence: (roll % 2 == 0).then_some(rhythm),
                    all_day: dice(5) == 0,
                    ..NewMeeting::new("x", start, end)
                };
                mailbox.create(now, meeting.draft("a@b.example", MailboxKind::User).unwrap()).map(|_| ())
            }
        };
    }

    #[test]
    fn a_client_that_follows_the_links_knows_the_calendar() {
        for run in 0..25_u64 {
            let mut state = run;
            let mut dice = move |sides: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % sides
            };
            let mut mailbox =
                Mailbox::new("a@b.example", MailboxKind::User, [u8::try_from(run).unwrap(); 16]);
            let window = |from: u64, to: u64| Window { start: at(24 * from), end: at(24 * to) };
            let reader = |window| Reader { window, link: None, known: BTreeMap::new() };
            let mut readers = [reader(window(0, 40)), reader(window(25, 60))];
            let paging = Paging { size: 3, replay: run % 2 == 0, empty_pages: run % 3 == 0 };
            for _ in 0..60 {
                for _ in 0..dice(4) {
                    change(&mut mailbox, &mut dice);
                }
                for reader in &mut readers {
                    reader.read(&mut mailbox, paging);
                    reader.check(&mailbox);
                }
            }
        }
    }

    #[test]
    fn old_links_die_and_very_old_ones_are_unknown() {
        let mut mailbox = Mailbox::new("a@b.example", MailboxKind::User, [1; 16]);
        let window = Window { start: at(0), end: at(24) };
        let round = mailbox.links.begin(&mailbox.calendar, window, None, "/delta");
        let paging = Paging { size: 1, ..Paging::default() };
        let links: Vec<String> =
            (0..TOKENS_FORGOTTEN + 1).map(|_| mailbox.links.page(&round, 0, false, paging).link).collect();
        assert!(matches!(follow(&mut mailbox, links.last().unwrap()), Ok(Next::Round(..))));
        assert!(matches!(follow(&mut mailbox, &links[links.len() - TOKENS_ALIVE]), Ok(Next::Round(..))));
        assert_eq!(
            follow(&mut mailbox, &links[links.len() - TOKENS_ALIVE - 1]).err(),
            Some(DeadLink::Expired(window))
        );
        assert_eq!(follow(&mut mailbox, &links[0]).err(), Some(DeadLink::Altered));
    }
}
