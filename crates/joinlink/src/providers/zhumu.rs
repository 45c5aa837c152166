//! Zhumu.

use super::{Meeting, NOTHING, Provider, shapes};

/// `welink.zhumu.com/j/ID`, `/wc/join/ID`
pub const PROVIDER: Provider = Provider {
    id: "zhumu",
    owns: |host| host == "welink.zhumu.com",
    shape: |_, segments| match segments {
        ["j", id] | ["wc", "join", id] if shapes::is_number(id) => Some(Meeting::numbered(id)),
        _ => None,
    },
    ..NOTHING
};
