//! Google Meet.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::Link;

/// `meet.google.com/abc-defg-hij`, `/lookup/NAME`; `stream.meet.google.com/stream/ID`.
pub const PROVIDER: Provider = Provider {
    id: "meet",
    owns: |host| matches!(host, "meet.google.com" | "stream.meet.google.com"),
    shape,
    ..NOTHING
};

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match (link.host(), segments) {
        ("meet.google.com", [code]) if is_code(code) => Some(Meeting::numbered(&code.to_ascii_lowercase())),
        ("meet.google.com", ["lookup", name]) if !name.is_empty() => Some(Meeting::at(link)),
        ("stream.meet.google.com", ["stream", id]) if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    }
}

/// Letters in groups of three, four and three.
fn is_code(text: &str) -> bool {
    text.split('-').map(str::len).eq([3, 4, 3]) && text.bytes().all(|b| b == b'-' || b.is_ascii_alphabetic())
}
