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
