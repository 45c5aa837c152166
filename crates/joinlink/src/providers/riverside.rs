//! Riverside.

use super::{Meeting, NOTHING, Provider};

/// `riverside.fm/studio/...`, `riverside.com/studio/...`
pub const PROVIDER: Provider = Provider {
    id: "riverside",
    owns: |host| matches!(host, "riverside.fm" | "riverside.com" | "www.riverside.fm" | "www.riverside.com"),
    shape: |link, segments| match segments {
        ["studio", room, ..] if !room.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
