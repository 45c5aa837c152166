//! Blackboard Collaborate.

use super::{Meeting, NOTHING, Provider, shapes};

/// `us.bbcollab.com/guest/ID`
pub const PROVIDER: Provider = Provider {
    id: "blackboard",
    owns: |host| host == "us.bbcollab.com",
    shape: |link, segments| match segments {
        ["guest", id] if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
