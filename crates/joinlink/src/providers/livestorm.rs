//! Livestorm.

use super::{Meeting, NOTHING, Provider};

/// `app.livestorm.co/p/...`, `app.livestorm.com/p/...`
pub const PROVIDER: Provider = Provider {
    id: "livestorm",
    owns: |host| matches!(host, "app.livestorm.co" | "app.livestorm.com"),
    shape: |link, segments| match segments {
        ["p", id, ..] if !id.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
