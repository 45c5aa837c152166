//! Workplace from Meta.

use super::{Meeting, NOTHING, Provider};

/// `workplace.com/groupcall/ID`
pub const PROVIDER: Provider = Provider {
    id: "workplace",
    owns: |host| matches!(host, "workplace.com" | "www.workplace.com"),
    shape: |link, segments| match segments {
        ["groupcall", id] if !id.is_empty() => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
