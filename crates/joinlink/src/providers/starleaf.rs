//! StarLeaf.

use super::{Meeting, NOTHING, Provider, shapes};

/// `meet.starleaf.com/ID`
pub const PROVIDER: Provider = Provider {
    id: "starleaf",
    owns: |host| host == "meet.starleaf.com",
    shape: |link, segments| match segments {
        [id] if shapes::is_id(id) => Some(Meeting::at_with_id(link, id)),
        _ => None,
    },
    ..NOTHING
};
