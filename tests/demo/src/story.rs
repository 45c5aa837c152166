//! What happens in the calendars, and what must then be seen on the devices. Decides; does and draws nothing.

use jiff::{SignedDuration, Timestamp};

use crate::side::{Each, Side};
use crate::view::View;

/// From the change in the calendar to the second in which the button comes on: time for the change to arrive first.
pub const UNTIL_LIT: SignedDuration = SignedDuration::from_secs(6);

/// How long a meeting of the story lasts.
const LENGTH: SignedDuration = SignedDuration::from_mins(30);

/// A pause in which a person can read before the next thing happens.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// How much before its second a button may come on: two programs read the clock one after the other.
const EARLY: SignedDuration = SignedDuration::from_millis(100);

/// What has not been seen so long after it was due is not coming.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);

/// Something to be seen on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// The new meeting stands in the list.
    Listed,
    /// Its Join button comes on, not before its second.
    Lit,
    /// Moved: the list has the new time and the button is off.
    Moved,
    /// The button comes on at its new second.
    LitAgain,
    /// Cancelled: neither in the list nor with a button.
    Gone,
}

impl Sight {
    /// Every sight, in the order of the story.
    pub const ALL: [Self; 5] = [Self::Listed, Self::Lit, Self::Moved, Self::LitAgain, Self::Gone];

    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "a new meeting in the list",
            Self::Lit => "the Join button appearing at its second",
            Self::Moved => "a moved meeting at its new time, its button gone",
            Self::LitAgain => "the button following at its new second",
            Self::Gone => "a cancelled meeting and its button gone",
        }
    }

    /// Whether it is due at a second that is known before, rather than as soon as possible after a change.
    pub const fn is_by_the_clock(self) -> bool {
        matches!(self, Self::Lit | Self::LitAgain)
    }
}

/// One thing to be seen on both devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// What.
    pub sight: Sight,
    /// Title of the meeting.
    pub subject: String,
    /// Its start, as it is then.
    pub start: Timestamp,
    /// When it was changed, or when the button is due, for each device.
    pub since: Each<Timestamp>,
    /// When it was seen.
    pub seen: Each<Option<Timestamp>>,
}

impl Scene {
    /// From change or second to sight.
    pub fn delay(&self, side: Side) -> Option<SignedDuration> {
        self.seen.of(side).map(|seen| seen.duration_since(*self.since.of(side)))
    }

    /// Both have seen it.
    pub fn is_over(&self) -> bool {
        self.seen.iter().all(|(_, seen)| seen.is_some())
    }

    /// Somebody has not, and will not.
    pub fn is_missed(&self, now: Timestamp) -> bool {
        !self.is_over() && now.duration_since(self.since.room.max(self.since.desktop)) > PATIENCE
    }

    /// When it was seen, if `view`, as it has been since `at`, shows it.
    fn seen_in(&self, side: Side, view: &View, at: Timestamp) -> Option<Timestamp> {
        let listed = view.find(&self.subject).is_some_and(|shown| shown.start == self.start);
        let lit = view.lit_since(&self.subject);
        match self.sight {
            Sight::Listed => listed.then_some(at),
            // A button before its second is not what was to be seen.
            Sight::Lit | Sight::LitAgain => {
                lit.filter(|since| listed && *since + EARLY >= *self.since.of(side))
            }
            Sight::Moved => (listed && lit.is_none()).then_some(at),
            Sight::Gone => (view.find(&self.subject).is_none() && lit.is_none()).then_some(at),
        }
    }
}

/// What to do to the calendars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A new meeting; `cast` counts the stories, so that each is another meeting.
    Create {
        /// Number of the story.
        cast: usize,
        /// Start.
        start: Timestamp,
        /// End.
        end: Timestamp,
    },
    /// The story's meeting takes place at another time.
    Move {
        /// Start.
        start: Timestamp,
        /// End.
        end: Timestamp,
    },
    /// It does not take place.
    Cancel,
}

/// Which order comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Create,
    Move,
    Cancel,
}

/// One meeting after another, each created, moved and cancelled; each step when the one before has been seen.
#[derive(Debug)]
pub struct Story {
    lead: SignedDuration,
    turn: Turn,
    cast: usize,
    not_before: Timestamp,
    /// Being looked for, in the order in which it must be seen.
    open: Vec<Scene>,
    seen: Vec<(Sight, Side)>,
    missed: Vec<(Sight, Side)>,
}

impl Story {
    /// Begins at `now`; buttons come on `lead` before the start.
    pub const fn new(lead: SignedDuration, now: Timestamp) -> Self {
        Self {
            lead,
            turn: Turn::Create,
            cast: 0,
            not_before: now,
            open: Vec::new(),
            seen: Vec::new(),
            missed: Vec::new(),
        }
    }

