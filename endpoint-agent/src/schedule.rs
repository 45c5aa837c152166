//! Keeps the board up to date: at each change of the list, at each instant at which a button goes on or off, and at
//! least every few seconds.
//!
//! Everything is decided by the wall clock. A timer of the system stands still while the machine sleeps and knows nothing
//! of a clock that was set, so each wake only asks: what should be visible now?

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use joinery_daemon::{ClockChanges, Shutdown, now};
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use crate::board::Board;
use crate::holdings::View;
use crate::listing::EventJson;

/// The longest sleep: where the system does not tell that the clock was set, it is noticed within this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Looks at `views` by the clock until `stop`, puts what should be visible into `board` and tells `events`.
pub async fn run(
    mut views: watch::Receiver<Arc<View>>,
    board: watch::Sender<Arc<Board>>,
    events: broadcast::Sender<Arc<EventJson>>,
    stop: Shutdown,
) {
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    let mut clock = ClockChanges::listen()
        .inspect_err(|error| tracing::warn!(%error, "Jumps of the clock are noticed late"))
        .ok();
    loop {
        let view = Arc::clone(&views.borrow_and_update());
        let next = look(&view, &board, &events);
        tokio::select! {
            () = sleep(pause(next, now())) => {}
            () = jump(&mut clock) => tracing::info!("The clock was set, or the machine woke up"),
            changed = views.changed() => if changed.is_err() { return },
            () = &mut stopped => return,
        }
    }
}

/// Ends when the clock was set or the machine woke up; never where the system does not tell.
async fn jump(clock: &mut Option<ClockChanges>) {
    if let Some(changes) = clock {
        match changes.next().await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "Jumps of the clock are noticed late from now on");
                *clock = None;
            }
        }
    }
    std::future::pending().await
}

/// One look. Returns when the buttons change next.
fn look(
    view: &View,
    board: &watch::Sender<Arc<Board>>,
    events: &broadcast::Sender<Arc<EventJson>>,
) -> Option<Timestamp> {
    let now = now();
    let fresh = Board::at(view, now);
    let next = fresh.next_change(now);
    let before = Arc::clone(&board.borrow());
    if *before != fresh {
        let happened = fresh.events_since(&before, now);
        // The board first: who hears of an event finds it there.
        board.send_replace(Arc::new(fresh));
        for event in happened {
            // An error says that nobody watches.
            let _ = events.send(Arc::new(event));
        }
    }
    next
}

/// How long to sleep. Never past the next change, and not a moment less, or the button would be late by another look.
fn pause(next: Option<Timestamp>, now: Timestamp) -> Duration {
    let until =
        next.map_or(LONGEST_SLEEP, |next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
    until.min(LONGEST_SLEEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_are_exact_and_bounded() {
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let check = |next: Option<&str>, want: u64| {
            assert_eq!(pause(next.map(|next| next.parse().unwrap()), now), Duration::from_millis(want));
        };
        check(None, 10_000);
        check(Some("2026-11-24T09:00:00.250Z"), 250);
        check(Some("2026-11-24T10:00:00Z"), 10_000);
        check(Some("2026-11-24T08:00:00Z"), 0);
    }
}
