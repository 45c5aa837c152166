//! Scenario tests of the whole product: the real programs as child processes, against a simulated tenant.
//!
//! A [`World`] is a folder of its own with a tenant, a connector and any number of agents. A test changes the tenant's
//! calendars and looks at what the devices show; nothing in between is replaced. A failed expectation panics, and the
//! programs' logs are printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test harness fails by panicking"
)]

mod agent;
mod booking;
mod called;
mod chance;
mod connector;
mod folder;
mod lines;
mod port;
mod program;
mod trace;
mod waiting;
mod watch;
mod wire;
mod world;

pub use agent::Agent;
pub use booking::{in_minutes, in_seconds, plain, webex, webex_url};
pub use called::{Called, assert_sentence};
pub use chance::Chance;
pub use connector::{Code, Connector, DeviceKind, DeviceLine, MailboxLine, Problem};
pub use folder::Folder;
pub use lines::{Button, Join, Meeting, MeetingList, Organizer, Presence};
pub use port::Port;
pub use program::{Program, program};
pub use trace::{Mark, Trace, files_under, traces};
pub use waiting::{PATIENCE, pass, wait_for, wait_until, wait_within};
pub use watch::{Happening, Watch};
pub use wire::Wire;
pub use world::{DANA, ROOM, World, WorldPlan, kept_meeting};
