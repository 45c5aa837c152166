//! Amazon Chime.

use super::{Meeting, NOTHING, Provider, shapes};

/// `chime.aws/DIGITS`, `app.chime.aws/meetings/ID`
pub const PROVIDER: Provider = Provider {
    id: "chime",
    owns: |host| matches!(host, "chime.aws" | "app.chime.aws"),
    shape: |link, segments| match (link.host(), segments) {
        ("chime.aws", [id]) if shapes::is_number(id) => Some(Meeting::numbered(id)),
        ("app.chime.aws", ["meetings", id]) if shapes::is_number(id) => Some(Meeting::numbered(id)),
        ("app.chime.aws", ["meetings", id]) if shapes::is_id(id) => Some(Meeting::named(*id)),
        _ => None,
    },
    ..NOTHING
};
