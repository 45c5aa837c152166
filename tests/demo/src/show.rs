//! The show itself: hears the devices, lets the story go on, draws; at the end the verdict.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use joinery_daemon::{Shutdown, now};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::device::{Heard, Note};
use crate::screen::{Picture, Screen, delay_text};
use crate::side::{Each, Side};
use crate::stage::{LEAD, Stage};
use crate::story::{Scene, Sight, Story};
use crate::view::View;

/// How often the picture is drawn and the clock is looked at; countdowns run smoothly.
const FRAME: Duration = Duration::from_millis(200);

/// Both devices may say several things at once; more than these would wait a moment in their pipes.
const NOTES: usize = 64;

/// Scenes that are remembered: far more than a screen shows.
const SCENES: usize = 100;

/// Runs until `stop`, or for `seconds` if they are given. Says whether everything was seen, where that was asked.
pub async fn run(mut stage: Stage, seconds: Option<u32>, stop: &Shutdown) -> Result<bool> {
    let mut show = Show::open(seconds)?;
    let ended = show.play(&mut stage, stop).await;
    let last_words = stage.last_words();
    let Show { story, scenes, screen, .. } = show;
    // Gives the terminal back before anything else is said.
    drop(screen);
    let struck = stage.strike().await;
    if let Err(error) = ended {
        eprintln!("The last that the programs said:\n{last_words}");
        return Err(error);
    }
    struck?;
    match seconds {
        Some(seconds) => Ok(verdict(&story, &scenes, seconds)?),
        None => Ok(true),
    }
}

struct Show {
    seconds: Option<u32>,
    screen: Screen,
    views: Each<View>,
    /// Devices whose list has been seen once.
    known: Each<bool>,
    story: Story,
    scenes: Vec<Scene>,
    /// When the calendars were last changed.
    changed: Timestamp,
    notes: mpsc::Sender<Note>,
    heard: mpsc::Receiver<Note>,
}

impl Show {
    fn open(seconds: Option<u32>) -> Result<Self> {
        let (notes, heard) = mpsc::channel(NOTES);
        Ok(Self {
            seconds,
            screen: Screen::open()?,
            views: Each::default(),
            known: Each::default(),
            story: Story::new(LEAD, now()),
            scenes: Vec::new(),
            changed: now(),
            notes,
            heard,
        })
    }

