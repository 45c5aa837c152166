//! ClickMeeting.

use super::{Meeting, NOTHING, Provider, shapes};

/// `*.clickmeeting.com/ROOM`; the bare domain is the vendor's own site
pub const PROVIDER: Provider = Provider {
    id: "clickmeeting",
    owns: |host| host.ends_with(".clickmeeting.com") && host != "www.clickmeeting.com",
    shape: |link, segments| match segments {
        [_] if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
