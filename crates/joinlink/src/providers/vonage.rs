//! Vonage Meetings.

use super::{Meeting, NOTHING, Provider, shapes};

/// `meetings.vonage.com/ID`
pub const PROVIDER: Provider = Provider {
    id: "vonage",
    owns: |host| host == "meetings.vonage.com",
    shape: |link, segments| match segments {
        [id] if shapes::is_id(id) && shapes::is_open_path(segments) => Some(Meeting::at_with_id(link, id)),
        _ => None,
    },
    ..NOTHING
};
