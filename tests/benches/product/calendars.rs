//! Calendars of the simulated tenant that are full of meetings.

use jiff::{SignedDuration, Timestamp};
use joinery_tenant::{Attendee, MailboxKind, NewMeeting, Tenant};

use crate::invitations;

/// Meetings in a full calendar.
pub const MEETINGS: usize = 40;

/// Size of an invitation's text, in KiB.
pub const BODY: usize = 8;

/// Adds the mailbox to the tenant with [`MEETINGS`] in it, one every 18 hours from six days ago on, none near now. Each
/// has the text of an invitation with a join link.
pub fn fill(tenant: &Tenant, address: &str) {
    let kind = if address.starts_with("room") { MailboxKind::Room } else { MailboxKind::User };
    tenant.add_mailbox(address, kind).unwrap();
    let now = Timestamp::now();
    let organizer = Attendee { name: "Dana Swope".to_owned(), address: "dana@contoso.example".to_owned() };
    for number in 0..MEETINGS {
        let place = i64::try_from(number).unwrap_or_default();
        let start = now + SignedDuration::from_hours(18 * (place - 8) + 9);
        let meeting = NewMeeting {
            body: invitations::html(number, BODY),
            html: true,
            location: format!("Building 4, room {number}"),
            organizer: Some(organizer.clone()),
            ..NewMeeting::new(
                &format!("Plan and budget {number}"),
                start,
                start + SignedDuration::from_mins(45),
            )
        };
        tenant.create(address, &meeting).unwrap();
    }
}
