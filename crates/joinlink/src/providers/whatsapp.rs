//! WhatsApp calls.

use super::{Meeting, NOTHING, Provider, shapes};

/// `call.whatsapp.com/video/ID`, `/voice/ID`
pub const PROVIDER: Provider = Provider {
    id: "whatsapp",
    owns: |host| host == "call.whatsapp.com",
    shape: |link, segments| match segments {
        ["video" | "voice", id] if shapes::is_id(id) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
