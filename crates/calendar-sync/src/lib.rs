//! Decides what a calendar sync asks next and what changed.
//!
//! A [`Round`] is one walk over a mailbox's `calendarView/delta`: it says which page to fetch ([`Step`]), takes what came
//! ([`PageOutcome`]) and ends in a [`RoundResult`]. [`meeting`] turns an event into what a device may be shown, [`diff`]
//! compares that with what is known, so that only what really changed is committed. [`Backoff`] says how long to wait
//! after a failure.
//!
//! Ring 1: plain functions over plain values. Fetching, sealing, storing and the clock are others' business.

mod backoff;
mod diff;
mod meeting;
mod page;
mod round;
mod window;

pub use backoff::Backoff;
pub use diff::{Changes, diff};
pub use meeting::{erase_after, meeting};
pub use page::{DeltaLink, Item, Link, NextLink, OccurrenceStub, Page, PageOutcome, PageRequest};
pub use round::{MAX_PAGES, MAX_RESYNCS, ResyncReason, Round, RoundResult, Step, SyncError, SyncState};
pub use window::Window;
