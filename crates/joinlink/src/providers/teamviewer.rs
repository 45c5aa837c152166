//! TeamViewer Meeting.

use super::{Meeting, NOTHING, Provider, shapes};

/// `go.teamviewer.com/...`
pub const PROVIDER: Provider = Provider {
    id: "teamviewer",
    owns: |host| host == "go.teamviewer.com",
    shape: |link, segments| match segments {
        [.., last] if shapes::is_open_path(segments) => Some(Meeting::at_with_id(link, last)),
        _ => None,
    },
    ..NOTHING
};