    /// What to do now, if anything.
    pub fn next(&self, now: Timestamp) -> Option<Order> {
        if !self.open.is_empty() || now < self.not_before {
            return None;
        }
        // A whole second, as calendars have them.
        let start = Timestamp::from_second(now.as_second() + 1).unwrap_or(now) + UNTIL_LIT + self.lead;
        let end = start + LENGTH;
        Some(match self.turn {
            Turn::Create => Order::Create { cast: self.cast, start, end },
            Turn::Move => Order::Move { start, end },
            Turn::Cancel => Order::Cancel,
        })
    }

    /// The order has been carried out: in each device's calendar at this instant. Opens what must be seen of it.
    pub fn done(&mut self, order: &Order, subject: &str, at: Each<Timestamp>) {
        let scene = |sight, start: Timestamp, since| Scene {
            sight,
            subject: subject.to_owned(),
            start,
            since,
            seen: Each::default(),
        };
        let due = |start: Timestamp| Each::both(start - self.lead);
        match order {
            Order::Create { start, .. } => {
                self.open = vec![scene(Sight::Listed, *start, at), scene(Sight::Lit, *start, due(*start))];
                self.turn = Turn::Move;
            }
            Order::Move { start, .. } => {
                self.open =
                    vec![scene(Sight::Moved, *start, at), scene(Sight::LitAgain, *start, due(*start))];
                self.turn = Turn::Cancel;
            }
            Order::Cancel => {
                self.open = vec![scene(Sight::Gone, at.room, at)];
                self.turn = Turn::Create;
                self.cast += 1;
            }
        }
    }

    /// What is being looked for.
    pub fn open(&self) -> &[Scene] {
        &self.open
    }

    /// What a device shows since `at`. Gives the scenes that it has now seen.
    pub fn look(&mut self, side: Side, view: &View, at: Timestamp) -> Vec<Scene> {
        let mut fresh = Vec::new();
        for scene in &mut self.open {
            if scene.seen.of(side).is_some() {
                continue;
            }
            // In order: before a moved meeting was seen at its new time with its button off, a button is the old one.
            let Some(seen) = scene.seen_in(side, view, at) else { break };
            *scene.seen.of_mut(side) = Some(seen);
            self.seen.push((scene.sight, side));
            fresh.push(scene.clone());
        }
        self.turn_page(at);
        fresh
    }

    /// Gives up what is not coming. Gives the scenes that somebody has missed; the story then begins anew.
    pub fn give_up(&mut self, now: Timestamp) -> Vec<Scene> {
        // What is due later cannot have been seen either, where something before it was missed.
        let Some(first) = self.open.iter().position(|scene| scene.is_missed(now)) else { return Vec::new() };
        let missed = self.open.split_off(first);
        for scene in &missed {
            let unseen = scene.seen.iter().filter(|(_, seen)| seen.is_none());
            self.missed.extend(unseen.map(|(side, _)| (scene.sight, side)));
        }
        self.open.clear();
        if self.turn != Turn::Create {
            self.turn = Turn::Create;
            self.cast += 1;
        }
        self.not_before = now + PAUSE;
        missed
    }

    /// What has never been seen, or was once missed: the verdict over an unattended run.
    pub fn unseen(&self) -> Vec<(Sight, Side)> {
        let all = Sight::ALL.into_iter().flat_map(|sight| Side::ALL.map(|side| (sight, side)));
        all.filter(|pair| !self.seen.contains(pair) || self.missed.contains(pair)).collect()
    }

