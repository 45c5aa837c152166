//! Words of the domain: ids, the calendar [`Event`], the [`Meeting`] a device is shown, [`JoinTarget`],
//! [`Presence`] and the [`DeviceKind`] of what shows it.
//!
//! Ring 0: plain values without behaviour of their own. What becomes of them is decided elsewhere.

mod event;
mod ids;
mod join;
mod meeting;
mod presence;
mod redacted;

pub use event::{Body, BodyKind, Event, EventKind, Response, Sensitivity, ShowAs};
pub use ids::{
    AddressError, DeploymentId, DeviceId, Epoch, EventId, IdError, MailboxAddress, MailboxId, Revision,
    RowId, StoreId, TenantName,
};
pub use join::JoinTarget;
pub use meeting::{DeviceKind, Meeting, MeetingStatus, Person};
pub use presence::{Presence, PresenceState};
pub use redacted::Redacted;
