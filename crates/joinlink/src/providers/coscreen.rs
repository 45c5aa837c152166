//! CoScreen.

use super::{Meeting, NOTHING, Provider, shapes};

/// `join.coscreen.co/...`
pub const PROVIDER: Provider = Provider {
    id: "coscreen",
    owns: |host| host == "join.coscreen.co",
    shape: |link, segments| match segments {
        _ if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
