//! GoTo Meeting and GoTo Webinar.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::{Link, is_under};

/// `*.gotomeeting.com/join/ID`, `meet.goto.com/ID`, `gotomeet.me/NAME`, `*.gotowebinar.com/join/...`.
pub const PROVIDER: Provider = Provider {
    id: "goto",
    owns: |host| {
        matches!(host, "meet.goto.com" | "gotomeet.me" | "www.gotomeet.me")
            || is_under(host, "gotomeeting.com")
            || is_under(host, "gotowebinar.com")
    },
    shape,
    ..NOTHING
};

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match (link.host(), segments) {
        ("link.gotomeeting.com", _) => None,
        ("meet.goto.com", [id]) if shapes::is_number(id) => Some(Meeting::numbered(id)),
        ("gotomeet.me" | "www.gotomeet.me", [name]) if shapes::is_open_path(segments) => {
            Some(Meeting::named(name.to_ascii_lowercase()))
        }
        (host, ["join", id]) if is_under(host, "gotomeeting.com") && shapes::is_number(id) => {
            Some(Meeting::numbered(id))
        }
        (host, ["join", id, ..]) if is_under(host, "gotowebinar.com") && !id.is_empty() => {
            Some(Meeting::at_with_id(link, id))
        }
        _ => None,
    }
}
