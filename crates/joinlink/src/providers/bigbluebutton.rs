//! BigBlueButton with Greenlight, self-hosted.

use super::{Meeting, NOTHING, Provider};

/// `/b/ROOM` on any host whose first label is `bbb`.
pub const PROVIDER: Provider = Provider {
    id: "bigbluebutton",
    self_hosted: |link, segments| match segments {
        ["b", room] if link.host().starts_with("bbb.") && !room.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
