//! Programs killed without warning, again and again, while calendars change. A device never loses a change, never sees
//! one twice, and never goes back.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_tests::{
    Agent, Chance, DeviceKind, Happening, ROOM, World, in_minutes, pass, wait_for, wait_within, webex,
};

/// How often each program is killed.
const KILLS: usize = 50;

/// The list is small enough for each change to be told by itself.
const MOST: usize = 40;

/// An answer of the tenant may take so long, so that rounds are killed in their middle.
const SLOWEST: Duration = Duration::from_millis(80);

/// A device that was cut off so often waits up to a minute before it tries again, and a round may have failed before.
const CATCH_UP: Duration = Duration::from_secs(180);

/// What the calendar holds, and what it held.
struct Truth {
    /// Subject, then id and start. A meeting only ever moves forward.
    alive: BTreeMap<String, (String, Timestamp)>,
    made: usize,
    moves: i64,
    changes: usize,
}

impl Truth {
    fn new() -> Self {
        Self { alive: BTreeMap::new(), made: 0, moves: 0, changes: 0 }
    }

    /// One to three changes. All meetings have their button on for the whole test.
    fn change(&mut self, world: &World, chance: &mut Chance) {
        for _ in 0..=chance.below(3) {
            self.changes += 1;
            let which = self.alive.keys().nth(chance.below(self.alive.len())).cloned();
            match (chance.below(5), which) {
                (0, Some(subject)) if self.alive.len() > 3 => {
                    let (id, _) = self.alive.remove(&subject).unwrap();
                    world.tenant.delete(ROOM, &id).unwrap();
                }
                (1 | 2, Some(subject)) => {
                    self.moves += 1;
                    let (id, start) = self.alive.get_mut(&subject).unwrap();
                    *start += SignedDuration::from_secs(self.moves);
                    world
                        .tenant
                        .reschedule(ROOM, id, *start, *start + SignedDuration::from_hours(4))
                        .unwrap();
                }
                _ if self.alive.len() < MOST => {
                    self.made += 1;
                    let (subject, start) = (format!("K{:03}", self.made), in_minutes(1));
                    let id = world.tenant.create(ROOM, &webex(&subject, start, 240)).unwrap().id;
                    self.alive.insert(subject, (id, start));
                }
                _ => self.changes -= 1,
            }
        }
    }

    fn starts(&self) -> BTreeMap<String, Timestamp> {
        self.alive.iter().map(|(subject, (_, start))| (subject.clone(), *start)).collect()
    }
}

fn starts(panel: &Agent) -> BTreeMap<String, Timestamp> {
    panel.meetings().meetings.into_iter().map(|meeting| (meeting.subject, meeting.start)).collect()
}

/// What was seen on a device, to notice if it ever goes back.
#[derive(Default)]
struct Seen {
    last: BTreeMap<String, Timestamp>,
    gone: Vec<String>,
    revision: u64,
}

impl Seen {
    fn look(&mut self, panel: &Agent) {
        let revision = panel.revision();
        assert!(self.revision <= revision, "revision {revision} after {}", self.revision);
        self.revision = revision;
        let now = starts(panel);
        for (subject, start) in &now {
            assert!(!self.gone.contains(subject), "{subject} came back");
            assert!(self.last.get(subject).is_none_or(|before| before <= start), "{subject} went back");
        }
        let gone = self.last.keys().filter(|subject| !now.contains_key(*subject));
        self.gone.extend(gone.cloned());
        self.last = now;
    }
}

/// What a device was told of each meeting, in order: `+` and `-` for the button, the start for each change.
fn told(happenings: &[Happening]) -> BTreeMap<String, Vec<(String, Timestamp)>> {
    let mut told: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for happening in happenings {
        let Some(meeting) = &happening.meeting else { continue };
        let word = match (happening.kind.as_str(), happening.change.as_deref()) {
            ("button_shown", _) if happening.replaced => "replaced",
            ("button_shown", _) => "shown",
            ("button_hidden", _) => "hidden",
            ("meetings_changed", Some(change)) => change,
            _ => panic!("unexpected: {happening:?}"),
        };
        told.entry(meeting.subject.clone()).or_default().push((word.to_owned(), meeting.start));
    }
    told
}

