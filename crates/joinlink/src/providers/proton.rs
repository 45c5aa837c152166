//! Proton Meet.

use super::{Meeting, NOTHING, Provider};

/// `meet.proton.me/join/...`
pub const PROVIDER: Provider = Provider {
    id: "proton",
    owns: |host| host == "meet.proton.me",
    shape: |link, segments| match segments {
        ["join", id, ..] if !id.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
