//! LiveKit Meet.

use super::{Meeting, NOTHING, Provider};

/// `meet.livekit.io/rooms/...`
pub const PROVIDER: Provider = Provider {
    id: "livekit",
    owns: |host| host == "meet.livekit.io",
    shape: |link, segments| match segments {
        ["rooms", room, ..] if !room.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
