//! A simulated Microsoft 365 tenant: Entra's token endpoint and the calendar part of Microsoft Graph v1.0 over HTTPS,
//! as strict as their documentation, for tests and demonstrations.
//!
//! What a client does that the documentation does not allow gets the documented error and is noted as a
//! [`Violation`]; tests assert that there is none. What goes wrong in real life a test orders as a fault.
//!
//! ```no_run
//! # async fn example() -> Result<(), joinery_tenant::TenantError> {
//! use joinery_tenant::{MailboxKind, NewMeeting, Options, Tenant};
//!
//! let tenant = Tenant::start(Options::default()).await?;
//! tenant.add_mailbox("room@contoso.example", MailboxKind::Room)?;
//! let start = jiff::Timestamp::now();
//! let meeting = NewMeeting::new("Plan", start, start + jiff::SignedDuration::from_mins(30));
//! let change = tenant.create("room@contoso.example", &meeting)?;
//! tenant.cancel("room@contoso.example", &change.id)?;
//! assert!(tenant.violations().is_empty());
//! # Ok(()) }
//! ```

mod calendar;
mod certificate;
mod changes;
mod control;
mod delta;
mod entra;
mod error;
mod event;
mod faults;
mod ids;
mod journal;
mod mailbox;
mod meeting;
mod moment;
mod options;
mod orders;
mod payload;
mod preferences;
mod query;
mod recurrence;
mod recurrence_json;
mod refusal;
mod render;
mod routes;
mod seed;
mod series;
mod serve;
mod tenant;
mod world;
mod zones;

pub use changes::Change;
pub use error::TenantError;
pub use journal::{Request, Violation};
pub use mailbox::MailboxKind;
pub use meeting::{Attendee, NewMeeting, Response, Sensitivity, ShowAs};
pub use options::Options;
pub use orders::Order;
pub use seed::{DEMO_PERSON, DEMO_ROOM};
pub use tenant::Tenant;
