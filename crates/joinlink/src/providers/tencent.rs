//! Tencent Meeting, abroad VooV Meeting.

use super::{Meeting, NOTHING, Provider, shapes};

/// `meeting.tencent.com/...`, `voovmeeting.com/...`
pub const PROVIDER: Provider = Provider {
    id: "tencent",
    owns: |host| matches!(host, "meeting.tencent.com" | "voovmeeting.com" | "www.voovmeeting.com"),
    shape: |link, segments| match segments {
        [.., last] if shapes::is_open_path(segments) => Some(Meeting::at_with_id(link, last)),
        _ => None,
    },
    ..NOTHING
};
