//! Cal.com's own video.

use super::{Meeting, NOTHING, Provider, shapes};

/// `app.cal.com/video/ID`
pub const PROVIDER: Provider = Provider {
    id: "calcom",
    owns: |host| host == "app.cal.com",
    shape: |link, segments| match segments {
        ["video", id] if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
