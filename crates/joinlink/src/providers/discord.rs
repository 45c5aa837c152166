//! Discord voice channels.

use super::{Meeting, NOTHING, Provider, shapes};

/// `discord.com/channels/G/C`
pub const PROVIDER: Provider = Provider {
    id: "discord",
    owns: |host| matches!(host, "discord.com" | "www.discord.com"),
    shape: |link, segments| match segments {
        ["channels", guild, channel] if shapes::is_number(guild) && shapes::is_number(channel) => {
            Some(Meeting::at(link))
        }
        _ => None,
    },
    ..NOTHING
};
