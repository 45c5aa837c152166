//! Around.

use super::{Meeting, NOTHING, Provider, shapes};

/// `around.co/r/ID`, `meet.around.co/r/ID`
pub const PROVIDER: Provider = Provider {
    id: "around",
    owns: |host| matches!(host, "around.co" | "meet.around.co"),
    shape: |link, segments| match segments {
        ["r", id] if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
