//! What is asked of `calendarView/delta` and what comes back, free of HTTP and JSON.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use joinery_model::{Event, EventId};
use serde::{Deserialize, Serialize};

use crate::Window;

/// An address that Graph gave, to be used as it is. It holds a token for the mailbox's contents, so it does not print
/// itself.
macro_rules! link {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the whole address, as Graph gave it.
            pub fn new(address: impl Into<String>) -> Self {
                Self(address.into())
            }

            /// The whole address, as Graph gave it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

link!(
    /// `@odata.nextLink`: the round goes on there.
    NextLink
);
link!(
    /// `@odata.deltaLink`: the round is complete, and the next one starts there.
    DeltaLink
);

/// Which page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageRequest {
    /// The first page of a full round over this window.
    First(Window),
    /// The next page of the round.
    Next(NextLink),
    /// The first page of a round that tells what changed since the last one.
    Delta(DeltaLink),
}

/// What a page request ended in, where the round can go on. Everything else is an error, and the caller may ask for the
/// same page again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOutcome {
    /// A page came.
    Page(Page),
    /// Graph has forgotten the link's token (410, `syncStateNotFound`, `resyncRequired`).
    Gone,
}

/// One page of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it says, in its order; may be empty.
    pub items: Vec<Item>,
    /// Where the round goes on or ended.
    pub link: Link,
    /// How many entries of the page could not be understood. Those with an id are among `items` as removed.
    pub skipped: u32,
}

/// Where a round goes on or ended. A page has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// There is another page.
    Next(NextLink),
    /// This was the last page.
    Delta(DeltaLink),
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An entry with all its properties.
    Event(Box<Event>),
    /// An occurrence that says only when it is; the rest is its master's.
    Stub(OccurrenceStub),
    /// An entry that is no longer in the window, or never was in it: an unknown id is normal.
    Removed(EventId),
}

/// An occurrence as `calendarView/delta` has given it since 2017: id, master, start and end.
#[derive(Clone, PartialEq, Eq)]
pub struct OccurrenceStub {
    /// Graph's id of the occurrence.
    pub id: EventId,
    /// The series it belongs to.
    pub series_master: EventId,
    /// Start, in UTC.
    pub start: Timestamp,
    /// End, in UTC, exclusive.
    pub end: Timestamp,
    /// The date part of its start as written: all that counts if the master turns out to be all-day.
    pub first_day: Date,
    /// The date part of its end as written.
    pub after_last_day: Date,
}

impl fmt::Debug for OccurrenceStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OccurrenceStub(..)")
    }
}
