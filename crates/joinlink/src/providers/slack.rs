//! Slack huddles.

use super::{Meeting, NOTHING, Provider, shapes};

/// `app.slack.com/huddle/T/C`
pub const PROVIDER: Provider = Provider {
    id: "slack",
    owns: |host| host == "app.slack.com",
    shape: |link, segments| match segments {
        ["huddle", team, channel] if shapes::is_id(team) && shapes::is_id(channel) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