    fn turn_page(&mut self, at: Timestamp) {
        if !self.open.is_empty() && self.open.iter().all(Scene::is_over) {
            self.open.clear();
            self.not_before = at + PAUSE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Happened, Listing};

    const LEAD: SignedDuration = SignedDuration::from_mins(5);

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn shown(start: Timestamp) -> String {
        format!(
            r#"{{"id":"a","subject":"Plan","start":"{start}","end":"{}","join":null,"button":null}}"#,
            start + LENGTH
        )
    }

    fn listed(view: &mut View, start: Option<Timestamp>) {
        let meetings = start.map(shown).unwrap_or_default();
        let text = format!(r#"{{"connection":"online","meetings":[{meetings}]}}"#);
        view.listed(serde_json::from_str::<Listing>(&text).unwrap(), false, time(0));
    }

    fn button(view: &mut View, kind: &str, at: Timestamp) {
        let text = format!(r#"{{"type":"{kind}","meeting":{}}}"#, shown(time(0)));
        view.happened(serde_json::from_str::<Happened>(&text).unwrap(), at);
    }

    /// Lets both devices see `change` at `at`, and says which sights that completed on the first.
    fn both(
        story: &mut Story,
        views: &mut Each<View>,
        at: Timestamp,
        change: impl Fn(&mut View),
    ) -> Vec<Sight> {
        let mut fresh = Vec::new();
        for side in Side::ALL {
            change(views.of_mut(side));
            let scenes = story.look(side, views.of(side), at);
            if side == Side::Room {
                fresh = scenes.iter().map(|scene| scene.sight).collect();
            }
        }
        fresh
    }

    fn start_of(order: &Order) -> Timestamp {
        match order {
            Order::Create { start, .. } | Order::Move { start, .. } => *start,
            Order::Cancel => panic!("no start"),
        }
    }

    #[test]
    fn a_whole_story_is_seen() {
        let mut story = Story::new(LEAD, time(0));
        let mut views = Each::default();
        assert_eq!(story.unseen().len(), 10);

        let create = story.next(time(0)).unwrap();
        let start = start_of(&create);
        assert_eq!(start, time(7) + LEAD);
        story.done(&create, "Plan", Each::both(time(0)));
        assert_eq!(story.next(time(100)), None, "nothing new before this was seen");
        assert_eq!(both(&mut story, &mut views, time(1), |view| listed(view, Some(start))), [Sight::Listed]);
        assert_eq!(
            both(&mut story, &mut views, time(7), |view| button(view, "button_shown", time(7))),
            [Sight::Lit]
        );

        assert_eq!(story.next(time(8)), None, "a pause to read");
        let moved = story.next(time(9)).unwrap();
        let start = start_of(&moved);
        story.done(&moved, "Plan", Each::both(time(9)));
        assert_eq!(both(&mut story, &mut views, time(10), |view| listed(view, Some(start))), []);
        assert_eq!(
            both(&mut story, &mut views, time(10), |view| button(view, "button_hidden", time(10))),
            [Sight::Moved]
        );
        assert_eq!(
            both(&mut story, &mut views, time(16), |view| button(view, "button_shown", time(16))),
            [Sight::LitAgain]
        );

        let cancel = story.next(time(18)).unwrap();
        assert_eq!(cancel, Order::Cancel);
        story.done(&cancel, "Plan", Each::both(time(18)));
        assert_eq!(
            both(&mut story, &mut views, time(19), |view| button(view, "button_hidden", time(19))),
            []
        );
        assert_eq!(both(&mut story, &mut views, time(19), |view| listed(view, None)), [Sight::Gone]);
        assert_eq!(story.unseen(), []);
        assert!(matches!(story.next(time(21)), Some(Order::Create { cast: 1, .. })));
    }

    #[test]
    fn delays_are_told_from_change_or_second() {
        let mut story = Story::new(LEAD, time(0));
        let mut view = View::default();
        let create = story.next(time(0)).unwrap();
        story.done(&create, "Plan", Each { room: time(0), desktop: time(1) });
        listed(&mut view, Some(start_of(&create)));
        let scenes = story.look(Side::Desktop, &view, time(3));
        assert_eq!(
            (scenes[0].delay(Side::Room), scenes[0].delay(Side::Desktop)),
            (None, Some(SignedDuration::from_secs(2)))
        );
    }

    #[test]
    fn a_button_before_its_second_does_not_count() {
        let mut story = Story::new(LEAD, time(0));
        let mut views = Each::default();
        let create = story.next(time(0)).unwrap();
        story.done(&create, "Plan", Each::both(time(0)));
        both(&mut story, &mut views, time(1), |view| listed(view, Some(start_of(&create))));
        assert_eq!(both(&mut story, &mut views, time(6), |view| button(view, "button_shown", time(6))), []);
        assert_eq!(both(&mut story, &mut views, time(8), |_| ()), [], "nor does it later");
    }

    #[test]
    fn what_one_device_never_shows_is_missed_and_the_show_goes_on() {
        let mut story = Story::new(LEAD, time(0));
        let mut view = View::default();
        let create = story.next(time(0)).unwrap();
        story.done(&create, "Plan", Each::both(time(0)));
        listed(&mut view, Some(start_of(&create)));
        story.look(Side::Room, &view, time(1));
        assert!(story.give_up(time(15)).is_empty());
        let missed: Vec<Sight> = story.give_up(time(16)).iter().map(|scene| scene.sight).collect();
        assert_eq!(missed, [Sight::Listed, Sight::Lit]);
        let unseen = story.unseen();
        assert!(
            !unseen.contains(&(Sight::Listed, Side::Room))
                && unseen.contains(&(Sight::Listed, Side::Desktop)),
            "{unseen:?}"
        );
        assert!(matches!(story.next(time(18)), Some(Order::Create { cast: 1, .. })));
    }
}
