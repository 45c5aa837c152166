//! Gather.

use super::{Meeting, NOTHING, Provider};

/// `app.gather.town/app/...`
pub const PROVIDER: Provider = Provider {
    id: "gather",
    owns: |host| host == "app.gather.town",
    shape: |link, segments| match segments {
        ["app", space, ..] if !space.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
