//! Cisco Meeting Server, self-hosted.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::Link;

/// On any host: `/invited.sf?` and `/index.html?` with `id=` and `secret=`, `/meeting/DIGITS?secret=`.
pub const PROVIDER: Provider = Provider { id: "cms", self_hosted: shape, ..NOTHING };

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    link.param("secret")?;
    let id = match segments {
        ["invited.sf" | "index.html"] => link.param("id")?,
        ["meeting", id] if shapes::is_number(id) => id,
        _ => return None,
    };
    if !shapes::is_id(id) {
        return None;
    }
    let number = shapes::is_number(id).then(|| id.to_owned());
    let dial = Some(format!("{id}@{}", link.host()));
    Some(Meeting { id: number, ..Meeting::named(format!("{}/{id}", link.host())) }.dialled(dial))
}
