//! 8x8 Meet (Jitsi as a service).

use super::{Meeting, NOTHING, Provider, shapes};

/// `8x8.vc/...`
pub const PROVIDER: Provider = Provider {
    id: "8x8",
    owns: |host| host == "8x8.vc",
    shape: |link, segments| match segments {
        _ if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
