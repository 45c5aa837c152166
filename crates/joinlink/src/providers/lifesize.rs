//! Lifesize.

use super::{Meeting, NOTHING, Provider, shapes};

/// `call.lifesizecloud.com/ID`
pub const PROVIDER: Provider = Provider {
    id: "lifesize",
    owns: |host| host == "call.lifesizecloud.com",
    shape: |link, segments| match segments {
        [id] if shapes::is_number(id) => {
            Some(Meeting::numbered(id).dialled(Some(format!("{id}@sip.lifesizecloud.com"))))
        }
        [id] if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
