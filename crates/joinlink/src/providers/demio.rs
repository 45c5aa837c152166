//! Demio.

use super::{Meeting, NOTHING, Provider, shapes};

/// `event.demio.com/...`
pub const PROVIDER: Provider = Provider {
    id: "demio",
    owns: |host| host == "event.demio.com",
    shape: |link, segments| match segments {
        _ if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
