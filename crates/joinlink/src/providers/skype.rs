//! Skype, the consumer service.

use super::{Meeting, NOTHING, Provider, shapes};

/// `join.skype.com/ID`
pub const PROVIDER: Provider = Provider {
    id: "skype",
    owns: |host| host == "join.skype.com",
    shape: |link, segments| match segments {
        [id] if shapes::is_id(id) => Some(Meeting::at_with_id(link, id)),
        _ => None,
    },
    ..NOTHING
};