    async fn play(&mut self, stage: &mut Stage, stop: &Shutdown) -> Result<()> {
        for (side, device) in stage.devices.iter() {
            tokio::spawn(device.line.clone().watch(side, self.notes.clone()));
            tokio::spawn(device.line.clone().fetch(side, now(), self.notes.clone()));
        }
        let end = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                Some(note) = self.heard.recv() => self.hear(note, stage)?,
                _ = frames.tick() => self.go_on(stage)?,
                () = &mut stopped => return Ok(()),
                () = until(end) => return Ok(()),
            }
        }
    }

    /// Something was heard from a device.
    fn hear(&mut self, note: Note, stage: &Stage) -> Result<()> {
        let Note { side, mut at, heard } = note;
        let device = stage.devices.of(side);
        let view = self.views.of_mut(side);
        match heard {
            Heard::Happened(happened) => {
                if view.happened(happened, at) {
                    tokio::spawn(device.line.clone().fetch(side, at, self.notes.clone()));
                }
            }
            Heard::List(listing) => {
                let first = !std::mem::replace(self.known.of_mut(side), true);
                view.listed(listing, first, now());
                if first {
                    self.screen.tell_list(&device.title, view, now())?;
                }
                // A list that was asked for before the change and answered after it.
                if at < self.changed {
                    at = now();
                }
            }
            Heard::Lost(error) => {
                return Err(error.context(format!("the {} is not heard any more", side.name())));
            }
        }
        self.look(side, at, stage)
    }

    /// Looks at a device's screen, as it has been since `at`.
    fn look(&mut self, side: Side, at: Timestamp, stage: &Stage) -> Result<()> {
        for scene in self.story.look(side, self.views.of(side), at) {
            self.seen(side, &scene, stage)?;
        }
        Ok(())
    }

    /// A device has seen something of the story.
    fn seen(&mut self, side: Side, scene: &Scene, stage: &Stage) -> Result<()> {
        let known = self
            .scenes
            .iter_mut()
            .rev()
            .find(|known| known.sight == scene.sight && known.since == scene.since);
        if let Some(known) = known {
            known.seen = scene.seen;
        }
        let at = scene.seen.of(side).unwrap_or_else(now);
        let delay = scene.delay(side).map(|delay| delay_text(scene.sight, delay)).unwrap_or_default();
        let since = if scene.sight.is_by_the_clock() { "from its second" } else { "after the change" };
        let what = match scene.sight {
            Sight::Listed => "listed",
            Sight::Lit => "Join button on",
            Sight::Moved => "new time listed, button off",
            Sight::LitAgain => "Join button on again",
            Sight::Gone => "entry and button gone",
        };
        self.screen.tell(at, side.name(), &format!("{}: {what}, {delay} {since}", scene.subject))?;
        if !scene.sight.is_by_the_clock() {
            self.screen.tell_list(&stage.devices.of(side).title, self.views.of(side), now())?;
        }
        Ok(())
    }

    /// Time has passed: the next order, what was missed, the next picture.
    fn go_on(&mut self, stage: &mut Stage) -> Result<()> {
        stage.check()?;
        let at = now();
        for scene in self.story.give_up(at) {
            for (side, _) in scene.seen.iter().filter(|(_, seen)| seen.is_none()) {
                self.screen.tell(
                    at,
                    side.name(),
                    &format!("{}: NOT SEEN: {}", scene.subject, scene.sight.name()),
                )?;
            }
            stage.calendars.clear()?;
        }
        if self.known == Each::both(true)
            && let Some(order) = self.story.next(at)
        {
            let (subject, changed) = stage.calendars.carry_out(&order)?;
            self.changed = changed.room.max(changed.desktop);
            self.story.done(&order, subject, changed);
            let opened = self.story.open().to_vec();
            if let Some(first) = opened.first() {
                let start = self.screen.clock(first.start);
                let what = match first.sight {
                    Sight::Listed | Sight::Lit => format!("{subject} is new, at {start}"),
                    Sight::Moved | Sight::LitAgain => format!("{subject} is moved to {start}"),
                    Sight::Gone => format!("{subject} is cancelled"),
                };
                self.screen.tell(self.changed, "calendar", &what)?;
            }
            self.scenes.extend(opened);
            let surplus = self.scenes.len().saturating_sub(SCENES);
            self.scenes.drain(..surplus);
        }
        let foot = match self.seconds {
            Some(seconds) => format!("Unattended for {seconds} seconds, then the verdict."),
            None => "Everything is real but the tenant. Ctrl-C ends it and leaves nothing behind.".to_owned(),
        };
        let titles = Each { room: stage.devices.room.title.as_str(), desktop: &stage.devices.desktop.title };
        let views = Each { room: &self.views.room, desktop: &self.views.desktop };
        Ok(self.screen.draw(&Picture { titles, views, scenes: &self.scenes, now: now(), foot })?)
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Says what was seen, and what was not.
fn verdict(story: &Story, scenes: &[Scene], seconds: u32) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(out, "\nSeen in {seconds} seconds:")?;
    for sight in Sight::ALL {
        let last = scenes.iter().rev().find(|scene| scene.sight == sight && scene.is_over());
        let delay = |side: Side| {
            last.and_then(|scene| scene.delay(side)).map_or("-".to_owned(), |delay| delay_text(sight, delay))
        };
        writeln!(
            out,
            "  {:<52} room {:>9}   desktop {:>9}",
            sight.name(),
            delay(Side::Room),
            delay(Side::Desktop)
        )?;
    }
    let unseen = story.unseen();
    for (sight, side) in &unseen {
        writeln!(out, "NOT seen on the {}: {}", side.name(), sight.name())?;
    }
    if unseen.is_empty() {
        writeln!(out, "All of it was seen on both devices.")?;
    }
    Ok(unseen.is_empty())
}
