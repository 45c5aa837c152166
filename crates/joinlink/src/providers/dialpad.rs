//! Dialpad Meetings, formerly UberConference.

use super::{Meeting, NOTHING, Provider, shapes};

/// `meetings.dialpad.com/...`, `uberconference.com/NAME`
pub const PROVIDER: Provider = Provider {
    id: "dialpad",
    owns: |host| matches!(host, "meetings.dialpad.com" | "uberconference.com" | "www.uberconference.com"),
    shape: |link, segments| match segments {
        [_] if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        [_, ..] if link.host() == "meetings.dialpad.com" && shapes::is_open_path(segments) => {
            Some(Meeting::at(link))
        }
        _ => None,
    },
    ..NOTHING
};
