//! RingCentral Video and Meetings.

use super::{Meeting, NOTHING, Provider};

/// `v.`, `video.` and `meetings.ringcentral.com`: `/join/...`, `/j/...`
pub const PROVIDER: Provider = Provider {
    id: "ringcentral",
    owns: |host| matches!(host, "v.ringcentral.com" | "video.ringcentral.com" | "meetings.ringcentral.com"),
    shape: |link, segments| match segments {
        ["join" | "j", id, ..] if !id.is_empty() => Some(Meeting::at_with_id(link, id)),
        _ => None,
    },
    ..NOTHING
};
