//! One device's meeting list: what is listed, in which order, and when each Join button is on.
//!
//! Decides by the table of the design's section 6, as plain functions of the meetings, the device's [`Policy`] and
//! `now`. Reading sealed rows, waiting for the next change and showing anything are left to the endpoint agent.
//!
//! ```
//! use std::{collections::BTreeMap, time::Duration};
//! use joinery_agenda::{Policy, agenda, lit};
//!
//! let day = Duration::from_secs(86_400);
//! let policy = Policy { shared: true, lead: Duration::from_secs(300), past: 7 * day, future: 31 * day };
//! let now = "2026-11-24T09:00:00Z".parse()?;
//! let entries = agenda(&BTreeMap::new(), &policy, now);
//! assert!(lit(&entries, now).is_empty());
//! # Ok::<(), jiff::Error>(())
//! ```

mod entry;
mod list;
mod transition;

pub use entry::{Button, Entry, PRIVATE_SUBJECT, Policy};
pub use list::{agenda, lit, lit_entries, next_change};
pub use transition::{Shown, Transition, transitions};

#[cfg(test)]
mod tests;
