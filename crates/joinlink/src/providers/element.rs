//! Element Call.

use super::{Meeting, NOTHING, Provider};

/// `call.element.io/ROOM`
pub const PROVIDER: Provider = Provider {
    id: "element",
    owns: |host| host == "call.element.io",
    shape: |link, segments| match segments {
        [room] if !room.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
