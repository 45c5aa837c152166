//! Whereby.

use super::{Meeting, NOTHING, Provider};
use crate::link::is_under;

/// `whereby.com/ROOM`, `TEAM.whereby.com/ROOM`
pub const PROVIDER: Provider = Provider {
    id: "whereby",
    owns: |host| is_under(host, "whereby.com"),
    shape: |link, segments| match segments {
        [room] if !room.is_empty() && !is_page(room) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};

/// Pages of the service that stand where a room's name would.
fn is_page(room: &str) -> bool {
    let pages = ["information", "blog", "pricing", "user", "sitemap", "sitemap.xml"];
    pages.iter().any(|page| page.eq_ignore_ascii_case(room))
}