#[test]
fn a_connector_killed_fifty_times_loses_and_repeats_nothing() {
    let mut world = World::plan().lead("3h").start();
    let panel = world.room();
    let watch = panel.watch();
    world.tenant.page_size(4).unwrap();
    let mut chance = Chance::new();
    let mut truth = Truth::new();

    // One that begins again with each kill, so that somebody always connects early, while the other may be waiting.
    let mut hall = world.enrolled("hall", ROOM, DeviceKind::Room);
    let mut seen = Seen::default();
    let mut ready = 0;
    world.connector.stop();
    for _ in 0..KILLS {
        hall.launch();
        world.connector.launch();
        world.tenant.slow(ROOM, chance.time(SLOWEST), 2).unwrap();
        truth.change(&world, &mut chance);
        let life = chance.life();
        pass(life / 2);
        truth.change(&world, &mut chance);
        pass(life / 2);
        ready += usize::from(world.connector.is_ready());
        world.connector.kill();
        hall.kill();
        // Without its daemon, the list is what is on the device's disk.
        seen.look(&hall);
        if chance.below(2) == 0 {
            truth.change(&world, &mut chance);
        }
    }
    world.connector.start();
    hall.start();
    println!("{KILLS} kills, {ready} of them when it was ready; {} changes", truth.changes);

    for device in [&panel, &hall] {
        wait_within(CATCH_UP, "the calendar on the device", || {
            (starts(device) == truth.starts()).then_some(())
        });
    }
    seen.look(&hall);
    let line = world.connector.wait_for_fresh_round(ROOM);
    wait_for("both devices' acknowledgements of the last revision", || {
        world
            .connector
            .devices()
            .iter()
            .all(|device| device.acknowledged == Some(line.revision))
            .then_some(())
    });
    assert_eq!(starts(&panel), truth.starts());
    println!("revision {} in the end", line.revision);

    let happenings = watch.end();
    for (subject, words) in told(&happenings) {
        let count = |word: &str| words.iter().filter(|(told, _)| told == word).count();
        let alive = usize::from(truth.alive.contains_key(&subject));
        let balance = (count("added"), count("shown"), count("removed"), count("hidden"));
        assert_eq!(balance, (1, 1, 1 - alive, 1 - alive), "{subject}: {words:?}");
        // It only ever moved forward, and each step was told once, to the list and to the button.
        let steps = |word: &str| -> Vec<Timestamp> {
            words.iter().filter(|(told, _)| told == word).map(|(_, start)| *start).collect()
        };
        let (changed, replaced) = (steps("changed"), steps("replaced"));
        assert!(changed.is_sorted_by(|a, b| a < b), "{subject} went back or was told twice: {words:?}");
        assert_eq!(changed, replaced, "{subject}: {words:?}");
    }
    world.finish();
}

#[test]
fn an_agent_killed_fifty_times_never_goes_back() {
    let world = World::plan().lead("3h").start();
    world.mailbox(ROOM);
    let mut panel = world.enrolled("panel", ROOM, DeviceKind::Room);
    let mut chance = Chance::new();
    let mut truth = Truth::new();
    let mut seen = Seen::default();
    for _ in 0..KILLS {
        panel.launch();
        truth.change(&world, &mut chance);
        pass(chance.life());
        panel.kill();
        // Durable before acknowledged: what the connector was told is on the disk after the kill.
        let acknowledged = world.connector.devices()[0].acknowledged.unwrap_or_default();
        let kept = panel.revision();
        assert!(kept >= acknowledged, "acknowledged {acknowledged}, kept {kept}");
        seen.look(&panel);
    }
    panel.start();
    println!("{KILLS} kills; {} changes", truth.changes);
    wait_within(CATCH_UP, "the calendar on the device", || (starts(&panel) == truth.starts()).then_some(()));
    world.finish();
}
