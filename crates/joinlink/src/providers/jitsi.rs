//! Jitsi Meet, the public service and self-hosted.

use super::{Meeting, NOTHING, Provider};
use crate::link::Link;

/// `meet.jit.si/ROOM`, and `/ROOM` on any host whose first label is `jitsi`.
pub const PROVIDER: Provider = Provider {
    id: "jitsi",
    owns: |host| host == "meet.jit.si",
    shape: room,
    self_hosted: |link, segments| {
        // jitsi.org is the project's own site.
        let here = link.host().starts_with("jitsi.") && link.host() != "jitsi.org";
        if here { room(link, segments) } else { None }
    },
    ..NOTHING
};

fn room(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match segments {
        [room] if !room.is_empty() => Some(Meeting::at(link)),
        _ => None,
    }
}
