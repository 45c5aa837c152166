//! The one place where a test waits: for a condition, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that should happen soon. Far more than is needed: machines are slow at times,
/// and a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Waits until `look` finds something.
///
/// # Panics
/// When it has found nothing after [`PATIENCE`]; the message names `what`.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, look)
}

/// Waits until `holds` is true.
///
/// # Panics
/// When it is not after [`PATIENCE`]; the message names `what`.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// Waits no longer than `limit` until `look` finds something.
///
/// # Panics
/// When it has found nothing by then; the message names `what`.
#[track_caller]
pub fn wait_within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(STEP);
    }
}

/// Looks once; where there is nothing, lets one step of time pass.
pub(crate) fn wait_a_step<T>(look: impl FnOnce() -> Option<T>) -> Option<T> {
    let found = look();
    if found.is_none() {
        thread::sleep(STEP);
    }
    found
}

/// Lets time pass where time itself is what the test is about: a kill at a random moment, a silence that must last.
pub fn pass(time: Duration) {
    thread::sleep(time);
}
